"""The simulated robot's motor controllers: trapezoidal profiles at the driver's defaults.

Commands arrive without a velocity (joint_pose_cmd) or without an acceleration (cmd_vel), so the driver's own
defaults shape every motion. A moving joint whose target jumps back brakes, overshoots and returns, as the
robot's does; the wheels ramp at 0.12 m/s², so that driving at 0.12 m/s takes 6 cm to stop.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import JOINT_DOF

# Joints that no DoF of ours moves: the head, in rad.
HEAD_LIMITS = {"head_pan": (-4.04, 1.73), "head_tilt": (-1.53, 0.79)}
# Default velocity and acceleration of stretch_body's Stretch 3 parameters, m or rad, s. The gripper's are of its
# finger angle.
DEFAULT_PROFILES = {
    "lift": (0.11, 0.20),
    "arm": (0.14, 0.14),
    "wrist_yaw": (2.0, 3.0),
    "wrist_pitch": (2.0, 6.0),
    "wrist_roll": (2.0, 8.0),
    "gripper": (0.75, 3.0),
    "head_pan": (3.0, 8.0),
    "head_tilt": (3.0, 8.0),
}
WHEEL_PROFILE = (0.12, 0.12)


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
    """

    def __init__(self, separation_m: float, velocity_max_m_s: float) -> None:
        self.velocity_m_s = 0.0
        self.velocity_rad_s = 0.0
        self._half_m = separation_m / 2
        self._max_m_s = velocity_max_m_s
        self._wheels = (0.0, 0.0)
        self._commanded = (0.0, 0.0)
        self._increment: tuple[TrapezoidalProfile, tuple[float, float]] | None = None

    def command(self, translate_m_s: float, rotate_rad_s: float) -> None:
        """Take a base velocity."""
        speeds = (translate_m_s - rotate_rad_s * self._half_m, translate_m_s + rotate_rad_s * self._half_m)
        left, right = (max(-self._max_m_s, min(self._max_m_s, speed)) for speed in speeds)
        self._commanded = (left, right)
        self._increment = None

    def move_by(self, translate_m: float, rotate_rad: float) -> None:
        """Take an increment, a translation or a rotation."""
        profile = TrapezoidalProfile(0.0, *WHEEL_PROFILE)
        sides = (1.0, 1.0)
        profile.target = translate_m
        if rotate_rad != 0.0:
            sides, profile.target = (-1.0, 1.0), rotate_rad * self._half_m
        self._increment = (profile, sides)

    def stop(self) -> None:
        """Stand still at once."""
        self._wheels = self._commanded = (0.0, 0.0)
        self._increment = None
        self.velocity_m_s = self.velocity_rad_s = 0.0

    def step(self, dt_s: float) -> None:
        """Move on by a time; the velocities are then the means over that time."""
        before = self._wheels
        if self._increment is None:
            most = WHEEL_PROFILE[1] * dt_s
            left, right = (
                was + max(-most, min(most, aim - was))
                for was, aim in zip(before, self._commanded, strict=True)
            )
            self._wheels = (left, right)
            left, right = (before[0] + left) / 2, (before[1] + right) / 2
        else:
            profile, sides = self._increment
            at = profile.position
            profile.step(dt_s)
            self._wheels = (profile.velocity * sides[0], profile.velocity * sides[1])
            left, right = (side * (profile.position - at) / dt_s for side in sides)
        self.velocity_m_s, self.velocity_rad_s = (left + right) / 2, (right - left) / (2 * self._half_m)


class Motors:
    """All motor controllers: what is commanded in, where every motor is now out.

    Parameters
    ----------
    model : RobotModel
        Position limits and wheels.
    positions : mapping of str to float
        Where the joint DoF start, m or rad; the head starts at zero.
    """

    def __init__(self, model: RobotModel, positions: Mapping[str, float]) -> None:
        self._model = model
        start = {dof: positions[dof] for dof in JOINT_DOF} | dict.fromkeys(HEAD_LIMITS, 0.0)
        self.joints = {
            joint: TrapezoidalProfile(self._clamped(joint, value), *DEFAULT_PROFILES[joint])
            for joint, value in start.items()
        }
        self.wheels = Wheels(model.wheels.separation_m, model.wheels.velocity_m_s)

    def limits_of(self, joint: str) -> tuple[float, float]:
        """Lower and upper position limit."""
        if joint in HEAD_LIMITS:
            return HEAD_LIMITS[joint]
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
