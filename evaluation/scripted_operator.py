"""A scripted operator: gestures, never commands, that touch every DoF of a map in coarse and in fine.

It looks at the robot as a person would: a tap that did not change the mode is made again, and so is a hold that
hardly moved its DoF.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.events import Event
from emg_acquisition.outlet import EventOutlet, lsl_clock_s
from evaluation.chain import LiveChain
from robot_bridge.gesture_map import Function, GestureMap
from robot_bridge.operator_link import RobotSnapshot
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES

HOLD_S = 1.0
TAP_S = 0.4
LONG_HOLD_S = 1.6
TRIES = 4
ANSWER_TIMEOUT_S = 3.0
REST_TIMEOUT_S = 5.0
REST_S = 0.15
# A hold counts as motion when it brought at least this part of speed times time held.
LEAST_PART = 0.2


@dataclass(frozen=True)
class Hold:
    """A gesture that was held to move a DoF, and when (LSL time)."""

    dof: str
    direction: int
    fine: bool
    gesture: str
    begin_t_lsl_s: float
    end_t_lsl_s: float

    def achieved(self, displacement: Float64Array, model: RobotModel) -> bool:
        """Whether the robot's net motion during the hold (shape (8,)) was on its DoF, its way, and enough."""
        dof = model.dof[self.dof]
        speed = dof.fine if self.fine else dof.coarse
        smallest = LEAST_PART * speed * (self.end_t_lsl_s - self.begin_t_lsl_s)
        return bool(displacement[DOF_NAMES.index(self.dof)] * self.direction >= smallest)


class ScriptedOperator:
    """Drives an armed chain whose source follows intentions.

    Parameters
    ----------
    chain : LiveChain
        Armed.
    intentions : EventOutlet
        The stream that the simulated wearer follows; cues go into it too, so that a recording holds the truth.
    gesture_map : GestureMap
        What each gesture does.
    model : RobotModel
        How fast each DoF moves.
    progress : callable
        Told what happens and the fraction done.
    """

    def __init__(
        self,
        chain: LiveChain,
        intentions: EventOutlet,
        gesture_map: GestureMap,
        model: RobotModel,
        progress: Callable[[str, float], None],
    ) -> None:
        self._chain = chain
        self._intentions = intentions
        self._map = gesture_map
        self._model = model
        self._progress = progress
        self._trial = 0

    def touch_every_dof(self) -> list[Hold]:
        """Move every DoF both ways in coarse, then in fine; return what was held when."""
        holds: list[Hold] = []
        total = 4 * len(self._map.covers)
        for fine in (False, True):
            self._set_fine(fine)
            done: set[str] = set()
            for _ in self._map.mode_names:
                mode = self._look().mode
                for dof in self._dof_of(mode):
                    if dof in done:
                        continue
                    for direction in (1, -1):
                        holds.append(self._move(mode, dof, direction, fine))
                        tier = "fine" if fine else "coarse"
                        self._progress(f"{tier} {dof}", len(holds) / total)
                    done.add(dof)
                self._next_mode(mode)
        return holds

    def _dof_of(self, mode: str) -> list[str]:
        moves = [acts.move for acts in self._map.modes[mode].values() if acts.move is not None]
        return list(dict.fromkeys(move.dof for move in moves))

    def _move(self, mode: str, dof: str, direction: int, fine: bool) -> Hold:
        gesture = self._map.gesture_for(mode, dof, direction)
        if gesture is None:
            msg = f"map {self._map.name}: no gesture moves {dof} by {direction:+d} in mode {mode}"
            raise InputError(msg)
        for _ in range(TRIES):
            before, begin = self._positions(), lsl_clock_s()
            self._perform(gesture, HOLD_S)
            hold = Hold(dof, direction, fine, gesture, begin, lsl_clock_s())
            if hold.achieved(self._positions() - before, self._model):
                break
        return hold

    def _positions(self) -> Float64Array:
        return np.array(self._look().positions)

    def _next_mode(self, mode: str) -> None:
        if len(self._map.mode_names) == 1:
            return
        self._call("next_mode", mode, lambda now: now.mode != mode)

    def _set_fine(self, fine: bool) -> None:
        now = self._look()
        if now.fine == fine:
            return
        self._call("toggle_speed", now.mode, lambda later: later.fine == fine)

    def _call(self, function: Function, mode: str, reached: Callable[[RobotSnapshot], bool]) -> None:
        """Make the tap or the long hold that calls a function, until the bridge shows that it did."""
        found = self._map.gesture_to(mode, function)
        if found is None:
            msg = f"map {self._map.name}: no gesture calls {function} in mode {mode}"
            raise InputError(msg)
        gesture, act = found
        for _ in range(TRIES):
            self._perform(gesture, TAP_S if act == "tap" else LONG_HOLD_S)
            try:
                self._chain.link.wait_for(reached, ANSWER_TIMEOUT_S)
            except TimeoutError:
                continue
            return
        msg = f"{gesture} was made {TRIES} times but {function} did not happen"
        raise StreamLostError(msg)

    def _perform(self, gesture: str, seconds: float) -> None:
        """Hold a gesture, then rest until the bridge sees the rest."""
        self._intend(gesture)
        time.sleep(seconds)
        self._intend(self._map.rest)
        self._chain.check()
        self._chain.link.wait_for(lambda now: now.gesture == self._map.rest, REST_TIMEOUT_S)
        time.sleep(REST_S)
        now = self._look()
        if now.safety_state not in {"armed", "moving"}:
            msg = f"the bridge stopped: {now.safety_state}, {now.reason}"
            raise StreamLostError(msg)

    def _intend(self, gesture: str) -> None:
        self._trial += 1
        now = lsl_clock_s()
        self._intentions.push(Event(now, "intention", {"gesture": gesture, "effort": 1.0}))
        self._intentions.push(Event(now, "cue", {"gesture": gesture, "repetition": 1, "trial": self._trial}))

    def _look(self) -> RobotSnapshot:
        return self._chain.link.snapshot()
