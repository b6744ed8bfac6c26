"""The state of each channel: good, flat, saturated or not finite."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float32Array, samples_from_ms

# Samples are judged in blocks counted from the first one, so that the verdict does not depend on how they
# arrive.
BLOCK_MS = 200.0
# No amplifier is this quiet: with less than this from peak to peak a channel is stuck, not silent.
FLAT_UV = 0.01
# This close to the full scale counts as beyond it.
FULL_SCALE_SHARE = 0.98
# A clipped signal piles up at its extreme: at least this share of the block, and far more than one step
# inside.
CLIPPED_SHARE = 0.05
CLIPPED_RATIO = 5


class ChannelState(IntEnum):
    """What can be said of a channel; the worst that holds."""

    GOOD = 0
    FLAT = 1
    SATURATED = 2
    NONFINITE = 3


class QualityMonitor:
    """The state of every channel over the last whole block of 200 ms; good before the first one.

    Parameters
    ----------
    fs_hz : float
        Sampling rate.
    n_channels : int
        Number of channels.
    full_scale_uv : float, optional
        Largest magnitude that the amplifier can show, where it declares one.
    """

    def __init__(self, fs_hz: float, n_channels: int, full_scale_uv: float | None = None) -> None:
        self._block = np.zeros((samples_from_ms(BLOCK_MS, fs_hz), n_channels), dtype=np.float32)
        self._full_scale_uv = full_scale_uv
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._filled = 0
        self._states = np.zeros(self._block.shape[1], dtype=np.int8)

    @property
    def states(self) -> tuple[ChannelState, ...]:
        """State of each channel."""
        return tuple(ChannelState(state) for state in self._states.tolist())

    @property
    def summary(self) -> float:
        """Share of the channels that are good, 0 to 1."""
        return float(np.mean(self._states == ChannelState.GOOD))

    def process(self, emg_uv: Float32Array) -> Float32Array:
        """Take the next samples.

        Parameters
        ----------
        emg_uv : ndarray, shape (n_samples, n_channels)
            Raw microvolts, before any filter; they may be not finite.

        Returns
        -------
        ndarray, shape (n_samples,), float32
            The summary as it stands after each sample.
        """
        summaries = np.empty(len(emg_uv), dtype=np.float32)
        at = 0
        while at < len(emg_uv):
            take = min(len(self._block) - self._filled, len(emg_uv) - at)
            self._block[self._filled : self._filled + take] = emg_uv[at : at + take]
            self._filled += take
            summaries[at : at + take] = self.summary
            at += take
            if self._filled == len(self._block):
                self._states = _judge(self._block, self._full_scale_uv)
                self._filled = 0
                summaries[at - 1] = self.summary
        return summaries


def _judge(block_uv: Float32Array, full_scale_uv: float | None) -> npt.NDArray[np.int8]:
    finite = np.isfinite(block_uv).all(axis=0)
    values = np.where(finite, block_uv, np.float32(0.0))
    low, high = values.min(axis=0), values.max(axis=0)
    states = np.zeros(block_uv.shape[1], dtype=np.int8)
    for extreme in (low, high):
        for channel in np.flatnonzero((values == extreme).mean(axis=0) >= CLIPPED_SHARE):
            if _piles_up(values[:, channel], float(extreme[channel])):
                states[channel] = ChannelState.SATURATED
    # A channel that sits still is flat, and saturated only if it sits at the rail.
    states[high - low < FLAT_UV] = ChannelState.FLAT
    if full_scale_uv is not None:
        beyond = np.maximum(np.abs(low), np.abs(high)) >= FULL_SCALE_SHARE * full_scale_uv
        states[beyond] = ChannelState.SATURATED
    states[~finite] = ChannelState.NONFINITE
    return states


def _piles_up(values: Float32Array, extreme_uv: float) -> bool:
    """Whether the extreme is far more frequent than the next value; with coarse steps both are frequent."""
    levels, counts = np.unique(values, return_counts=True)
    if len(levels) == 1:
        return False
    at, inside = (0, 1) if levels[0] == np.float32(extreme_uv) else (-1, -2)
    return bool(counts[at] >= CLIPPED_RATIO * counts[inside])
