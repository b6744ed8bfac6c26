"""When each motor unit fires: recruitment by size, rate coding and the variability of intervals.

A unit above its threshold gathers phase at its firing rate and fires when the phase passes a limit drawn anew for
each interval, so that a rate that changes meanwhile is followed exactly.

References
----------
Fuglevand, Winter, Patla 1993 (see ``motor_units.py``): rates rise linearly with excitation from 8 to a peak that
falls from 35 to 25 per second with the threshold ("onion skin": De Luca, Hostage, J. Neurophysiol. 104, 2010).
Clamann, Biophys. J. 9, 1969; Moritz et al., J. Neurophysiol. 93, 2005: Gaussian intervals, coefficient of variation
0.1 to 0.3, mostly 0.15 to 0.2.
"""

import numpy as np

from emg_acquisition.arrays import Float64Array, IntArray
from simulation.forearm.motor_units import LAST_THRESHOLD, MotorUnits

MIN_RATE_HZ = 8.0
PEAK_RATE_HZ = 35.0
PEAK_RATE_FALL_HZ = 10.0
INTERVAL_CV = 0.18
# Bounds of an interval in shares of the mean one: nobody fires twice within a block of 10 ms.
INTERVAL_BOUNDS = (0.5, 2.0)


def firing_rates_hz(units: MotorUnits, excitation: Float64Array) -> Float64Array:
    """Return the mean firing rate of each unit, 0 below its threshold.

    Parameters
    ----------
    units : MotorUnits
        The units.
    excitation : ndarray, shape (n_muscles,)
        Excitation of each muscle, 0 to 1.
    """
    above = excitation[units.muscle] - units.threshold
    peak_hz = PEAK_RATE_HZ - PEAK_RATE_FALL_HZ * units.threshold / LAST_THRESHOLD
    rate_hz = MIN_RATE_HZ + (peak_hz - MIN_RATE_HZ) * above / (1.0 - units.threshold)
    rates: Float64Array = np.where((above > 0) & units.alive, np.minimum(rate_hz, peak_hz), 0.0)
    return rates


class MotorPool:
    """The firing of all units, block after block.

    Parameters
    ----------
    units : MotorUnits
        The units.
    block_fine : int
        Length of a block, in fine samples.
    fine_hz : float
        Rate of the fine samples.
    rng : numpy.random.Generator
        Source of the intervals.
    """

    def __init__(self, units: MotorUnits, block_fine: int, fine_hz: float, rng: np.random.Generator) -> None:
        self._units, self._rng = units, rng
        self._block_fine, self._fine_hz = block_fine, fine_hz
        self._phase = np.zeros(len(units))
        self._limit = self._draw_limits(len(units))
        self._active = np.zeros(len(units), dtype=bool)

    def step(self, excitation: Float64Array) -> tuple[IntArray, IntArray]:
        """Advance by a block; return which units fired and at which fine sample of the block.

        Parameters
        ----------
        excitation : ndarray, shape (n_muscles,)
            Excitation of each muscle during the block, 0 to 1.
        """
        rate_hz = firing_rates_hz(self._units, excitation)
        active = rate_hz > 0
        (recruited,) = np.nonzero(active & ~self._active)
        # Where in its interval a unit begins is chance: units recruited together do not fire together.
        self._phase[recruited] = self._rng.uniform(0.0, 1.0, len(recruited)) * self._limit[recruited]
        self._active = active
        per_fine = rate_hz / self._fine_hz
        before = self._phase
        self._phase = before + self._block_fine * per_fine
        (fired,) = np.nonzero(active & (self._phase >= self._limit))
        offset = ((self._limit[fired] - before[fired]) / per_fine[fired]).astype(np.int64)
        self._phase[fired] -= self._limit[fired]
        self._limit[fired] = self._draw_limits(len(fired))
        return fired, np.minimum(offset, self._block_fine - 1)

    def _draw_limits(self, n: int) -> Float64Array:
        limits: Float64Array = np.clip(self._rng.normal(1.0, INTERVAL_CV, n), *INTERVAL_BOUNDS)
        return limits
