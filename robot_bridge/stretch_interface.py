"""stretch_driver's names and orders, without ROS: joint_states -> 8 values, 8 targets -> joint_pose_cmd."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DOF_NAMES = (
    "base_translate",
    "base_rotate",
    "lift",
    "arm",
    "wrist_yaw",
    "wrist_pitch",
    "wrist_roll",
    "gripper",
)
BASE_DOF = ("base_translate", "base_rotate")
JOINT_DOF = DOF_NAMES[2:]
# A DoF's joint in joint_states. The arm's four segments carry a quarter of the extension each.
JOINT_OF_DOF = {
    "lift": "joint_lift",
    "arm": "wrist_extension",
    "wrist_yaw": "joint_wrist_yaw",
    "wrist_pitch": "joint_wrist_pitch",
    "wrist_roll": "joint_wrist_roll",
    "gripper": "joint_gripper_finger_left",
}
# joint_limits names the driver's command groups, not the joints: there the arm has a name of its own.
LIMIT_OF_DOF = JOINT_OF_DOF | {"arm": "joint_arm"}
HEAD_JOINTS = ("joint_head_pan", "joint_head_tilt")
ARM_SEGMENTS = ("joint_arm_l3", "joint_arm_l2", "joint_arm_l1", "joint_arm_l0")
JOINT_STATE_NAMES = (
    "wrist_extension",
    "joint_lift",
    *ARM_SEGMENTS,
    *HEAD_JOINTS,
    "joint_wrist_yaw",
    "joint_wrist_pitch",
    "joint_wrist_roll",
    "joint_gripper_finger_left",
    "joint_gripper_finger_right",
)
# The order of joint_pose_cmd; the base's translation and rotation follow as its last two values.
POSE_JOINTS = (
    "wrist_extension",
    "joint_lift",
    "joint_wrist_yaw",
    "joint_wrist_pitch",
    "joint_wrist_roll",
    *HEAD_JOINTS,
    "joint_gripper_finger_left",
)
POSE_LENGTH = len(POSE_JOINTS) + len(BASE_DOF)
POSE_GRIPPER = POSE_JOINTS.index("joint_gripper_finger_left")
POSE_OF_DOF = {dof: POSE_JOINTS.index(joint) for dof, joint in JOINT_OF_DOF.items()}

CMD_VEL = "stretch/cmd_vel"
JOINT_POSE = "joint_pose_cmd"
JOINT_STATES = "stretch/joint_states"
JOINT_LIMITS = "joint_limits"
ODOMETRY = "odom"
CAMERA_TOPIC = "camera/image_raw"
BRIDGE_NODE = "hdemg_bridge"
GUARD_NODE = "hdemg_bridge_guard"
WATCHDOG_NODE = "hdemg_watchdog"
# The bridge's sign of life, and whether it is armed (Bool).
ALIVE = f"{BRIDGE_NODE}/alive"


@dataclass(frozen=True)
class JointReading:
    """What was measured: positions and velocities of the joint DoF in m or rad, and s; the head's is only held.

    A velocity that the driver does not tell is 0, and so is the position of a joint that the robot does not have
    (``missing``). ``efforts`` in percent of the motor's, of the DoF that tell one.
    """

    positions: Mapping[str, float]
    head: tuple[float, float]
    velocities: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(JOINT_DOF, 0.0))
    efforts: Mapping[str, float] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()


def read_joint_states(
    names: Sequence[str],
    positions: Sequence[float],
    velocities: Sequence[float] = (),
    efforts: Sequence[float] = (),
) -> JointReading | None:
    """Pick the DoF out of a joint_states message by name; None if names and positions do not belong together.

    Values are passed on as they are: judging a non-finite one is the safety machine's business.
    """
    if len(names) != len(positions):
        return None
    by_name = dict(zip(names, positions, strict=True))
    speeds = dict(zip(names, velocities, strict=False))
    told = dict(zip(names, efforts, strict=False))
    return JointReading(
        {dof: float(by_name.get(joint, 0.0)) for dof, joint in JOINT_OF_DOF.items()},
        (float(by_name.get(HEAD_JOINTS[0], 0.0)), float(by_name.get(HEAD_JOINTS[1], 0.0))),
        {dof: _finite(speeds.get(joint, 0.0)) for dof, joint in JOINT_OF_DOF.items()},
        {dof: _finite(told[joint]) for dof, joint in JOINT_OF_DOF.items() if joint in told},
        frozenset(dof for dof, joint in JOINT_OF_DOF.items() if joint not in by_name),
    )


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0


def read_joint_limits(
    names: Sequence[str], lower: Sequence[float], upper: Sequence[float]
) -> dict[str, tuple[float, float]]:
    """Pick the DoF's limits out of a joint_limits message (position = lower, velocity = upper)."""
    given = {name: (float(low), float(high)) for name, low, high in zip(names, lower, upper, strict=False)}
    return {dof: given[joint] for dof, joint in LIMIT_OF_DOF.items() if joint in given}


def joint_pose(targets: Mapping[str, float], head: tuple[float, float]) -> list[float]:
    """Ten values of joint_pose_cmd: absolute joints, and zero for the base, which cmd_vel drives."""
    pose = [0.0] * POSE_LENGTH
    for dof, index in POSE_OF_DOF.items():
        pose[index] = targets[dof]
    for joint, value in zip(HEAD_JOINTS, head, strict=True):
        pose[POSE_JOINTS.index(joint)] = value
    return pose
