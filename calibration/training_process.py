"""Training in a process of its own, nicer than everything that streams; features are kept from one job to the next."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from calibration.parts import trained_on
from calibration.session_ports import TrainJob, TrainOutcome, TrainProgress
from calibration.train_settings import TrainSettings
from calibration.training_set import FeatureCache, Progress
from decoding.decoder_file import load_decoder
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import Session, load_session

_log = logging.getLogger(__name__)

NICENESS = 5
# More would take from the stream, the recorder and the window on a machine with two cores.
THREADS = "1"
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
END_S = 5.0


class TrainingProcess:
    """Trains in a process that is started at the first need and ends with the process that started it."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._busy = False

    def warm_up(self) -> None:
        """Load what training needs, ahead of the first job."""
        self._ensure()

    def start(self, job: TrainJob) -> None:
        """Begin a job."""
        if self._busy:
            self.cancel()
        self._ensure().send(job)
        self._busy = True

    def poll(self) -> TrainProgress | TrainOutcome | None:
        """Return the newest progress or the outcome; never waits."""
        newest: TrainProgress | TrainOutcome | None = None
        if self._pipe is None or not self._busy:
            return None
        try:
            while self._busy and self._pipe.poll():
                newest = self._pipe.recv()
                self._busy = not isinstance(newest, TrainOutcome)
        except (EOFError, OSError):
            self.cancel()
            return TrainOutcome(
                error="the training died (too little memory?); train again, or close other programs"
            )
        return newest

    def cancel(self) -> None:
        """End the job; nothing is written."""
        self.close()

    def close(self) -> None:
        """End everything."""
        self._busy = False
        if self._process is not None and self._pipe is not None:
            self._process.terminate()
            self._process.join(END_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._pipe.close()
        self._process, self._pipe = None, None

    def _ensure(self) -> Connection:
        if self._pipe is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), name="trainer", daemon=True)
            with _limited_threads():
                self._process.start()
            theirs.close()
        return self._pipe


@contextmanager
def _limited_threads() -> Iterator[None]:
    """Limit the threads of a process started in here: libraries read the limit when they are loaded."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, THREADS))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    jobs = TrainingJobs(lambda stage, share: pipe.send(TrainProgress(stage, share)))
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        try:
            outcome = jobs.run(job)
        except (InputError, OSError) as error:
            outcome = TrainOutcome(error=str(error))
        try:
            pipe.send(outcome)
        except OSError:
            return


class TrainingJobs:
    """Runs jobs one after the other, each with what those before it have computed.

    Parameters
    ----------
    progress : callable
        Called with a stage's name and the share done.
    """

    def __init__(self, progress: Progress) -> None:
        # Only here: they load what exports decoders, which the process that starts this one does not need.
        from calibration.recalibrate import recalibrate  # noqa: PLC0415
        from calibration.train import train_decoder  # noqa: PLC0415

        self._recalibrate, self._train = recalibrate, train_decoder
        self._progress = progress
        self._sessions: dict[Path, Session] = {}
        self._cache = FeatureCache()

    def run(self, job: TrainJob) -> TrainOutcome:
        """Train as ``hdemg train`` does with the same options, so that it makes the same decoder.

        Raises
        ------
        InputError
            If the sessions do not suffice.
        """
        self._progress("reading", 0.0)
        folders = trained_on(job.sessions)
        if not folders:
            msg = "no trial was found good yet; record some first"
            raise InputError(msg)
        sessions = [self._session(folder) for folder in folders]
        if job.base is not None:
            adapted = self._recalibrate(load_decoder(job.base), sessions, job.out, self._progress)
            gestures = load_decoder(job.out).metadata.gestures
            return TrainOutcome(
                gestures=gestures,
                window_accuracy=adapted.window_accuracy,
                trial_accuracy=adapted.trial_accuracy,
                model=f"{adapted.model}, {adapted.way}",
                seconds=adapted.seconds,
                sessions=folders,
            )
        settings = TrainSettings(drop=job.drop, merge=job.merge, **job.signal.settings())
        report = self._train(sessions, job.out, settings, self._progress, self._cache)
        return TrainOutcome(
            gestures=report.gestures,
            confusion=report.confusion,
            window_accuracy=report.window_accuracy,
            trial_accuracy=report.trial_accuracy,
            model=report.made_of,
            seconds=report.seconds,
            sessions=folders,
        )

    def _session(self, folder: Path) -> Session:
        if folder not in self._sessions:
            self._sessions[folder] = load_session(folder)
        return self._sessions[folder]
