"""The calibration protocol: which gestures a participant is asked for, how often and for how long."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from emg_acquisition.events import REST
from emg_acquisition.settings_file import load_settings
from emg_acquisition.sources.schedule import Cue, calibration_schedule


class CueSchedule(BaseModel):
    """A calibration's cues: every gesture once a repetition, in a drawn order, with rest in between.

    Parameters
    ----------
    gestures : tuple of str
        Without ``rest``, which stands between the others.
    repetitions : int
        Two at least, so that accuracy can be measured on a repetition held out.
    hold_s, rest_s : float
        How long each gesture and each rest is asked for.
    seed : int
        Seed of the order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gestures: tuple[str, ...] = Field(min_length=1, max_length=100)
    repetitions: int = Field(default=5, ge=2, le=1000)
    hold_s: float = Field(default=4.0, gt=0, le=600)
    rest_s: float = Field(default=4.0, gt=0, le=600)
    seed: int = Field(default=0, ge=0)

    @field_validator("gestures")
    @classmethod
    def _distinct_and_active(cls, gestures: tuple[str, ...]) -> tuple[str, ...]:
        if REST in gestures or len(set(gestures)) != len(gestures):
            msg = f"name each gesture once and leave out {REST!r}, got {', '.join(gestures)}"
            raise ValueError(msg)
        return gestures

    def cues(self) -> tuple[Cue, ...]:
        """Return the cues in order; the same for the same seed."""
        return calibration_schedule(self.gestures, self.repetitions, self.hold_s, self.rest_s, self.seed)

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return sum(cue.seconds for cue in self.cues())


def load_cue_schedule(path: Path) -> CueSchedule:
    """Read a schedule from YAML.

    Raises
    ------
    InputError
        If the file cannot be read or a key is unknown, missing or out of range; it names file and key.
    """
    return load_settings(path, CueSchedule)
