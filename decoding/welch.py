"""Power in bands, and correlation of channels around the limb in them, by Welch's method.

A segment is the hops of the last 100 ms or so, under a sine taper; one ends with every hop, and a window averages
those that lie wholly inside it.

=====================  ==========================================================================================
log_welch_a_b          logarithm of the mean square between a and b Hz, or of the floor squared times the band's
                       share of the bands' width [1]
correlation_k_a_b      artanh of the correlation between a and b Hz with the channel k places on around the limb
                       (`ElectrodeGrid.around`); 0 where none lies there. It shows how far a source's field reaches,
                       which amplitude alone does not; artanh makes it nearly normal and of even spread [2].
=====================  ==========================================================================================

References
----------
[1] Welch, *The use of fast Fourier transform for the estimation of power spectra*, IEEE Trans. Audio Electroacoust.
15(2), 1967.
[2] Fisher, *On the "probable error" of a coefficient of correlation*, Metron 1, 1921.
"""

import numpy as np

from decoding.windows import WindowSpec
from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid

MAX_PLACES = 5
# Resolves 20 Hz under the taper, and leaves a window of 200 ms enough segments to average.
SEGMENT_MS = 100.0
# The spectrum of surface EMG falls off over two octaves above its peak near 80 Hz: bands widen as it thins out.
POWER_BANDS_HZ = ((20, 60), (60, 110), (110, 180), (180, 280), (280, 400))
# A correlation needs more of the spectrum than a power to be as certain.
CORRELATION_BANDS_HZ = ((20, 80), (80, 180), (180, 400))
LOG_POWERS = tuple(f"log_welch_{low}_{high}" for low, high in POWER_BANDS_HZ)
CORRELATIONS = tuple(
    f"correlation_{k}_{low}_{high}" for k in range(1, MAX_PLACES + 1) for low, high in CORRELATION_BANDS_HZ
)
WELCH_FEATURES = frozenset({*LOG_POWERS, *CORRELATIONS})
MAX_CORRELATION = 0.98


def places_of(name: str) -> int:
    """How far around the limb a feature's partner lies; 0 for a power."""
    return int(name.split("_")[1]) if name in CORRELATIONS else 0


def band_of(name: str) -> tuple[int, int]:
    """Band edges in Hz that a feature's name ends with."""
    low, high = name.rsplit("_", 2)[1:]
    return int(low), int(high)


class WelchFeatures:
    """Features of a window from the segments in it.

    Parameters
    ----------
    names : tuple of str
        Which of `WELCH_FEATURES`, in the order of the result.
    spec : WindowSpec
        Window and hop in samples.
    fs_hz : float
        Sampling rate.
    grid : ElectrodeGrid
        Which channel lies where around the limb.
    floor_uv : float
        Smallest amplitude that logarithms are taken of.

    Attributes
    ----------
    context : int
        How many samples before a hop its segment begins.

    Raises
    ------
    InputError
        If a segment is too short to tell the bands apart, the rate too low to hold them, or no segment fits a window.
    """

    def __init__(
        self, names: tuple[str, ...], spec: WindowSpec, fs_hz: float, grid: ElectrodeGrid, *, floor_uv: float
    ) -> None:
        segment_hops = max(1, round(SEGMENT_MS * fs_hz / 1000.0 / spec.hop_samples))
        length = segment_hops * spec.hop_samples
        segments = spec.hops_per_window - segment_hops + 1
        bands = sorted({band_of(name) for name in names})
        frequencies = np.arange(1, (length + 1) // 2) * fs_hz / length
        inside = np.array([(frequencies >= low) & (frequencies < high) for low, high in bands])
        highest_hz = max(high for _, high in bands)
        if segments < 1 or fs_hz < 2 * highest_hz or not inside.any(axis=1).all():
            msg = (
                f"powers up to {highest_hz} Hz by Welch's method need windows of {SEGMENT_MS:g} ms and a stream of "
                f"{2 * highest_hz} Hz at least, got windows of {1000 * spec.window_samples / fs_hz:g} ms at "
                f"{fs_hz:g} Hz; lengthen window_ms or choose other features"
            )
            raise InputError(msg)
        kept = inside.any(axis=0)
        self._adding = np.repeat(inside[:, kept], 2, axis=1).astype(np.float32)
        self._transform = _waves(np.flatnonzero(kept) + 1, length)
        places = sorted({0, *(places_of(name) for name in names)})
        # Place 0 is the channel itself, so the first product of a band is its power.
        self._others = np.stack([grid.around(k) for k in places])
        self._shape = (len(bands), *self._others.shape)
        self._band_at = np.array([bands.index(band_of(name)) for name in names])
        self._place_at = np.array([places.index(places_of(name)) for name in names])
        width_hz = POWER_BANDS_HZ[-1][1] - POWER_BANDS_HZ[0][0]
        shares = np.array([(high - low) / width_hz for low, high in bands])
        self._floor_uv2 = (floor_uv**2 * shares).astype(np.float32)[:, np.newaxis]
        self._alone = self._others == np.arange(grid.n_channels)
        self.context = length - spec.hop_samples
        self._n_samples = np.float32(segments * length)
        self._ring = np.zeros((segments, *self._shape), dtype=np.float32)
        self._hops = 0

    def add_hop(self, segment: Float32Array) -> None:
        """Add the segment that ends with a hop: ndarray, shape (context + hop_samples, n_channels)."""
        self._hops += 1
        parts = self._transform @ segment
        products = (parts[:, self._others] * parts[:, np.newaxis]).reshape(len(parts), -1)
        self._ring[self._hops % len(self._ring)] = (self._adding @ products).reshape(self._shape)

    def features(self) -> Float32Array:
        """Features of the window that ends now: ndarray, shape (n_channels, n_names)."""
        # Oldest segment first, so that the sum's bits do not depend on where the ring begins.
        order = (self._hops + 1 + np.arange(len(self._ring))) % len(self._ring)
        sums = np.add.reduce(self._ring[order], axis=0) / self._n_samples
        power = sums[:, 0]
        scale = np.sqrt(power[:, np.newaxis] * power[:, self._others])
        correlation = np.divide(sums, scale, out=np.zeros_like(sums), where=scale > 0)
        np.clip(correlation, -MAX_CORRELATION, MAX_CORRELATION, out=correlation)
        correlation[:, self._alone] = 0.0
        found = np.arctanh(correlation)
        found[:, 0] = np.log(np.maximum(power, self._floor_uv2))
        return np.asarray(found[self._band_at, self._place_at].T)

    def reset(self) -> None:
        """Forget all segments."""
        self._hops = 0


def _waves(bins: IntArray, length: int) -> Float32Array:
    """Cosine and sine of each bin, tapered, so that a bin's squares are its share of the sum of squares (Parseval)."""
    time = np.arange(length) / length
    taper = np.sqrt(2.0) * np.sin(np.pi * (time + 0.5 / length))
    angle = 2 * np.pi * bins[:, np.newaxis] * time
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1).reshape(-1, length)
    return np.asarray(np.sqrt(2.0 / length) * waves * taper, dtype=np.float32)
