"""An operator who makes gestures, never commands, and looks at the robot: the same script live and in simulated time.

Every method yields the gesture to make for the next 20 ms; whoever runs the script performs it, be it with decisions
in this process or on an LSL stream.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from emg_acquisition.errors import InputError, StreamLostError
from robot_bridge.gesture_map import Function, GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES

GESTURE_HZ = 50
TAP_S, LONG_S = 0.35, 1.3
SETTLE_S = 0.4
ANSWER_S = 3.0
TRIES = 6
# From the end of a gesture to the robot's beginning to brake.
ANSWER_DELAY_S = 0.08


@dataclass(frozen=True)
class RobotView:
    """What an operator sees; ``positions`` in the order of ``DOF_NAMES``, the base as travel and heading, m and rad."""

    positions: tuple[float, ...]
    mode: str
    fine: bool


class GestureOperator:
    """Turns "that DoF, to there" into gestures of a map.

    Parameters
    ----------
    gesture_map : GestureMap
        What the gestures mean.
    model : RobotModel
        How fast the robot goes.
    look : callable
        Returns what there is to see now.
    """

    def __init__(self, gesture_map: GestureMap, model: RobotModel, look: Callable[[], RobotView]) -> None:
        self._map, self._model, self._look = gesture_map, model, look

    def rest(self, seconds: float) -> Iterator[str]:
        """Rest for a time."""
        return self._hold(self._map.rest, seconds)

    def go(self, dof: str, target: float, tolerance: float, limit_s: float = 60.0) -> Iterator[str]:
        """Move a DoF to a position: at coarse speed first, at fine speed if it came to rest outside the tolerance.

        Raises
        ------
        StreamLostError
            If it is not there after `TRIES` approaches.
        """
        for attempt in range(TRIES):
            left = target - self.position(dof)
            if abs(left) <= tolerance:
                return
            fine = attempt > 0
            sign = 1 if left > 0 else -1
            gesture = yield from self._ready_to_move(dof, sign, fine=fine)
            # On a short way it does not get up to speed: half of the way, then see.
            margin = min(self._stopping_way(dof, fine=fine), abs(left) / 2)
            ticks = 0
            while (target - self.position(dof)) * sign > margin and ticks < limit_s * GESTURE_HZ:
                ticks += 1
                yield gesture
            yield from self.rest(SETTLE_S + margin / self._model.dof[dof].speed(fine=fine))
        msg = f"{dof} is at {self.position(dof):.3f}, not at {target:.3f} within {tolerance:g}"
        raise StreamLostError(msg)

    def hold(self, dof: str, sign: int, seconds: float, *, fine: bool = False) -> Iterator[str]:
        """Move a DoF for a time, then rest until it stands."""
        gesture = yield from self._ready_to_move(dof, sign, fine=fine)
        yield from self._hold(gesture, seconds)
        yield from self.rest(2 * SETTLE_S)

    def _ready_to_move(self, dof: str, sign: int, *, fine: bool) -> Generator[str, None, str]:
        """Choose mode and speed; returns the gesture that then moves."""
        for _ in range(len(self._map.mode_names)):
            gesture = self._map.gesture_for(self._look().mode, dof, sign)
            if gesture is not None:
                if self._look().fine != fine:
                    yield from self._call("toggle_speed")
                return gesture
            yield from self._call("next_mode")
        msg = f"map {self._map.name}: no gesture moves {dof} by {sign:+d}"
        raise InputError(msg)

    def _call(self, function: Function) -> Iterator[str]:
        """Make the tap or the long hold that calls a function, until mode or speed are seen to have changed."""
        before = self._look()
        found = self._map.gesture_to(before.mode, function)
        if found is None:
            msg = f"map {self._map.name}: no gesture calls {function} in mode {before.mode}"
            raise InputError(msg)
        gesture, act = found
        for _ in range(TRIES):
            yield from self._hold(gesture, TAP_S if act == "tap" else LONG_S)
            for _ in range(round(ANSWER_S * GESTURE_HZ)):
                yield self._map.rest
                now = self._look()
                if (now.mode, now.fine) != (before.mode, before.fine):
                    yield from self.rest(SETTLE_S / 2)
                    return
        msg = f"{gesture} was made {TRIES} times but {function} did not happen"
        raise StreamLostError(msg)

    def _hold(self, gesture: str, seconds: float) -> Iterator[str]:
        for _ in range(round(seconds * GESTURE_HZ)):
            yield gesture

    def position(self, dof: str) -> float:
        """Return where a DoF is now, m or rad."""
        return self._look().positions[DOF_NAMES.index(dof)]

    def _stopping_way(self, dof: str, *, fine: bool) -> float:
        """How far a DoF goes on after the gesture has ended."""
        limits = self._model.dof[dof]
        speed = limits.speed(fine=fine)
        return speed * ANSWER_DELAY_S + speed * speed / (2 * limits.ramp)
