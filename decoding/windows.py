"""From samples to hops: blocks of a fixed length, cut at fixed samples whatever the chunks are."""

from dataclasses import dataclass

import numpy as np

from decoding.signal_settings import SignalSettings
from emg_acquisition.arrays import Float32Array, samples_from_ms


@dataclass(frozen=True)
class WindowSpec:
    """Window and hop in samples.

    Parameters
    ----------
    hop_samples : int
        Samples from one window's end to the next one's.
    hops_per_window : int
        Hops that make up a window.
    """

    hop_samples: int
    hops_per_window: int

    @property
    def window_samples(self) -> int:
        """Samples in a window."""
        return self.hop_samples * self.hops_per_window


def window_spec(settings: SignalSettings, fs_hz: float) -> WindowSpec:
    """Window and hop in samples at a rate.

    The hop is rounded to samples and a window is whole hops, so at 2048 Hz a window of 200 ms in hops of
    50 ms has 408 samples (199.2 ms).
    """
    return WindowSpec(samples_from_ms(settings.hop_ms, fs_hz), settings.hops_per_window)


class HopSlicer:
    """Gather samples into hops.

    Parameters
    ----------
    hop_samples : int
        Length of a hop.
    n_channels : int
        Number of channels.
    context : int
        How many of the samples before it a hop carries: its first slopes, say, began before it.
    """

    def __init__(self, hop_samples: int, n_channels: int, context: int = 2) -> None:
        self._hop_samples = hop_samples
        self._context = context
        self._shape = (hop_samples + context, n_channels)
        self._block = np.zeros(self._shape, dtype=np.float32)
        self._filled = 0

    def process(self, chunk: Float32Array, /) -> list[Float32Array]:
        """Take the next samples, (n_samples, n_channels), and return the hops that they complete.

        Returns
        -------
        list of ndarray, shape (context + hop_samples, n_channels)
            Each with the samples before it on top; zeros before the first sample of all.
        """
        done: list[Float32Array] = []
        taken = 0
        while taken < len(chunk):
            n = min(self._hop_samples - self._filled, len(chunk) - taken)
            start = self._context + self._filled
            self._block[start : start + n] = chunk[taken : taken + n]
            self._filled += n
            taken += n
            if self._filled == self._hop_samples:
                done.append(self._next_block())
        return done

    def _next_block(self) -> Float32Array:
        full = self._block
        self._block = np.empty(self._shape, dtype=np.float32)
        self._block[: self._context] = full[-self._context :]
        self._filled = 0
        return full

    def reset(self) -> None:
        """Forget the samples of an unfinished hop."""
        self._block = np.zeros(self._shape, dtype=np.float32)
        self._filled = 0
