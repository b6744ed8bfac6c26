"""A simulated forearm: where its muscles lie, which of them a gesture uses, how they reach the electrodes."""

from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array
from emg_acquisition.grid import ElectrodeGrid

# Twelve virtual muscles by the angle, in degrees round the forearm, at which the middle of each lies under
# the skin: pronator and flexors on one side, extensors and supinator on the other. The order is that of a
# cross-section of the proximal forearm; the values are a plausible choice, not measurements.
MUSCLE_ANGLES_DEG: dict[str, float] = {
    "pronator_teres": 20.0,
    "flexor_carpi_radialis": 50.0,
    "palmaris_longus": 78.0,
    "flexor_digitorum_superficialis": 105.0,
    "flexor_carpi_ulnaris": 140.0,
    "flexor_digitorum_profundus": 168.0,
    "extensor_carpi_ulnaris": 205.0,
    "extensor_digiti_minimi": 235.0,
    "extensor_digitorum": 262.0,
    "extensor_carpi_radialis_brevis": 295.0,
    "extensor_carpi_radialis_longus": 322.0,
    "supinator": 348.0,
}

# How strongly each gesture uses the muscles above, in their order; 1 is the gesture's strongest muscle.
SYNERGIES: dict[str, tuple[float, ...]] = {
    #                   PT   FCR  PL   FDS  FCU  FDP  ECU  EDM  EDC  ECRB ECRL SUP
    "rest":            (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "fist":            (0.1, 0.2, 0.3, 1.0, 0.3, 0.9, 0.2, 0.1, 0.1, 0.5, 0.3, 0.0),
    "hand_open":       (0.0, 0.0, 0.2, 0.0, 0.1, 0.0, 0.3, 0.8, 1.0, 0.2, 0.1, 0.1),
    "tripod_pinch":    (0.2, 0.4, 0.1, 0.6, 0.0, 0.2, 0.0, 0.0, 0.1, 0.2, 0.6, 0.0),
    "wrist_flexion":   (0.1, 1.0, 0.8, 0.3, 0.9, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "wrist_extension": (0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.8, 0.2, 0.3, 1.0, 0.9, 0.0),
    "wrist_abduction": (0.1, 0.8, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 1.0, 0.2),
    "wrist_adduction": (0.0, 0.0, 0.0, 0.1, 1.0, 0.2, 1.0, 0.1, 0.0, 0.0, 0.0, 0.0),
    "pronation":       (1.0, 0.4, 0.2, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0),
    "supination":      (0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.1, 0.0, 0.2, 0.1, 0.2, 1.0),
}  # fmt: skip

SPREAD_AROUND_MM = 17.0
SPREAD_ALONG_MM = 40.0


@dataclass(frozen=True)
class Anatomy:
    """One wearer's forearm.

    Parameters
    ----------
    mixing : ndarray, shape (n_muscles, n_channels)
        What one unit of a muscle's activity adds to each electrode.
    drive_uv : dict of str to ndarray, shape (n_muscles,)
        Activity of each muscle, in µV RMS at its own place, while the gesture is held at full effort.
    """

    mixing: Float64Array
    drive_uv: dict[str, Float64Array]


def draw_anatomy(grid: ElectrodeGrid, rng: np.random.Generator) -> Anatomy:
    """Draw a wearer: muscles a little displaced, synergies of their own, the sleeve turned round the limb.

    Each gesture is scaled such that its strongest electrode measures 70 to 120 µV RMS at full effort.

    Parameters
    ----------
    grid : ElectrodeGrid
        Its rows run round the whole limb, its columns along it.
    rng : numpy.random.Generator
        Source of everything that differs between wearers.
    """
    n_muscles = len(MUSCLE_ANGLES_DEG)
    turn_deg = rng.uniform(0.0, 360.0)
    angles = np.array(list(MUSCLE_ANGLES_DEG.values())) + turn_deg + rng.normal(0.0, 6.0, n_muscles)
    along_mm = rng.uniform(0.2, 0.8, n_muscles) * (grid.columns - 1) * grid.pitch_mm
    mixing = _mixing(grid, angles, along_mm)
    return Anatomy(
        mixing, {gesture: _drive_uv(synergy, mixing, rng) for gesture, synergy in SYNERGIES.items()}
    )


def _drive_uv(synergy: tuple[float, ...], mixing: Float64Array, rng: np.random.Generator) -> Float64Array:
    own = np.array(synergy) * rng.lognormal(0.0, 0.15, len(synergy))
    target_uv = rng.uniform(70.0, 120.0)
    # The muscles fire independently of each other, so that their powers add at an electrode.
    strongest = np.sqrt(((own[:, np.newaxis] * mixing) ** 2).sum(axis=0)).max()
    return own if strongest == 0 else own * (target_uv / strongest)


def _mixing(grid: ElectrodeGrid, angles_deg: Float64Array, along_mm: Float64Array) -> Float64Array:
    """Return Gaussian spread over the cylinder: ndarray, shape (n_muscles, n_channels), at most 1."""
    circumference_mm = grid.rows * grid.pitch_mm
    electrode_mm = grid.positions * grid.pitch_mm
    around = (angles_deg / 360.0 * circumference_mm)[:, np.newaxis] - electrode_mm[:, 0]
    # The shorter way round the limb.
    around = (around + circumference_mm / 2) % circumference_mm - circumference_mm / 2
    along = along_mm[:, np.newaxis] - electrode_mm[:, 1]
    mixing: Float64Array = np.exp(-0.5 * ((around / SPREAD_AROUND_MM) ** 2 + (along / SPREAD_ALONG_MM) ** 2))
    return mixing
