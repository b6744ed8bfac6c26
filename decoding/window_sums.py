"""From the sums of a window to the features that are more than a sum.

In float64: a difference of float32 sums would lose the digits that it is about.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from decoding.autoregression import autoregression, cepstrum
from decoding.hop_sums import BANDS_HZ, LAGS, SumName
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray

_VARIANCE: tuple[SumName, ...] = ("square", "sample")
_MOBILITY: tuple[SumName, ...] = (*_VARIANCE, "step_square", "step")
_BANDS_WIDTH_HZ = sum(high_hz - low_hz for low_hz, high_hz in BANDS_HZ.values())
# A feature's sums; the last of them is the one that no other feature needs.
SUMS_OF: dict[str, tuple[SumName, ...]] = {
    "mav": ("magnitude",),
    "waveform_length": ("length",),
    "zero_crossings": ("crossings",),
    "slope_sign_changes": ("slopes",),
    "log_variance": _VARIANCE,
    "mobility": _MOBILITY,
    "complexity": (*_MOBILITY, "bend_square", "bend"),
    "correlation_next_row": (*_VARIANCE, "row_product"),
    "correlation_next_column": (*_VARIANCE, "column_product"),
    **{f"ar_{k}": ("square", *LAGS) for k in range(1, len(LAGS) + 1)},
    **{f"cepstrum_{k}": ("square", *LAGS) for k in range(1, len(LAGS) + 1)},
    **{f"log_{band}": (band,) for band in BANDS_HZ},
}


class WindowSums:
    """The sums of one window.

    Parameters
    ----------
    totals : ndarray, shape (n_sums, n_channels)
        Sums over the window's own samples.
    at : dict of str to int
        Which row holds which sum.
    n : int
        Samples in the window.
    floor_uv : float
        Least amplitude that logarithms are taken of.
    partners : dict of str to ndarray of int64, shape (n_channels,)
        For each sum of products of two channels, the other channel.
    """

    def __init__(
        self,
        totals: Float32Array,
        at: dict[SumName, int],
        n: int,
        floor_uv: float,
        partners: dict[SumName, IntArray],
    ) -> None:
        self._totals = totals.astype(np.float64)
        self._at = at
        self._n = n
        self._floor_uv2 = floor_uv**2
        self._partners = partners

    def _sum(self, name: SumName) -> Float64Array:
        return np.asarray(self._totals[self._at[name]])

    def _spread(self, square: SumName, plain: SumName, n: int) -> Float64Array:
        """Mean squared deviation from the mean; below 0 only by rounding."""
        return np.maximum(self._sum(square) - self._sum(plain) ** 2 / n, 0.0) / n

    @cached_property
    def _of_samples(self) -> Float64Array:
        return self._spread("square", "sample", self._n)

    @cached_property
    def _of_steps(self) -> Float64Array:
        return self._spread("step_square", "step", self._n - 1)

    def log_variance(self) -> Float64Array:
        """Logarithm of the unbiased variance, no less than that of the floor."""
        return np.asarray(np.log(np.maximum(self._of_samples * (self._n / (self._n - 1)), self._floor_uv2)))

    def mobility(self) -> Float64Array:
        """Hjorth's mobility, a mean frequency in radians a sample."""
        return np.sqrt(_quotient(self._of_steps, self._of_samples))

    def complexity(self) -> Float64Array:
        """Hjorth's complexity: the mobility of the differences over that of the samples, 1 for a sine."""
        of_bends = self._spread("bend_square", "bend", self._n - 2)
        return _quotient(np.sqrt(_quotient(of_bends, self._of_steps)), self.mobility())

    def correlation(self, product: SumName) -> Float64Array:
        """Pearson's correlation with the partner, 0 for a channel that is its own."""
        partner = self._partners[product]
        sample = self._sum("sample")
        shared = self._sum(product) / self._n - sample * sample[partner] / self._n**2
        found = np.clip(_quotient(shared, np.sqrt(self._of_samples * self._of_samples[partner])), -1.0, 1.0)
        return np.where(partner == np.arange(len(partner)), 0.0, found)

    @cached_property
    def autoregression(self) -> Float64Array:
        """Coefficients a_1 to a_4: ndarray, shape (4, n_channels)."""
        return autoregression(np.stack([self._sum(name) for name in ("square", *LAGS)]))

    @cached_property
    def cepstrum(self) -> Float64Array:
        """Coefficients c_1 to c_4: ndarray, shape (4, n_channels)."""
        return cepstrum(self.autoregression)

    def log_power(self, band: SumName) -> Float64Array:
        """Logarithm of a band's mean square, no less than its share of the floor."""
        low_hz, high_hz = BANDS_HZ[band]
        floor_uv2 = self._floor_uv2 * (high_hz - low_hz) / _BANDS_WIDTH_HZ
        return np.log(np.maximum(self._sum(band) / self._n, floor_uv2))


def _quotient(above: Float64Array, below: Float64Array) -> Float64Array:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _of_coefficient(
    k: int,
) -> tuple[Callable[[WindowSums], Float64Array], Callable[[WindowSums], Float64Array]]:
    return (lambda sums: sums.autoregression[k - 1]), (lambda sums: sums.cepstrum[k - 1])


def _of_band(band: SumName) -> Callable[[WindowSums], Float64Array]:
    return lambda sums: sums.log_power(band)


FORMULAS: dict[str, Callable[[WindowSums], Float64Array]] = {
    "log_variance": WindowSums.log_variance,
    "mobility": WindowSums.mobility,
    "complexity": WindowSums.complexity,
    "correlation_next_row": lambda sums: sums.correlation("row_product"),
    "correlation_next_column": lambda sums: sums.correlation("column_product"),
    **{f"ar_{k}": _of_coefficient(k)[0] for k in range(1, len(LAGS) + 1)},
    **{f"cepstrum_{k}": _of_coefficient(k)[1] for k in range(1, len(LAGS) + 1)},
    **{f"log_{band}": _of_band(band) for band in BANDS_HZ},
}
