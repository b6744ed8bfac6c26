"""Which gesture moves what, in which mode: a YAML map, checked against the decoder's gestures and the robot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.settings_file import load_settings
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES

BUNDLED_MAPS = Path(__file__).parent / "maps"
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


class SleeveFile(BaseModel):
    """What one of several sleeves does; ``every_mode`` applies in each mode beside its own gestures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    every_mode: Mapping[str, Acts] = Field(default_factory=dict)
    modes: Modes = Field(min_length=1)


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
    every_mode: Mapping[str, Acts] = Field(default_factory=dict)
    modes: Modes = Field(default_factory=dict)
    sleeves: Mapping[str, SleeveFile] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> "GestureMapFile":
        if bool(self.modes) == bool(self.sleeves) or (self.sleeves and self.every_mode):
            msg = (
                "needs either modes (one sleeve, with every_mode) or sleeves (each with modes and every_mode)"
            )
            raise ValueError(msg)
        return self


@dataclass(frozen=True)
class GestureMap:
    """A checked map of one sleeve. Modes keep the file's order; the first is the one to start in.

    ``sleeve`` names it where there are several, and is empty otherwise.
    """

    name: str
    gestures: tuple[str, ...]
    rest: str
    covers: tuple[str, ...]
    tap_min_s: float
    tap_max_s: float
    hold_s: float
    modes: Modes
    sleeve: str = ""

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Modes in their order."""
        return tuple(self.modes)

    def acts(self, mode: str, gesture: str) -> Acts | None:
        """Return what a gesture means in a mode; None for nothing."""
        return self.modes[mode].get(gesture)

    def after(self, mode: str, step: int) -> str:
        """Mode that follows (step 1) or precedes (step -1), around the end."""
        names = self.mode_names
        return names[(names.index(mode) + step) % len(names)]

    def gesture_for(self, mode: str, dof: str, sign: int) -> str | None:
        """Gesture that moves a DoF in a direction in a mode; None if none does."""
        wanted = Move(dof, sign)
        return next((gesture for gesture, acts in self.modes[mode].items() if acts.move == wanted), None)

    def gesture_to(self, mode: str, function: Function) -> tuple[str, Literal["tap", "hold"]] | None:
        """Gesture and act that call a function in a mode; None if none does."""
        for gesture, acts in self.modes[mode].items():
            if acts.tap == function:
                return gesture, "tap"
            if acts.hold == function:
                return gesture, "hold"
        return None


def map_path(path_or_name: str | Path) -> Path:
    """Path of a map: a bundled one by its name, else the path as it is.

    Raises
    ------
    InputError
        If it is neither a bundled name nor a file; the message lists the bundled names.
    """
    bundled = BUNDLED_MAPS / f"{path_or_name}.yaml"
    if Path(path_or_name).name == str(path_or_name) and bundled.is_file():
        return bundled
    if Path(path_or_name).is_file():
        return Path(path_or_name)
    names = ", ".join(sorted(path.stem for path in BUNDLED_MAPS.glob("*.yaml")))
    msg = f"gesture map {str(path_or_name)!r}: neither a file nor a bundled map; bundled are {names}"
    raise InputError(msg)


def load_gesture_map(path_or_name: str | Path, gestures: Sequence[str], model: RobotModel) -> GestureMap:
    """Read a map for one sleeve and check it against the decoder's gestures and the robot.

    Parameters
    ----------
    path_or_name : str or Path
        A YAML file, or the name of a bundled map (``ten_gestures``).
    gestures : sequence of str
        The decoder's gestures, in the order of its probabilities.
    model : RobotModel
        The robot whose DoF the map moves.

    Raises
    ------
    InputError
        One line that names the file, the mode, the gesture and what to do.
    """
    return load_gesture_maps(path_or_name, [gestures], model)[0]


def load_gesture_maps(
    path_or_name: str | Path, decoders: Sequence[Sequence[str]], model: RobotModel
) -> tuple[GestureMap, ...]:
    """Read a map for as many decoders as there are, in the order of the file's sleeves.

    Each sleeve moves DoF of its own, all together those that the map covers.

    Raises
    ------
    InputError
        One line that names the file, the sleeve, the mode, the gesture and what to do.
    """
    path = map_path(path_or_name)
    file = load_settings(path, GestureMapFile)
    _check_timing(file, path)
    _check_covers(file, model, path)
    sleeves = file.sleeves or {"": SleeveFile(every_mode=file.every_mode, modes=file.modes)}
    if len(decoders) != len(sleeves):
        names = ", ".join(file.sleeves) or "one sleeve"
        wanted = f"is for {len(sleeves)} decoder(s) ({names}), got {len(decoders)}"
        msg = f"{path}: {wanted}; give one a sleeve, in this order"
        raise InputError(msg)
    maps = tuple(
        _checked_sleeve(path, file, name, sleeve, gestures)
        for (name, sleeve), gestures in zip(sleeves.items(), decoders, strict=True)
    )
    _check_shares(file, maps, path)
    return maps


def _checked_sleeve(
    path: Path, file: GestureMapFile, name: str, sleeve: SleeveFile, gestures: Sequence[str]
) -> GestureMap:
    at = f"{path}: sleeve {name}" if name else str(path)
    _check_rest(file, gestures, at)
    modes = {
        mode: _merged(sleeve.every_mode, own, f"{at}: mode {mode}") for mode, own in sleeve.modes.items()
    }
    for mode, acts_of in modes.items():
        if not acts_of:
            msg = f"{at}: mode {mode}: has no gesture; give it one or drop the mode"
            raise InputError(msg)
        for gesture, acts in acts_of.items():
            where = f"{at}: mode {mode}, gesture {gesture}"
            _check_gesture(gesture, acts, gestures, file, where)
    moved = {
        acts.move.dof for acts_of in modes.values() for acts in acts_of.values() if acts.move is not None
    }
    covers = tuple(dof for dof in file.covers if dof in moved) if name else file.covers
    checked = GestureMap(
        path.stem,
        tuple(gestures),
        file.rest,
        covers,
        file.tap_min_s,
        file.tap_max_s,
        file.hold_s,
        modes,
        name,
    )
    _check_reach(checked, at)
    return checked


def _check_shares(file: GestureMapFile, maps: Sequence[GestureMap], path: Path) -> None:
    for dof in file.covers:
        movers = [one.sleeve for one in maps if dof in one.covers]
        if len(movers) > 1:
            msg = f"{path}: sleeves {' and '.join(movers)} both move {dof}; leave it to one of them"
            raise InputError(msg)
        if not movers:
            msg = f"{path}: no sleeve moves {dof}; add it to one, or leave {dof} out of covers"
            raise InputError(msg)


def _check_timing(file: GestureMapFile, path: Path) -> None:
    if not file.tap_min_s < file.tap_max_s < file.hold_s:
        msg = (
            f"{path}: tap_min_s < tap_max_s < hold_s is required, "
            f"got {file.tap_min_s}, {file.tap_max_s}, {file.hold_s}"
        )
        raise InputError(msg)


def _check_rest(file: GestureMapFile, gestures: Sequence[str], at: str) -> None:
    if file.rest not in gestures:
        msg = (
            f"{at}: rest: {file.rest!r} is no gesture of this decoder ({', '.join(gestures)}); "
            f"set rest to the gesture in which nothing may move"
        )
        raise InputError(msg)


def _check_covers(file: GestureMapFile, model: RobotModel, path: Path) -> None:
    if not file.covers:
        msg = f"{path}: covers: names no DoF, so nothing could move; choose from {', '.join(DOF_NAMES)}"
        raise InputError(msg)
    for dof in file.covers:
        if dof not in model.dof:
            msg = f"{path}: covers: {dof!r} is no DoF of {model.name}; choose from {', '.join(DOF_NAMES)}"
            raise InputError(msg)


def _merged(every: Mapping[str, Acts], own: Mapping[str, Acts], where: str) -> dict[str, Acts]:
    merged = dict(every)
    for gesture, acts in own.items():
        shared = merged.get(gesture, Acts())
        for act in ("move", "tap", "hold"):
            if getattr(shared, act) is not None and getattr(acts, act) is not None:
                msg = f"{where}, gesture {gesture}: {act} has two meanings, here and in every_mode; keep one"
                raise InputError(msg)
        both = {**shared.model_dump(exclude_none=True), **acts.model_dump(exclude_none=True)}
        merged[gesture] = Acts.model_validate({**both, "move": acts.move or shared.move})
    return merged


def _check_gesture(
    gesture: str, acts: Acts, gestures: Sequence[str], file: GestureMapFile, where: str
) -> None:
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


def _check_reach(checked: GestureMap, at: str) -> None:
    reachable = {mode: _reachable_from(checked, mode) for mode in checked.mode_names}
    for mode, reached in reachable.items():
        if reached == {mode} and len(reachable) > 1:
            msg = f"{at}: mode {mode}: no way out; give a gesture 'tap: next_mode' there"
            raise InputError(msg)
    for mode, reached in reachable.items():
        missing = [other for other in checked.mode_names if other not in reached]
        if missing:
            msg = f"{at}: mode {mode}: cannot reach mode {missing[0]}; let every mode have next_mode"
            raise InputError(msg)
    for dof in checked.covers:
        for sign, symbol in ((1, "+"), (-1, "-")):
            if not any(checked.gesture_for(mode, dof, sign) for mode in checked.mode_names):
                msg = (
                    f"{at}: no gesture in any mode moves '{dof} {symbol}'; add it to a mode, "
                    f"or leave {dof} out of covers"
                )
                raise InputError(msg)


def _reachable_from(checked: GestureMap, start: str) -> set[str]:
    reached, frontier = {start}, [start]
    while frontier:
        mode = frontier.pop()
        steps: tuple[tuple[Function, int], ...] = (("next_mode", 1), ("previous_mode", -1))
        for function, step in steps:
            other = checked.after(mode, step)
            if other not in reached and checked.gesture_to(mode, function) is not None:
                reached.add(other)
                frontier.append(other)
    return reached
