"""A training job on session folders, with what the jobs before it have computed."""

from pathlib import Path

from calibration.progress import trained_on
from calibration.recalibrate import recalibrate
from calibration.session_ports import TrainJob, TrainOutcome
from calibration.train import Progress, TrainSettings, train_decoder
from calibration.trials import FeatureCache
from decoding.decoder_file import load_decoder
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import Session, load_session


class Jobs:
    """Runs jobs one after the other.

    Parameters
    ----------
    progress : callable
        Called with a stage's name and the share done.
    """

    def __init__(self, progress: Progress) -> None:
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
            adapted = recalibrate(load_decoder(job.base), sessions, job.out, self._progress)
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
        report = train_decoder(sessions, job.out, settings, self._progress, self._cache)
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
