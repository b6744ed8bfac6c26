"""The simulated robot's motor controllers: trapezoidal profiles at the driver's defaults.

Commands arrive without a velocity (joint_pose_cmd) or without an acceleration (cmd_vel), so the driver's own
defaults shape every motion. A moving joint whose target jumps back brakes, overshoots and returns, as the
robot's does; the wheels ramp at 0.12 m/s² (from firmware 0.6.2p4 on), so that driving at 0.12 m/s takes 6 cm to stop.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import JOINT_DOF
from simulation.stretch.variants import GRIPPER_3, STRETCH_3, Variant

# Joints that no DoF of ours moves: the head, in rad.
HEAD_LIMITS = {"head_pan": (-4.04, 1.73), "head_tilt": (-1.53, 0.79)}
# Default velocity and acceleration of stretch_body's Stretch 3 parameters, m or rad, s. The gripper's are of its
# finger angle: 0.448 rad/s, 0.747 rad/s².
DEFAULT_PROFILES = {
    "lift": (0.11, 0.20),
    "arm": (0.14, 0.14),
    "wrist_yaw": (2.0, 3.0),
    "wrist_pitch": (2.0, 6.0),
    "wrist_roll": (2.0, 8.0),
    "gripper": GRIPPER_3.profile,
    "head_pan": (3.0, 8.0),
    "head_tilt": (3.0, 8.0),
}
WHEEL_PROFILE = (0.12, 0.12)
# How fast wheels and arm come to rest whose drives are cut, m/s²: chosen, not measured on a robot.
ROLL_OUT = 0.3


class TrapezoidalProfile:
    """Position and velocity on the way to a target, at limited velocity and acceleration.

    Parameters
    ----------
    position : float
        Where it starts, at rest.
    velocity_max, acceleration : float
        Limits, in the position's unit and seconds.
    """

    def __init__(self, position: float, velocity_max: float, acceleration: float) -> None:
        self.position = self.target = position
        self.velocity = 0.0
        self._velocity_max = velocity_max
        self._acceleration = acceleration

    def stop_at(self, position: float) -> None:
        """Stand still at a position, which becomes the target."""
        self.position = self.target = position
        self.velocity = 0.0

    def stall_at(self, position: float) -> None:
        """Stand still at a position on the way to the same target: something is in the way."""
        self.position, self.velocity = position, 0.0

    def step(self, dt_s: float) -> None:
        """Move on by a time.

        The new velocity v' is the highest from which the remaining way d still suffices to brake:
        v'²/2a + (v + v') dt/2 <= d.
        """
        left = self.target - self.position
        if left == 0.0 and self.velocity == 0.0:
            return
        sign = math.copysign(1.0, left)
        speed, change = self.velocity * sign, self._acceleration * dt_s
        under_root = change * change / 4 + 2 * self._acceleration * abs(left) - change * speed
        braking = math.sqrt(under_root) - change / 2 if under_root > 0 else 0.0
        wanted = min(self._velocity_max, max(0.0, braking))
        reached = max(speed - change, min(speed + change, wanted))
        moved = (speed + reached) / 2 * dt_s
        # The last step ends on the target exactly.
        if abs(abs(left) - moved) <= change * dt_s / 2 and reached <= change:
            self.position, self.velocity = self.target, 0.0
            return
        self.position += sign * moved
        self.velocity = sign * reached


@dataclass
class BaseState:
    """Pose on the floor, the integrated travel along the robot's own x, and the velocities."""

    x_m: float = 0.0
    y_m: float = 0.0
    heading_rad: float = 0.0
    travel_m: float = 0.0
    velocity_m_s: float = 0.0
    velocity_rad_s: float = 0.0

    def move(self, velocity_m_s: float, velocity_rad_s: float, dt_s: float) -> None:
        """Move on by a time at a velocity, on an arc."""
        middle_rad = self.heading_rad + velocity_rad_s * dt_s / 2
        self.x_m += velocity_m_s * dt_s * math.cos(middle_rad)
        self.y_m += velocity_m_s * dt_s * math.sin(middle_rad)
        self.heading_rad += velocity_rad_s * dt_s
        self.travel_m += velocity_m_s * dt_s
        self.velocity_m_s, self.velocity_rad_s = velocity_m_s, velocity_rad_s


class Wheels:
    """Both wheels' velocities: commanded directly, or on the way of an increment.

    Parameters
    ----------
    separation_m : float
        Distance between the wheels.
    velocity_max_m_s : float
        Each wheel is clamped to it by itself.
    ramps : bool
        Whether commanded velocities are ramped to; firmware before 0.6.2p4 goes to them at once.

    Attributes
    ----------
    free : bool
        The drives are cut: the wheels roll out.
    blocked : bool
        Something holds the base where it is.
    runaway : (float, float) or None
        A base velocity (m/s, rad/s) at which the wheels run whatever they are told.
    """

    def __init__(self, separation_m: float, velocity_max_m_s: float, *, ramps: bool = True) -> None:
        self.velocity_m_s = 0.0
        self.velocity_rad_s = 0.0
        self.free = self.blocked = False
        self.runaway: tuple[float, float] | None = None
        self._half_m = separation_m / 2
        self._max_m_s = velocity_max_m_s
        self._ramp = WHEEL_PROFILE[1] if ramps else math.inf
        self._speeds = (0.0, 0.0)
        self._commanded = (0.0, 0.0)
        self._increments: tuple[TrapezoidalProfile, ...] | None = None

    def command(self, translate_m_s: float, rotate_rad_s: float) -> None:
        """Take a base velocity."""
        left, right = (
            max(-self._max_m_s, min(self._max_m_s, speed))
            for speed in self._of_base(translate_m_s, rotate_rad_s)
        )
        self._commanded = (left, right)
        self._increments = None

    def move_by(
        self, translate_m: float, rotate_rad: float, velocity_max_m_s: float = WHEEL_PROFILE[0]
    ) -> None:
        """Take an increment from where each wheel is now; of zero, it brakes and comes back to there."""
        increments = []
        for speed, way in zip(self._speeds, self._of_base(translate_m, rotate_rad), strict=True):
            profile = TrapezoidalProfile(0.0, velocity_max_m_s, WHEEL_PROFILE[1])
            profile.velocity, profile.target = speed, way
            increments.append(profile)
        self._increments = tuple(increments)
        self._commanded = (0.0, 0.0)

    def stop(self) -> None:
        """Stand still at once."""
        self._speeds = self._commanded = (0.0, 0.0)
        self._increments = None
        self.velocity_m_s = self.velocity_rad_s = 0.0

    def roll_out(self) -> None:
        """Forget every command: the drives are cut."""
        self._commanded, self._increments = (0.0, 0.0), None

    def step(self, dt_s: float) -> None:
        """Move on by a time; the velocities are then the means over that time."""
        left, right = self._moved(dt_s)
        self.velocity_m_s = (left + right) / (2 * dt_s)
        self.velocity_rad_s = (right - left) / (2 * self._half_m * dt_s)

    def _moved(self, dt_s: float) -> tuple[float, float]:
        """How far each wheel goes in a time; its speed afterwards is kept."""
        if self.blocked:
            for profile in self._increments or ():
                profile.stall_at(profile.position)
            self._speeds = (0.0, 0.0)
            return 0.0, 0.0
        if self._increments is not None and self.runaway is None:
            at = [profile.position for profile in self._increments]
            for profile in self._increments:
                profile.step(dt_s)
            first, second = self._increments
            self._speeds = (first.velocity, second.velocity)
            return first.position - at[0], second.position - at[1]
        aims, ramp = self._commanded, self._ramp
        if self.free:
            ramp = ROLL_OUT
        elif self.runaway is not None:
            aims, ramp = self._of_base(*self.runaway), math.inf
        before = aims if math.isinf(ramp) else self._speeds
        left, right = (
            was + max(-ramp * dt_s, min(ramp * dt_s, aim - was))
            for was, aim in zip(before, aims, strict=True)
        )
        self._speeds = (left, right)
        return (before[0] + left) / 2 * dt_s, (before[1] + right) / 2 * dt_s

    def _of_base(self, translate: float, rotate: float) -> tuple[float, float]:
        """Return both wheels' part in a motion of the base, left and right."""
        return translate - rotate * self._half_m, translate + rotate * self._half_m


class Motors:
    """All motor controllers: what is commanded in, where every motor is now out.

    Parameters
    ----------
    model : RobotModel
        Position limits and wheels.
    positions : mapping of str to float
        Where the joint DoF start, m or rad; the head starts at zero.
    variant : Variant
        Whose gripper it has.
    base_ramps : bool
        Whether the wheels ramp to a commanded velocity.
    """

    def __init__(
        self,
        model: RobotModel,
        positions: Mapping[str, float],
        variant: Variant = STRETCH_3,
        *,
        base_ramps: bool = True,
    ) -> None:
        self._model = model
        self._gripper = variant.gripper if variant is not STRETCH_3 else None
        profiles = DEFAULT_PROFILES | ({"gripper": self._gripper.profile} if self._gripper else {})
        start = {dof: positions[dof] for dof in JOINT_DOF} | dict.fromkeys(HEAD_LIMITS, 0.0)
        self.joints = {
            joint: TrapezoidalProfile(self._clamped(joint, value), *profiles[joint])
            for joint, value in start.items()
        }
        self.wheels = Wheels(model.wheels.separation_m, model.wheels.velocity_m_s, ramps=base_ramps)

    def limits_of(self, joint: str) -> tuple[float, float]:
        """Lower and upper position limit."""
        if joint in HEAD_LIMITS:
            return HEAD_LIMITS[joint]
        if joint == "gripper" and self._gripper is not None:
            return self._gripper.limits
        dof = self._model.dof[joint]
        return dof.position_lower, dof.position_upper

    def set_targets(self, targets: Mapping[str, float]) -> None:
        """Take absolute joint targets; clamped to the limits, one that is not finite is ignored."""
        for joint, target in targets.items():
            if math.isfinite(target):
                self.joints[joint].target = self._clamped(joint, target)

    def set_base_velocity(self, translate_m_s: float, rotate_rad_s: float) -> None:
        """Take a base velocity; one that is not finite is ignored."""
        if math.isfinite(translate_m_s) and math.isfinite(rotate_rad_s):
            self.wheels.command(translate_m_s, rotate_rad_s)

    def step(self, dt_s: float) -> None:
        """Move on by a time."""
        for profile in self.joints.values():
            profile.step(dt_s)
        self.wheels.step(dt_s)

    def _clamped(self, joint: str, value: float) -> float:
        lower, upper = self.limits_of(joint)
        return max(lower, min(upper, value))
