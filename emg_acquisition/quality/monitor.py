"""The signal quality of each channel in a sliding window: good, flat, saturated, detached, noisy or powerline.

`QualityMonitor` watches; it is for the person who puts the sleeve on, for windows and for logs. What keeps a
bad channel out of a decision is `decoding.repair.FaultMonitor`, which knows only what is certain within a hop
(not a number, constant, clipped) and lies in the decision path.

Each threshold is an amplitude that physics or the use of the signal gives, or a ratio that chance hardly reaches.
Where that leaves a range, the value was chosen on a few recordings and then held against others:
``docs/signal_quality.md`` says which, with the references and what was found.
"""

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.quality.measures import WINDOW_HOPS, MeasuredWindow, WindowMeasures

BoolArray: TypeAlias = npt.NDArray[np.bool_]

MIN_FS_HZ = 500.0


class ChannelState(IntEnum):
    """State of a channel: good, or its fault."""

    GOOD = 0
    FLAT = 1
    SATURATED = 2
    DETACHED = 3
    NOISY = 4
    POWERLINE = 5
    INVALID = 6


@dataclass(frozen=True)
class QualityThresholds:
    """Where a channel stops being good.

    Parameters
    ----------
    lasting_hops : int
        For how many hops, net of those without, drift or noise has to show. A single click or step stays in the
        window for five hops: what lasts longer is a state, not a moment.
    mains_hops : int
        The same for mains, which no click imitates: three windows, spread over 0.7 s, against chance.
    flat_uv : float
        Less fluctuation than this is no electrode on skin: a source of 10 kOhm alone has 0.29 uV of thermal
        noise in 500 Hz, and skin has more than that.
    edge_share : float
        Share of samples exactly at the window's extremes. Even a slow sine on a coarse converter has about a
        tenth of its samples on its extreme counts; muscle, a few in a hundred.
    edge_range_uv : float
        What such a window has to span, so that the few counts of a quiet channel are no clipping.
    rail_jump_uv : float
        A channel that stands still after a jump of this size is at its rail, which in any amplifier lies some
        millivolts away; one that merely stands still is flat.
    wander_uv : float
        Drift within half a second. A gelled electrode drifts by microvolts a second; half a millivolt is ten
        times a good contraction.
    lost_uv : float
        Drift that needs no confirmation: more than movement of skin under an electrode makes. A lost half-cell
        potential is tens of millivolts.
    slow_uv, slowness : float
        RMS in 8-28 Hz and its density over that of muscle's core, together: as strong as a strong contraction
        but where muscle is weak. What is left of drift behind an amplifier's high-pass.
    noise_uv : float
        White noise in the band of muscle: as strong as a weak contraction, which it hides. Amplifier and gelled
        electrode together have 2-5 uV.
    noise_over_uv, noise_over_others : float
        Less noise than that counts where it is above what dry electrodes have and that many times above the
        channels' median.
    whiteness : float
        Density above 300 Hz over that in 40-150 Hz. White noise has 1, give or take 0.3; muscle, falling
        steeply above 150 Hz, about 0.1 however strong it is.
    mains_uv : float
        Mains as strong as a weak contraction.
    mains_ratio : float
        Power at the mains and its harmonics over what the power around them lets expect. The mean of some
        four to six independent chi-square figures is above 5 in less than one window of muscle in a thousand.
    mains_share : float
        Mains in the amplitude of the band of muscle. Under a third (10 dB) it changes that amplitude by less
        than 5 %; it shows when the muscle relaxes.
    mains_open_uv : float
        Mains that no electrode on skin lets in: the few nanoamperes that couple into a lead make this only
        over 100 kOhm and more.
    with_mains : float
        An open input is an antenna: with mains, this share of the drift tells that it is open.
    quiet_uv, quiet_over_others : float
        Noise and mains of a lost electrode behind a high-pass: both above what an amplifier alone has, white, and
        that many times whiter than the channels' median. It hears the room while the others hear muscle.
    """

    lasting_hops: int = WINDOW_HOPS + 1
    mains_hops: int = 3
    flat_uv: float = 0.3
    edge_share: float = 0.2
    edge_range_uv: float = 50.0
    rail_jump_uv: float = 1000.0
    wander_uv: float = 500.0
    lost_uv: float = 2000.0
    slow_uv: float = 50.0
    slowness: float = 3.0
    noise_uv: float = 20.0
    noise_over_uv: float = 10.0
    noise_over_others: float = 3.0
    whiteness: float = 0.5
    mains_uv: float = 20.0
    mains_ratio: float = 5.0
    mains_share: float = 0.3
    mains_open_uv: float = 500.0
    with_mains: float = 1.0 / 3.0
    quiet_uv: float = 4.0
    quiet_over_others: float = 3.0


# Below this rate the band that noise is looked for in, 0.6-0.9 of Nyquist, begins within that of muscle.
_FS_BELOW_MUSCLE_HZ = 800.0


def default_thresholds(fs_hz: float) -> QualityThresholds:
    """Return the thresholds for a sampling rate.

    Under 800 Hz no band is left above muscle: a strong contraction then looks half white, and only noise that
    is stronger and whiter counts.
    """
    if fs_hz >= _FS_BELOW_MUSCLE_HZ:
        return QualityThresholds()
    return QualityThresholds(noise_uv=60.0, noise_over_uv=20.0, whiteness=0.8)


@dataclass(frozen=True)
class QualityReport:
    """The state of every channel at the end of a hop.

    Parameters
    ----------
    sample_index : int
        Number of samples taken when the window ended, since the beginning or the last reset.
    states : ndarray of int8, shape (n_channels,)
        Values of `ChannelState`.
    measures : WindowMeasures
        What they were judged by.
    """

    sample_index: int
    states: npt.NDArray[np.int8]
    measures: WindowMeasures

    @property
    def summary(self) -> float:
        """Share of the channels that are good, 0 to 1."""
        return float(np.mean(self.states == ChannelState.GOOD))

    @property
    def counts(self) -> dict[ChannelState, int]:
        """How many channels are in each state."""
        found = Counter(self.states.tolist())
        return {state: found.get(state.value, 0) for state in ChannelState}


class QualityMonitor:
    """Judge a stream ten times a second, each time over its last half second.

    Parameters
    ----------
    fs_hz : float
        Sampling rate, at least 500 Hz.
    n_channels : int
        Number of channels.

    Raises
    ------
    InputError
        If the rate is too low to tell muscle from noise.
    """

    def __init__(self, fs_hz: float, n_channels: int) -> None:
        if not MIN_FS_HZ <= fs_hz < np.inf:
            msg = f"signal quality needs a rate of at least {MIN_FS_HZ:g} Hz, got {fs_hz:g} Hz"
            raise InputError(msg)
        self._window = MeasuredWindow(fs_hz)
        self._thresholds = default_thresholds(fs_hz)
        self._hop = np.empty((self._window.hop_samples, n_channels), dtype=np.float32)
        self._memory: _Memory = _fresh_memory(n_channels)
        self.reset()

    def process(self, chunk: Float32Array, /) -> list[QualityReport]:
        """Take raw samples in microvolts, (n_samples, n_channels); return a report for each hop that ended.

        The first comes when the first window is full. Whatever filters the samples have gone through, high-pass
        above 20 Hz or a notch, hides faults.

        Raises
        ------
        ValueError
            If the number of channels is another one.
        """
        if chunk.ndim != 2 or chunk.shape[1] != self._hop.shape[1]:  # noqa: PLR2004 - samples x channels
            msg = f"a chunk of shape (n_samples, {self._hop.shape[1]}) is required, got {chunk.shape}"
            raise ValueError(msg)
        reports = []
        taken = 0
        while taken < len(chunk):
            piece = chunk[taken : taken + len(self._hop) - self._filled]
            self._hop[self._filled : self._filled + len(piece)] = piece
            self._filled += len(piece)
            taken += len(piece)
            if self._filled == len(self._hop):
                reports.extend(self._end_hop())
        return reports

    def _end_hop(self) -> list[QualityReport]:
        self._filled = 0
        self._samples += len(self._hop)
        measures = self._window.add(self._hop)
        if measures is None:
            return []
        states, self._memory = _judge(measures, self._thresholds, self._memory)
        return [QualityReport(self._samples, states, measures)]

    def reset(self) -> None:
        """Forget all samples: what follows does not continue them."""
        self._filled = 0
        self._samples = 0
        self._memory = _fresh_memory(self._hop.shape[1])
        self._window.clear()


@dataclass(frozen=True)
class _Memory:
    """What one window has to know of those before it.

    Parameters
    ----------
    confirmed : ndarray of int, shape (4, n_channels)
        For how many hops, net, drift, noise, mains and a quiet open input have shown.
    saturated : ndarray of bool, shape (n_channels,)
        Which channels were saturated: one that has stopped moving since is at its rail, not flat.
    """

    confirmed: IntArray
    saturated: BoolArray


def _fresh_memory(n_channels: int) -> _Memory:
    """Return the memory of a stream that begins."""
    return _Memory(np.zeros((4, n_channels), dtype=np.int64), np.zeros(n_channels, dtype=np.bool_))


def _judge(
    measures: WindowMeasures, limits: QualityThresholds, memory: _Memory
) -> tuple[npt.NDArray[np.int8], _Memory]:
    """Return the state of each channel, shape (n_channels,), and the memory for the next window.

    Where several apply, the one that explains the others is named: a value that is none, the rail, silence,
    a lost electrode, the mains, noise.
    """
    flat = measures.still | (measures.fluctuation_uv < limits.flat_uv)
    saturated = _saturated(measures, limits) | (flat & memory.saturated)
    shows = np.array(
        [
            _drifts(measures, limits, 1.0),
            _noisy(measures, limits),
            _has_mains(measures, limits),
            _quietly_open(measures, limits),
        ]
    )
    needed = np.repeat((limits.lasting_hops, limits.mains_hops), 2)[:, np.newaxis]
    # Two more than needed, so that a state does not flicker where a figure is near its limit.
    confirmed = np.clip(memory.confirmed + np.where(shows, 1, -1), 0, needed + 2)
    drifts, noisy, mains, quietly_open = confirmed >= needed
    open_input = quietly_open | mains & (
        noisy | (measures.mains_uv > limits.mains_open_uv) | _drifts(measures, limits, limits.with_mains)
    )
    causes = (
        (measures.invalid, ChannelState.INVALID),
        (saturated, ChannelState.SATURATED),
        (flat, ChannelState.FLAT),
        (drifts | open_input | (measures.wander_uv > limits.lost_uv), ChannelState.DETACHED),
        (mains, ChannelState.POWERLINE),
        (noisy, ChannelState.NOISY),
    )
    states = np.select(
        [found for found, _ in causes], [state.value for _, state in causes], ChannelState.GOOD
    )
    return states.astype(np.int8), _Memory(confirmed, saturated & ~measures.invalid)


def _saturated(measures: WindowMeasures, limits: QualityThresholds) -> BoolArray:
    spans_uv = measures.highest_uv - measures.lowest_uv
    clips = ~measures.still & (measures.share_at_edge > limits.edge_share) & (spans_uv > limits.edge_range_uv)
    # Exactly nothing is what a dead input sends, and no rail.
    jumped = measures.still & measures.at_edge & (measures.last_uv != 0.0) & (spans_uv > limits.rail_jump_uv)
    return np.asarray(clips | jumped)


def _drifts(measures: WindowMeasures, limits: QualityThresholds, share: float) -> BoolArray:
    slow = (measures.slow_uv > share * limits.slow_uv) & (measures.slowness > limits.slowness)
    return np.asarray(slow | (measures.wander_uv > share * limits.wander_uv))


def _has_mains(measures: WindowMeasures, limits: QualityThresholds) -> BoolArray:
    return np.asarray(
        (measures.mains_uv > limits.mains_uv)
        & (measures.mains_ratio > limits.mains_ratio)
        & (measures.mains_uv > limits.mains_share * measures.muscle_uv)
    )


def _noisy(measures: WindowMeasures, limits: QualityThresholds) -> BoolArray:
    over_others_uv = max(limits.noise_over_uv, limits.noise_over_others * float(np.median(measures.noise_uv)))
    return np.asarray(
        (measures.noise_uv > min(limits.noise_uv, over_others_uv)) & (measures.whiteness > limits.whiteness)
    )


def _quietly_open(measures: WindowMeasures, limits: QualityThresholds) -> BoolArray:
    whiter = max(limits.whiteness, limits.quiet_over_others * float(np.median(measures.whiteness)))
    return np.asarray(
        (measures.noise_uv > limits.quiet_uv)
        & (measures.mains_uv > limits.quiet_uv)
        & (measures.mains_ratio > limits.mains_ratio)
        & (measures.whiteness > whiter)
    )
