"""Microvolts to features: guard, filter, windows and repair wired up; the same in training, live and replay."""

from dataclasses import dataclass

import numpy as np

from decoding.features import WindowFeatures
from decoding.filters import BandpassFilter, design_filter
from decoding.repair import BoolArray, FaultMonitor, FiniteGuard, repair_features
from decoding.signal_settings import SignalSettings
from decoding.windows import window_spec
from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid

# A whole recording at once would stream through memory several times; pieces of this length stay in the cache,
# and any split gives the same result.
CACHED_SAMPLES = 2000


@dataclass(frozen=True)
class FeatureBlock:
    """Features of the windows that ended.

    Parameters
    ----------
    features : ndarray, shape (n_windows, n_channels, n_features)
        float32, in the order of ``SignalSettings.features``, repaired.
    log_amplitude : ndarray, shape (n_windows,)
        Mean over channels of the log-RMS in µV: what effort is calibrated on.
    quality : ndarray, shape (n_windows,)
        Share of channels fit to use, 0 to 1.
    last_sample : ndarray of int64, shape (n_windows,)
        Index, since reset, of the newest sample in each window.
    """

    features: Float32Array
    log_amplitude: Float32Array
    quality: Float32Array
    last_sample: IntArray

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.last_sample)


class FeatureChain:
    """Guard, filter, window, features and repair of one stream.

    Parameters
    ----------
    settings : SignalSettings
        A decoder's own.
    fs_hz : float
        The stream's sampling rate.
    grid : ElectrodeGrid
        The stream's grid.

    Raises
    ------
    InputError
        If the rate leaves no band for the filter.
    """

    def __init__(self, settings: SignalSettings, fs_hz: float, grid: ElectrodeGrid) -> None:
        n_channels = grid.n_channels
        self._grid = grid
        self._n_features = len(settings.features)
        self.spec = window_spec(settings, fs_hz)
        self._guard = FiniteGuard(n_channels)
        self._faults = FaultMonitor(settings, self.spec, fs_hz, n_channels)
        self._filter = BandpassFilter(design_filter(settings, fs_hz))
        self._windows = WindowFeatures(settings, self.spec, n_channels)
        self._hops_ended = 0

    def process(self, emg_uv: Float32Array, /) -> FeatureBlock:
        """Take the next samples and return the windows that they end.

        Parameters
        ----------
        emg_uv : ndarray, shape (n_samples, n_channels)
            float32 microvolts; any length, also none; never changed.

        Raises
        ------
        InputError
            If the array has another number of channels or another type.
        """
        n_channels = self._grid.n_channels
        if emg_uv.ndim != 2 or emg_uv.shape[1] != n_channels or emg_uv.dtype != np.float32:  # noqa: PLR2004
            msg = (
                f"emg_uv must be float32 of shape (n_samples, {n_channels}), got {emg_uv.dtype} of shape "
                f"{emg_uv.shape}"
            )
            raise InputError(msg)
        fit: list[BoolArray] = []
        windows: list[tuple[Float32Array, Float32Array]] = []
        for start in range(0, len(emg_uv), CACHED_SAMPLES):
            piece = emg_uv[start : start + CACHED_SAMPLES]
            fit += self._faults.process(piece)
            windows += self._windows.process(self._filter.process(self._guard.process(piece)))
        first_hop = self._hops_ended + len(fit) - len(windows)
        self._hops_ended += len(fit)
        return self._block(windows, fit[len(fit) - len(windows) :], first_hop)

    def _block(
        self,
        windows: list[tuple[Float32Array, Float32Array]],
        fit: list[BoolArray],
        first_hop: int,
    ) -> FeatureBlock:
        n = len(windows)
        features = np.empty((n, self._grid.n_channels, self._n_features), dtype=np.float32)
        log_amplitude = np.empty(n, dtype=np.float32)
        quality = np.empty(n, dtype=np.float32)
        for k, ((window, log_rms), channels) in enumerate(zip(windows, fit, strict=True)):
            features[k] = repair_features(window, channels, self._grid)
            log_amplitude[k] = repair_features(log_rms[:, np.newaxis], channels, self._grid).mean()
            quality[k] = np.count_nonzero(channels) / len(channels)
        ends = (np.arange(first_hop, first_hop + n, dtype=np.int64) + 1) * self.spec.hop_samples - 1
        return FeatureBlock(features, log_amplitude, quality, ends)

    def reset(self) -> None:
        """Begin anew: after a gap, or with another recording."""
        for stage in (self._guard, self._faults, self._filter, self._windows):
            stage.reset()
        self._hops_ended = 0
