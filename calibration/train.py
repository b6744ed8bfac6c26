"""Sessions to a decoder: check, window, judge on held-out repetitions, fit, calibrate effort, export."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from calibration.candidates import ModelChoice
from calibration.choice import Choice, Wish, choose
from calibration.labels import (
    LabelledWindows,
    TrialWindows,
    session_windows,
    stack_steady,
    windows_for_labels,
    windows_for_trials,
)
from calibration.trial_labels import labels_of
from calibration.unknown import fit_rejection
from decoding.decision import DecisionSettings, EffortCalibration
from decoding.decoder_file import DecoderMetadata, HeldOut, TrainingSession
from decoding.feature_chain import FeatureBlock
from decoding.filters import design_filter
from decoding.models.export import export_decoder, software_versions
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings
from emg_acquisition.arrays import samples_from_ms
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.grid import GridSettings
from emg_acquisition.recording.session import Session, trials

logger = logging.getLogger(__name__)

# A gesture hardly above rest still needs a span over which effort can rise: a tenth in log units is 10 %.
LEAST_EFFORT_SPAN = 0.1
LEAST_TRIALS = 2
STRONG = "strong"
Progress = Callable[[str, float], None]


class TrainSettings(BaseModel):
    """How to train.

    Parameters
    ----------
    signal : SignalSettings, optional
        Features; without it, held-out repetitions choose among `calibration.candidates`. The decoder carries them.
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


class FeatureCache:
    """Features of whole sessions, kept: training again with other gestures then takes seconds."""

    def __init__(self) -> None:
        self._made: dict[tuple[Path, SignalSettings], tuple[FeatureBlock, int]] = {}

    def windows(self, session: Session, signal: SignalSettings) -> tuple[FeatureBlock, int]:
        """Return what `calibration.labels.session_windows` does."""
        key = (session.folder, signal)
        if key not in self._made:
            self._made[key] = session_windows(session, signal)
        return self._made[key]


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
    """
    began_s = time.monotonic()
    _check_same_kind(sessions)
    source = _TrialSource(sessions, settings, progress, cache or FeatureCache())
    first = settings.signal or SignalSettings()
    gestures = _gestures_of(source.windows(first))
    info = sessions[0].emg.info
    choice = choose(
        Wish(settings.model, settings.signal, settings.decision),
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


def trials_of(
    sessions: Sequence[Session],
    signal: SignalSettings,
    settings: TrainSettings,
    progress: Progress,
    cache: FeatureCache | None = None,
) -> list[TrialWindows]:
    """Cut sessions into trials of windows, those with at least one usable window.

    Raises
    ------
    InputError
        If a session has no cues, no trial has a usable window, or gestures or trials are too few.
    """
    cache = cache or FeatureCache()
    found: list[TrialWindows] = []
    for k, session in enumerate(sessions):
        found += _cut(k, session, signal, settings, cache)
        progress("features", (k + 1) / len(sessions))
    found = _chosen(found, settings)
    usable = [one for one in found if one.steady.any()]
    if not usable:
        msg = (
            f"no trial has a usable window: {settings.after_cue_s:g} s after its cue and {settings.before_next_s:g} s "
            f"before the next do not leave {signal.window_ms:g} ms (--after-cue and --before-next say how "
            "much to leave out), or the signal is too poor"
        )
        raise InputError(msg)
    _check_trial_counts(found, usable)
    return usable


def _cut(
    k: int, session: Session, signal: SignalSettings, settings: TrainSettings, cache: FeatureCache
) -> list[TrialWindows]:
    cued = trials(session)
    if not cued:
        msg = f"{session.folder}: holds no cue, so nothing says what was asked for; record it with cues"
        raise InputError(msg)
    block, window_samples = cache.windows(session, signal)
    min_quality = settings.decision.min_quality
    labels = labels_of(session.events)
    if labels:
        return windows_for_labels(
            block,
            window_samples,
            cued,
            labels,
            session.emg.t_lsl_s,
            session=k,
            min_quality=min_quality,
        )
    fs_hz = session.emg.info.fs_hz
    return windows_for_trials(
        block,
        window_samples,
        cued,
        session=k,
        after_cue_samples=_margin_samples(settings.after_cue_s, fs_hz),
        before_next_samples=_margin_samples(settings.before_next_s, fs_hz),
        min_quality=min_quality,
    )


def _chosen(found: Sequence[TrialWindows], settings: TrainSettings) -> list[TrialWindows]:
    """Leave out the gestures to drop, and call those to merge by one name."""
    there = {one.trial.gesture for one in found}
    name_of = {second: first for first, second in settings.merge}
    named = {*settings.drop, *(name for pair in settings.merge for name in pair)}
    if REST in named or named - there:
        msg = (
            f"gestures to drop or merge: {', '.join(sorted(named - there or {REST}))} cannot be chosen; "
            f"there are {', '.join(sorted(there - {REST}))}"
        )
        raise InputError(msg)
    return [
        replace(one, trial=replace(one.trial, gesture=name_of.get(one.trial.gesture, one.trial.gesture)))
        for one in found
        if one.trial.gesture not in settings.drop
    ]


def _margin_samples(margin_s: float, fs_hz: float) -> int:
    return samples_from_ms(margin_s * 1000.0, fs_hz) if margin_s > 0 else 0


def _check_trial_counts(found: Sequence[TrialWindows], usable: Sequence[TrialWindows]) -> None:
    asked = Counter(one.trial.gesture for one in found)
    counts = Counter(one.trial.gesture for one in usable)
    if REST not in counts or len(asked) == 1:
        have = ", ".join(sorted(counts))
        msg = f"training needs {REST!r} and a gesture, got {have}; rest is what stops the robot"
        raise InputError(msg)
    repetitions = {(one.session, one.trial.repetition) for one in usable}
    least = LEAST_TRIALS if len(repetitions) > 1 else 1
    scarce = [f"{gesture} ({counts[gesture]})" for gesture in sorted(asked) if counts[gesture] < least]
    if scarce:
        msg = f"too few usable trials of {', '.join(scarce)}: {least} at least are needed; record more"
        raise InputError(msg)
    if len(repetitions) == 1:
        logger.warning("a single repetition: accuracy cannot be measured on held-out trials")


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
        software=software_versions(),
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
