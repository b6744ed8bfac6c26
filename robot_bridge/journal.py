"""Everything that a bridge's core is told, in order, so that its commands can be computed again exactly.

The core is deterministic: it knows no clock but the times that it is called with. A journal wraps its public methods
(and those of its safety machine and controller) and notes each call from outside with its arguments, and what a tick
answered; calls that the core makes itself follow from these. Values that are assigned from outside are noticed before
the next call. Pure: where the entries go is somebody else's business, and noting one is an append.
"""

import functools
import inspect
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from emg_acquisition.decision import Decision
from robot_bridge.bridge_core import BridgeCore, Listeners
from robot_bridge.control import SpeedControl
from robot_bridge.gesture_map import GestureMap
from robot_bridge.motion import Command
from robot_bridge.robot_model import RobotModel
from robot_bridge.safety_inputs import SafetyLimits

BEGIN, ASSIGN, TICK = "begin", "assign", "core.tick"
_MAP = TypeAdapter(GestureMap)
_SCALARS = (str, bool, int, float, type(None))
# What the core reads of a decision, in the order of a journal's text.
_OF_DECISION = ("index", "confidence", "effort", "quality", "age_s", "probabilities")


@dataclass(frozen=True)
class Entry:
    """One call: its number, what was called, the arguments, and a tick's command (None for silence)."""

    number: int
    call: str
    arguments: tuple[Any, ...]
    answer: Command | None = None


class Journal:
    """Notes what a core is told, from now on; attach it to a core that nothing has been told yet.

    Parameters
    ----------
    core : BridgeCore
        Its public methods are replaced by ones that note and pass on.
    settings : mapping
        From `begin_settings`, so that a replay can make the same core.
    write : callable
        Takes each `Entry`; it must return at once.
    """

    def __init__(self, core: BridgeCore, settings: Mapping[str, Any], write: Callable[[Entry], None]) -> None:
        self._parts = _parts_of(core)
        self._write = write
        self._number = 0
        self._depth = 0
        for name, part in self._parts.items():
            for method, function in inspect.getmembers(type(part), inspect.isfunction):
                if not method.startswith(("_", "is_")):
                    setattr(part, method, self._noting(f"{name}.{method}", functools.partial(function, part)))
        self._known = self._assignable()
        self._note(BEGIN, (dict(settings),))

    def _noting(self, call: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the method that it stands for
            if self._depth:
                return act(*arguments, **named)
            self._note_assignments()
            self._depth += 1
            answer = None
            try:
                answer = act(*arguments, **named)
            finally:
                self._depth -= 1
                self._note(call, (arguments, named), answer if call == TICK else None)
                self._known = self._assignable()
            return answer

        return noted

    def _note(self, call: str, arguments: tuple[Any, ...], answer: Command | None = None) -> None:
        self._write(Entry(self._number, call, arguments, answer))
        self._number += 1

    def _note_assignments(self) -> None:
        now = self._assignable()
        if now == self._known:
            return
        for key, value in now.items():
            if key not in self._known or self._known[key] != value:
                self._note(ASSIGN, (*key, value))
        self._known = now

    def _assignable(self) -> dict[tuple[str, str], Any]:
        """Public plain values of core, safety machine and controller."""
        return {
            (name, attribute): value
            for name, part in self._parts.items()
            for attribute, value in vars(part).items()
            if not attribute.startswith("_") and isinstance(value, _SCALARS)
        }


def _parts_of(core: BridgeCore) -> dict[str, Any]:
    """Return what is called from outside, by name; a controller for each sleeve."""
    return {"core": core, "safety": core.safety} | {f"control{k}": one for k, one in enumerate(core.controls)}


def begin_settings(
    model: RobotModel, maps: Sequence[GestureMap], limits: SafetyLimits, speed_control: SpeedControl
) -> dict[str, Any]:
    """Return what a core was made with, ready for JSON."""
    return {
        "model": model.model_dump(mode="json"),
        "maps": [_MAP.dump_python(one, mode="json") for one in maps],
        "limits": limits.model_dump(mode="json"),
        "speed_control": speed_control,
    }


def make_core(settings: Mapping[str, Any]) -> BridgeCore:
    """Make the core that a journal began with; nobody is told of what happens to it."""
    return BridgeCore(
        RobotModel.model_validate(settings["model"]),
        [_map(one) for one in settings["maps"]],
        SafetyLimits.model_validate(settings["limits"]),
        Listeners(lambda _transition: None, lambda _sleeve, _change: None),
        settings["speed_control"],
    )


def _map(given: Mapping[str, Any]) -> GestureMap:
    modes = {
        mode: {gesture: _acts(acts) for gesture, acts in of.items()} for mode, of in given["modes"].items()
    }
    # A journal from before taps could have a gap does not name it, and had none.
    return _MAP.validate_python({"tap_gap_s": 0.0, **given, "modes": modes})


def _acts(acts: Mapping[str, Any]) -> dict[str, Any]:
    """Write a move as a map's file has it."""
    move = acts.get("move")
    text = None if move is None else f"{move['dof']} {'+' if move['sign'] > 0 else '-'}"
    return {**acts, "move": text}


@dataclass(frozen=True)
class Replayed:
    """A tick: its number in the journal, its time, what was commanded then, and what is commanded now."""

    number: int
    t_mono_s: float
    recorded: Command | None
    again: Command | None

    @property
    def identical(self) -> bool:
        """Whether both are the same to the last bit, head and targets and all."""
        return self.recorded == self.again


def replay_journal(entries: Iterable[Entry]) -> Iterator[Replayed]:
    """Tell a fresh core what was told then, and yield every tick.

    Parameters
    ----------
    entries : iterable of Entry
        From the journal's beginning on, none left out; it may begin anew where a bridge was started again.

    Raises
    ------
    ValueError
        If the first entry is not a beginning, or one is missing.
    """
    core: BridgeCore | None = None
    expected = 0
    for entry in entries:
        if entry.call == BEGIN:
            core, expected = make_core(entry.arguments[0]), 0
        if core is None or entry.number != expected:
            msg = f"the journal lacks entry {expected}: commands cannot be computed again from there on"
            raise ValueError(msg)
        expected += 1
        if entry.call == BEGIN:
            continue
        parts = _parts_of(core)
        if entry.call == ASSIGN:
            name, attribute, value = entry.arguments
            setattr(parts[name], attribute, value)
            continue
        name, method = entry.call.split(".")
        arguments, named = entry.arguments
        answer = getattr(parts[name], method)(*arguments, **named)
        if entry.call == TICK:
            yield Replayed(entry.number, float(arguments[0]), entry.answer, answer)


# ---- text


def to_plain(entry: Entry) -> list[Any]:
    """Return an entry as lists, texts and numbers; floats keep every bit as JSON, NaN and infinity included."""
    answer = entry.answer
    said = None
    if answer is not None:
        said = [answer.translate_m_s, answer.rotate_rad_s, dict(answer.targets), list(answer.head)]
    return [entry.number, entry.call, _plain(entry.arguments), said]


def from_plain(row: list[Any]) -> Entry:
    """Read what `to_plain` returned.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is no entry.
    """
    number, call, arguments, said = row
    answer = None
    if said is not None:
        translate, rotate, targets, head = said
        answer = Command(translate, rotate, targets, (head[0], head[1]))
    if call not in {BEGIN, ASSIGN}:
        given, named = arguments
        arguments = [[_decision(value) for value in given], named]
    return Entry(int(number), str(call), tuple(arguments), answer)


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a method is called with
    if isinstance(value, Decision):
        return {"decision": [_plain(getattr(value, name)) for name in _OF_DECISION]}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, array)):
        return [_plain(inner) for inner in value]
    if isinstance(value, _SCALARS):
        return value
    # ROS messages carry numpy arrays and numbers.
    return value.tolist()


def _decision(value: Any) -> Any:  # noqa: ANN401 - whatever a method is called with
    if isinstance(value, dict) and "decision" in value:
        given = dict(zip(_OF_DECISION, value["decision"], strict=True))
        return Decision(**{**given, "probabilities": tuple(given["probabilities"])})
    return value
