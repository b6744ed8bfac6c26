"""Spatial filters on the grid: what is common to many electrodes is subtracted, sample by sample.

They run on the hops of filtered samples, where it is known which channels can be used in that hop: an electrode
that has come off must not be spread over its neighbours. A filter over space has no memory, so it may stand before
or after a filter over time, and chunks cannot change it.

References
----------
Reucher, Rau, Silny, *Spatial filtering of noninvasive multielectrode EMG: part I*, IEEE Trans. Biomed. Eng. 34(2),
1987: the normal double differential (a discrete Laplacian) for surface EMG. At a border, next to a missing or
unusable electrode, the mean of those neighbours that there are takes the place of the mean of four.
Ludwig et al., *Using a common average reference to improve cortical neuron recordings from microelectrode arrays*,
J. Neurophysiol. 101(3), 2009: the common average.
"""

import numpy as np

from decoding.repair import BoolArray
from decoding.signal_settings import SpatialFilterName
from emg_acquisition.arrays import Float32Array
from emg_acquisition.grid import ElectrodeGrid

_MAX_NEIGHBOURS = 4


class SpatialFilter:
    """Common average or Laplacian.

    Parameters
    ----------
    kind : {"none", "average", "laplacian"}
        Subtracted from each sample: nothing, the mean of all usable channels, or that of the usable neighbours.
    grid : ElectrodeGrid
        Where the channels lie.
    """

    def __init__(self, kind: SpatialFilterName, grid: ElectrodeGrid) -> None:
        self._kind = kind
        n = grid.n_channels
        # A channel with fewer than four neighbours is given the column n, which holds zeros.
        self._neighbours = np.full((_MAX_NEIGHBOURS, n), n, dtype=np.int64)
        for channel, near in enumerate(grid.neighbours):
            self._neighbours[: len(near), channel] = near

    def process(self, chunk: Float32Array, /, usable: BoolArray | None = None) -> Float32Array:
        """Filter samples.

        Parameters
        ----------
        chunk : ndarray, shape (n_samples, n_channels)
            Float32.
        usable : ndarray of bool, shape (n_channels,), optional
            Channels that may be used for others; all by default. A channel without usable neighbours, or an array
            without usable channels, stays as it is.
        """
        if self._kind == "none" or len(chunk) == 0:
            return chunk
        weight = np.ones(chunk.shape[1], dtype=np.float32) if usable is None else usable.astype(np.float32)
        usable_uv = (
            chunk if usable is None or bool(usable.all()) else np.where(usable, chunk, np.float32(0.0))
        )
        if self._kind == "average":
            common = np.add.reduce(usable_uv, axis=1, keepdims=True) / np.float32(
                max(1.0, float(weight.sum()))
            )
            return np.asarray(chunk - common)
        padded = np.zeros((len(chunk), chunk.shape[1] + 1), dtype=np.float32)
        padded[:, :-1] = usable_uv
        around = padded[:, self._neighbours[0]]
        for near in self._neighbours[1:]:
            around += padded[:, near]
        counts = np.append(weight, np.float32(0.0))[self._neighbours].sum(axis=0)
        around /= np.maximum(counts, np.float32(1.0))
        return np.asarray(chunk - around)

    def reset(self) -> None:
        """Nothing to forget."""
