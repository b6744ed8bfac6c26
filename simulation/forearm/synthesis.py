"""Action potentials at their firing times, added up.

A unit's action potential is kept once for each phase of the sampling clock, in one piece, so that a firing is a
single addition of two contiguous arrays whatever its fraction of a sample.
"""

from collections.abc import Sequence

import numpy as np

from emg_acquisition.arrays import Float32Array, IntArray
from simulation.forearm.fatigue import LARGEST_LOSS, slowed


class Synthesis:
    """The sum of all units' action potentials, block after block.

    Parameters
    ----------
    muaps : sequence of ndarray, each of shape (n_fine, n_channels), float32
        Action potential of every unit, fresh, µV; never changed.
    factor : int
        Fine samples to a sample.
    block : int
        Length of a block, in samples.
    levels : ndarray, shape (n_units,)
        Fatigue of each unit at the beginning.
    """

    def __init__(self, muaps: Sequence[Float32Array], factor: int, block: int, levels: IntArray) -> None:
        self._muaps, self._factor, self._block = muaps, factor, block
        self._n_channels = muaps[0].shape[1]
        self._levels = levels.copy()
        self._phases = [
            _phases(slowed(muap, int(level)), factor) for muap, level in zip(muaps, levels, strict=True)
        ]
        longest_fine = max(len(muap) for muap in muaps) / (1.0 - LARGEST_LOSS)
        self._sum = np.zeros((block + int(longest_fine / factor) + 3) * self._n_channels, dtype=np.float32)
        self._next_checked = 0

    def step(self, units: IntArray, offsets: IntArray) -> Float32Array:
        """Let units fire at fine samples of the block; return the block, shape (block, n_channels), µV."""
        n_channels, total, phases = self._n_channels, self._sum, self._phases
        samples, fine = np.divmod(offsets, self._factor)
        starts = (samples * n_channels).tolist()
        for unit, start, phase in zip(units.tolist(), starts, fine.tolist(), strict=True):
            shape = phases[unit][phase]
            part = total[start : start + len(shape)]
            np.add(part, shape, out=part)
        length = self._block * n_channels
        block: Float32Array = total[:length].reshape(self._block, n_channels).copy()
        total[:-length] = total[length:]
        total[-length:] = 0.0
        return block

    def tire(self, levels: IntArray) -> None:
        """Bring one unit, each time the next, to its level of fatigue: shape (n_units,)."""
        unit = self._next_checked
        self._next_checked = (unit + 1) % len(self._muaps)
        level = int(levels[unit])
        if level != self._levels[unit]:
            self._levels[unit] = level
            self._phases[unit] = _phases(slowed(self._muaps[unit], level), self._factor)


def _phases(fine_uv: Float32Array, factor: int) -> list[Float32Array]:
    """Return the action potential as it is sampled after a firing 0 to factor - 1 fine samples late, flattened."""
    length = -(-len(fine_uv) // factor) + 1
    padded = np.zeros((factor * (length + 1), fine_uv.shape[1]), dtype=np.float32)
    padded[factor : factor + len(fine_uv)] = fine_uv
    return [
        np.ascontiguousarray(padded[factor - phase :: factor][:length]).reshape(-1) for phase in range(factor)
    ]
