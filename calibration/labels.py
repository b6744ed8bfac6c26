"""Cues to labelled windows: only those that lie wholly where the muscle follows, by its own labels or by margins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calibration.trial_labels import TrialLabel, Verdict
from decoding.feature_chain import FeatureBlock, FeatureChain
from decoding.repair import BoolArray
from decoding.signal_settings import SignalSettings
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.recording.session import Session, Trial
from emg_acquisition.streams.chunks import split_at_gaps


@dataclass(frozen=True)
class TrialWindows:
    """The windows of one trial, all of them in order of time.

    Parameters
    ----------
    trial : Trial
        What was asked for, when.
    session : int
        Which of the sessions given.
    block : FeatureBlock
        Windows that end within the trial; `last_sample` counts from the session's beginning.
    steady : ndarray of bool, shape (n_windows,)
        Windows that lie wholly beyond the margins, of good enough quality: to train on and to be judged by.
    level : str
        ``comfortable`` or ``strong`` in an effort calibration; otherwise empty.
    """

    trial: Trial
    session: int
    block: FeatureBlock
    steady: BoolArray
    level: str = ""


def session_windows(session: Session, settings: SignalSettings) -> tuple[FeatureBlock, int]:
    """Features of a whole session and a window's length in samples; state never crosses a gap."""
    emg = session.emg
    chain = FeatureChain(settings, emg.info.fs_hz, emg.info.grid)
    blocks: list[FeatureBlock] = []
    taken = 0
    for chunk in split_at_gaps(emg.emg_uv, emg.t_lsl_s, emg.info, None):
        chain.reset()
        block = chain.process(chunk.emg_uv)
        blocks.append(
            FeatureBlock(block.features, block.log_amplitude, block.quality, block.last_sample + taken)
        )
        taken += chunk.n_samples
    return _joined(blocks), chain.spec.window_samples


def windows_for_trials(
    block: FeatureBlock,
    window_samples: int,
    trials: Sequence[Trial],
    *,
    session: int,
    after_cue_samples: int,
    before_next_samples: int,
    min_quality: float,
) -> list[TrialWindows]:
    """Give each trial its windows, and mark those that lie wholly beyond its margins.

    Parameters
    ----------
    block : FeatureBlock
        Of the whole session.
    window_samples : int
        Length of a window.
    trials : sequence of Trial
        With ``start`` inclusive and ``stop`` exclusive.
    session : int
        Which of the sessions this is.
    after_cue_samples, before_next_samples : int
        Margins: a muscle follows its cue by reaction time, and may run ahead of the next one.
    min_quality : float
        Windows with a smaller share of usable channels are not steady.
    """
    first_sample = block.last_sample - (window_samples - 1)
    found = []
    for trial in trials:
        inside = (block.last_sample >= trial.start) & (block.last_sample < trial.stop)
        steady = (first_sample >= trial.start + after_cue_samples) & (
            block.last_sample < trial.stop - before_next_samples
        )
        steady &= block.quality >= min_quality
        found.append(TrialWindows(trial, session, _selected(block, inside), steady[inside]))
    return found


def windows_for_labels(
    block: FeatureBlock,
    window_samples: int,
    trials: Sequence[Trial],
    labels: Mapping[int, TrialLabel],
    t_lsl_s: Float64Array,
    *,
    session: int,
    min_quality: float,
) -> list[TrialWindows]:
    """Give each trial that was found good its windows; steady are those within what the muscle's labels say.

    Parameters
    ----------
    labels : mapping of int to TrialLabel
        By trial number; trials without a good one are left out.
    t_lsl_s : ndarray, shape (n_samples,)
        Time of each sample of the session.
    block, window_samples, trials, session, min_quality
        As for `windows_for_trials`.
    """
    first_sample = block.last_sample - (window_samples - 1)
    found = []
    for trial in trials:
        label = labels.get(trial.trial)
        if label is None or label.verdict is not Verdict.GOOD:
            continue
        begin, end = np.searchsorted(t_lsl_s, (label.from_lsl_s, label.until_lsl_s))
        # The muscle may begin ahead of its cue and let go after the next.
        inside = (block.last_sample >= min(trial.start, begin)) & (block.last_sample < max(trial.stop, end))
        steady = (first_sample >= begin) & (block.last_sample < end) & (block.quality >= min_quality)
        found.append(TrialWindows(trial, session, _selected(block, inside), steady[inside], label.level))
    return found


def _selected(block: FeatureBlock, chosen: BoolArray) -> FeatureBlock:
    return FeatureBlock(
        block.features[chosen], block.log_amplitude[chosen], block.quality[chosen], block.last_sample[chosen]
    )


def _joined(blocks: Sequence[FeatureBlock]) -> FeatureBlock:
    return FeatureBlock(
        np.concatenate([block.features for block in blocks]),
        np.concatenate([block.log_amplitude for block in blocks]),
        np.concatenate([block.quality for block in blocks]),
        np.concatenate([block.last_sample for block in blocks]),
    )


@dataclass(frozen=True)
class LabelledWindows:
    """Steady windows of many trials, stacked for a classifier.

    Parameters
    ----------
    features : ndarray, shape (n_windows, n_channels, n_features)
    labels : ndarray of int64, shape (n_windows,)
        Index into the gestures.
    trials : ndarray of int64, shape (n_windows,)
        Which windows are of one trial, and so not independent of each other.
    log_amplitude : ndarray, shape (n_windows,)
        For effort.
    """

    features: Float32Array
    labels: IntArray
    trials: IntArray
    log_amplitude: Float32Array


def stack_steady(trials: Sequence[TrialWindows], gestures: Sequence[str]) -> LabelledWindows:
    """Stack the steady windows, each labelled by its trial's gesture."""
    return LabelledWindows(
        np.concatenate([one.block.features[one.steady] for one in trials]),
        np.concatenate([np.full(one.steady.sum(), gestures.index(one.trial.gesture)) for one in trials]),
        np.concatenate([np.full(one.steady.sum(), index) for index, one in enumerate(trials)]),
        np.concatenate([one.block.log_amplitude[one.steady] for one in trials]),
    )
