"""What a hop adds to each sum that a window's features are made of.

Terms that reach back over the hop's beginning (a difference, a slope, a product with an earlier sample) are
summed apart: the oldest hop of a window does without them, so that a window's sums are exactly those of its own
samples.

References
----------
Bartlett, *Smoothing periodograms from time-series with continuous spectra*, Nature 161, 1948: power by averaging
the periodograms of consecutive pieces; here the pieces are the hops, so band powers are sums over hops too.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import InputError

SumName: TypeAlias = str
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
# How many of a hop's terms began before it.
_BORDER = {"length": 1, "crossings": 1, "slopes": 2, "step": 1, "step_square": 1, "bend": 2, "bend_square": 2}
_OF_STEPS = frozenset(_BORDER)
_WITH_HEIGHT = frozenset({"length", "crossings", "slopes"})


def context_for(names: tuple[SumName, ...]) -> int:
    """How many samples before a hop its sums reach back to."""
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
    """Sum a hop's terms channel by channel.

    Every term of the hop is written into a buffer made once, (n_sums, hop_samples, n_channels), and one matrix
    product a sum adds up own and border terms at once. Counts are exact in it: float32 holds every integer up to
    2^24.

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
    ) -> None:
        self.context = context_for(names)
        if hop_samples < self.context and self.context > _STEP_CONTEXT:
            msg = f"autoregression needs hops of {self.context} samples at least, got {hop_samples}; lengthen hop_ms"
            raise InputError(msg)
        n_channels = len(next_row)
        self._partner = {"row_product": next_row, "column_product": next_column}
        self._terms = np.zeros((len(names), hop_samples, n_channels), dtype=np.float32)
        self._into = {name: self._terms[at] for at, name in enumerate(names)}
        self._adding = np.stack([_adding(name, hop_samples) for name in names])
        self._bands = [at for at, name in enumerate(names) if name in BANDS_HZ]
        if self._bands:
            self._transform, starts = band_transform(hop_samples, fs_hz)
            wanted = [list(BANDS_HZ).index(names[at]) for at in self._bands]
            self._band_starts, self._wanted = starts, wanted
        self._steps = None
        if _OF_STEPS & set(names):
            self._steps = _Steps(self._into, hop_samples, n_channels, threshold_uv)

    def sums(self, block: Float32Array) -> Float32Array:
        """Sum one hop.

        Parameters
        ----------
        block : ndarray, shape (context + hop_samples, n_channels)
            A hop with the samples before it.

        Returns
        -------
        ndarray, shape (len(names), 2, n_channels)
            Terms of the hop's own samples, and terms that reach back over its beginning.
        """
        own = block[self.context :]
        for name, terms in self._into.items():
            if name == "square":
                np.multiply(own, own, terms)
            elif name == "magnitude":
                np.abs(own, terms)
            elif name == "sample":
                terms[...] = own
            elif name in LAGS:
                lag = int(name[-1])
                np.multiply(own, block[self.context - lag : -lag], terms)
            elif name in self._partner:
                np.multiply(own, own[:, self._partner[name]], terms)
        if self._steps is not None:
            self._steps.put(block[self.context - _STEP_CONTEXT :])
        sums: Float32Array = np.matmul(self._adding, self._terms)
        if self._bands:
            parts = self._transform @ own
            np.multiply(parts, parts, parts)
            sums[self._bands, 0] = np.add.reduceat(parts, self._band_starts, axis=0)[self._wanted]
        return sums


def _adding(name: SumName, hop_samples: int) -> Float32Array:
    """Rows that add up own and border terms: ndarray, shape (2, hop_samples)."""
    n_border = int(name[-1]) if name in LAGS else _BORDER.get(name, 0)
    rows = np.zeros((2, hop_samples), dtype=np.float32)
    if name not in BANDS_HZ:
        rows[0, n_border:] = rows[1, :n_border] = 1.0
    return rows


class _Steps:
    """Terms of the differences of neighbouring samples of a hop and the two samples before it."""

    def __init__(
        self, into: dict[SumName, Float32Array], hop_samples: int, n_channels: int, threshold_uv: float
    ) -> None:
        self._into = into
        self._with_height = bool(into.keys() & _WITH_HEIGHT)
        # An array without dimensions compares faster than a number, which numpy would first look at.
        self._threshold_uv = np.array(threshold_uv, dtype=np.float32)
        self._zero = np.zeros((), dtype=np.float32)
        shape = (hop_samples + 1, n_channels)
        self._step, self._height = np.empty((2, *shape), dtype=np.float32)
        # Bytes of 0 and 1, which bitwise operations take faster than booleans; each is seen as both.
        self._high, self._up, self._down, self._negative = np.empty((4, *shape), dtype=np.bool_)
        high, up, down, negative = (
            part.view(np.uint8) for part in (self._high, self._up, self._down, self._negative)
        )
        # Of every pair of neighbours, the earlier and the later.
        self._high_pair, self._up_pair, self._down_pair, self._negative_pair = (
            (part[:-1], part[1:]) for part in (high, up, down, negative)
        )
        self._found, self._either = np.empty((2, hop_samples, n_channels), dtype=np.uint8)

    def put(self, block: Float32Array) -> None:
        """Put the terms of a hop, (2 + hop_samples, n_channels), where they are added up."""
        into = self._into
        step = np.subtract(block[1:], block[:-1], self._step)
        if "step" in into:
            into["step"][...] = step[1:]
        if "step_square" in into:
            np.multiply(step[1:], step[1:], into["step_square"])
        if "bend" in into:
            bend = np.subtract(step[1:], step[:-1], into["bend"])
            np.multiply(bend, bend, into["bend_square"])
        if not self._with_height:
            return
        np.abs(step, self._height)
        if "length" in into:
            into["length"][...] = self._height[1:]
        np.greater_equal(self._height, self._threshold_uv, self._high)
        if "crossings" in into:
            np.signbit(block[1:], self._negative)
            found = np.bitwise_xor(*self._negative_pair, self._found)
            into["crossings"][...] = np.bitwise_and(found, self._high_pair[1], found)
        if "slopes" in into:
            into["slopes"][...] = self._turns()

    def _turns(self) -> npt.NDArray[np.uint8]:
        np.greater(self._step, self._zero, self._up)
        np.less(self._step, self._zero, self._down)
        found = np.bitwise_and(self._up_pair[0], self._down_pair[1], self._found)
        either = np.bitwise_and(self._down_pair[0], self._up_pair[1], self._either)
        np.bitwise_or(found, either, found)
        np.bitwise_or(*self._high_pair, either)
        return np.bitwise_and(found, either, found)
