"""Who wears what: the settings of a simulated wearer."""

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal, get_args

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from simulation.forearm.impairment import IMPAIRMENTS, Impairment
from simulation.forearm.synergies import TEN_GESTURES

Montage = Literal["monopolar", "differential"]
MIN_FS_HZ = 500.0
MAX_FS_HZ = 50_000.0
MIN_UNITS = 2
SLEEVE = rectangular_grid(16, 4, 15.0, "rows")


@dataclass(frozen=True)
class WearerSettings:
    """Who wears what.

    Parameters
    ----------
    seed : int
        The wearer: body, habits, and all that is drawn.
    donning : int
        Which time the sleeve was put on: it then lies a little elsewhere, and its electrodes touch differently.
    session : int
        Which recording of that donning: the same body and sleeve, other trials and other noise.
    fs_hz : float
        Sampling rate, 500 to 50 000 Hz.
    grid : ElectrodeGrid
        Electrodes. The axis that wraps runs round the limb, evenly; without one, rows run round it in their pitch.
    montage : {"monopolar", "differential"}
        Each electrode against one on the elbow; or a pair along the limb at each place of the grid.
    electrode_mm, pair_mm : float
        Diameter of an electrode; distance between the two of a pair.
    middle_mm, middle_deg : float
        Where the grid's middle lies along the limb, from the elbow; and, for a grid that does not close, round it.
    rotation_deg, shift_mm : float
        How the grid is moved on purpose, round the limb and towards the wrist, beside what the donning draws.
    worn_min : float
        Minutes since it was put on: the sleeve creeps and the electrodes' contact changes.
    fatigue : float
        How tired the muscles are at the beginning, 0 to 1.
    impairment : {"none", "c5", "c6", "c7", "c8"}
        Motor level of an injury of the cervical cord.
    gestures : Path
        YAML of the gestures (see ``synergies.py``).
    trial_variability : float
        Factor of everything that differs from trial to trial and within one; 0 for a wearer who repeats exactly.
    detached : tuple of int
        Channels whose electrode has lost the skin.
    powerline_hz : float
        50 or 60.
    units_per_muscle : int
        Motor units that a muscle is given.
    """

    seed: int = 2
    donning: int = 1
    session: int = 0
    fs_hz: float = 2000.0
    grid: ElectrodeGrid = SLEEVE
    montage: Montage = "monopolar"
    electrode_mm: float = 5.0
    pair_mm: float = 20.0
    middle_mm: float = 75.0
    middle_deg: float = 160.0
    rotation_deg: float = 0.0
    shift_mm: float = 0.0
    worn_min: float = 0.0
    fatigue: float = 0.0
    impairment: Impairment = "none"
    gestures: Path = TEN_GESTURES
    trial_variability: float = 1.0
    detached: tuple[int, ...] = ()
    powerline_hz: float = 60.0
    units_per_muscle: int = 40

    def __post_init__(self) -> None:
        rates = f"fs_hz must be at least {MIN_FS_HZ:g} and at most {MAX_FS_HZ:g}"
        self._require(MIN_FS_HZ <= self.fs_hz <= MAX_FS_HZ, rates, f"{self.fs_hz:g}")
        for name in ("seed", "donning", "session", "worn_min", "trial_variability"):
            value = getattr(self, name)
            self._require(0 <= value < inf, f"{name} must not be negative", value)
        choices = {"montage": get_args(Montage), "impairment": IMPAIRMENTS, "powerline_hz": (50, 60)}
        for name, allowed in choices.items():
            value = getattr(self, name)
            self._require(value in allowed, f"{name} must be one of {', '.join(map(str, allowed))}", value)
        self._require(0.0 <= self.fatigue <= 1.0, "fatigue must lie between 0 and 1", self.fatigue)
        for name in ("electrode_mm", "pair_mm"):
            value = getattr(self, name)
            self._require(0 < value < inf, f"{name} must be above 0", value)
        self._require(
            self.units_per_muscle >= MIN_UNITS, "units_per_muscle must be 2 or more", self.units_per_muscle
        )
        strangers = [c for c in self.detached if not 0 <= c < self.grid.n_channels]
        self._require(not strangers, f"detached channels must be 0 to {self.grid.n_channels - 1}", strangers)

    @property
    def source_id(self) -> str:
        """``source_id`` of the wearer's EMG stream."""
        return f"simulated-{self.seed}"

    @staticmethod
    def _require(fine: bool, rule: str, got: object) -> None:
        if not fine:
            msg = f"simulated wearer: {rule}, got {got}"
            raise InputError(msg)
