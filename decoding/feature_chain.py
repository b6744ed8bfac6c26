"""Microvolts to features: guard, filters, windows and repair wired up; the same in training, live and replay."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from decoding.features import WindowFeatures
from decoding.filters import BandpassFilter, block_length, design_filter
from decoding.repair import BoolArray, FaultMonitor, FiniteGuard, repair_features
from decoding.signal_settings import SignalSettings
from decoding.spatial import SpatialFilter
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


class _Window(NamedTuple):
    features: Float32Array
    log_amplitude: float
    quality: float
    last_sample: int


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
        self._filter = BandpassFilter(design_filter(settings, fs_hz), block_length(self.spec.hop_samples))
        self._spatial = SpatialFilter(settings.spatial, grid)
        self._windows = WindowFeatures(settings, fs_hz, grid)
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
        ended: list[_Window] = []
        for start in range(0, len(emg_uv), CACHED_SAMPLES):
            ended += self._piece(emg_uv[start : start + CACHED_SAMPLES])
        return self._block(ended)

    def _piece(self, emg_uv: Float32Array) -> list[_Window]:
        ended: list[_Window] = []
        fitness = self._faults.process(emg_uv)
        hops = self._windows.hops(self._filter.process(self._guard.process(emg_uv)))
        for fit, hop in zip(fitness, hops, strict=True):
            window = self._windows.add_hop(self._spatial.process(hop, fit.in_hop))
            self._hops_ended += 1
            if window is not None:
                last_sample = self._hops_ended * self.spec.hop_samples - 1
                ended.append(self._mended(*window, fit.in_window, last_sample))
        return ended

    def _mended(
        self, features: Float32Array, log_rms: Float32Array, fit: BoolArray, last_sample: int
    ) -> _Window:
        mended = repair_features(features, fit, self._grid)
        log_rms = repair_features(log_rms[:, np.newaxis], fit, self._grid)[:, 0]
        if not bool(fit.all()):
            for at, partner in self._windows.partners.items():
                column = features[:, at : at + 1]
                mended[:, at : at + 1] = repair_features(column, fit & fit[partner], self._grid)
        return _Window(mended, float(log_rms.mean()), np.count_nonzero(fit) / len(fit), last_sample)

    def _block(self, ended: list[_Window]) -> FeatureBlock:
        n = len(ended)
        features = np.empty((n, self._grid.n_channels, self._n_features), dtype=np.float32)
        for k, window in enumerate(ended):
            features[k] = window.features
        return FeatureBlock(
            features,
            np.array([window.log_amplitude for window in ended], dtype=np.float32),
            np.array([window.quality for window in ended], dtype=np.float32),
            np.array([window.last_sample for window in ended], dtype=np.int64),
        )

    def reset(self) -> None:
        """Start again: after a gap, or with another recording."""
        for stage in (self._guard, self._faults, self._filter, self._spatial, self._windows):
            stage.reset()
        self._hops_ended = 0
