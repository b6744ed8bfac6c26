"""An operator who makes gestures, never commands, and looks at the robot: the same script live and in simulated time.

Every method yields the gesture to make for the next 20 ms; whoever runs the script performs it, be it with decisions
in this process or on an LSL stream.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np

from emg_acquisition.errors import InputError, StreamLostError
from robot_bridge.gesture_map import Function, GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES
from teleoperation.robot_log import moved_dof

GESTURE_HZ = 50
TAP_S, LONG_S = 0.35, 1.3
SETTLE_S = 0.4
ANSWER_S = 3.0
# A robot that has not moved for as long stands.
STANDS_S = 0.2
TRIES = 6
# Of speed times time: less is no motion that was meant.
MIN_PART = 0.2


@dataclass(frozen=True)
class RobotView:
    """What an operator sees; ``positions`` in the order of ``DOF_NAMES``, the base as travel and heading, m and rad."""

    positions: tuple[float, ...]
    mode: str
    fine: bool


@dataclass(frozen=True)
class Hold:
    """A gesture that was held to move a DoF, and what that brought.

    ``displacement`` is the net motion of the 8 DoF in the order of ``DOF_NAMES``, in m and rad, from where the robot
    stood before to where it stood after; ``achieved`` whether that of the DoF was in its direction, and enough.
    """

    dof: str
    direction: int
    fine: bool
    gesture: str
    displacement: tuple[float, ...]
    achieved: bool

    @property
    def moved(self) -> float:
        """Net motion of the DoF itself, m or rad."""
        return self.displacement[DOF_NAMES.index(self.dof)]

    @property
    def words(self) -> str:
        """What happened, for one that did not achieve what it should."""
        tier = "fine" if self.fine else "coarse"
        return f"{self.dof} {self.direction:+d} hardly moved while {self.gesture} was held ({tier}: {self.moved:+.4f})"


@dataclass(frozen=True)
class Reflexes:
    """How quick a gesture is: as a decision at once, or made by muscles, which the decoder's window follows.

    Parameters
    ----------
    answer_delay_s : float
        From the end of a gesture to the robot's beginning to brake; the operator has learnt it.
    shortest_s : float
        The shortest gesture that is decided for sure.
    precision : float
        By which a place may be missed further than with decisions at once.
    """

    answer_delay_s: float
    shortest_s: float
    precision: float


AT_ONCE = Reflexes(answer_delay_s=0.08, shortest_s=0.04, precision=1.0)
WITH_MUSCLES = Reflexes(answer_delay_s=0.33, shortest_s=0.2, precision=2.5)


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
    reflexes : Reflexes
        How quick its gestures are.
    """

    def __init__(
        self,
        gesture_map: GestureMap,
        model: RobotModel,
        look: Callable[[], RobotView],
        reflexes: Reflexes = AT_ONCE,
    ) -> None:
        self._map, self._model, self._look, self._reflexes = gesture_map, model, look, reflexes

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
            if abs(left) <= self._reflexes.precision * tolerance:
                return
            fine = attempt > 0
            sign = 1 if left > 0 else -1
            gesture = yield from self._ready_to_move(dof, sign, fine=fine)
            speed, margin = self._model.dof[dof].speed(fine=fine), self._stopping_way(dof, fine=fine)
            if margin > abs(left) / 2:
                # Too short a way to look while it moves: as long as it takes at this speed, then see.
                yield from self._hold(gesture, max(self._reflexes.shortest_s, abs(left) / speed))
                yield from self.rest(2 * SETTLE_S)
                continue
            ticks, mode = 0, self._look().mode
            while (target - self.position(dof)) * sign > margin and ticks < limit_s * GESTURE_HZ:
                ticks += 1
                if self._look().mode != mode:
                    break
                yield gesture
            yield from self.rest(SETTLE_S + margin / speed)
        msg = f"{dof} is at {self.position(dof):.3f}, not at {target:.3f} within {tolerance:g}"
        raise StreamLostError(msg)

    def hold(self, dof: str, sign: int, seconds: float, *, fine: bool = False) -> Generator[str, None, Hold]:
        """Move a DoF for a time, then rest until it stands; again if it hardly moved, at most `TRIES` times.

        Returns what the last hold brought.
        """
        enough = MIN_PART * self._model.dof[dof].speed(fine=fine) * seconds
        for _ in range(TRIES):
            gesture = yield from self._ready_to_move(dof, sign, fine=fine)
            before = self._look().positions
            yield from self._hold(gesture, seconds)
            # What is left of its motion would be taken for a part of the next.
            yield from self._rest_until_it_stands()
            displacement = tuple(now - then for now, then in zip(self._look().positions, before, strict=True))
            achieved = displacement[DOF_NAMES.index(dof)] * sign >= enough
            # A gesture that was taken for another is made again.
            if achieved:
                break
        return Hold(dof, sign, fine, gesture, displacement, achieved)

    def _rest_until_it_stands(self) -> Iterator[str]:
        yield from self.rest(self._reflexes.answer_delay_s)
        for _ in range(round(ANSWER_S / STANDS_S)):
            before = np.array(self._look().positions)
            yield from self.rest(STANDS_S)
            if not moved_dof(np.array(self._look().positions) - before, self._model):
                return

    def _ready_to_move(self, dof: str, sign: int, *, fine: bool) -> Generator[str, None, str]:
        """Choose mode and speed; returns the gesture that then moves."""
        for _ in range(TRIES + len(self._map.mode_names)):
            now = self._look()
            gesture = self._map.gesture_for(now.mode, dof, sign)
            if gesture is None:
                yield from self._call("next_mode")
            elif now.fine != fine:
                # Where the long gesture was taken for a short one, the mode is another now: look again.
                yield from self._call("toggle_speed")
            else:
                return gesture
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
        return speed * self._reflexes.answer_delay_s + speed * speed / (2 * limits.ramp)
