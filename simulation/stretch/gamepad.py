"""Gamepad mode: what a sensor_msgs/Joy on ``gamepad_joy`` makes the robot do.

Six axes (left stick x and y, right stick x and y, left and right trigger) and fourteen buttons, as stretch_driver's
``gamepad_conversion`` has them; any other number of either counts as nothing pressed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

AXES, BUTTONS = 6, 14
# Buttons by their place in the message, and the joint that each moves.
_BUTTONS: Mapping[int, tuple[str, float]] = {
    2: ("gripper", -1.0),  # bottom
    3: ("gripper", 1.0),  # right
    6: ("wrist_yaw", 1.0),  # left shoulder
    7: ("wrist_yaw", -1.0),  # right shoulder
    10: ("wrist_pitch", -1.0),  # pad
    11: ("wrist_pitch", 1.0),
    12: ("wrist_roll", -1.0),
    13: ("wrist_roll", 1.0),
}
# m/s and rad/s: normal, and with the left trigger pulled.
_SPEEDS = {
    "translate": (0.12, 0.05),
    "rotate": (0.76, 0.30),
    "lift": (0.13, 0.04),
    "arm": (0.14, 0.04),
    "wrist_yaw": (1.5, 0.075),
    "wrist_pitch": (1.0, 0.05),
    "wrist_roll": (2.0, 0.10),
    "gripper": (0.376, 0.056),
}
_ROTATE_ARM_OUT = 0.38
_PULLED = 0.9
_ARM_OUT_M = 0.1


@dataclass(frozen=True)
class GamepadMotion:
    """What is asked of the base (m/s, rad/s) and of the joints that move (m/s or rad/s)."""

    translate_m_s: float = 0.0
    rotate_rad_s: float = 0.0
    joints: Mapping[str, float] = field(default_factory=dict)


def gamepad_motion(axes: Sequence[float], buttons: Sequence[int], arm_m: float) -> GamepadMotion:
    """Return the motion that a Joy message asks for, with the arm extended by `arm_m`."""
    if len(axes) != AXES or len(buttons) != BUTTONS:
        return GamepadMotion()
    left_x, left_y, right_x, right_y, trigger, _ = (axis if -1 <= axis <= 1 else 0.0 for axis in axes)
    tier = 1 if trigger > _PULLED else 0
    speed = {name: both[tier] for name, both in _SPEEDS.items()}
    if arm_m >= _ARM_OUT_M:
        speed["rotate"] = min(speed["rotate"], _ROTATE_ARM_OUT)
    joints = {"arm": right_x * speed["arm"], "lift": right_y * speed["lift"]}
    for place, (joint, sign) in _BUTTONS.items():
        if buttons[place]:
            joints[joint] = sign * speed[joint]
    moving = {joint: velocity for joint, velocity in joints.items() if velocity}
    # Zero and not minus zero where the stick is centred.
    return GamepadMotion(left_y * speed["translate"], 0.0 - left_x * speed["rotate"], moving)
