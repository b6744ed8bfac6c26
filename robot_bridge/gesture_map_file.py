"""A gesture map's YAML file: what may stand in it, and the checks of its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES

Function = Literal["next_mode", "previous_mode", "toggle_speed"]


@dataclass(frozen=True)
class Move:
    """Motion of one DoF: its name, and +1 or -1."""

    dof: str
    sign: int


def _parse_move(value: object) -> object:
    if isinstance(value, Move) or value is None:
        return value
    parts = value.split() if isinstance(value, str) else []
    if len(parts) != 2 or parts[1] not in {"+", "-"}:  # noqa: PLR2004 - a name and a sign
        msg = f"a move is a DoF and a direction such as 'lift +' or 'lift -', got {value!r}"
        raise ValueError(msg)
    return Move(parts[0], 1 if parts[1] == "+" else -1)


class Acts(BaseModel):
    """What one gesture means in one mode.

    ``move`` lasts while the gesture is held; ``tap`` is for a short hold that ends in rest; ``hold`` happens
    once, after a long hold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    move: Annotated[Move | None, BeforeValidator(_parse_move)] = None
    tap: Function | None = None
    hold: Function | None = None


Modes = Mapping[str, Mapping[str, Acts]]


# It becomes part of topics, streams and files.
SleeveName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z](_?[A-Za-z0-9])*$", max_length=32)]


class SleeveFile(BaseModel):
    """What one of several sleeves does; ``every_mode`` applies in each mode beside its own gestures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    every_mode: Mapping[str, Acts] = Field(default_factory=dict)
    modes: Modes = Field(min_length=1)


# Less than a person needs to change their mind; no longer than decisions may be missing (`SafetyLimits`).
MAX_TAP_GAP_S = 0.2


class GestureMapFile(BaseModel):
    """A map as its YAML file declares it: ``modes`` for one sleeve, or ``sleeves`` with the modes of each.

    ``every_mode`` applies in each mode beside its own gestures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rest: str = REST
    covers: tuple[str, ...] = DOF_NAMES
    tap_min_s: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    tap_max_s: float = Field(default=0.6, gt=0, allow_inf_nan=False)
    hold_s: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    tap_gap_s: float = Field(default=0.12, ge=0, le=MAX_TAP_GAP_S)
    every_mode: Mapping[str, Acts] = Field(default_factory=dict)
    modes: Modes = Field(default_factory=dict)
    sleeves: Mapping[SleeveName, SleeveFile] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> "GestureMapFile":
        if bool(self.modes) == bool(self.sleeves) or (self.sleeves and self.every_mode):
            msg = (
                "needs either modes (one sleeve, with every_mode) or sleeves (each with modes and every_mode)"
            )
            raise ValueError(msg)
        return self


def check_timing(file: GestureMapFile, path: Path) -> None:
    """Refuse times of tap and hold that overlap."""
    if not file.tap_min_s < file.tap_max_s < file.hold_s:
        msg = (
            f"{path}: tap_min_s < tap_max_s < hold_s is required, "
            f"got {file.tap_min_s}, {file.tap_max_s}, {file.hold_s}"
        )
        raise InputError(msg)


def check_rest(file: GestureMapFile, gestures: Sequence[str], at: str) -> None:
    """Refuse a rest that is no gesture of the decoder."""
    if file.rest not in gestures:
        msg = (
            f"{at}: rest: {file.rest!r} is no gesture of this decoder ({', '.join(gestures)}); "
            f"set rest to the gesture in which nothing may move"
        )
        raise InputError(msg)


def check_covers(file: GestureMapFile, model: RobotModel, path: Path) -> None:
    """Refuse DoF that the robot does not have."""
    if not file.covers:
        msg = f"{path}: covers: names no DoF, so nothing could move; choose from {', '.join(DOF_NAMES)}"
        raise InputError(msg)
    for dof in file.covers:
        if dof not in model.dof:
            msg = f"{path}: covers: {dof!r} is no DoF of {model.name}; choose from {', '.join(DOF_NAMES)}"
            raise InputError(msg)


def merged(every: Mapping[str, Acts], own: Mapping[str, Acts], where: str) -> dict[str, Acts]:
    """Join what a gesture means in every mode and in its own; two meanings of one act are refused."""
    joined = dict(every)
    for gesture, acts in own.items():
        shared = joined.get(gesture, Acts())
        for act in ("move", "tap", "hold"):
            if getattr(shared, act) is not None and getattr(acts, act) is not None:
                msg = f"{where}, gesture {gesture}: {act} has two meanings, here and in every_mode; keep one"
                raise InputError(msg)
        both = {**shared.model_dump(exclude_none=True), **acts.model_dump(exclude_none=True)}
        joined[gesture] = Acts.model_validate({**both, "move": acts.move or shared.move})
    return joined


def check_gesture(
    gesture: str, acts: Acts, gestures: Sequence[str], file: GestureMapFile, where: str
) -> None:
    """Refuse a gesture that the decoder lacks, that means nothing, or that means two things at once."""
    if gesture not in gestures:
        msg = f"{where}: unknown to this decoder; it knows {', '.join(gestures)}: rename it or drop the line"
        raise InputError(msg)
    if gesture == file.rest:
        msg = f"{where}: the rest gesture must do nothing; drop the line"
        raise InputError(msg)
    if acts.move is not None and acts.hold is not None:
        msg = f"{where}: held, it would both move {acts.move.dof} and {acts.hold}; give {acts.hold} another gesture"
        raise InputError(msg)
    if acts.move is None and acts.tap is None and acts.hold is None:
        msg = f"{where}: means nothing; give it move, tap or hold, or drop the line"
        raise InputError(msg)
    if acts.move is not None and acts.move.dof not in DOF_NAMES:
        msg = f"{where}: unknown DoF {acts.move.dof!r}; choose from {', '.join(DOF_NAMES)}"
        raise InputError(msg)
    if acts.move is not None and acts.move.dof not in file.covers:
        msg = f"{where}: moves {acts.move.dof}, which covers leaves out; add it to covers or drop the move"
        raise InputError(msg)
