"""Samples that come again: a stuck buffer sends old muscle activity, alive to every other test, under new time stamps.

No electrode array measures the same values in the same order twice: its noise alone forbids it. So a run of samples
that equals, bit for bit, one of the last seconds was not measured now. Samples are compared by a checksum of a row.
"""

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float32Array

# How far back an old run is recognised, and how many samples in a row must be the same.
MEMORY_S = 2.0
RUN_SAMPLES = 8


class RepetitionMonitor:
    """Whether the newest samples of a hop are old ones.

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
        """End the hop; tell whether its last samples repeat a run of before it."""
        hop = np.concatenate(self._hop)
        self._hop.clear()
        run = hop[-self._run :]
        ends = np.flatnonzero(self._past == run[-1])
        repeated = any(np.array_equal(self._past[end + 1 - self._run : end + 1], run) for end in ends)
        self._past = np.concatenate([self._past, hop])[-self._kept :]
        return repeated

    def reset(self) -> None:
        """Forget what was."""
        self._past = np.empty(0, dtype=np.uint32)
        self._hop = []
