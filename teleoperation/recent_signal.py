"""The newest seconds of EMG, kept in a ring."""

import numpy as np

from emg_acquisition.arrays import Float32Array, IntArray


class RecentSignal:
    """Keep the newest samples.

    Parameters
    ----------
    n_samples, n_channels : int
        How many are kept, and of how many channels.
    """

    def __init__(self, n_samples: int, n_channels: int) -> None:
        self._ring = np.zeros((n_samples, n_channels), dtype=np.float32)
        self._next = self._filled = 0

    def add(self, emg_uv: Float32Array) -> None:
        """Take the next samples, (n_samples, n_channels)."""
        newest = emg_uv[-len(self._ring) :]
        places = (self._next + np.arange(len(newest))) % len(self._ring)
        self._ring[places] = newest
        self._next = (self._next + len(newest)) % len(self._ring)
        self._filled = min(len(self._ring), self._filled + len(newest))

    def clear(self) -> None:
        """Forget what was kept: what follows does not continue it."""
        self._next = self._filled = 0

    def newest(self, channels: IntArray) -> Float32Array:
        """Return what is kept of some channels, oldest first: ndarray, shape (n_kept, n_chosen)."""
        places = (self._next - self._filled + np.arange(self._filled)) % len(self._ring)
        return self._ring[np.ix_(places, channels)]
