"""A simulated person in a calibration: does what is asked for, presses what must be pressed, tries the decoder."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from calibration.session import CalibrationSession
from calibration.session_view import Action, ActionKind, SessionView, Step
from emg_acquisition.events import REST

# A choice reaction to a picture, of attentive people.
REACTION_S = 0.25
CHECK_S = 1.5
TRY_REST_S, TRY_HOLD_S = 1.0, 1.5
# The muscle follows, and the decoder waits a few hops before it says another gesture.
TRY_SETTLE_S = 0.75
EFFORTS = {"": 1.0, "comfortable": 1.0, "strong": 1.5}


@dataclass
class TryOutScore:
    """How a try-out went: of each gesture asked for, the one that was decoded most."""

    decoded: dict[str, str] = field(default_factory=dict)

    @property
    def right(self) -> int:
        """How many gestures were decoded as themselves."""
        return sum(asked == got for asked, got in self.decoded.items())


class SimulatedPerson:
    """Follows a calibration, unattended.

    Parameters
    ----------
    session : CalibrationSession
        To act on.
    intend : callable
        Told the gesture and the effort that the wearer is to make, when it changes.
    presses : bool
        Whether to press what must be pressed, too; otherwise somebody else does.
    """

    def __init__(
        self, session: CalibrationSession, intend: Callable[[str, float], None], *, presses: bool = True
    ) -> None:
        self._session, self._intend, self._presses = session, intend, presses
        self._wanted = self._intended = (REST, 1.0)
        self._since_s = 0.0
        self._step, self._step_since_s = Step.CONNECTING, 0.0
        self._heard: Counter[str] = Counter()
        self.score = TryOutScore()

    def follow(self, now_s: float) -> None:
        """Look at what is shown and do it; call it after each tick."""
        view = self._session.view()
        if view.step is not self._step:
            self._step, self._step_since_s = view.step, now_s
        here_s = now_s - self._step_since_s
        asked = (view.cue.gesture, EFFORTS[view.cue.level]) if view.cue else (REST, 1.0)
        if view.step is Step.TRY_OUT:
            asked = self._try_out(view, here_s)
        elif (view.step is Step.SIGNAL_CHECK and here_s >= CHECK_S) or view.step is Step.WAITING:
            self._press(ActionKind.NEXT)
        elif view.step is Step.RESULT:
            able = ActionKind.TRY_OUT in view.allowed
            self._press(ActionKind.TRY_OUT if able else ActionKind.QUIT)
        self._move(asked, now_s)

    def _press(self, kind: ActionKind) -> None:
        if self._presses:
            self._session.handle(Action(kind))

    def _move(self, asked: tuple[str, float], now_s: float) -> None:
        if asked != self._wanted:
            self._wanted, self._since_s = asked, now_s
        if self._wanted != self._intended and now_s - self._since_s >= REACTION_S:
            self._intended = self._wanted
            self._intend(*self._intended)

    def _try_out(self, view: SessionView, here_s: float) -> tuple[str, float]:
        """Make each gesture once, after a rest, and hear what is decoded; then accept."""
        gestures = [one for one in view.try_out.gestures if one != REST] if view.try_out else []
        place, within_s = divmod(here_s, TRY_REST_S + TRY_HOLD_S)
        done = len(self.score.decoded)
        if done < len(gestures) and int(place) > done:
            heard = self._heard.most_common(1)
            self.score.decoded[gestures[done]] = heard[0][0] if heard else ""
            self._heard.clear()
        if int(place) >= len(gestures):
            self._press(ActionKind.ACCEPT)
            return REST, 1.0
        if within_s < TRY_REST_S:
            return REST, 1.0
        if within_s >= TRY_REST_S + TRY_SETTLE_S and view.try_out:
            self._heard[view.try_out.decoded] += 1
        return gestures[int(place)], 1.0
