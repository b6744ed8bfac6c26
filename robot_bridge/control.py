"""Decisions over time -> mode, coarse or fine, and the desired velocity of every DoF.

Hold to run: a velocity lasts only as long as its gesture is the latest decision. No decision (-1), rest and
poor signal are zero at once. A tap is a short hold *that ends in rest*: a gesture passed through on the way to
another one, or one that ends in no decision, changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from robot_bridge.gesture_map import Acts, Function, GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES

NO_DECISION = -1


@dataclass(frozen=True)
class ModeChange:
    """The mode or the speed tier has changed."""

    mode: str
    fine: bool


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
    """

    def __init__(
        self, gesture_map: GestureMap, model: RobotModel, on_change: Callable[[ModeChange], None]
    ) -> None:
        self.mode = gesture_map.mode_names[0]
        self.fine = False
        self._map = gesture_map
        self._model = model
        self._on_change = on_change
        self._held: str | None = None
        self._since_s = 0.0
        self._spent = True

    @property
    def gesture(self) -> str:
        """Gesture of the latest decision; empty for none."""
        return self._held or ""

    def release(self) -> None:
        """Forget what is held, so that it must be made anew; mode and speed stay."""
        self._spent = True

    def set_fine(self, fine: bool) -> None:
        """Choose the fine or the coarse speeds."""
        if fine != self.fine:
            # Another speed under a held gesture would surprise: it must be made anew.
            self.fine, self._spent = fine, True
            self._on_change(ModeChange(self.mode, self.fine))

    def on_decision(self, index: int, t_mono_s: float, *, live: bool) -> None:
        """Take the latest decision; while not `live` (armed) it is only followed, and means nothing."""
        gesture = None if index == NO_DECISION else self._map.gestures[index]
        if gesture != self._held:
            if gesture == self._map.rest and live:
                self._finish_tap(t_mono_s)
            self._held, self._since_s, self._spent = gesture, t_mono_s, not live
        if not live:
            self._spent = True

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
        elif acts.move is not None and (acts.tap is None or held_s > self._map.tap_max_s):
            speed = self._model.dof[acts.move.dof].speed(fine=self.fine)
            velocity[acts.move.dof] = acts.move.sign * speed
        return velocity

    def _acts(self) -> Acts | None:
        return None if self._held is None else self._map.acts(self.mode, self._held)

    def _finish_tap(self, t_mono_s: float) -> None:
        acts = self._acts()
        held_s = t_mono_s - self._since_s
        short = self._map.tap_min_s <= held_s <= self._map.tap_max_s
        if acts is not None and acts.tap is not None and short and not self._spent:
            self._call(acts.tap)

    def _call(self, function: Function) -> None:
        if function == "toggle_speed":
            self.fine = not self.fine
        else:
            self.mode = self._map.after(self.mode, 1 if function == "next_mode" else -1)
        self._on_change(ModeChange(self.mode, self.fine))
