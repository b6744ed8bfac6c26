"""The journal of a bridge: every input of its core, in order, so that its commands can be computed again exactly.

The core is deterministic: it knows no clock but the times of its inputs. Pure: where the entries go is somebody else's
business, and noting one is an append.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from emg_acquisition.decision import Decision
from robot_bridge import inputs
from robot_bridge.bridge_core import Answer, BridgeCore, Listeners
from robot_bridge.control import SpeedControl
from robot_bridge.gesture_map import GestureMap
from robot_bridge.inputs import DecisionInput, Input, TickInput
from robot_bridge.motion import Command
from robot_bridge.robot_model import RobotModel
from robot_bridge.safety_inputs import SafetyLimits

# Of what an entry looks like; a journal of another format is refused by name.
FORMAT = 2
BEGIN = "begin"
# What the core reads of a decision, in the order of a journal's text.
_OF_DECISION = ("index", "confidence", "effort", "quality", "age_s", "probabilities")
_MAP = TypeAdapter(GestureMap)
_TYPES: Mapping[str, type] = {
    name: one
    for name, one in vars(inputs).items()
    if isinstance(one, type) and name.endswith("Input") and dataclasses.is_dataclass(one)
}


class OlderJournalError(ValueError):
    """A journal of a format that this version does not compute commands from."""


@dataclass(frozen=True)
class Beginning:
    """A core was made, with these settings (`begin_settings`)."""

    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """An input or a beginning, its number, and what a tick answered (None for silence)."""

    number: int
    what: Input | Beginning
    answer: Command | None = None


class JournaledCore:
    """A core whose every input is noted.

    Parameters
    ----------
    core : BridgeCore
        Nothing has been given to it yet.
    settings : mapping
        From `begin_settings`, so that a replay can make the same core.
    write : callable
        Takes each `Entry`; it must return at once.
    """

    def __init__(self, core: BridgeCore, settings: Mapping[str, Any], write: Callable[[Entry], None]) -> None:
        self._core, self._write = core, write
        self._number = 0
        self._note(Beginning(dict(settings)), None)

    def take(self, one: Input) -> Answer:
        """Give the core an input, and note it with its answer."""
        answer = self._core.take(one)
        self._note(one, answer.command)
        return answer

    def _note(self, what: Input | Beginning, command: Command | None) -> None:
        self._write(Entry(self._number, what, command))
        self._number += 1


def begin_settings(
    model: RobotModel, maps: Sequence[GestureMap], limits: SafetyLimits, speed_control: SpeedControl
) -> dict[str, Any]:
    """Return what a core was made with, ready for JSON."""
    return {
        "format": FORMAT,
        "model": model.model_dump(mode="json"),
        "maps": [_MAP.dump_python(one, mode="json") for one in maps],
        "limits": limits.model_dump(mode="json"),
        "speed_control": speed_control,
    }


def make_core(settings: Mapping[str, Any]) -> BridgeCore:
    """Make the core that a journal began with; nobody is told of what happens to it.

    Raises
    ------
    OlderJournalError
        If the journal is of another format.
    """
    if settings.get("format") != FORMAT:
        raise OlderJournalError(_older(settings.get("format", 1)))
    return BridgeCore(
        RobotModel.model_validate(settings["model"]),
        [_map(one) for one in settings["maps"]],
        SafetyLimits.model_validate(settings["limits"]),
        Listeners(lambda _transition: None, lambda _sleeve, _change: None),
        settings["speed_control"],
    )


def _older(found: object) -> str:
    return (
        f"the bridge's journal is of format {found}, this version computes commands again from format {FORMAT}:"
        " replay it with the version that recorded it"
    )


def _map(given: Mapping[str, Any]) -> GestureMap:
    modes = {
        mode: {gesture: _acts(acts) for gesture, acts in of.items()} for mode, of in given["modes"].items()
    }
    return _MAP.validate_python({**given, "modes": modes})


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
    """Give a fresh core what was given then, and yield every tick.

    Parameters
    ----------
    entries : iterable of Entry
        From the journal's beginning on, none left out; it may begin again where a bridge was started again.

    Raises
    ------
    OlderJournalError
        If the journal is of another format.
    ValueError
        If the first entry is not a beginning, or one is missing.
    """
    core: BridgeCore | None = None
    expected = 0
    for entry in entries:
        if isinstance(entry.what, Beginning):
            core, expected = make_core(entry.what.settings), 0
        if core is None or entry.number != expected:
            msg = f"the journal lacks entry {expected}: commands cannot be computed again from there on"
            raise ValueError(msg)
        expected += 1
        if isinstance(entry.what, Beginning):
            continue
        answer = core.take(entry.what)
        if isinstance(entry.what, TickInput):
            yield Replayed(entry.number, entry.what.t_mono_s, entry.answer, answer.command)


# ---- text


def to_plain(entry: Entry) -> list[Any]:
    """Return an entry as lists, texts and numbers; floats keep every bit as JSON, NaN and infinity included."""
    answer = entry.answer
    said = None
    if answer is not None:
        said = [answer.translate_m_s, answer.rotate_rad_s, dict(answer.targets), list(answer.head)]
    if isinstance(entry.what, Beginning):
        return [entry.number, BEGIN, entry.what.settings, said]
    one = entry.what
    return [
        entry.number,
        type(one).__name__,
        [_plain(getattr(one, name)) for name in _fields(type(one))],
        said,
    ]


def from_plain(row: list[Any]) -> Entry:
    """Read what `to_plain` returned.

    Raises
    ------
    OlderJournalError
        If it is of another format.
    ValueError, TypeError, KeyError
        If it is no entry.
    """
    number, kind, values, said = row
    answer = None
    if said is not None:
        translate, rotate, targets, head = said
        answer = Command(translate, rotate, targets, (head[0], head[1]))
    if kind == BEGIN:
        if not isinstance(values, dict):
            # Format 1 began with a list of arguments.
            raise OlderJournalError(_older(1))
        return Entry(int(number), Beginning(values), answer)
    if kind not in _TYPES:
        raise OlderJournalError(
            _older(1) if "." in kind or kind == "assign" else f"it holds {kind!r}: unknown"
        )
    if kind == DecisionInput.__name__:
        values = [*values[:-1], _decision(values[-1])]
    return Entry(int(number), _TYPES[kind](*values), answer)


def _fields(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever an input holds
    if isinstance(value, Decision):
        return [_plain(getattr(value, name)) for name in _OF_DECISION]
    if isinstance(value, (str, bool, int, float, type(None))):
        return value
    # ROS messages carry arrays and numpy numbers.
    return [_plain(inner) for inner in value] if hasattr(value, "__len__") else value.item()


def _decision(values: list[Any]) -> Decision:
    given = dict(zip(_OF_DECISION, values, strict=True))
    return Decision(**{**given, "probabilities": tuple(given["probabilities"])})
