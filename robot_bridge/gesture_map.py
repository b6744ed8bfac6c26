"""Which gesture moves what, in which mode: a YAML map, checked against the decoder's gestures and the robot."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emg_acquisition.errors import InputError
from emg_acquisition.settings_file import load_settings
from robot_bridge.gesture_map_file import (
    Acts,
    Function,
    GestureMapFile,
    Modes,
    Move,
    SleeveFile,
    check_covers,
    check_gesture,
    check_rest,
    check_timing,
    merged,
)
from robot_bridge.robot_model import RobotModel

__all__ = [
    "Acts",
    "Function",
    "GestureMap",
    "Modes",
    "Move",
    "check_decoders",
    "load_gesture_map",
    "load_gesture_maps",
    "map_path",
]

BUNDLED_MAPS = Path(__file__).parent / "maps"


@dataclass(frozen=True)
class GestureMap:
    """A checked map of one sleeve. Modes keep the file's order; the first is the one to start in.

    ``sleeve`` names it where there are several, and is empty otherwise. ``tap_gap_s`` is how soon after a gesture's
    last decision rest must follow where hops without a decision lie between.
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
    tap_gap_s: float = 0.0
    max_hold_s: float = 20.0

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
    check_timing(file, path)
    check_covers(file, model, path)
    sleeves = file.sleeves or {"": SleeveFile(every_mode=file.every_mode, modes=file.modes)}
    _check_count(file, len(decoders), path)
    maps = tuple(
        _checked_sleeve(path, file, name, sleeve, gestures)
        for (name, sleeve), gestures in zip(sleeves.items(), decoders, strict=True)
    )
    _check_shares(file, maps, path)
    return maps


def check_decoders(path_or_name: str | Path, decoders: Sequence[str]) -> None:
    """Check, before any decoder is looked for, that there is one for each of the map's sleeves and none is given twice.

    Raises
    ------
    InputError
        One line that names the map or the decoder.
    """
    path = map_path(path_or_name)
    _check_count(load_settings(path, GestureMapFile), len(decoders), path)
    for source_id in decoders:
        if decoders.count(source_id) > 1:
            # One arm's gesture would mean two things at once.
            msg = f"decoder {source_id!r} is given for more than one sleeve; each sleeve needs a decoder of its own"
            raise InputError(msg)


def _check_count(file: GestureMapFile, n_decoders: int, path: Path) -> None:
    n_sleeves = len(file.sleeves) or 1
    if n_decoders != n_sleeves:
        names = ", ".join(file.sleeves) or "one sleeve"
        msg = f"{path}: is for {n_sleeves} decoder(s) ({names}), got {n_decoders}; give one a sleeve, in this order"
        raise InputError(msg)


def _checked_sleeve(
    path: Path, file: GestureMapFile, name: str, sleeve: SleeveFile, gestures: Sequence[str]
) -> GestureMap:
    at = f"{path}: sleeve {name}" if name else str(path)
    check_rest(file, gestures, at)
    modes = {mode: merged(sleeve.every_mode, own, f"{at}: mode {mode}") for mode, own in sleeve.modes.items()}
    for mode, acts_of in modes.items():
        if not acts_of:
            msg = f"{at}: mode {mode}: has no gesture; give it one or drop the mode"
            raise InputError(msg)
        for gesture, acts in acts_of.items():
            where = f"{at}: mode {mode}, gesture {gesture}"
            check_gesture(gesture, acts, gestures, file, where)
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
        file.tap_gap_s,
        file.max_hold_s,
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
