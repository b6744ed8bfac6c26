"""What a hop adds to each sum that a window's features are made of.

Terms that reach back over the hop's beginning (a difference, a slope, a product with an earlier sample) are
summed apart: the oldest hop of a window does without them, so that a window's sums are exactly those of its own
samples.

References
----------
Bartlett, *Smoothing periodograms from time-series with continuous spectra*, Nature 161, 1948: power by averaging
the periodograms of consecutive pieces; here the pieces are the hops, so band powers are sums over hops too.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from decoding.welch import WELCH_SUMS, WelchSums
from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import InputError

SumName: TypeAlias = str
BoolArray: TypeAlias = npt.NDArray[np.bool_]
CountArray: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
UINT8_OVERFLOWS = 256
AR_ORDER = 4
LAGS: tuple[SumName, ...] = tuple(f"lag_{k}" for k in range(1, AR_ORDER + 1))
# Band edges in Hz: what a band-pass of 20-400 Hz leaves, in parts that hops of 20 ms can still tell apart.
BANDS_HZ: dict[SumName, tuple[float, float]] = {
    "power_20_100": (20.0, 100.0),
    "power_100_200": (100.0, 200.0),
    "power_200_300": (200.0, 300.0),
    "power_300_400": (300.0, 400.0),
}
# Samples before a hop that its terms reach back to: a slope needs two, an autocorrelation as many as its lag.
_STEP_CONTEXT = 2
_OF_STEPS = frozenset({"length", "crossings", "slopes", "step", "step_square", "bend", "bend_square"})


def context_for(names: tuple[SumName, ...], hop_samples: int) -> int:
    """How many samples before a hop its sums reach back to."""
    if set(names) & WELCH_SUMS:
        return max(hop_samples, AR_ORDER)
    return AR_ORDER if set(names) & set(LAGS) else _STEP_CONTEXT


def band_transform(hop_samples: int, fs_hz: float) -> tuple[Float32Array, IntArray]:
    """Rows that turn a hop into the parts of its Fourier transform that lie in `BANDS_HZ`.

    Returns
    -------
    ndarray, shape (n_rows, hop_samples)
        Cosines and sines, scaled so that the sum of a band's squares is that band's share of the hop's sum of
        squares (Parseval).
    ndarray of int64, shape (n_bands,)
        First row of each band.

    Raises
    ------
    InputError
        If the hop is too short to resolve the bands, or the rate too low to hold them.
    """
    rows: list[Float32Array] = []
    starts = []
    time = np.arange(hop_samples) / hop_samples
    for name, (low_hz, high_hz) in BANDS_HZ.items():
        bins = [k for k in range(1, (hop_samples + 1) // 2) if low_hz <= k * fs_hz / hop_samples < high_hz]
        if not bins:
            msg = (
                f"feature log_{name} needs hops of 20 ms and a stream of 800 Hz at least, got hops of "
                f"{1000 * hop_samples / fs_hz:g} ms at {fs_hz:g} Hz; lengthen hop_ms or leave the feature out"
            )
            raise InputError(msg)
        starts.append(len(rows))
        for k in bins:
            rows += [np.cos(2 * np.pi * k * time), np.sin(2 * np.pi * k * time)]
    matrix = np.sqrt(2.0 / hop_samples) * np.array(rows)
    return matrix.astype(np.float32), np.array(starts, dtype=np.int64)


class HopSummer:
    """Sum a hop's terms channel by channel; buffers are made once.

    Parameters
    ----------
    names : tuple of str
        Which sums, in the order of the result.
    hop_samples : int
        Length of a hop.
    fs_hz : float
        Sampling rate, for band powers.
    threshold_uv : float
        Least difference that counts as a crossing or a change of slope.
    next_row, next_column : ndarray of int64, shape (n_channels,)
        Each channel's partner for ``row_product`` and ``column_product``.
    around : dict of int to ndarray of int64, shape (n_channels,)
        Each channel's partners around the limb, for `decoding.welch`.

    Raises
    ------
    InputError
        If the hop is too short for what is asked of it.
    """

    def __init__(
        self,
        names: tuple[SumName, ...],
        hop_samples: int,
        fs_hz: float,
        threshold_uv: float,
        *,
        next_row: IntArray,
        next_column: IntArray,
        around: dict[int, IntArray],
    ) -> None:
        self.context = context_for(names, hop_samples)
        if hop_samples < self.context and self.context > _STEP_CONTEXT:
            msg = f"autoregression needs hops of {self.context} samples at least, got {hop_samples}; lengthen hop_ms"
            raise InputError(msg)
        self._names = names
        self._threshold_uv = np.float32(threshold_uv)
        self._partner = {"row_product": next_row, "column_product": next_column}
        self._bands = [name for name in names if name in BANDS_HZ]
        if self._bands:
            self._transform, self._band_starts = band_transform(hop_samples, fs_hz)
        welch = tuple(name for name in names if name in WELCH_SUMS)
        self._welch = WelchSums(welch, hop_samples, fs_hz, around) if welch else None
        self._n_channels = len(next_row)
        self._counts_in: type = np.uint8 if hop_samples < UINT8_OVERFLOWS else np.uint16
        self._work = np.empty((hop_samples, self._n_channels), dtype=np.float32)

    def sums(self, block: Float32Array) -> Float32Array:
        """Sum one hop.

        Parameters
        ----------
        block : ndarray, shape (context + hop_samples, n_channels)
            A hop with the samples before it.

        Returns
        -------
        ndarray, shape (2, len(names), n_channels)
            Terms of the hop's own samples, and terms that reach back over its beginning.
        """
        sums = np.zeros((2, len(self._names), self._n_channels), dtype=np.float32)
        own = block[self.context :]
        steps: _Steps | None = None
        powers = self._band_powers(own) if self._bands else {}
        pieces = self._welch.sums(block[self.context - len(own) :]) if self._welch is not None else {}
        for at, name in enumerate(self._names):
            if name == "square":
                np.einsum("ij,ij->j", own, own, out=sums[0, at])
            elif name == "sample":
                np.add.reduce(own, axis=0, out=sums[0, at])
            elif name == "magnitude":
                np.add.reduce(np.abs(own, out=self._work), axis=0, out=sums[0, at])
            elif name in _OF_STEPS:
                steps = steps or _Steps(
                    block[self.context - _STEP_CONTEXT :], self._threshold_uv, self._counts_in
                )
                steps.add_up(name, sums[:, at])
            elif name in LAGS:
                self._lagged(block, int(name.removeprefix("lag_")), sums[:, at])
            elif name in self._partner:
                np.einsum("ij,ij->j", own, own[:, self._partner[name]], out=sums[0, at])
            elif name in pieces:
                sums[1, at] = pieces[name]
            else:
                sums[0, at] = powers[name]
        return sums

    def _lagged(self, block: Float32Array, lag: int, into: Float32Array) -> None:
        own, earlier = block[self.context :], block[self.context - lag : -lag]
        np.einsum("ij,ij->j", own[lag:], earlier[lag:], out=into[0])
        np.einsum("ij,ij->j", own[:lag], earlier[:lag], out=into[1])

    def _band_powers(self, own: Float32Array) -> dict[SumName, Float32Array]:
        parts = self._transform @ own
        np.multiply(parts, parts, out=parts)
        return dict(zip(BANDS_HZ, np.add.reduceat(parts, self._band_starts, axis=0), strict=True))


class _Steps:
    """Differences of neighbouring samples of one hop and the two samples before it."""

    def __init__(self, block: Float32Array, threshold_uv: np.float32, counts_in: type) -> None:
        self._block = block
        self._counts_in = counts_in
        self._step = block[1:] - block[:-1]
        self._height = np.abs(self._step)
        self._counts = (self._height >= threshold_uv).view(np.uint8)

    def add_up(self, name: SumName, into: Float32Array) -> None:
        """Put the sums of one kind, own and border, into (2, n_channels)."""
        make: dict[SumName, Callable[[], tuple[Float32Array | CountArray, int]]] = {
            "length": lambda: (self._height[1:], 1),
            "crossings": self._crossings,
            "slopes": self._slopes,
            "step": lambda: (self._step[1:], 1),
            "step_square": lambda: (self._step[1:] * self._step[1:], 1),
            "bend": lambda: (self._bend(), 2),
            "bend_square": lambda: (self._bend() ** 2, 2),
        }
        terms, n_border = make[name]()
        into[0] = np.add.reduce(terms[n_border:], axis=0, dtype=terms.dtype)
        into[1] = np.add.reduce(terms[:n_border], axis=0, dtype=terms.dtype)

    def _bend(self) -> Float32Array:
        return np.asarray(self._step[1:] - self._step[:-1])

    def _crossings(self) -> tuple[CountArray, int]:
        negative = np.signbit(self._block[1:]).view(np.uint8)
        crossed = negative[1:] ^ negative[:-1]
        crossed &= self._counts[1:]
        return crossed.astype(self._counts_in, copy=False), 1

    def _slopes(self) -> tuple[CountArray, int]:
        up, down = (self._step > 0).view(np.uint8), (self._step < 0).view(np.uint8)
        turned = up[:-1] & down[1:]
        turned |= down[:-1] & up[1:]
        turned &= self._counts[:-1] | self._counts[1:]
        return turned.astype(self._counts_in, copy=False), 2
