"""Where the electrodes lie on this arm, put on this time.

References
----------
Young, Hargrove, Kuiken, *Improving myoelectric pattern recognition robustness to electrode shift*, IEEE Trans.
Biomed. Eng. 59, 2012: shifts of 1 to 2 cm between donnings are usual, and cost accuracy.
"""

from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array
from emg_acquisition.grid import ElectrodeGrid
from simulation.forearm.muap import Electrodes
from simulation.forearm.settings import WearerSettings

DONNING_ROUND_SD_MM = 8.0
DONNING_ALONG_SD_MM = 6.0
# In an hour a sleeve creeps so far; then it has found its place.
CREEP_SD_MM = 3.0
CREEP_MIN = 60.0
# The common reference: a bony place at the elbow, behind and on the little finger's side.
REFERENCE_DEG = 240.0
REFERENCE_MM = -30.0


@dataclass(frozen=True)
class Placement:
    """How the sleeve lies against where it is meant to: round the limb and towards the wrist."""

    rotation_rad: float
    shift_mm: float


def draw_placement(settings: WearerSettings, skin_radius_mm: float, rng: np.random.Generator) -> Placement:
    """Draw one donning, and how the sleeve has crept since."""
    round_mm, along_mm = rng.normal(0.0, (DONNING_ROUND_SD_MM, DONNING_ALONG_SD_MM))
    crept = np.sqrt(min(1.0, settings.worn_min / CREEP_MIN)) * rng.normal(0.0, CREEP_SD_MM, 2)
    return Placement(
        rotation_rad=float(np.deg2rad(settings.rotation_deg) + (round_mm + crept[0]) / skin_radius_mm),
        shift_mm=float(settings.shift_mm + along_mm + crept[1]),
    )


def place_electrodes(settings: WearerSettings, skin_radius_mm: float, placement: Placement) -> Electrodes:
    """Return where the grid's electrodes lie; a last one is the reference, where the montage has one."""
    angle_rad, along_mm = _grid_on_limb(settings.grid, skin_radius_mm, np.deg2rad(settings.middle_deg))
    angle_rad = angle_rad + placement.rotation_rad
    along_mm = along_mm + settings.middle_mm + placement.shift_mm
    if settings.montage == "monopolar":
        angle_rad = np.append(angle_rad, np.deg2rad(REFERENCE_DEG))
        along_mm = np.append(along_mm, REFERENCE_MM)
    angles, angle_index = np.unique(angle_rad, return_inverse=True)
    alongs, along_index = np.unique(along_mm, return_inverse=True)
    return Electrodes(angles, alongs, angle_index.astype(np.int64), along_index.astype(np.int64))


def _grid_on_limb(
    grid: ElectrodeGrid, skin_radius_mm: float, middle_rad: float
) -> tuple[Float64Array, Float64Array]:
    """Return each channel's angle, and its place along the limb from the grid's middle."""
    positions = grid.positions.astype(np.float64)
    around, along = (1, 0) if grid.wraps == "columns" else (0, 1)
    size = (grid.rows, grid.columns)
    if grid.wraps == "none":
        steps = positions[:, around] - 0.5 * (size[around] - 1)
        angle_rad: Float64Array = middle_rad + steps * grid.pitch_mm / skin_radius_mm
    else:
        angle_rad = 2 * np.pi * positions[:, around] / size[around]
    along_mm: Float64Array = (positions[:, along] - 0.5 * (size[along] - 1)) * grid.pitch_mm
    return angle_rad, along_mm
