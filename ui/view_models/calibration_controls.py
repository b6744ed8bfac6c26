"""Which buttons and keys a calibration has now, in which words, and which gestures a person may part with."""

from dataclasses import dataclass
from typing import Literal

from calibration.session_view import Action, ActionKind, SessionView, Step
from emg_acquisition.events import REST

Tone = Literal["main", "plain", "stop"]
STAGES = ("Signal", "Gestures", "Training", "Result", "Try-out", "Done")
_STAGE_OF = {
    Step.CONNECTING: 0,
    Step.SIGNAL_CHECK: 0,
    Step.CUE: 1,
    Step.WAITING: 1,
    Step.PAUSED: 1,
    Step.STREAM_LOST: 1,
    Step.TRAINING: 2,
    Step.RESULT: 3,
    Step.TRY_OUT: 4,
    Step.DONE: 5,
}
# With fewer than two gestures left there is nothing to tell apart.
MIN_GESTURES = 3


@dataclass(frozen=True)
class Control:
    """One button: its words, its letter on the keyboard, what it does and how much it stands out."""

    text: str
    key: str
    action: Action
    tone: Tone = "plain"


@dataclass(frozen=True)
class Choice:
    """The gesture that a person looks at in the result, and the one that it is confused with most."""

    gesture: str
    partner: str


_A = ActionKind
_CONTROLS: dict[ActionKind, tuple[str, str, Tone]] = {
    _A.NEXT: ("Start", "N", "main"),
    _A.PAUSE: ("Pause", "P", "main"),
    _A.RESUME: ("Go on", "P", "main"),
    _A.TRY_OUT: ("Try it out", "T", "main"),
    _A.REPEAT: ("Repeat", "R", "plain"),
    _A.SKIP: ("Skip", "S", "plain"),
    _A.RESULT: ("Back to the result", "B", "plain"),
    _A.ACCEPT: ("Accept", "A", "plain"),
    _A.REPEAT_TRAINING: ("Two more rounds", "M", "plain"),
    _A.CANCEL_TRAINING: ("Cancel the training", "C", "plain"),
    _A.STOP: ("End and train", "X", "stop"),
    _A.QUIT: ("Quit, go on later", "Q", "stop"),
}


def stage_of(step: Step) -> int | None:
    """Return how many of `STAGES` are behind; None where the calibration has stopped."""
    return _STAGE_OF.get(step)


def choices(view: SessionView) -> tuple[Choice, ...]:
    """Return every gesture but rest, each with the one that it is confused with most; itself where that is unknown."""
    result = view.result
    if result is None:
        return tuple(Choice(name, name) for name in view.gestures)
    active = [k for k, name in enumerate(result.gestures) if name != REST]
    confusion = result.confusion
    found = []
    for k in active:
        others = [other for other in active if other != k]
        partner = max(others, key=lambda other: confusion[k][other] + confusion[other][k], default=k)
        found.append(Choice(result.gestures[k], result.gestures[partner]))
    return tuple(found)


def controls_of(view: SessionView, choice: Choice | None) -> tuple[Control, ...]:
    """Return the buttons of a step, the one that is usually wanted first.

    Parameters
    ----------
    view : SessionView
        Says what is allowed.
    choice : Choice or None
        The gesture that a person looks at, where there is a result.
    """
    allowed = set(view.allowed)
    if view.step is Step.RESULT:
        allowed.discard(_A.NEXT)  # the same as trying it out
    found = [_control(kind, view.step) for kind in _CONTROLS if kind in allowed]
    if view.step is Step.RESULT and choice is not None:
        found[1:1] = _parting(view, choice)
    return tuple(sorted(found, key=lambda control: ("main", "plain", "stop").index(control.tone)))


def _control(kind: ActionKind, step: Step) -> Control:
    text, key, tone = _CONTROLS[kind]
    action = Action(kind)
    if kind is _A.STOP and step in {Step.CUE, Step.WAITING}:
        # A switch that is hit by accident must not end a calibration: it pauses, and the pause asks.
        return Control("Stop", key, Action(_A.PAUSE), "stop")
    if kind is _A.NEXT and step is Step.WAITING:
        text = "Next gesture"
    if kind is _A.PAUSE and step is Step.WAITING:
        tone = "plain"
    if kind is _A.ACCEPT and step is Step.TRY_OUT:
        tone = "main"
    if kind is _A.QUIT and step in {Step.DONE, Step.STOPPED}:
        text, tone = "Close", "main"
    return Control(text, key, action, tone)


def _parting(view: SessionView, choice: Choice) -> list[Control]:
    if len(choices(view)) < MIN_GESTURES:
        return []
    weak, other = (name.replace("_", " ") for name in (choice.gesture, choice.partner))
    found = []
    if _A.DROP_GESTURE in view.allowed:
        found.append(Control(f"Drop {weak}", "E", Action(_A.DROP_GESTURE, choice.gesture)))
    if _A.MERGE_GESTURES in view.allowed and choice.partner != choice.gesture:
        # The partner keeps its name.
        merge = Action(_A.MERGE_GESTURES, choice.partner, choice.gesture)
        found.append(Control(f"Merge {weak}\ninto {other}", "G", merge))
    return found


@dataclass
class Chooser:
    """Which gesture of a result a person looks at; begins at the weakest."""

    _choices: tuple[Choice, ...] = ()
    _at: int = 0

    def choice(self, view: SessionView) -> Choice | None:
        """Return the choice for a view."""
        if view.step is not Step.RESULT:
            return None
        found = choices(view)
        if found != self._choices:
            self._choices, self._at = found, 0
            if view.result is not None and view.result.weakest is not None:
                self.pick(view.result.weakest.gesture)
        return found[self._at] if found else None

    def move(self, steps: int) -> None:
        """Look at another gesture."""
        if self._choices:
            self._at = (self._at + steps) % len(self._choices)

    def pick(self, gesture: str) -> None:
        """Look at this gesture, if it may be parted with."""
        names = [choice.gesture for choice in self._choices]
        if gesture in names:
            self._at = names.index(gesture)
