"""The Stretches that can be simulated: which joints each has, its tool, and the gripper's own figures.

A robot's tool decides what stretch_driver names in joint_states and joint_limits, and how many values
joint_pose_cmd has in which order: the gripper stands behind the head on a dex wrist and before it on a plain one.

References
----------
stretch_body 0.7, robot parameters of RE2V0 and SE3; stretch_ros2, ``joint_qpos_conversion``.
"""

import math
from dataclasses import dataclass
from typing import Literal

from robot_bridge.stretch_interface import BASE_DOF

RobotName = Literal["stretch3", "stretch3-no-gripper", "stretch2", "stretch2-dex-wrist"]
# 70 % of the gripper's motor are an aperture of 9 cm; finger rad = aperture / (2 x finger length).
APERTURE_PER_PCT_M = 0.09 / 70.0
FINGER_LENGTH_M = 0.171
FINGER_PER_PCT = APERTURE_PER_PCT_M / (2 * FINGER_LENGTH_M)
# Motor steps of a turn.
_TURN = 4096


@dataclass(frozen=True)
class Gripper:
    """A gripper's motor, whose percentages count from closed (0) to as far open as it is from there to its stop (100).

    Parameters
    ----------
    zero, steps : int
        Motor steps from the lower stop to closed, and in all.
    motor_rad_s, motor_rad_s2 : float
        Default profile of the motor itself.
    """

    zero: int
    steps: int
    motor_rad_s: float
    motor_rad_s2: float

    @property
    def finger_per_motor(self) -> float:
        """Finger rad to a rad of the motor."""
        return FINGER_PER_PCT * 100.0 / (math.tau * self.zero / _TURN)

    @property
    def profile(self) -> tuple[float, float]:
        """Velocity and acceleration at the finger, rad/s and rad/s²."""
        return self.motor_rad_s * self.finger_per_motor, self.motor_rad_s2 * self.finger_per_motor

    @property
    def limits(self) -> tuple[float, float]:
        """Lower and upper limit of the finger, rad."""
        return -100.0 * FINGER_PER_PCT, 100.0 * (self.steps - self.zero) / self.zero * FINGER_PER_PCT

    def reported_velocity(self, finger_rad_s: float) -> float:
        """Return what stretch_driver calls the finger's velocity: far too small, rad/s scaled as if they were %/s."""
        return APERTURE_PER_PCT_M / 2.0 * finger_rad_s / self.finger_per_motor


@dataclass(frozen=True)
class Variant:
    """A robot with its tool.

    Parameters
    ----------
    tool : str
        What stretch_driver says on ``tool``.
    pose : tuple of str
        Joints in the order of joint_pose_cmd; the base's translation and rotation follow.
    gripper : Gripper or None
        Its gripper, if it has one.
    """

    tool: str
    pose: tuple[str, ...]
    gripper: Gripper | None

    @property
    def pose_length(self) -> int:
        """Values of joint_pose_cmd."""
        return len(self.pose) + len(BASE_DOF)

    def has(self, joint: str) -> bool:
        """Tell whether the robot has a joint DoF, ``head_pan`` or ``head_tilt``."""
        return joint in self.pose


_HEAD = ("head_pan", "head_tilt")
_PLAIN = ("arm", "lift", "wrist_yaw")
_DEX = (*_PLAIN, "wrist_pitch", "wrist_roll")
GRIPPER_3 = Gripper(3279, 9102, 6.0, 10.0)
GRIPPER_2 = Gripper(5212, 8022, 4.0, 10.0)
STRETCH_3 = Variant("eoa_wrist_dw3_tool_sg3", (*_DEX, *_HEAD, "gripper"), GRIPPER_3)
VARIANTS: dict[RobotName, Variant] = {
    "stretch3": STRETCH_3,
    "stretch3-no-gripper": Variant("eoa_wrist_dw3_tool_nil", (*_DEX, *_HEAD), None),
    "stretch2": Variant("tool_stretch_gripper", (*_PLAIN, "gripper", *_HEAD), GRIPPER_2),
    "stretch2-dex-wrist": Variant("tool_stretch_dex_wrist", (*_DEX, *_HEAD, "gripper"), GRIPPER_2),
}
