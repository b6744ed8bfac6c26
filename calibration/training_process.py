"""Training in a process of its own, nicer than everything that streams; features are kept from one job to the next."""

import logging
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from calibration.session_ports import TrainJob, TrainOutcome, TrainProgress
from emg_acquisition.errors import InputError

_log = logging.getLogger(__name__)

NICENESS = 5
# More would take from the stream, the recorder and the window on a machine with two cores.
THREADS = "1"
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
END_S = 5.0


class TrainingProcess:
    """Trains in a process that is started at the first need and ends with whoever started it."""

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
        """Return the newest word on it; never waits."""
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
            self._process.start()
            theirs.close()
        return self._pipe


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = THREADS
    from calibration.training_jobs import Jobs  # noqa: PLC0415 - libraries read their threads when they are loaded

    jobs = Jobs(lambda stage, share: pipe.send(TrainProgress(stage, share)))
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


def command_of(job: TrainJob) -> str:
    """Return the command that makes the same decoder of the same sessions."""
    folders = " ".join(str(path) for path in job.sessions)
    if job.base is not None:
        return f"hdemg recalibrate {job.base} {folders} -o {Path('decoder.onnx')}"
    drop = "".join(f" --drop {gesture}" for gesture in job.drop)
    merge = "".join(f" --merge {first}={second}" for first, second in job.merge)
    return f"hdemg train {folders} -o decoder.onnx{job.signal.arguments}{drop}{merge}"
