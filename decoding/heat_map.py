"""Features of the whole array: where on the grid the activity lies, and how widely.

They are computed from amplitudes after repair, so that a broken electrode pulls no centroid. A classifier takes
(n_channels, n_features), so a quantity of the whole array stands alike on every channel: a constant plane of the
map, as networks over grids take what does not vary over the grid. ``share`` differs from channel to channel; the
moments are non-linear functions of it, and whatever a linear layer asks of the raw moments (a first or second
moment about a fixed place, a cosine around the limb) it can form from ``share`` itself.

References
----------
Rojas-Martinez, Mananas, Alonso, *High-density surface EMG maps from upper-arm and forearm muscles*, J. NeuroEng.
Rehabil. 9:85, 2012: centre of gravity of RMS maps.
Mardia, Jupp, *Directional Statistics*, Wiley 2000, sections 2.2 and 2.3: mean direction, and the circular standard
deviation sqrt(-2 ln R), for the axis that closes around the limb.
"""

import numpy as np

from decoding.signal_settings import FeatureName
from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.grid import ElectrodeGrid

# ln R of a resultant that has vanished (activity alike all around) would be infinite; R = 1e-6 gives 5.3 radians.
_LEAST_RESULTANT = 1e-6
ARRAY_FEATURES: tuple[FeatureName, ...] = (
    "share",
    "centroid_row",
    "centroid_column",
    "spread_row",
    "spread_column",
)


class HeatMap:
    """Share, centroid and spread of an amplitude map.

    Parameters
    ----------
    grid : ElectrodeGrid
        Where the channels lie, and which axis closes around the limb.
    names : tuple of str
        Which of `ARRAY_FEATURES`, in the order of the result.
    """

    def __init__(self, grid: ElectrodeGrid, names: tuple[str, ...]) -> None:
        self._names = names
        self._positions = grid.positions.astype(np.float64)
        self._places = {"row": grid.rows, "column": grid.columns}
        self._wraps = {"rows": "row", "columns": "column", "none": None}[grid.wraps]

    def features(self, amplitude_uv: Float32Array) -> Float32Array:
        """Describe one map.

        Parameters
        ----------
        amplitude_uv : ndarray, shape (n_channels,)
            Positive.

        Returns
        -------
        ndarray, shape (n_channels, len(names))
            ``share`` of a channel in the sum over all; ``centroid_*`` and ``spread_*`` (standard deviation) along
            an axis in electrodes, the centroid from the middle of the grid, alike on every channel. Around the
            limb they are circular: the centroid runs from minus to plus half the number of electrodes.
        """
        share = amplitude_uv.astype(np.float64)
        share /= share.sum()
        columns = np.empty((len(share), len(self._names)), dtype=np.float32)
        for at, name in enumerate(self._names):
            if name == "share":
                columns[:, at] = share
            else:
                kind, axis = name.split("_")
                columns[:, at] = self._moments(share, axis)[kind == "spread"]
        return columns

    def _moments(self, share: Float64Array, axis: str) -> tuple[float, float]:
        n = self._places[axis]
        place = self._positions[:, 0 if axis == "row" else 1] - (n - 1) / 2.0
        if axis != self._wraps:
            centroid = float(share @ place)
            return centroid, float(np.sqrt(share @ (place - centroid) ** 2))
        resultant = complex(share @ np.exp(2j * np.pi * place / n))
        to_electrodes = n / (2.0 * np.pi)
        length = min(1.0, max(_LEAST_RESULTANT, abs(resultant)))
        return float(np.angle(resultant)) * to_electrodes, float(
            np.sqrt(-2.0 * np.log(length))
        ) * to_electrodes
