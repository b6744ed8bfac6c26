"""Fatigue: conduction slows down with work and recovers with rest, and action potentials are stretched in time.

The potential of a unit depends on velocity times time (see ``muap.py``), so that a slower wave is the same one,
stretched. The spectrum is compressed by the same factor.

References
----------
De Luca, *Myoelectrical manifestations of localized muscular fatigue in humans*, CRC Crit. Rev. Biomed. Eng. 11, 1984;
Merletti, Knaflitz, De Luca, J. Appl. Physiol. 69, 1990: velocity and median frequency fall together, by 10 to 30 %
in sustained contractions, and come back within some minutes of rest.
"""

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array, IntArray

# Greatest loss of velocity; time constants of work at full excitation and of rest.
LARGEST_LOSS = 0.25
WORK_S = 120.0
RECOVERY_S = 600.0
# Levels are steps of 0.8 % in velocity.
LEVELS = 32


class Fatigue:
    """How tired each muscle is, 0 to 1.

    Parameters
    ----------
    level : float
        At the beginning, the same for all.
    n_muscles : int
        Number of muscles.
    block_s : float
        Length of a step.
    """

    def __init__(self, level: float, n_muscles: int, block_s: float) -> None:
        self._of_muscle = np.full(n_muscles, level)
        self._block_s = block_s

    def step(self, excitation: Float64Array) -> None:
        """Work for a block at some excitation, shape (n_muscles,), 0 to 1."""
        gain = excitation * (1.0 - self._of_muscle) / WORK_S
        loss = (1.0 - excitation) * self._of_muscle / RECOVERY_S
        self._of_muscle += self._block_s * (gain - loss)

    @property
    def levels(self) -> IntArray:
        """Level of each muscle, 0 to `LEVELS`: ndarray, shape (n_muscles,)."""
        levels: IntArray = np.rint(LEVELS * self._of_muscle).astype(np.int64)
        return levels


def velocity_factor(level: int) -> float:
    """Return by how much conduction is slower at a level, 1 for fresh."""
    return 1.0 - LARGEST_LOSS * level / LEVELS


def slowed(fine_uv: Float32Array, level: int) -> Float32Array:
    """Return an action potential, shape (n_fine, n_channels), as slower conduction makes it: longer."""
    if level == 0:
        return fine_uv
    factor = velocity_factor(level)
    place = np.arange(int((len(fine_uv) - 1) / factor) + 1) * factor
    index = np.minimum(place.astype(np.int64), len(fine_uv) - 2)
    share = (place - index).astype(np.float32)[:, np.newaxis]
    stretched: Float32Array = fine_uv[index] * (1 - share) + fine_uv[index + 1] * share
    return stretched
