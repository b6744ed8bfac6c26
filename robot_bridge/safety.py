"""The state machine that lets the robot move or stops it: disarmed, armed, moving, stopped, fault.

Pure: every call brings the receiver's monotonic time. A fault or a stop latches; only `SafetyMachine.arm`, a
deliberate act with every input fresh and the muscles at rest, leaves it.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from emg_acquisition.decision import Decision
from robot_bridge.decision_watch import DecisionWatch
from robot_bridge.safety_inputs import (
    DRIVER_TOPICS,
    LIMITS_UNREAD,
    NAVIGATION,
    DriverStatus,
    SafetyLimits,
)

State = Literal["disarmed", "armed", "moving", "stopped", "fault"]
# No joint of this robot comes near this many metres or radians.
_FARTHEST = 100.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Transition:
    """A change of state, with its reason."""

    t_mono_s: float
    old: State
    new: State
    reason: str


class SafetyMachine:
    """States, freshness and the reasons to stop.

    Parameters
    ----------
    watches : sequence of DecisionWatch
        One a decoder; whichever has a problem stops the robot.
    limits : SafetyLimits
        Freshness limits and thresholds.
    on_transition : callable
        Called with every `Transition`, after the state has changed.
    """

    def __init__(
        self,
        watches: Sequence[DecisionWatch],
        limits: SafetyLimits,
        on_transition: Callable[[Transition], None],
    ) -> None:
        self.limits = limits
        self.state: State = "disarmed"
        self.reason = "not armed yet"
        self.stops = 0
        self.driver = DriverStatus()
        self.guard_problem: str | None = "the guard process is not ready"
        self.publisher_problem: str | None = None
        self.limits_problem: str | None = LIMITS_UNREAD
        self._watches = tuple(watches)
        self._on_transition = on_transition
        self._joints_s = -math.inf
        self._joints_stamp_s = -math.inf
        self._least_lag_s = math.inf
        self._joints_steady_s = -math.inf
        self._bad_joints: str | None = "no joint state has been read"
        self._heartbeat_s = -math.inf
        self._needs_heartbeat = limits.require_heartbeat
        self._tick_s: float | None = None

    # ---- inputs

    def on_decision(self, decision: Decision, t_mono_s: float, sleeve: int = 0) -> None:
        """Take a decision of a decoder; a bad one is a fault while armed and keeps from arming otherwise."""
        bad = self._watches[sleeve].on_decision(decision, t_mono_s)
        if bad is not None:
            self.fault(bad, t_mono_s)

    def on_joint_states(self, positions: tuple[float, ...] | None, stamp_s: float, t_mono_s: float) -> bool:
        """Take a joint state; None where joints are missing. Returns whether it is good news.

        A stamp that stands still is no news. One that arrives much later after its stamp than the quickest did
        has waited on the way; that measure needs no clocks that agree.
        """
        news = False
        if positions is None:
            self._bad_joints = "joint_states lacks joints of this robot"
        elif not all(abs(value) <= _FARTHEST for value in positions):
            self._bad_joints = "joint_states holds a number that is not finite, or that no joint can have"
        elif stamp_s < self._joints_stamp_s - 1.0 and stamp_s > 0:
            # A driver that was started again, on a clock that was set back; from here on it counts anew.
            self._joints_stamp_s, self._least_lag_s = stamp_s, t_mono_s - stamp_s
        elif (late_s := self._lateness_s(stamp_s, t_mono_s)) > self.limits.joint_states_s:
            self._bad_joints = f"joint_states came {late_s:.2f} s late"
        elif stamp_s > self._joints_stamp_s or stamp_s <= 0:
            self._bad_joints, news = None, True
            if t_mono_s - self._joints_s > self.limits.joint_states_s:
                self._joints_steady_s = t_mono_s
            self._joints_s, self._joints_stamp_s = t_mono_s, stamp_s
        if self._bad_joints is not None:
            self.fault(self._bad_joints, t_mono_s)
        return news

    def _lateness_s(self, stamp_s: float, t_mono_s: float) -> float:
        """How much longer this joint state took than the quickest one; 0 for a driver that does not stamp."""
        if stamp_s <= 0:
            return 0.0
        lag_s = t_mono_s - stamp_s
        late_s = lag_s - self._least_lag_s
        if late_s < 0 or (late_s > self.limits.joint_states_s and not self.is_live):
            # While nothing moves, a clock that was set may be measured anew; arming wants a steady second after it.
            self._least_lag_s = lag_s
        return max(0.0, late_s) if math.isfinite(late_s) else 0.0

    def on_driver(self, topic: str, value: str | bool, t_mono_s: float) -> None:
        """Take one of stretch_driver's status topics."""
        self.driver.seen_s[topic] = t_mono_s
        if topic == "mode":
            self.driver.mode = str(value)
        elif topic == "is_homed":
            self.driver.homed = bool(value)
        elif topic == "is_runstopped":
            self.driver.runstopped = bool(value)
        elif topic == "is_streaming_position":
            self.driver.streaming = bool(value)
        if self.is_live:
            self._fault_first((self._driver_problem(),), t_mono_s)

    def on_heartbeat(self, t_mono_s: float) -> None:
        """Take a heartbeat of the operator's window."""
        self._heartbeat_s = t_mono_s
        # Once somebody watches, losing them is a fault.
        self._needs_heartbeat |= self.is_live

    # ---- acts

    def arm(self, t_mono_s: float) -> str | None:
        """Arm. Returns None, or why not."""
        if self.is_live:
            return None
        refusal = self._refusal(t_mono_s)
        if refusal is not None:
            _LOG.warning("arming refused: %s", refusal)
            return refusal
        self._needs_heartbeat = self.limits.require_heartbeat or self._heartbeat_fresh(t_mono_s)
        self._go("armed", "armed by the operator", t_mono_s)
        return None

    def disarm(self, t_mono_s: float) -> None:
        """Disarm, from whatever state."""
        if self.state != "disarmed":
            self._go("disarmed", "disarmed by the operator", t_mono_s)

    def stop(self, t_mono_s: float) -> None:
        """Stop and latch. A fault keeps its reason."""
        if self.state not in {"fault", "stopped"}:
            self._go("stopped", "stopped by the operator", t_mono_s)

    def fault(self, reason: str, t_mono_s: float) -> None:
        """Latch a fault, if armed; the first reason stays."""
        if self.is_live:
            self._go("fault", reason, t_mono_s)

    # ---- every tick

    def tick(self, t_mono_s: float) -> None:
        """Check every input's freshness; call at the fixed rate."""
        gap_s = 0.0 if self._tick_s is None else t_mono_s - self._tick_s
        self._tick_s = t_mono_s
        if not self.is_live:
            return
        overrun = None
        if not 0 <= gap_s <= self.limits.tick_gap_s:
            overrun = f"the bridge itself hung for {gap_s:.2f} s"
        self._fault_first((overrun, *self._problems(t_mono_s)), t_mono_s)

    def set_moving(self, moving: bool, t_mono_s: float) -> None:
        """Note whether a motion is being commanded."""
        if moving and self.state == "armed":
            self._go("moving", "a gesture is held", t_mono_s)
        elif not moving and self.state == "moving":
            self._go("armed", "no gesture is held", t_mono_s)

    @property
    def is_live(self) -> bool:
        """Armed or moving."""
        return self.state in {"armed", "moving"}

    def signal_is_good(self, sleeve: int = 0) -> bool:
        """Whether the last decision of a decoder may move anything."""
        return self._watches[sleeve].is_good

    # ---- judging

    def _problems(self, t_mono_s: float) -> tuple[str | None, ...]:
        return (
            *(watch.problem(t_mono_s) for watch in self._watches),
            self._joints_problem(t_mono_s),
            self._driver_silence(t_mono_s),
            self._driver_problem(),
            self._heartbeat_problem(t_mono_s),
            self.guard_problem,
            self.publisher_problem,
        )

    def _fault_first(self, problems: tuple[str | None, ...], t_mono_s: float) -> None:
        for problem in problems:
            if problem is not None:
                self.fault(problem, t_mono_s)
                return

    def _joints_problem(self, t_mono_s: float) -> str | None:
        if self._bad_joints is not None:
            return self._bad_joints
        silence_s = t_mono_s - self._joints_s
        return f"no new joint state for {silence_s:.2f} s" if silence_s > self.limits.joint_states_s else None

    def _unsteady_joints(self, t_mono_s: float) -> str | None:
        steady_s = t_mono_s - self._joints_steady_s
        if steady_s < self.limits.steady_joints_before_arming_s:
            return f"joint states have come steadily for {steady_s:.1f} s only; arm again in a moment"
        return None

    def _driver_silence(self, t_mono_s: float) -> str | None:
        for topic in DRIVER_TOPICS:
            silence_s = t_mono_s - self.driver.seen_s.get(topic, -math.inf)
            if silence_s > self.limits.driver_s:
                return f"stretch_driver's topic {topic!r} is silent; is the driver running?"
        return None

    def _driver_problem(self) -> str | None:
        if self.driver.run_stop_pressed:
            return "the run-stop is pressed"
        if not self.driver.homed:
            return "the robot is not homed; call /home_the_robot"
        if self.driver.mode != NAVIGATION:
            return f"the driver is in mode {self.driver.mode!r}, {NAVIGATION!r} is required"
        if not self.driver.streaming:
            return "streaming position is not active"
        return None

    def _heartbeat_fresh(self, t_mono_s: float) -> bool:
        return t_mono_s - self._heartbeat_s <= self.limits.heartbeat_s

    def _heartbeat_problem(self, t_mono_s: float) -> str | None:
        if self._needs_heartbeat and not self._heartbeat_fresh(t_mono_s):
            return "the operator's window sends no heartbeat"
        return None

    def refusal_before_setup(self, t_mono_s: float) -> str | None:
        """Why arming would be refused whatever the robot's mode, or None; nothing has been asked of the robot."""
        # A heartbeat that was needed last time is not needed for good: only a setting makes it so.
        self._needs_heartbeat = self.limits.require_heartbeat
        problems = (
            *(watch.problem(t_mono_s) for watch in self._watches),
            *(watch.rest_problem(t_mono_s) for watch in self._watches),
            self._joints_problem(t_mono_s) or self._unsteady_joints(t_mono_s),
            self._driver_silence(t_mono_s),
            self._heartbeat_problem(t_mono_s),
            self.guard_problem,
            self.publisher_problem,
        )
        return next((problem for problem in problems if problem is not None), None)

    def _refusal(self, t_mono_s: float) -> str | None:
        timer = None
        if self._tick_s is None or t_mono_s - self._tick_s > self.limits.tick_gap_s:
            timer = "the bridge's own timer does not run"
        problems = (
            self.refusal_before_setup(t_mono_s),
            self._driver_problem(),
            self.limits_problem,
            timer,
        )
        return next((problem for problem in problems if problem is not None), None)

    def _go(self, new: State, reason: str, t_mono_s: float) -> None:
        transition = Transition(t_mono_s, self.state, new, reason)
        self.state, self.reason = new, reason
        if new in {"stopped", "fault"}:
            self.stops += 1
        level = logging.WARNING if new == "fault" else logging.INFO
        _LOG.log(level, "%s -> %s: %s", transition.old, new, reason)
        self._on_transition(transition)
