"""Sessions to a decoder: check, window, judge on held-out repetitions, fit, calibrate effort, export."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from calibration.candidates import ModelChoice, load_network
from calibration.choice import Choice, Wish, choose
from calibration.labels import (
    LabelledWindows,
    TrialWindows,
    stack_steady,
)
from calibration.trials import STRONG, FeatureCache, trials_of
from calibration.unknown import fit_rejection
from decoding.decision import DecisionSettings, EffortCalibration
from decoding.decoder_file import DecoderMetadata, HeldOut, TrainingSession
from decoding.filters import design_filter
from decoding.models.export import export_decoder, software_versions
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.grid import GridSettings
from emg_acquisition.recording.session import Session

logger = logging.getLogger(__name__)

# A gesture hardly above rest still needs a span over which effort can rise: a tenth in log units is 10 %.
LEAST_EFFORT_SPAN = 0.1
Progress = Callable[[str, float], None]


class TrainSettings(BaseModel):
    """How to train.

    Parameters
    ----------
    signal : SignalSettings, optional
        The whole signal path, which the decoder carries; without it, held-out repetitions choose features and spatial
        filter among `calibration.candidates`.
    base_signal : SignalSettings
        Without `signal`: the rest of the path, from filter to window.
    decision : DecisionSettings
        Rejection and smoothing; the decoder carries them.
    temporal : TemporalSettings, optional
        Weighs hops together before a gesture is said; the decoder carries it.
    model : {"auto", "lda", "cnn"}
        Classifier; ``auto`` is the one that held-out repetitions favour.
    reject_unknown : bool
        Whether to reject what lies farther from every gesture than held-out repetitions do (`calibration.unknown`).
    after_cue_s, before_next_s : float
        Margins of a trial that are not trained on: the muscle follows the cue late, and leaves it early. A session
        whose trials carry labels from the muscle (`calibration.trial_labels`) goes by those instead.
    drop : tuple of str
        Gestures that the decoder is not to know.
    merge : tuple of tuple of str
        Pairs: trials of the second count as the first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    signal: SignalSettings | None = None
    base_signal: SignalSettings = SignalSettings()
    decision: DecisionSettings = DecisionSettings()
    temporal: TemporalSettings | None = None
    model: ModelChoice = "auto"
    reject_unknown: bool = False
    after_cue_s: float = Field(default=1.0, ge=0)
    before_next_s: float = Field(default=1.0, ge=0)
    drop: tuple[str, ...] = ()
    merge: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TrainReport:
    """What came of a training; accuracies are held out, None with a single repetition."""

    decoder: Path
    model: str
    made_of: str
    window_accuracy: float | None
    trial_accuracy: float | None
    seconds: float
    gestures: tuple[str, ...]
    n_trials: int
    n_windows: int
    temperature: float
    confusion: tuple[tuple[int, ...], ...] = ()


def train_decoder(
    sessions: Sequence[Session],
    out: Path,
    settings: TrainSettings,
    progress: Progress,
    cache: FeatureCache | None = None,
) -> TrainReport:
    """Train on every trial of the sessions and write a decoder file.

    Parameters
    ----------
    sessions : sequence of Session
        Of the same grid, rate and channels.
    out : Path
        Decoder file to write; written whole or not at all.
    settings : TrainSettings
        Signal, decision and margins.
    progress : callable
        Called with a stage's name and the share done, 0 to 1.
    cache : FeatureCache, optional
        Of an earlier training on the same sessions.

    Raises
    ------
    InputError
        If the sessions differ in kind, have no cues or no ``rest``, or a gesture has too few trials.
    ModuleNotFoundError
        If the network is asked for and torch is not installed.
    """
    began_s = time.monotonic()
    if settings.model == "cnn":
        load_network()
    _check_same_kind(sessions)
    source = _TrialSource(sessions, settings, progress, cache or FeatureCache())
    first = settings.signal or settings.base_signal
    gestures = _gestures_of(source.windows(first))
    info = sessions[0].emg.info
    choice = choose(
        Wish(settings.model, settings.signal, settings.decision, settings.base_signal),
        source.windows,
        gestures,
        info,
        lambda done: progress("held out", done),
    )
    progress("fit", 0.0)
    windows = source.windows(choice.candidate.signal)
    distance = None
    if settings.reject_unknown:
        distance, limit = fit_rejection(windows, gestures)
        decision = settings.decision.model_copy(update={"max_distance": limit})
        settings = settings.model_copy(update={"decision": decision})
    known = stack_steady(windows, gestures)
    classifier = choice.candidate.fit(known, len(gestures), info.grid).with_temperature(
        choice.held_out.temperature
    )
    metadata = _metadata(
        sessions,
        settings,
        gestures=gestures,
        effort=effort_of(_comfortable(windows, gestures), gestures),
        choice=choice,
    )
    export_decoder(
        classifier, metadata, out, choice.candidate.statistics(known, len(gestures)), distance=distance
    )
    progress("fit", 1.0)
    return TrainReport(
        decoder=out,
        model=classifier.name,
        made_of=choice.candidate.name,
        window_accuracy=choice.held_out.window_accuracy,
        trial_accuracy=choice.held_out.trial_accuracy,
        seconds=time.monotonic() - began_s,
        gestures=gestures,
        n_trials=len(windows),
        n_windows=len(known.labels),
        temperature=choice.held_out.temperature,
        confusion=choice.held_out.confusion,
    )


def _comfortable(windows: Sequence[TrialWindows], gestures: Sequence[str]) -> LabelledWindows:
    """Return the windows that effort is measured by: all but those of strong contractions."""
    return stack_steady([one for one in windows if one.level != STRONG], gestures)


def _check_same_kind(sessions: Sequence[Session]) -> None:
    if not sessions:
        msg = "no session to train on; name at least one session folder"
        raise InputError(msg)
    first = sessions[0].emg.info
    for session in sessions[1:]:
        info = session.emg.info
        pairs = {
            "sampling rate": (info.fs_hz, first.fs_hz),
            "grid": (_layout(info.grid), _layout(first.grid)),
            "channel labels": (info.channel_labels, first.channel_labels),
        }
        differing = [name for name, (got, wanted) in pairs.items() if got != wanted]
        if differing:
            msg = (
                f"{session.folder}: {', '.join(differing)} not the same as in {sessions[0].folder}; "
                f"train on sessions of one sleeve"
            )
            raise InputError(msg)


def _layout(grid: object) -> tuple[object, ...]:
    return tuple(getattr(grid, name) for name in ("channel_at", "pitch_mm", "wraps"))


class _TrialSource:
    """The labelled trials of sessions with the features of any settings, computed once for each."""

    def __init__(
        self, sessions: Sequence[Session], settings: TrainSettings, progress: Progress, cache: FeatureCache
    ) -> None:
        self._cache = cache
        self._sessions = sessions
        self._settings = settings
        self._progress = progress
        self._made: dict[SignalSettings, list[TrialWindows]] = {}

    def windows(self, signal: SignalSettings) -> list[TrialWindows]:
        """Trials with at least one usable window; `trials_of` says what is refused."""
        if signal not in self._made:
            found = trials_of(self._sessions, signal, self._settings, self._progress, self._cache)
            self._made[signal] = found
        return self._made[signal]


def _gestures_of(windows: Sequence[TrialWindows]) -> tuple[str, ...]:
    """Rest first, the others by name: an order that no drawn cue order can change."""
    return (REST, *sorted({one.trial.gesture for one in windows} - {REST}))


def effort_of(known: LabelledWindows, gestures: Sequence[str]) -> EffortCalibration:
    """Levels between which effort rises: the medians at rest and in each gesture."""
    levels = [float(np.median(known.log_amplitude[known.labels == k])) for k in range(len(gestures))]
    rest = gestures.index(REST)
    least = levels[rest] + LEAST_EFFORT_SPAN
    active = [max(least, level) for k, level in enumerate(levels) if k != rest]
    contraction = [max(least, level) for level in levels]
    contraction[rest] = float(np.median(active))
    return EffortCalibration(rest_log_uv=levels[rest], contraction_log_uv=tuple(contraction))


def _metadata(
    sessions: Sequence[Session],
    settings: TrainSettings,
    *,
    gestures: tuple[str, ...],
    effort: EffortCalibration,
    choice: Choice,
) -> DecoderMetadata:
    signal, held_out = choice.candidate.signal, choice.held_out
    info = sessions[0].emg.info
    return DecoderMetadata(
        fs_hz=info.fs_hz,
        grid=GridSettings.model_validate(info.grid.to_settings()),
        channel_labels=info.channel_labels,
        signal=signal,
        filter_design=design_filter(signal, info.fs_hz),
        gestures=gestures,
        decision=settings.decision,
        effort=effort,
        model=choice.candidate.model,
        training_sessions=tuple(provenance(session) for session in sessions),
        held_out=HeldOut(window_accuracy=held_out.window_accuracy, trial_accuracy=held_out.trial_accuracy),
        software=software_versions(choice.candidate.model),
        made_of=choice.candidate.name,
        considered=choice.considered,
        temperature=held_out.temperature,
        temporal=settings.temporal,
    )


def provenance(session: Session) -> TrainingSession:
    """Identify a session by the hash of its recording; none where the recording was never closed."""
    info = session.info
    sha256 = info.recording.sha256 if info.recording is not None else ""
    return TrainingSession(participant=info.participant, session=info.session, sha256=sha256)
