"""The calibration protocol: which gestures a participant is asked for, how often, for how long, and at whose pace."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from emg_acquisition.cue_schedule import ScheduledCue, calibration_schedule
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.settings_file import load_settings

# Names that a person at the window has a picture for; a protocol with others names them.
KNOWN_GESTURES = (
    "fist",
    "hand_open",
    "tripod_pinch",
    "wrist_flexion",
    "wrist_extension",
    "wrist_abduction",
    "wrist_adduction",
    "pronation",
    "supination",
)
# The rest before a trial is the baseline that its onset is found against, and in it the trial before is judged.
MIN_REST_S = 1.0
BUNDLED = Path(__file__).parent
_FILE = "protocol_{}.yaml"
Level = Literal["", "comfortable", "strong"]
STRONG: Level = "strong"


@dataclass(frozen=True)
class PlannedTrial:
    """One contraction that is asked for; repetitions count from 1."""

    gesture: str
    repetition: int
    level: Level = ""


class CueSchedule(BaseModel):
    """A calibration's cues: every gesture once a repetition, in a drawn order, with rest in between.

    Parameters
    ----------
    gestures : tuple of str
        Without ``rest``, which stands between the others.
    repetitions : int
        Two at least, so that accuracy can be measured on a repetition held out; one suffices to recalibrate.
    hold_s, rest_s : float
        How long each gesture and each rest is asked for.
    ready_s : float
        How long the next gesture is shown before it is asked for; the muscle still rests.
    ramp_s : float
        How long the contraction is built up before it is held.
    seed : int
        Seed of the order; each repetition is a block of its own.
    name : str
        For people and for the session folder.
    purpose : {"train", "recalibrate"}
        Whether a new decoder is trained or an older one recalibrated.
    pace : {"timed", "caregiver"}
        Whether each trial follows the one before, or waits for a key, a switch or a button.
    levels : tuple of {"comfortable", "strong"}
        An effort calibration asks for every gesture at each of these levels; empty: as it comes.
    own_gestures : tuple of str
        Names among ``gestures`` that are not of the nine and yet no slip of the pen.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gestures: tuple[str, ...] = Field(min_length=1, max_length=100)
    repetitions: int = Field(default=5, ge=1, le=100)
    hold_s: float = Field(default=4.0, gt=0, le=60)
    rest_s: float = Field(default=4.0, gt=0, le=60)
    ready_s: float = Field(default=0.0, ge=0, le=60)
    ramp_s: float = Field(default=0.0, ge=0, le=60)
    seed: int = Field(default=0, ge=0)
    name: str = "calibration"
    purpose: Literal["train", "recalibrate"] = "train"
    pace: Literal["timed", "caregiver"] = "timed"
    levels: tuple[Literal["comfortable", "strong"], ...] = ()
    own_gestures: tuple[str, ...] = ()

    @field_validator("gestures")
    @classmethod
    def _distinct_and_active(cls, gestures: tuple[str, ...]) -> tuple[str, ...]:
        if REST in gestures or len(set(gestures)) != len(gestures):
            msg = f"name each gesture once and leave out {REST!r}, got {', '.join(gestures)}"
            raise ValueError(msg)
        return gestures

    @model_validator(mode="after")
    def _enough_to_judge_by(self) -> "CueSchedule":
        if self.repetitions == 1 and self.purpose == "train":
            msg = "repetitions: greater than or equal to 2 is required to train; 1 only with purpose: recalibrate"
            raise ValueError(msg)
        if "comfortable" not in self.levels and self.levels:
            msg = "levels: comfortable is what effort is measured by and must be among them"
            raise ValueError(msg)
        return self

    def cues(self) -> tuple[ScheduledCue, ...]:
        """Return the cues in order, a gesture with its ramp and a rest with getting ready; the same for a seed."""
        held_s, rest_s = self.ramp_s + self.hold_s, self.rest_s + self.ready_s
        if not self.levels:
            return calibration_schedule(self.gestures, self.repetitions, held_s, rest_s, self.seed)
        cues = [
            cue
            for trial in self.trials()
            for cue in (
                ScheduledCue(REST, rest_s, trial.repetition),
                ScheduledCue(trial.gesture, held_s, trial.repetition),
            )
        ]
        return (*cues, ScheduledCue(REST, rest_s, self.repetitions))

    def trials(self) -> tuple[PlannedTrial, ...]:
        """Return the contractions in the order in which they are asked for."""
        rng = np.random.default_rng(self.seed)
        levels: tuple[Level, ...] = self.levels or ("",)
        return tuple(
            PlannedTrial(self.gestures[index], repetition, level)
            for repetition in range(1, self.repetitions + 1)
            for index in rng.permutation(len(self.gestures))
            for level in levels
        )

    @property
    def seconds(self) -> float:
        """How long it takes, if no trial is offered again."""
        return sum(cue.seconds for cue in self.cues())


def bundled_protocols() -> tuple[str, ...]:
    """Return the names of the protocols that come with the program."""
    before, after = _FILE.split("{}")
    names = sorted(path.name for path in BUNDLED.glob(_FILE.format("*")))
    return tuple(name.removeprefix(before).removesuffix(after) for name in names)


def load_protocol(name_or_path: str) -> CueSchedule:
    """Read a protocol: one that comes with the program, by its name, or a YAML file.

    Raises
    ------
    InputError
        If there is none, a key is unknown, missing or out of range, a gesture is unknown, or the rest is too
        short; it names the file and what to do.
    """
    path = BUNDLED / _FILE.format(name_or_path)
    if name_or_path not in bundled_protocols():
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            msg = f"protocol {name_or_path!r} is neither a YAML file nor one of {', '.join(bundled_protocols())}"
            raise InputError(msg)
    protocol = load_settings(path, CueSchedule)
    unknown = [one for one in protocol.gestures if one not in {*KNOWN_GESTURES, *protocol.own_gestures}]
    if unknown:
        msg = (
            f"{path}: gestures: {', '.join(unknown)} unknown; known are {', '.join(KNOWN_GESTURES)} "
            f"(a gesture of your own stands under own_gestures too)"
        )
        raise InputError(msg)
    if protocol.rest_s < MIN_REST_S:
        msg = (
            f"{path}: rest_s: at least {MIN_REST_S:g} s of rest between the gestures are required, "
            f"got {protocol.rest_s:g}; rest is what stops the robot"
        )
        raise InputError(msg)
    return protocol
