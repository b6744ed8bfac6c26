"""An operator who makes gestures, never commands, and looks at the robot: the same script live and in simulated time.

Every method yields the gesture to make for the next 20 ms; whoever runs the script performs it, be it with decisions
in this process or on an LSL stream.
"""

from collections.abc import Callable, Generator, Iterator

from emg_acquisition.errors import InputError, StreamLostError
from evaluation.simulated_robot import TICK_HZ, RobotView
from robot_bridge.gesture_map import Function, GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import BASE_DOF, DOF_NAMES

TAP_S, LONG_S = 0.35, 1.3
SETTLE_S = 0.4
ANSWER_S = 3.0
TRIES = 6
# The wheels' ramp, m/s², and the robot's answer to a gesture.
WHEEL_RAMP, ANSWER_DELAY_S = 0.12, 0.08


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
            left = target - self._position(dof)
            if abs(left) <= tolerance:
                return
            fine = attempt > 0
            sign = 1 if left > 0 else -1
            gesture = yield from self._ready_to_move(dof, sign, fine=fine)
            margin = self._stopping_way(dof, fine=fine)
            ticks = 0
            while (target - self._position(dof)) * sign > margin and ticks < limit_s * TICK_HZ:
                ticks += 1
                yield gesture
            yield from self.rest(SETTLE_S + margin / self._model.dof[dof].speed(fine=fine))
        msg = f"{dof} is at {self._position(dof):.3f}, not at {target:.3f} within {tolerance:g}"
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
            for _ in range(round(ANSWER_S * TICK_HZ)):
                yield self._map.rest
                now = self._look()
                if (now.mode, now.fine) != (before.mode, before.fine):
                    yield from self.rest(SETTLE_S / 2)
                    return
        msg = f"{gesture} was made {TRIES} times but {function} did not happen"
        raise StreamLostError(msg)

    def _hold(self, gesture: str, seconds: float) -> Iterator[str]:
        for _ in range(round(seconds * TICK_HZ)):
            yield gesture

    def _position(self, dof: str) -> float:
        return self._look().positions[DOF_NAMES.index(dof)]

    def _stopping_way(self, dof: str, *, fine: bool) -> float:
        """How far a DoF goes on after the gesture has ended; a joint returns to where it was stopped."""
        speed = self._model.dof[dof].speed(fine=fine)
        way = speed * ANSWER_DELAY_S
        if dof in BASE_DOF:
            half_m = self._model.wheels.separation_m / 2 if dof == "base_rotate" else 1.0
            way += speed * speed * half_m / (2 * WHEEL_RAMP)
        return way
