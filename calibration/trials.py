"""Sessions to trials of windows: by the muscle's labels where there are any, by margins around cues elsewhere."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from calibration.labels import TrialWindows, session_windows, windows_for_labels, windows_for_trials
from calibration.trial_labels import labels_of
from decoding.feature_chain import FeatureBlock
from decoding.signal_settings import SignalSettings
from emg_acquisition.arrays import samples_from_ms
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.recording.session import Session, trials

if TYPE_CHECKING:
    from calibration.train import TrainSettings

logger = logging.getLogger(__name__)

LEAST_TRIALS = 2
STRONG = "strong"


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


def trials_of(
    sessions: Sequence[Session],
    signal: SignalSettings,
    settings: "TrainSettings",
    progress: Callable[[str, float], None],
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
    k: int, session: Session, signal: SignalSettings, settings: "TrainSettings", cache: FeatureCache
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


def _chosen(found: Sequence[TrialWindows], settings: "TrainSettings") -> list[TrialWindows]:
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
