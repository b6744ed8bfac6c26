"""The signal quality of each channel in a sliding window: good, flat, saturated, detached, noisy or powerline.

`QualityMonitor` watches; it is for the person who puts the sleeve on, for windows and for logs. What keeps a
bad channel out of a decision is `decoding.repair.FaultMonitor`, which knows only what is certain within a hop
(not a number, constant, clipped) and lies in the decision path.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float32Array
from emg_acquisition.errors import InputError
from emg_acquisition.quality.measures import MeasuredWindow, WindowMeasures
from emg_acquisition.quality.rules import (
    ChannelState,
    QualityThresholds,
    RuleMemory,
    default_thresholds,
    fresh_memory,
    judge,
)

MIN_FS_HZ = 500.0


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
    thresholds : QualityThresholds, optional
        Where a channel stops being good; by default what `default_thresholds` gives.

    Raises
    ------
    InputError
        If the rate is too low to tell muscle from noise.
    """

    def __init__(self, fs_hz: float, n_channels: int, thresholds: QualityThresholds | None = None) -> None:
        if not MIN_FS_HZ <= fs_hz < np.inf:
            msg = f"signal quality needs a rate of at least {MIN_FS_HZ:g} Hz, got {fs_hz:g} Hz"
            raise InputError(msg)
        self._window = MeasuredWindow(fs_hz)
        self._thresholds = thresholds or default_thresholds(fs_hz)
        self._hop = np.empty((self._window.hop_samples, n_channels), dtype=np.float32)
        self._memory: RuleMemory = fresh_memory(n_channels)
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
        states, self._memory = judge(measures, self._thresholds, self._memory)
        return [QualityReport(self._samples, states, measures)]

    def reset(self) -> None:
        """Forget all samples: what follows does not continue them."""
        self._filled = 0
        self._samples = 0
        self._memory = fresh_memory(self._hop.shape[1])
        self._window.clear()
