"""Which muscles a gesture uses: muscle synergies from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from emg_acquisition.arrays import Float64Array
from emg_acquisition.events import REST
from emg_acquisition.settings_file import load_settings
from simulation.forearm.anatomy import MUSCLE_NAMES

TEN_GESTURES = Path(__file__).parent / "ten_gestures.yaml"
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class GestureFile(BaseModel):
    """A set of gestures as YAML declares it.

    Parameters
    ----------
    name : str
        What the set is called.
    gestures : dict of str to dict of str to float
        For each gesture, how strongly it uses muscles, 0 to 1, where 1 is its strongest muscle; those not named
        are not used. ``rest`` may be left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    gestures: dict[str, dict[str, Share]] = Field(min_length=1)

    @field_validator("gestures")
    @classmethod
    def _known_muscles(cls, gestures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for gesture, shares in gestures.items():
            unknown = [muscle for muscle in shares if muscle not in MUSCLE_NAMES]
            if unknown:
                msg = f"{gesture}: there is no muscle {unknown[0]!r}; there are {', '.join(MUSCLE_NAMES)}"
                raise ValueError(msg)
            if gesture != REST and not any(share > 0 for share in shares.values()):
                msg = f"{gesture}: a gesture needs a muscle with a share above 0"
                raise ValueError(msg)
        return gestures


@dataclass(frozen=True)
class Synergies:
    """Gestures and the share of each muscle in them: ndarray, shape (n_muscles,), 0 to 1."""

    shares: Mapping[str, Float64Array]

    @property
    def gestures(self) -> tuple[str, ...]:
        """Names, ``rest`` first."""
        return tuple(self.shares)


def load_synergies(path: Path) -> Synergies:
    """Read gestures from YAML.

    Raises
    ------
    InputError
        If the file cannot be read or a key, muscle or share is not as `GestureFile` wants it.
    """
    declared = load_settings(path, GestureFile).gestures
    ordered = {REST: declared.get(REST, {}), **declared}
    return Synergies(
        {
            gesture: np.array([shares.get(muscle, 0.0) for muscle in MUSCLE_NAMES])
            for gesture, shares in ordered.items()
        }
    )


def own_synergies(synergies: Synergies, spread: float, rng: np.random.Generator) -> Synergies:
    """Draw one wearer's way of making the gestures.

    Parameters
    ----------
    synergies : Synergies
        The textbook's.
    spread : float
        Standard deviation of the logarithm of a muscle's share; muscles that are not used stay silent.
    rng : numpy.random.Generator
        Source of what differs between wearers.
    """
    own: dict[str, Float64Array] = {}
    for gesture, shares in synergies.shares.items():
        drawn = shares * rng.lognormal(0.0, spread, len(shares))
        own[gesture] = drawn / max(1.0, float(drawn.max()))
    return Synergies(own)
