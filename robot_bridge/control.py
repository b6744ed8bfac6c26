"""Decisions over time -> mode, coarse or fine, and the desired velocity of every DoF.

Hold to run: a velocity lasts only as long as its gesture is the latest decision. No decision (-1), rest and
poor signal are zero at once. A tap is a short hold *that ends in rest*: a gesture passed through on the way to
another one, or one that ends in no decision, changes nothing. Where a gesture moves nothing and only switches, a few
hops without a decision may lie within it or before the rest (`GestureMap.tap_gap_s`): muscles that let go pass through
patterns that are no gesture. That can never prolong or begin a motion; poor signal, a stop or a fault ends it.

Coarse and fine, three ways (`SpeedControl`): ``tiers`` moves at the speed of the tier; ``effort`` at the part of it
that the muscle's effort asks for; ``steps`` makes a tap one small step and only a longer hold a motion.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from emg_acquisition.decision import NO_DECISION
from robot_bridge.gesture_map import Acts, Function, GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES

SpeedControl = Literal["tiers", "steps", "effort"]
SPEED_CONTROLS: tuple[SpeedControl, ...] = get_args(SpeedControl)
# A gesture that is only just decided still moves, at this part of the tier's speed.
MIN_EFFORT = 0.25


@dataclass(frozen=True)
class ModeChange:
    """The mode or the speed tier has changed."""

    mode: str
    fine: bool


@dataclass(frozen=True)
class _Pause:
    """A gesture that switches, interrupted by no decision: since when it was held, and when it was last decided."""

    gesture: str
    since_s: float
    until_s: float


@dataclass(frozen=True)
class Step:
    """One step that a tap asks for: signed, m or rad; the speed at which it is made, and how fast the robot ramps."""

    dof: str
    size: float
    speed: float
    ramp: float


class Controller:
    """Mode, speed tier and held gesture.

    Parameters
    ----------
    gesture_map : GestureMap
        What the gestures mean.
    model : RobotModel
        The speed tiers.
    on_change : callable
        Called with every `ModeChange`.
    speed_control : str
        How coarse and fine are chosen.
    """

    def __init__(
        self,
        gesture_map: GestureMap,
        model: RobotModel,
        on_change: Callable[[ModeChange], None],
        speed_control: SpeedControl = "tiers",
    ) -> None:
        self.mode = gesture_map.mode_names[0]
        self.fine = False
        self._map = gesture_map
        self._model = model
        self._on_change = on_change
        self._speed_control = speed_control
        self._effort = 1.0
        self._step: Step | None = None
        self._held: str | None = None
        self._since_s = 0.0
        self._seen_s = 0.0
        self._spent = True
        self._pause: _Pause | None = None

    @property
    def gesture(self) -> str:
        """Gesture of the latest decision; empty for none."""
        return self._held or ""

    @property
    def is_resting(self) -> bool:
        """Whether the latest decision is rest."""
        return self._held == self._map.rest

    def release(self) -> None:
        """Forget what is held, so that it must be made anew; mode and speed stay."""
        self._spent, self._step, self._pause = True, None, None

    def set_fine(self, fine: bool) -> None:
        """Choose the fine or the coarse speeds."""
        if fine != self.fine:
            # Another speed under a held gesture would surprise: it must be made anew.
            self.fine, self._spent, self._pause = fine, True, None
            self._on_change(ModeChange(self.mode, self.fine))

    def on_decision(
        self, index: int, t_mono_s: float, *, live: bool, effort: float = 1.0, trusted: bool = True
    ) -> None:
        """Take the latest decision; while not `live` (armed) it is only followed, and means nothing.

        One that is not `trusted` is no decision, and what was begun before does not go on after it.
        """
        self._effort = effort
        gesture = None if index == NO_DECISION or not trusted else self._map.gestures[index]
        if gesture != self._held:
            self._change(gesture, t_mono_s, live=live)
        self._seen_s = t_mono_s
        if not live:
            self._spent = True
        if not (live and trusted):
            self._pause = None

    def _change(self, gesture: str | None, t_mono_s: float, *, live: bool) -> None:
        pause, self._pause = self._pause, None
        if pause is not None and t_mono_s - pause.until_s > self._map.tap_gap_s:
            pause = None
        since_s = t_mono_s
        if gesture is None:
            self._pause = self._paused()
        elif gesture == self._map.rest and live:
            if pause is not None:
                self._finish_tap(pause.gesture, pause.until_s - pause.since_s)
            elif self._held is not None and not self._spent:
                self._finish_tap(self._held, t_mono_s - self._since_s)
        elif pause is not None and gesture == pause.gesture:
            since_s = pause.since_s
        self._held, self._since_s, self._spent = gesture, since_s, not live

    def _paused(self) -> _Pause | None:
        """Return what is held as something that may go on, or be a tap, after no decision; None for what may not."""
        acts = self._acts()
        if acts is None or acts.move is not None or self._spent:
            return None
        return _Pause(self._held or "", self._since_s, self._seen_s)

    def desired(self, t_mono_s: float) -> Mapping[str, float]:
        """Desired velocity of every DoF in m/s or rad/s, at the tier's speed; at most one is not zero."""
        velocity = dict.fromkeys(DOF_NAMES, 0.0)
        acts = self._acts()
        if acts is None or self._spent:
            return velocity
        held_s = t_mono_s - self._since_s
        if acts.hold is not None and held_s >= self._map.hold_s:
            self._spent = True
            self._call(acts.hold)
        elif acts.move is not None and (held_s > self._map.tap_max_s or not self._taps(acts)):
            speed = self._model.dof[acts.move.dof].speed(fine=self.fine)
            if self._speed_control == "effort":
                speed *= max(MIN_EFFORT, min(1.0, self._effort))
            velocity[acts.move.dof] = acts.move.sign * speed
        return velocity

    def take_step(self) -> Step | None:
        """Return the step that a tap has asked for, once."""
        step, self._step = self._step, None
        return step

    def _taps(self, acts: Acts) -> bool:
        """Whether a short hold of a gesture that moves means something else than a short motion."""
        return acts.tap is not None or self._speed_control == "steps"

    def _acts(self) -> Acts | None:
        return None if self._held is None else self._map.acts(self.mode, self._held)

    def _finish_tap(self, gesture: str, held_s: float) -> None:
        acts = self._map.acts(self.mode, gesture)
        if acts is None or not self._map.tap_min_s <= held_s <= self._map.tap_max_s:
            return
        if acts.tap is not None:
            self._call(acts.tap)
        elif acts.move is not None and self._speed_control == "steps":
            dof = self._model.dof[acts.move.dof]
            size = dof.step_fine if self.fine else dof.step_coarse
            self._step = Step(acts.move.dof, acts.move.sign * size, dof.step_speed(fine=self.fine), dof.ramp)

    def _call(self, function: Function) -> None:
        if function == "toggle_speed":
            self.fine = not self.fine
        else:
            self.mode = self._map.after(self.mode, 1 if function == "next_mode" else -1)
        self._on_change(ModeChange(self.mode, self.fine))
