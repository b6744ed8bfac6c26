"""Faulty samples and channels: found before the filter, mended after the features.

Repair has two places, because a fault has two ways to do harm.

- A non-finite sample would stay in a recursive filter for ever. `FiniteGuard` replaces it, before the filter,
  by the channel's last good sample: the electrode's offset (some 10^4 counts) stays, so there is no step.
- A channel that is flat, clipped or broken carries no muscle. `FaultMonitor` finds it in the raw samples, and
  `repair_features` replaces its features by the mean of its good neighbours on the grid. Features rather than
  filtered samples: neighbours' signals are partly independent, so their mean would look like a weaker muscle,
  whereas the mean of their amplitudes is an amplitude.

`emg_acquisition.quality.monitor` judges more (mains, noise, a lost electrode), over half a second and for people; here
lies in the decision path only what a single hop makes certain.

Faults are counted hop by hop from minima, maxima and last samples, all of which are exact for any chunking.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from decoding.signal_settings import SignalSettings
from decoding.windows import WindowSpec
from emg_acquisition.arrays import Float32Array, IntArray, samples_from_ms
from emg_acquisition.grid import ElectrodeGrid

BoolArray: TypeAlias = npt.NDArray[np.bool_]
# Ten volts at an electrode: no amplifier measures it. Beyond it float32 sums of squares could overflow.
PLAUSIBLE_UV = np.float32(1e7)
# How far back an old run is recognised, and how many samples in a row must be the same.
MEMORY_S = 2.0
RUN_SAMPLES = 8


class FiniteGuard:
    """Replace non-finite (or impossibly large) samples by the channel's last good one, 0 before any.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    """

    def __init__(self, n_channels: int) -> None:
        self._last_good = np.zeros(n_channels, dtype=np.float32)

    def process(self, chunk: Float32Array, /) -> Float32Array:
        """Return the samples, (n_samples, n_channels), all finite; the same array if nothing was mended."""
        if len(chunk) == 0:
            return chunk
        # NaN compares false, so one test finds NaN, infinity and the impossible.
        if bool(np.abs(chunk).max() < PLAUSIBLE_UV):
            self._last_good = chunk[-1].copy()
            return chunk
        mended: Float32Array = chunk.copy()
        faulty = ~(np.abs(chunk) < PLAUSIBLE_UV)
        for channel in np.flatnonzero(faulty.any(axis=0)):
            mended[:, channel] = self._hold(chunk[:, channel], faulty[:, channel], int(channel))
        self._last_good = mended[-1].copy()
        return mended

    def _hold(self, samples: Float32Array, faulty: BoolArray, channel: int) -> Float32Array:
        newest_good = np.maximum.accumulate(np.where(faulty, -1, np.arange(len(samples))))
        held = np.where(newest_good < 0, self._last_good[channel], samples[newest_good])
        return np.asarray(held, dtype=np.float32)

    def reset(self) -> None:
        """Forget the last samples."""
        self._last_good = np.zeros_like(self._last_good)


class RepetitionMonitor:
    """Whether the newest samples of a hop are old ones, sent again by a stuck buffer under new time stamps.

    No electrode array measures the same values in the same order twice: its noise alone forbids it. So a run of
    samples that equals, bit for bit, one of the last seconds was not measured now. Samples are compared by a
    checksum of a row.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    fs_hz : float
        Sampling rate.
    hop_samples : int
        Length of a hop; a run is no longer than it.
    """

    def __init__(self, n_channels: int, fs_hz: float, hop_samples: int) -> None:
        # Odd numbers, so that no bit of a value is lost to the product; the sum wraps.
        rng = np.random.default_rng(0)
        self._weights = rng.integers(0, 2**31, n_channels, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
        self._past: npt.NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
        self._hop: list[npt.NDArray[np.uint32]] = []
        self._kept = max(hop_samples, round(MEMORY_S * fs_hz))
        self._run = min(RUN_SAMPLES, hop_samples)

    def add(self, piece: Float32Array) -> None:
        """Take samples of the hop under way, shape (n, n_channels)."""
        bits = np.ascontiguousarray(piece).view(np.uint32)
        self._hop.append(bits @ self._weights)

    def end_hop(self) -> bool:
        """End the hop; return whether its last samples repeat a run before it."""
        hop = np.concatenate(self._hop)
        self._hop.clear()
        run = hop[-self._run :]
        ends = np.flatnonzero(self._past == run[-1])
        repeated = any(np.array_equal(self._past[end + 1 - self._run : end + 1], run) for end in ends)
        self._past = np.concatenate([self._past, hop])[-self._kept :]
        return repeated

    def reset(self) -> None:
        """Forget all samples."""
        self._past = np.empty(0, dtype=np.uint32)
        self._hop = []


@dataclass(frozen=True)
class Fitness:
    """Which channels can be used at the end of a hop.

    Parameters
    ----------
    in_window, in_hop : ndarray of bool, shape (n_channels,)
        Free of faults, and of what the filter makes of them, throughout the window that ends here, or in the hop.
    """

    in_window: BoolArray
    in_hop: BoolArray


class FaultMonitor:
    """Which channels are fit to use in each window, judged on the raw samples.

    A channel is faulty in a hop if it holds a non-finite sample, does not change at all, or reaches the
    amplifier's clipping level; all are if the samples are old ones that were sent again. It stays unfit until the
    fault has left the window and the filter has settled.

    Parameters
    ----------
    settings : SignalSettings
        Its ``saturation_uv`` and ``settle_ms`` count.
    spec : WindowSpec
        Window and hop in samples.
    fs_hz : float
        Sampling rate.
    n_channels : int
        Number of channels.
    """

    def __init__(self, settings: SignalSettings, spec: WindowSpec, fs_hz: float, n_channels: int) -> None:
        settle_samples = samples_from_ms(settings.settle_ms, fs_hz)
        self._hops_per_window = spec.hops_per_window
        self._unfit_hops = spec.hops_per_window + -(-settle_samples // spec.hop_samples)
        limit_uv = PLAUSIBLE_UV if settings.saturation_uv is None else settings.saturation_uv
        self._limit_uv = np.float32(limit_uv)
        self._hop_samples = spec.hop_samples
        self._n_channels = n_channels
        self._repetition = RepetitionMonitor(n_channels, fs_hz, spec.hop_samples)
        self.reset()

    def process(self, chunk: Float32Array, /) -> list[Fitness]:
        """Take raw samples, (n_samples, n_channels), and return for each ended hop which channels are fit."""
        ended = []
        taken = 0
        while taken < len(chunk):
            piece = chunk[taken : taken + self._hop_samples - self._filled]
            # Both keep NaN, and so does every minimum and maximum after it: one NaN marks the hop.
            np.minimum(self._lowest, piece.min(axis=0), out=self._lowest)
            np.maximum(self._highest, piece.max(axis=0), out=self._highest)
            self._repetition.add(piece)
            self._filled += len(piece)
            taken += len(piece)
            if self._filled == self._hop_samples:
                ended.append(self._end_hop())
        return ended

    def _end_hop(self) -> Fitness:
        working = self._lowest < self._highest
        working &= (self._highest < self._limit_uv) & (self._lowest > -self._limit_uv)
        if self._repetition.end_hop():
            working[:] = False
        self._unfit_for -= 1
        self._unfit_for[~working] = self._unfit_hops - 1
        np.maximum(self._unfit_for, -1, out=self._unfit_for)
        self._start_hop()
        # A channel is unfit for a hop until its filter has settled, and for a window as long as that hop is in it.
        return Fitness(self._unfit_for < 0, self._unfit_for < self._hops_per_window - 1)

    def _start_hop(self) -> None:
        self._filled = 0
        self._lowest = np.full(self._n_channels, np.inf, dtype=np.float32)
        self._highest = np.full(self._n_channels, -np.inf, dtype=np.float32)

    def reset(self) -> None:
        """Forget all faults."""
        self._repetition.reset()
        self._unfit_for: IntArray = np.full(self._n_channels, -1, dtype=np.int64)
        self._start_hop()


def repair_features(features: Float32Array, fit: BoolArray, grid: ElectrodeGrid) -> Float32Array:
    """Replace the features of unfit channels by the mean of their good neighbours.

    Where no neighbour is good, the mean of all good channels serves; where no channel is good, the features
    stay (their quality of 0 then forbids a decision).

    Parameters
    ----------
    features : ndarray, shape (n_channels, n_features)
        One window.
    fit : ndarray of bool, shape (n_channels,)
        Which channels to trust.
    grid : ElectrodeGrid
        Where the channels lie.

    Returns
    -------
    ndarray, shape (n_channels, n_features)
        The same array where all channels are fit, else a new one.
    """
    if bool(fit.all()) or not bool(fit.any()):
        return features
    unfit, weights = _mending(grid, fit.tobytes())
    repaired: Float32Array = features.copy()
    repaired[unfit] = weights @ features
    return repaired


# Faults last: the same channels are unfit hop after hop. A few sets of them: the window's, and those of its pairs.
@lru_cache(maxsize=16)
def _mending(grid: ElectrodeGrid, fit_bytes: bytes) -> tuple[IntArray, Float32Array]:
    """Which channels are unfit, and the weights of all channels in their place: (n_unfit, n_channels)."""
    fit = np.frombuffer(fit_bytes, dtype=np.bool_)
    unfit = np.flatnonzero(~fit)
    weights = np.zeros((len(unfit), len(fit)), dtype=np.float32)
    for row, channel in enumerate(unfit):
        good = [near for near in grid.neighbours[channel] if fit[near]] or np.flatnonzero(fit)
        weights[row, good] = 1.0 / len(good)
    return unfit, weights
