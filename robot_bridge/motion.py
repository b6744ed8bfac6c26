"""Desired velocity -> what may be commanded: wheel velocity and joint targets, within every limit.

joint_pose_cmd carries no velocity: a target runs to completion at the robot's default profile, without a
watchdog. So a joint's target runs ahead of the measured position at the desired velocity, and never by more
than the way that the joint needs to brake from it (`DofModel.lead_bound`); a bridge that dies leaves that much
motion at most. Speeding up keeps the acceleration limit; slowing down and stopping are immediate in the
command, and hold each joint at the nearest place where it can stand still without coming back.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import BASE_DOF, JOINT_DOF, JointReading


@dataclass(frozen=True)
class Goal:
    """Where the motion of one joint is to end exactly: an absolute position in m or rad."""

    dof: str
    position: float


@dataclass(frozen=True)
class Command:
    """What goes to the robot: base velocity in m/s and rad/s, absolute joint targets in m or rad."""

    translate_m_s: float
    rotate_rad_s: float
    targets: Mapping[str, float]
    head: tuple[float, float]


class MotionShaper:
    """Velocity and acceleration limits, wheel saturation, arm-out slow-down, held targets.

    Parameters
    ----------
    model : RobotModel
        Limits of every DoF, already the tighter of ours and the robot's own.
    """

    def __init__(self, model: RobotModel) -> None:
        self._model = model
        self._velocity: dict[str, float] = dict.fromkeys(model.dof, 0.0)
        self._targets: dict[str, float] = {}
        self._head = (0.0, 0.0)
        # The gripper's last target, which a new arming keeps: the measured aperture would let go of what it holds.
        self._grip: float | None = None
        self._last_s: float | None = None

    @property
    def velocity(self) -> Mapping[str, float]:
        """Shaped velocity of every DoF, m/s or rad/s."""
        return dict(self._velocity)

    def tighten(self, model: RobotModel) -> None:
        """Take the tighter of ours and the robot's own limits, while nothing is commanded."""
        self._model = model

    def forget_grip(self) -> None:
        """Forget what the gripper holds: it has let go."""
        self._grip = None

    def start(self, measured: JointReading, t_mono_s: float) -> None:
        """Begin from standstill: hold every joint where it is, and the grip as it was."""
        self._velocity = dict.fromkeys(self._velocity, 0.0)
        self._targets = {dof: measured.positions[dof] for dof in JOINT_DOF}
        if self._grip is not None:
            self._targets["gripper"] = self._held("gripper", self._grip, measured.positions["gripper"])
        self._head = measured.head
        self._last_s = t_mono_s

    def target_of(self, dof: str) -> float:
        """Target that a joint moves to or holds."""
        return self._targets[dof]

    def give_up(self, dof: str, measured: JointReading) -> None:
        """Hold a joint where it can stand, however far on its target is: something is in its way."""
        self._targets[dof] = self._stop_point(dof, measured)

    def step(
        self, desired: Mapping[str, float], measured: JointReading, t_mono_s: float, goal: Goal | None = None
    ) -> Command:
        """Shape one tick. `start` must have been called; `measured` must be finite.

        A joint at rest keeps the target it was latched to, so that it does not follow its own sag; the
        gripper keeps its grip. A `goal` is not passed, and stays the target when it is reached.
        """
        dt_s = 0.0 if self._last_s is None else max(0.0, t_mono_s - self._last_s)
        self._last_s = t_mono_s
        out = self._arm_is_out(measured)
        before = self._velocity
        self._velocity = {
            dof: self._shaped(dof, desired[dof], dt_s, out=out, measured=measured) for dof in self._model.dof
        }
        for dof in JOINT_DOF:
            end = goal.position if goal is not None and goal.dof == dof else None
            self._targets[dof] = self._target(dof, measured, dt_s, before[dof], end)
        self._grip = self._targets["gripper"]
        return self._command()

    def hold(self, measured: JointReading | None) -> Command:
        """Stop: zero wheels, every joint that was moving latched to where it was measured, once.

        A joint that was being held keeps its target, and so does the grip: a stop does not drop what the
        gripper carries. Without a measurement there are no targets: the joints run to their last ones, which
        lead by the stop bound at most.
        """
        if measured is None:
            self._velocity = dict.fromkeys(self._velocity, 0.0)
            return Command(0.0, 0.0, {}, self._head)
        for dof in JOINT_DOF:
            if not math.isfinite(measured.positions[dof]):
                continue
            if self._velocity[dof] != 0.0:
                self._targets[dof] = self._stop_point(dof, measured)
            self._targets[dof] = self._held(dof, self._targets[dof], measured.positions[dof])
        self._grip = self._targets["gripper"]
        self._velocity = dict.fromkeys(self._velocity, 0.0)
        return self._command()

    @property
    def has_targets(self) -> bool:
        """Whether there is anything to hold yet."""
        return bool(self._targets)

    def _arm_is_out(self, measured: JointReading) -> bool:
        at = measured.positions
        return self._model.arm_out.is_out(at["lift"], at["arm"], at["wrist_yaw"])

    def _shaped(self, dof: str, desired: float, dt_s: float, *, out: bool, measured: JointReading) -> float:
        limits = self._model.dof[dof]
        top, acceleration = limits.velocity, limits.acceleration
        if limits.profile_velocity is not None:
            top = min(top, limits.profile_velocity)
        if out and dof == "base_translate":
            top = min(top, self._model.arm_out.translate_velocity)
            acceleration = min(acceleration, self._model.arm_out.translate_acceleration)
        if out and dof == "base_rotate":
            top = min(top, self._model.arm_out.rotate_velocity)
        wanted = max(-top, min(top, desired))
        if dof in JOINT_DOF and self._at_limit(dof, wanted, measured.positions[dof]):
            wanted = 0.0
        before = self._velocity[dof]
        if wanted * before < 0 or abs(wanted) <= abs(before):
            # Turning round passes through zero at once; slowing down is immediate.
            before = 0.0 if wanted * before < 0 else wanted
        change = max(-acceleration * dt_s, min(acceleration * dt_s, wanted - before))
        return before + change

    def _at_limit(self, dof: str, wanted: float, position: float) -> bool:
        limits = self._model.dof[dof]
        above = wanted > 0 and position >= limits.position_upper
        return above or (wanted < 0 and position <= limits.position_lower)

    def _target(
        self, dof: str, reading: JointReading, dt_s: float, before: float, end: float | None
    ) -> float:
        velocity, measured = self._velocity[dof], reading.positions[dof]
        if velocity == 0.0:
            # Rest leaves the gripper's target where it led to: that lead is the grip on what it holds.
            latch = before != 0.0 and dof != "gripper" and end is None
            return self._held(dof, self._stop_point(dof, reading) if latch else self._targets[dof], measured)
        # A target never lies behind the measured position: what the robot has passed is not to be undone.
        ahead = (self._targets[dof] + velocity * dt_s - measured) * math.copysign(1.0, velocity)
        bound = self._model.dof[dof].lead_bound(velocity)
        target = measured + math.copysign(min(max(0.0, ahead), bound), velocity)
        if end is not None and (target - end) * velocity > 0:
            target = end
        return self._bounded(dof, target, measured, bound)

    def _stop_point(self, dof: str, reading: JointReading) -> float:
        """Where a joint can stand still soonest: as far on as it needs to brake, but no further than its target.

        A joint that something blocks has no velocity, and is held where it is.
        """
        measured, velocity = reading.positions[dof], reading.velocities[dof]
        braking = math.copysign(self._model.dof[dof].lead_bound(velocity), velocity)
        lead = self._targets[dof] - measured
        if lead * braking <= 0:
            return measured
        return measured + math.copysign(min(abs(lead), abs(braking)), velocity)

    def _held(self, dof: str, target: float, measured: float) -> float:
        # A joint that was pushed away is not to spring back further than the stop bound.
        return self._bounded(dof, target, measured, self._model.dof[dof].stop_bound)

    def _bounded(self, dof: str, target: float, measured: float, bound: float) -> float:
        # Never further out of the limits than the joint already is, and never further than the bound.
        limits = self._model.dof[dof]
        lower, upper = min(limits.position_lower, measured), max(limits.position_upper, measured)
        target = max(lower, min(upper, target))
        return max(measured - bound, min(measured + bound, target))

    def _command(self) -> Command:
        translate, rotate = (self._velocity[dof] for dof in BASE_DOF)
        wheels = self._model.wheels
        fastest = abs(translate) + abs(rotate) * wheels.separation_m / 2
        scale = min(1.0, wheels.velocity_m_s / fastest) if fastest > 0 else 1.0
        return Command(translate * scale, rotate * scale, dict(self._targets), self._head)
