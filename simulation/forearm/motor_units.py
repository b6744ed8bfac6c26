"""The motor units of a forearm: size, territory, innervation zone, conduction velocity and threshold.

References
----------
Fuglevand, Winter, Patla, *Models of recruitment and rate coding organization in motor-unit pools*, J.
Neurophysiol. 70(6), 1993: exponential thresholds and sizes.
Stashuk, *Simulation of electromyographic signals*, J. Electromyogr. Kinesiol. 3(3), 1993, and Bodine-Fowler et
al., Muscle Nerve 13, 1990: circular territories, larger for larger units.
Andreassen, Arendt-Nielsen, J. Physiol. 391, 1987: conduction velocity, 3 to 5 m/s, rises with the size of a unit.
"""

from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array, IntArray
from simulation.forearm.anatomy import MUSCLES, Forearm

# The last unit's threshold, as a share of the greatest excitation, and how many times the first one's it is.
LAST_THRESHOLD = 0.7
THRESHOLD_RANGE = 30.0
# Ratio of the largest to the smallest unit's number of fibres.
SIZE_RANGE = 25.0
FIBRE_DIAMETER_M = 50e-6
# Fibres fill most of a muscle, the rest is connective tissue and vessels.
FIBRES_SHARE = 0.85
# A muscle has some hundred units (a few per 10 mm2 of PCSA); as many are not needed for its interference pattern.
REAL_UNITS = 80.0
REAL_UNITS_PER_CM2 = 40.0
TERRITORY_SHARE = (0.35, 0.75)
EDGE_MM = 1.0


@dataclass(frozen=True)
class MotorUnits:
    """Arrays of shape (n_units,), smallest unit of each muscle first; ``muscle`` is an index of `MUSCLES`.

    ``radius_mm`` and ``angle_rad`` are the middle of the territory, whose own radius is ``territory_mm``;
    ``zone_mm`` is the innervation zone along the limb, ``proximal_mm`` and ``distal_mm`` the fibres' lengths on
    its two sides, ``oblique_rad`` their angle to the limb. ``source`` is the area of active membrane current, the
    number of fibres times their cross-section, in m², after `draw_motor_units`' scaling. ``threshold`` is in
    shares of the greatest excitation; ``alive`` is false for a unit that an injury has cut off.
    """

    muscle: IntArray
    radius_mm: Float64Array
    angle_rad: Float64Array
    territory_mm: Float64Array
    zone_mm: Float64Array
    proximal_mm: Float64Array
    distal_mm: Float64Array
    oblique_rad: Float64Array
    velocity_m_s: Float64Array
    source_m2: Float64Array
    threshold: Float64Array
    alive: np.ndarray

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.muscle)


def draw_motor_units(forearm: Forearm, units_per_muscle: int, rng: np.random.Generator) -> MotorUnits:
    """Draw the units of every muscle.

    A muscle is given `units_per_muscle` units, fewer than it has: one of them stands for several that fire
    independently of each other, so that its fibres are counted by the root of that number. The power of the EMG
    is then that of the whole muscle; single units look that much larger.

    Parameters
    ----------
    forearm : Forearm
        Where the muscles lie.
    units_per_muscle : int
        At least 2.
    rng : numpy.random.Generator
        Source of what differs between wearers.
    """
    parts = [_draw_muscle(index, forearm, units_per_muscle, rng) for index in range(len(MUSCLES))]
    return MotorUnits(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _draw_muscle(index: int, forearm: Forearm, n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    muscle = MUSCLES[index]
    rank = np.arange(1, n + 1) / n
    radius_mm, angle_rad, territory_mm = _draw_territories(index, forearm, rank, rng)
    fibre_mm = muscle.fibre_mm * np.clip(rng.normal(1.0, 0.08, n), 0.8, 1.2)
    spare_mm = np.maximum(muscle.to_mm - muscle.from_mm - fibre_mm, 0.0)
    proximal_end_mm = muscle.from_mm + forearm.along_mm[index] + rng.uniform(0.0, 1.0, n) * spare_mm
    proximal_mm = fibre_mm * np.clip(rng.normal(0.5, 0.05, n), 0.38, 0.62)
    return (
        np.full(n, index, dtype=np.int64),
        radius_mm,
        angle_rad,
        territory_mm,
        proximal_end_mm + proximal_mm,
        proximal_mm,
        fibre_mm - proximal_mm,
        np.full(n, np.deg2rad(muscle.oblique_deg)),
        np.clip(3.5 + 1.3 * rank + rng.normal(0.0, 0.2, n), 3.0, 5.0),
        _sources_m2(muscle.pcsa_cm2, rank),
        LAST_THRESHOLD * np.exp(np.log(THRESHOLD_RANGE) * (rank - 1.0)) * rng.uniform(0.9, 1.1, n),
        rng.uniform(0.0, 1.0, n) < forearm.strength[index],
    )


def _draw_territories(
    index: int, forearm: Forearm, rank: Float64Array, rng: np.random.Generator
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return middle radius, angle and territory radius: territories lie within the muscle, evenly over it."""
    outer_mm = forearm.muscle_radius_mm
    muscle_mm = MUSCLES[index].radius_mm
    small, large = TERRITORY_SHARE
    territory_mm = muscle_mm * (small + (large - small) * rank)
    away_mm = (muscle_mm - 0.7 * territory_mm) * np.sqrt(rng.uniform(0.0, 1.0, len(rank)))
    turn = rng.uniform(0.0, 2 * np.pi, len(rank))
    middle_mm = outer_mm - forearm.depth_mm[index]
    radius_mm = np.clip(middle_mm + away_mm * np.cos(turn), 5.0, outer_mm - EDGE_MM - 0.7 * territory_mm)
    # Muscles are wider round the limb than they are deep; the same area, drawn 1.3 times as wide.
    angle_rad = forearm.angle_rad[index] + 1.3 * away_mm * np.sin(turn) / radius_mm
    return radius_mm, angle_rad, territory_mm


def _sources_m2(pcsa_cm2: float, rank: Float64Array) -> Float64Array:
    fibre_m2 = np.pi * (FIBRE_DIAMETER_M / 2) ** 2
    fibres = FIBRES_SHARE * pcsa_cm2 * 1e-4 / fibre_m2
    size = np.exp(np.log(SIZE_RANGE) * rank)
    real_units = REAL_UNITS + REAL_UNITS_PER_CM2 * pcsa_cm2
    sources: Float64Array = fibre_m2 * fibres * size / size.sum() * np.sqrt(len(rank) / real_units)
    return sources
