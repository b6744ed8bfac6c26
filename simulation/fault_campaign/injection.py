"""One injection: move, make the fault, watch, end the fault, watch on while gestures are made, arm anew."""

import re
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from emg_acquisition.errors import StreamLostError
from emg_acquisition.events import REST
from robot_bridge.errors import CommandRejectedError
from robot_bridge.operator_link import RobotSnapshot
from robot_bridge.stretch_interface import BASE_DOF, JOINT_DOF
from simulation.fault_campaign.bounds import travel_bound
from simulation.fault_campaign.judge import (
    SAME,
    STILL,
    Recorded,
    last_motion_s,
    travel,
    was_moving,
    zero_command_s,
)
from simulation.fault_campaign.kinds import FaultKind, moving_dof
from simulation.fault_campaign.outcome import Outcome
from simulation.fault_campaign.rig import FaultRig

# A fault lasts so long at least, and until the robot has stood for a moment: what moves later moves before it was
# armed again. One that does not come to a stand is left to run for the longest time.
SHORTEST_S = 1.1
LONGEST_S = 4.0
STOOD_S = 0.35
MOVE_TIMEOUT_S = 6.0
# DDS remembers a killed bridge for some 20 s, and until then a new one rightly refuses to arm.
ARM_TIMEOUT_S = 45.0
BACK_TIMEOUT_S = 25.0
LATE_GESTURE_S = 0.4
MODE_TRIES = 6
FINE_SHARE = 0.25
IN_A_MODE = 6
ATTEMPTS = 4
# A fault is made only if the DoF has moved by this part of its tier's speed over so long.
MIN_PART_OF_SPEED = 0.1
JUST_NOW_S = 0.15
# A joint that is closer to its limit than this, as a part of its range, is moved away from it.
NEAR_LIMIT = 0.3


class Ending(Protocol):
    """What `threading.Event` and `multiprocessing.Event` have in common."""

    def is_set(self) -> bool:
        """Whether it is over."""


class Injector:
    """Injects faults into a rig, one after the other.

    Parameters
    ----------
    rig : FaultRig
        A running chain.
    seed : int
        Of the campaign; what an injection moves and when depends on it and the injection's index alone.
    ending : threading.Event or multiprocessing.Event
        Ends an injection between its steps, without an outcome.
    """

    def __init__(self, rig: FaultRig, seed: int, ending: Ending) -> None:
        self._rig, self._seed, self._ending = rig, seed, ending
        self._link = rig.link

    def inject(self, index: int, kind: FaultKind) -> Outcome:
        """Inject one fault, and leave the robot standing and the chain whole.

        Raises
        ------
        StreamLostError, CommandRejectedError, TimeoutError
            If the chain cannot be brought to move, or back after the fault.
        """
        rng = np.random.default_rng([self._seed, index])
        fine = bool(rng.random() < FINE_SHARE)
        for attempt in range(1, ATTEMPTS + 1):
            if self._ending.is_set():
                msg = "the campaign is being ended"
                raise InterruptedError(msg)
            began_s = time.monotonic()
            outcome = self._attempt(index, kind, rng, fine=fine)
            if outcome is not None:
                return Outcome(**outcome, attempts=attempt, seconds=round(time.monotonic() - began_s, 2))
        msg = f"the robot stopped by itself {ATTEMPTS} times: {self._link.snapshot().reason}"
        raise StreamLostError(msg)

    def _attempt(
        self, index: int, kind: FaultKind, rng: np.random.Generator, *, fine: bool
    ) -> dict[str, Any] | None:
        """Move, and inject; None where the robot was found to have stopped by itself before the fault."""
        self._ready(index, fine=fine)
        dof, gesture = self._move(kind, rng, fine=fine)
        stops = self._link.snapshot().stops
        asked_s = time.monotonic()
        t_fault_s = kind.make(self._rig) or asked_s
        t_still_s = self._wait_for_standstill(kind, t_fault_s)
        seen = self._link.snapshot()
        kind.end(self._rig)
        reason = self._reason(kind, seen, stops)
        armed = self._tempt(gesture, rng)
        end_s = time.monotonic()
        recorded = self._rig.observer.recorded(t_fault_s - 0.5)
        self._rig.muscles.make(REST)
        if not was_moving(recorded, t_fault_s):
            return None
        times_s = (t_fault_s, t_still_s, end_s)
        return self._judge(index, kind, dof, recorded, times_s, fine=fine, reason=reason, armed=armed)

    # ---- before the fault

    def _ready(self, index: int, *, fine: bool) -> None:
        """Rest, arm, and choose mode and speed."""
        self._rest()
        self._link.arm_within(ARM_TIMEOUT_S)
        # The same for a few injections: changing it takes as long as a fault does.
        block = np.random.default_rng([self._seed, index // IN_A_MODE, 1])
        wanted = str(block.choice(self._rig.map.mode_names))
        for _ in range(MODE_TRIES):
            mode = self._link.wait_for(lambda now: bool(now.mode), MOVE_TIMEOUT_S).mode
            if mode == wanted:
                break
            self._tap(mode)
        if self._link.snapshot().fine != fine:
            self._link.set_fine(fine)
            self._link.wait_for(lambda now: now.fine == fine, MOVE_TIMEOUT_S)

    def _rest(self) -> None:
        self._rig.muscles.make(REST)
        self._link.wait_for(_rests, BACK_TIMEOUT_S)

    def _tap(self, mode: str) -> None:
        found = self._rig.map.gesture_to(mode, "next_mode")
        if found is None:
            msg = f"no gesture leaves mode {mode}"
            raise StreamLostError(msg)
        self._rig.muscles.make(found[0])
        time.sleep(0.4)
        self._rest()
        time.sleep(0.2)

    def _move(self, kind: FaultKind, rng: np.random.Generator, *, fine: bool) -> tuple[str, str]:
        """Hold the gesture of a DoF until the robot is seen to move it."""
        mode = self._link.snapshot().mode
        names = dict.fromkeys(acts.move.dof for acts in self._rig.map.modes[mode].values() if acts.move)
        for _ in range(MODE_TRIES):
            dof = str(rng.choice(moving_dof(kind, tuple(names))))
            gesture = self._rig.map.gesture_for(mode, dof, self._direction(dof, rng))
            if gesture is None:
                continue
            stood_at = self._link.snapshot().positions
            self._rig.muscles.make(gesture)
            try:
                self._link.wait_for(partial(_moves, gesture=gesture, stood_at=stood_at), MOVE_TIMEOUT_S)
            except TimeoutError:
                pass
            else:
                time.sleep(float(rng.uniform(0.2, 0.7)))
                if self._is_moving(dof, fine=fine):
                    return dof, gesture
            self._rest()
            self._link.arm_within(ARM_TIMEOUT_S)
        msg = f"no gesture of mode {mode} was seen to move the robot; last seen {self._link.snapshot()}"
        raise StreamLostError(msg)

    def _is_moving(self, dof: str, *, fine: bool) -> bool:
        """Whether the bridge says so and the DoF has kept to its speed, and not come to its limit, just now."""
        now_s = time.monotonic()
        moved = travel(self._rig.observer.recorded(now_s - 2 * JUST_NOW_S), now_s - JUST_NOW_S, now_s)
        fast = moved[dof] > MIN_PART_OF_SPEED * JUST_NOW_S * self._rig.model.dof[dof].speed(fine=fine)
        return fast and self._link.snapshot().safety_state == "moving"

    def _direction(self, dof: str, rng: np.random.Generator) -> int:
        sign = int(rng.choice([-1, 1]))
        if dof in BASE_DOF:
            return sign
        limits = self._rig.model.dof[dof]
        at = self._rig.observer.position(JOINT_DOF.index(dof))
        if at is None:
            return sign
        part = (at - limits.position_lower) / (limits.position_upper - limits.position_lower)
        if part < NEAR_LIMIT:
            return 1
        return -1 if part > 1 - NEAR_LIMIT else sign

    # ---- after it

    def _wait_for_standstill(self, kind: FaultKind, t_fault_s: float) -> float:
        """Wait until the robot has stood for a moment; returns when that was."""
        while (now_s := time.monotonic()) < t_fault_s + LONGEST_S:
            recorded = self._rig.observer.recorded(t_fault_s)
            stood_s = now_s - t_fault_s - last_motion_s(recorded, t_fault_s, now_s, kind.let_go)
            if now_s >= t_fault_s + SHORTEST_S and stood_s >= STOOD_S:
                break
            time.sleep(0.05)
        return time.monotonic()

    def _reason(self, kind: FaultKind, seen: RobotSnapshot, stops: int) -> str | None:
        """Return the bridge's reason if it is the right one; None if not."""
        if kind.by_guard:
            return ""
        latched = seen.safety_state == "fault" and seen.stops > stops
        return seen.reason if latched and re.search(kind.reason, seen.reason) else None

    def _tempt(self, gesture: str, rng: np.random.Generator) -> bool:
        """Go on making gestures with the fault gone, and try to arm meanwhile; True if the bridge let it."""
        deadline_s = time.monotonic() + BACK_TIMEOUT_S
        decisions = self._link.snapshot().decisions
        while not _hears(self._link.snapshot(), gesture, decisions):
            if time.monotonic() > deadline_s:
                msg = f"the chain did not come back: {self._link.snapshot()}"
                raise StreamLostError(msg)
            time.sleep(0.05)
        other = str(rng.choice([name for name in self._rig.gestures if name not in {REST, gesture}]))
        self._rig.muscles.make(other)
        time.sleep(LATE_GESTURE_S)
        try:
            self._link.arm(2.0)
        except CommandRejectedError:
            return False
        return True

    def _judge(
        self,
        index: int,
        kind: FaultKind,
        dof: str,
        recorded: Recorded,
        times_s: tuple[float, float, float],
        *,
        fine: bool,
        reason: str | None,
        armed: bool,
    ) -> dict[str, Any]:
        t_fault_s, t_still_s, end_s = times_s
        zero_s = zero_command_s(recorded, t_fault_s, t_still_s)
        after = travel(recorded, t_fault_s, t_still_s)
        later = travel(recorded, t_still_s, end_s)
        moved = {
            name: round(distance, 5)
            for name, distance in later.items()
            if distance > STILL and name not in kind.let_go
        }
        kept = {name: distance for name, distance in after.items() if name not in kind.let_go}
        bound = {
            name: travel_bound(self._rig.model, name, fine=fine, cut_off_s=kind.cut_off_s)
            if name == dof
            else STILL
            for name in kept
        }
        return {
            "index": index,
            "kind": kind.name,
            "dof": dof,
            "fine": fine,
            "reason": self._link.snapshot().reason if reason is None else reason,
            "noticed": reason is not None and zero_s is not None,
            "zero_ms": None if zero_s is None else round(1e3 * zero_s, 1),
            "still_ms": round(1e3 * last_motion_s(recorded, t_fault_s, t_still_s, kind.let_go), 1),
            "travel": {name: round(distance, 5) for name, distance in kept.items()},
            "bound": bound,
            "moved_before_rearm": bool(moved) or armed,
            "moved_later": moved,
            "armed_in_gesture": armed,
        }


def _moves(now: RobotSnapshot, gesture: str, stood_at: Sequence[float] | None) -> bool:
    """Whether the gesture has moved the robot; by its places, for slow steps end before the driver tells a speed."""
    if now.positions is None or stood_at is None:
        return False
    went = max(abs(at - before) for at, before in zip(now.positions, stood_at, strict=True))
    return now.safety_state == "moving" and now.gesture == gesture and went > STILL


def _rests(now: RobotSnapshot) -> bool:
    """Whether the bridge hears rest and the robot, which brakes and comes back to where it is held, stands."""
    return now.gesture == REST and now.velocities is not None and max(map(abs, now.velocities)) < SAME


def _hears(now: RobotSnapshot, gesture: str, decisions: int) -> bool:
    """Whether the bridge, the old one or a new one, hears decisions again, and this gesture among them."""
    return now.gesture == gesture and now.decisions not in {0, decisions}
