"""Where a Stretch's hand is: kinematics from the base to the place between the fingertips, and back to base, lift, arm.

Offsets are those of the Stretch 3 with the dex wrist and the SG3 gripper, from its URDF (``hello-robot-stretch-urdf``,
Clear BSD), with every joint at zero and rounded to millimetres: the axis of the wrist's yaw 21 mm behind and 145 mm to
the right of the base's middle and 164 mm above the floor, the axis of its pitch 31 mm below, and the grasp 270 mm
ahead of and 24 mm below that. The arm reaches to the robot's right.
"""

import math
from dataclasses import dataclass

from robot_bridge.stretch_interface import DOF_NAMES

WRIST_M = (-0.021, -0.145, 0.164)
PITCH_BELOW_YAW_M = 0.031
GRASP_AHEAD_M = 0.270
GRASP_BELOW_M = 0.024
FINGER_M = 0.171


@dataclass(frozen=True)
class Hand:
    """The hand in the room.

    Parameters
    ----------
    x_m, y_m, z_m : float
        The place between the fingertips.
    heading_rad : float
        Where the fingers point, seen from above.
    pitch_rad, roll_rad : float
        Upward tilt of the fingers, and rotation about them.
    aperture_m : float
        Free width between the fingertips, never below zero.
    """

    x_m: float
    y_m: float
    z_m: float
    heading_rad: float
    pitch_rad: float
    roll_rad: float
    aperture_m: float

    def ahead_and_aside(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Return how far a place lies ahead of the fingertips and to the left of them."""
        dx, dy = x_m - self.x_m, y_m - self.y_m
        cos, sin = math.cos(self.heading_rad), math.sin(self.heading_rad)
        return dx * cos + dy * sin, dy * cos - dx * sin

    def place(self, ahead_m: float, aside_m: float) -> tuple[float, float]:
        """Return the place that lies so far ahead and to the left."""
        cos, sin = math.cos(self.heading_rad), math.sin(self.heading_rad)
        return self.x_m + ahead_m * cos - aside_m * sin, self.y_m + ahead_m * sin + aside_m * cos


def hand_of(positions: tuple[float, ...], base_pose: tuple[float, float, float]) -> Hand:
    """Compute where the hand is.

    Parameters
    ----------
    positions : tuple of float
        The 8 DoF in the order of ``DOF_NAMES``, m and rad.
    base_pose : tuple of float
        The base's place on the floor, m, and heading, rad.
    """
    at = dict(zip(DOF_NAMES, positions, strict=True))
    base_x, base_y, base_rad = base_pose
    pitch, yaw = at["wrist_pitch"], at["wrist_yaw"]
    ahead = GRASP_AHEAD_M * math.cos(pitch) + GRASP_BELOW_M * math.sin(pitch)
    up = GRASP_AHEAD_M * math.sin(pitch) - GRASP_BELOW_M * math.cos(pitch)
    # In the base's frame; yaw 0 points along the arm, to the right.
    x = WRIST_M[0] + ahead * math.sin(yaw)
    y = WRIST_M[1] - at["arm"] - ahead * math.cos(yaw)
    cos, sin = math.cos(base_rad), math.sin(base_rad)
    return Hand(
        x_m=base_x + x * cos - y * sin,
        y_m=base_y + x * sin + y * cos,
        z_m=WRIST_M[2] + at["lift"] - PITCH_BELOW_YAW_M + up,
        heading_rad=base_rad + yaw - math.pi / 2,
        pitch_rad=pitch,
        roll_rad=at["wrist_roll"],
        aperture_m=max(0.0, 2 * FINGER_M * at["gripper"]),
    )


def finger_rad(aperture_m: float) -> float:
    """Return the gripper's position for a free width."""
    return aperture_m / (2 * FINGER_M)


def bring_to(
    positions: tuple[float, ...], base_pose: tuple[float, float, float], place: tuple[float, float, float]
) -> dict[str, float]:
    """Compute where base, lift and arm must go so that the fingertips come to a place; the wrist stays as it is.

    Parameters
    ----------
    positions, base_pose : tuple of float
        As `hand_of` takes them.
    place : tuple of float
        x, y, z in the room, m.
    """
    at = dict(zip(DOF_NAMES, positions, strict=True))
    hand, heading = hand_of(positions, base_pose), base_pose[2]
    dx, dy = place[0] - hand.x_m, place[1] - hand.y_m
    cos, sin = math.cos(heading), math.sin(heading)
    return {
        "base_translate": at["base_translate"] + dx * cos + dy * sin,
        "lift": at["lift"] + place[2] - hand.z_m,
        "arm": at["arm"] + dx * sin - dy * cos,
    }
