"""Power in bands, and what channels around the limb share in them, from overlapping tapered pieces (Welch's method).

A piece is a hop with the hop before it, under a sine taper; pieces overlap by half, and a window averages those that
lie wholly inside it. A piece reaches back one hop, so its sums are border terms (`decoding.hop_sums`): the oldest hop
of a window does without them.

=====================  ==========================================================================================
log_welch_a_b          logarithm of the mean square between a and b Hz, or of the floor squared times the band's
                       share of the bands' width
around_k_a_b           artanh of the correlation between a and b Hz with the channel k places on around the limb
                       (`ElectrodeGrid.around`); 0 where none lies there. It says how far a source's field reaches,
                       which amplitude alone does not; artanh makes it nearly normal and of even spread [2].
=====================  ==========================================================================================

References
----------
[1] Welch, *The use of fast Fourier transform for the estimation of power spectra*, IEEE Trans. Audio Electroacoust.
15(2), 1967.
[2] Fisher, *On the "probable error" of a coefficient of correlation*, Metron 1, 1921.
"""

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.errors import InputError

MOST_PLACES = 5
# The spectrum of surface EMG falls off over two octaves above its peak near 80 Hz: bands widen as it thins out.
POWER_BANDS_HZ = ((20, 60), (60, 110), (110, 180), (180, 280), (280, 400))
# A correlation needs more of the spectrum than a power to be as certain.
AROUND_BANDS_HZ = ((20, 80), (80, 180), (180, 400))
POWERS = tuple(f"welch_{low}_{high}" for low, high in POWER_BANDS_HZ)
PRODUCTS = tuple(
    f"around_{k}_{low}_{high}" for k in range(1, MOST_PLACES + 1) for low, high in AROUND_BANDS_HZ
)
SQUARES = tuple(f"square_{low}_{high}" for low, high in AROUND_BANDS_HZ)
WELCH_SUMS = frozenset({*POWERS, *PRODUCTS, *SQUARES})
MOST_CORRELATION = 0.98
_ROWS_A_BIN = 2


def square_of(product: str) -> str:
    """Name of the squares that turn a product into a correlation: ``around_2_20_80`` -> ``square_20_80``."""
    return "square_" + product.split("_", 2)[2]


def places_of(product: str) -> int:
    """How far around the limb a product's partner lies."""
    return int(product.split("_")[1])


def band_of(name: str) -> tuple[int, int]:
    """Band edges in Hz that a sum's name ends with."""
    low, high = name.rsplit("_", 2)[1:]
    return int(low), int(high)


class WelchSums:
    """Sums over one piece of what lies in each band.

    Parameters
    ----------
    names : tuple of str
        Which of `WELCH_SUMS`.
    hop_samples : int
        Half the length of a piece.
    fs_hz : float
        Sampling rate.
    partners : dict of int to ndarray of int64, shape (n_channels,)
        By the number of places, the channel that lies so far around the limb.

    Raises
    ------
    InputError
        If pieces are too short to tell the bands apart, or the rate too low to hold them.
    """

    def __init__(
        self, names: tuple[str, ...], hop_samples: int, fs_hz: float, partners: dict[int, IntArray]
    ) -> None:
        length = 2 * hop_samples
        used = sorted({band_of(name) for name in names})
        lowest, highest = min(low for low, _ in used), max(high for _, high in used)
        frequencies = np.arange(1, hop_samples) * fs_hz / length
        kept = np.flatnonzero((frequencies >= lowest) & (frequencies < highest)) + 1
        self._rows = {band: self._rows_in(kept * fs_hz / length, band) for band in used}
        empty = [band for band, rows in self._rows.items() if rows.stop == rows.start]
        if empty or fs_hz < 2 * highest:
            msg = (
                f"powers up to {highest} Hz need hops of 10 ms and a stream of {2 * highest} Hz at least, got hops of "
                f"{1000 * hop_samples / fs_hz:g} ms at {fs_hz:g} Hz; lengthen hop_ms or choose other features"
            )
            raise InputError(msg)
        time = (np.arange(length) + 0.5) / length
        # A sine taper of mean square 1; a bin's cosine and sine hold its share of the sum of squares (Parseval).
        taper = np.sqrt(2.0) * np.sin(np.pi * time)
        angle = 2 * np.pi * np.arange(length) * kept[:, np.newaxis] / length
        waves = np.stack([np.cos(angle), np.sin(angle)], axis=1).reshape(-1, length)
        self._transform = (np.sqrt(2.0 / length) * waves * taper).astype(np.float32)
        self._names = names
        self._partners = partners

    @staticmethod
    def _rows_in(frequencies: Float64Array, band: tuple[int, int]) -> slice:
        inside = np.flatnonzero((frequencies >= band[0]) & (frequencies < band[1]))
        return (
            slice(_ROWS_A_BIN * int(inside[0]), _ROWS_A_BIN * (int(inside[-1]) + 1))
            if len(inside)
            else slice(0, 0)
        )

    def sums(self, piece: Float32Array) -> dict[str, Float32Array]:
        """Sum one piece, (2 hop_samples, n_channels): by name, ndarray of shape (n_channels,)."""
        parts = self._transform @ piece
        found: dict[str, Float32Array] = {}
        for name in self._names:
            inside = parts[self._rows[band_of(name)]]
            other = inside[:, self._partners[places_of(name)]] if name in PRODUCTS else inside
            found[name] = np.einsum("ij,ij->j", inside, other)
        return found


def log_power(total: Float64Array, n_samples: int, name: str, floor_uv2: float) -> Float64Array:
    """Logarithm of a band's mean square over pieces of `n_samples` in all, no less than its share of the floor."""
    low_hz, high_hz = band_of(name)
    width_hz = POWER_BANDS_HZ[-1][1] - POWER_BANDS_HZ[0][0]
    return np.asarray(np.log(np.maximum(total / n_samples, floor_uv2 * (high_hz - low_hz) / width_hz)))


def correlation(product: Float64Array, square: Float64Array, partner: IntArray) -> Float64Array:
    """Fisher's z of the correlation with the partner; 0 for a channel that is its own or without power."""
    scale = np.sqrt(square * square[partner])
    found = np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)
    limited = np.clip(found, -MOST_CORRELATION, MOST_CORRELATION)
    return np.where(partner == np.arange(len(partner)), 0.0, np.arctanh(limited))
