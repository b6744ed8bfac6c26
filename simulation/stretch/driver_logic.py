"""stretch_driver's behaviour without ROS: modes, streaming, refusals, the cmd_vel time-out, run-stop, homing."""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import (
    ARM_SEGMENTS,
    HEAD_JOINTS,
    JOINT_OF_DOF,
    JOINT_STATE_NAMES,
    POSE_LENGTH,
    POSE_OF_DOF,
)
from simulation.stretch.kinematic_stretch import KinematicStretch
from simulation.stretch.motors import HEAD_LIMITS
from simulation.stretch.stretch_body import StretchBody

CONTROL_MODES = ("position", "navigation", "trajectory")
CMD_VEL_LIMIT_S = 0.5
ROUTINE_S = 1.0
# Finger rad = aperture / (2 x finger length).
FINGER_LENGTH_M = 0.171
_DOF_OF_JOINT = {
    **{joint: dof for dof, joint in JOINT_OF_DOF.items()},
    **dict(zip(HEAD_JOINTS, HEAD_LIMITS, strict=True)),
    "joint_gripper_finger_right": "gripper",
}
STOWED = {"lift": 0.2, "arm": 0.0, "wrist_yaw": 3.0, "wrist_pitch": -0.5, "wrist_roll": 0.0, "gripper": 0.0}
_LOG = logging.getLogger(__name__)


class SimSettings(BaseModel):
    """What the simulated robot is started with; joints in m and rad.

    ``kinematic`` is without physics; ``scene``, ``camera`` (pictures on ``camera/image_raw``) and ``viewer`` are for
    physics.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    namespace: str = ""
    robot_model: Path | None = None
    rate_hz: float = Field(default=30.0, gt=0, le=500)
    kinematic: bool = False
    scene: Literal["home", "empty"] = "home"
    camera: bool = False
    viewer: bool = False
    homed: bool = True
    start_mode: Literal["position", "navigation", "trajectory"] = "position"
    lift: float = 0.6
    arm: float = 0.2
    wrist_yaw: float = 0.5
    wrist_pitch: float = -0.4
    wrist_roll: float = 0.0
    gripper: float = 0.2

    @property
    def start(self) -> dict[str, float]:
        """Where the joint DoF start, m or rad."""
        return {dof: float(getattr(self, dof)) for dof in POSE_OF_DOF}


class DriverLogic:
    """The driver: what it accepts in which mode, and what it does when commands end.

    Parameters
    ----------
    settings : SimSettings
        Mode, and where the joints of the default robot start.
    robot : StretchBody, optional
        The robot that it drives; a `KinematicStretch` without.
    """

    def __init__(self, settings: SimSettings, robot: StretchBody | None = None) -> None:
        self.robot: StretchBody = robot or KinematicStretch(
            load_robot_model(settings.robot_model), settings.start
        )
        self.mode: str = settings.start_mode
        self.homed = settings.homed
        self.streaming = False
        self.runstopped = False
        self._mode_before: str = settings.start_mode
        self._routine_end_s: float | None = None
        self._twist_s = -math.inf
        self._now_s: float | None = None

    # ---- topics

    def on_cmd_vel(self, translate_m_s: float, rotate_rad_s: float, t_mono_s: float) -> None:
        """Take a Twist; only in navigation mode."""
        if self.mode != "navigation":
            _LOG.error("cmd_vel needs navigation mode; the mode is %s", self.mode)
            return
        self.robot.set_base_velocity(translate_m_s, rotate_rad_s)
        self._twist_s = t_mono_s

    def on_joint_pose(self, pose: Sequence[float]) -> None:
        """Take a joint_pose_cmd; only with streaming active, in position or navigation mode."""
        if not self.streaming:
            _LOG.error("joint_pose_cmd needs streaming position to be activated")
            return
        if self.mode not in {"position", "navigation"}:
            _LOG.error("joint_pose_cmd needs position or navigation mode; the mode is %s", self.mode)
            return
        if len(pose) != POSE_LENGTH:
            _LOG.error("joint_pose_cmd needs %d values, got %d: dropped", POSE_LENGTH, len(pose))
            return
        head_pan, head_tilt, _, translate_m, rotate_rad = pose[-5:]
        targets = {dof: pose[index] for dof, index in POSE_OF_DOF.items()}
        self.robot.set_targets(targets | dict(zip(HEAD_LIMITS, (head_pan, head_tilt), strict=True)))
        if self.mode == "position":
            self._move_base(translate_m, rotate_rad)

    def _move_base(self, translate_m: float, rotate_rad: float) -> None:
        if translate_m != 0.0:
            self.robot.move_base_by(translate_m, 0.0)
        elif rotate_rad != 0.0:
            self.robot.move_base_by(0.0, rotate_rad)

    # ---- what it says

    def joint_states(self) -> tuple[list[float], list[float]]:
        """Positions and velocities of joint_states, in the order of ``JOINT_STATE_NAMES``."""
        return self._of_joints(self.robot.positions), self._of_joints(self.robot.velocities)

    def _of_joints(self, values: Mapping[str, float]) -> list[float]:
        segment = values["arm"] / len(ARM_SEGMENTS)
        return [
            segment if joint in ARM_SEGMENTS else values[_DOF_OF_JOINT[joint]] for joint in JOINT_STATE_NAMES
        ]

    def joint_limits(self) -> dict[str, tuple[float, float]]:
        """Lower and upper limits as joint_limits names them."""
        limits = {joint: self.robot.limits_of(dof) for joint, dof in _DOF_OF_JOINT.items()}
        lower, upper = self.robot.limits_of("gripper")
        limits["gripper_aperture"] = (2 * FINGER_LENGTH_M * lower, 2 * FINGER_LENGTH_M * upper)
        return limits

    # ---- services: each returns success and message

    def switch_mode(self, mode: str) -> tuple[bool, str]:
        """Switch between position, navigation and trajectory mode."""
        if self.mode not in CONTROL_MODES:
            return False, f"Cannot switch to {mode} mode while in mode={self.mode}."
        self.mode = mode
        self.robot.set_base_velocity(0.0, 0.0)
        return True, f"Now in {mode} mode."

    def set_streaming(self, active: bool) -> tuple[bool, str]:
        """Activate or deactivate joint_pose_cmd."""
        self.streaming = active
        return True, f"{'Activated' if active else 'Deactivated'} streaming position."

    def stop_the_robot(self) -> tuple[bool, str]:
        """Stop every joint where it is; as on the robot, wrist pitch and roll are forgotten."""
        kept = {joint: self.robot.target_of(joint) for joint in ("wrist_pitch", "wrist_roll")}
        self.robot.halt()
        self.robot.set_targets(kept)
        return True, "Stopped the robot."

    def start_routine(self, name: Literal["homing", "stowing"], t_mono_s: float) -> tuple[bool, str]:
        """Start homing or stowing; the former mode comes back when it is done."""
        if self.mode not in CONTROL_MODES:
            return False, f"Cannot start {name} while in mode={self.mode}."
        self._mode_before, self.mode = self.mode, name
        self.robot.halt()
        self.robot.set_targets(STOWED)
        self._routine_end_s = t_mono_s + ROUTINE_S
        return True, f"Started {name}."

    def set_runstop(self, runstopped: bool) -> tuple[bool, str]:
        """Press or release the run-stop. Release restores the former mode; streaming stays as it was."""
        if runstopped != self.runstopped:
            self.runstopped = runstopped
            self.robot.set_runstopped(runstopped)
            if runstopped:
                self._mode_before = self.mode if self.mode in CONTROL_MODES else self._mode_before
                self.mode, self._routine_end_s = "runstopped", None
            else:
                self.mode = self._mode_before
        return True, f"is_runstopped: {runstopped}"

    # ---- time

    def step(self, t_mono_s: float) -> None:
        """Move on to a time: a stale cmd_vel stops the wheels, a routine ends, the robot moves."""
        if self.mode == "navigation" and t_mono_s - self._twist_s >= CMD_VEL_LIMIT_S:
            self.robot.set_base_velocity(0.0, 0.0)
        self.robot.step(0.0 if self._now_s is None else t_mono_s - self._now_s)
        self._now_s = t_mono_s
        if self._routine_end_s is not None and t_mono_s >= self._routine_end_s and self.robot.is_still():
            self.homed = self.homed or self.mode == "homing"
            self.mode, self._routine_end_s = self._mode_before, None
