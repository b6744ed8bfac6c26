"""stretch_driver's behaviour without ROS: modes, streaming, refusals, time-outs, run-stop, homing.

As on the robot, Twists are only remembered as they come: the driver's 30 Hz loop tells the wheels, and tells them
nothing in trajectory, gamepad, homing and stowing mode, where they run on until the firmware's own watchdog. Poses
are written as they come, and nothing watches over them.
"""

import logging
import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import (
    ARM_SEGMENTS,
    HEAD_JOINTS,
    JOINT_OF_DOF,
    JOINT_STATE_NAMES,
    LIMIT_OF_DOF,
    POSE_OF_DOF,
)
from simulation.stretch.faults import LOW_VOLTAGE_V, NO_FAULTS, Faults
from simulation.stretch.gamepad import GamepadMotion, gamepad_motion
from simulation.stretch.kinematic_stretch import KinematicStretch
from simulation.stretch.motors import DEFAULT_PROFILES, HEAD_LIMITS, WHEEL_PROFILE, BaseState
from simulation.stretch.pose_writes import PoseWrites
from simulation.stretch.stretch_body import StretchBody
from simulation.stretch.variants import FINGER_LENGTH_M, VARIANTS, RobotName

Mode = Literal["position", "navigation", "trajectory", "gamepad"]
CONTROL_MODES: tuple[Mode, ...] = ("position", "navigation", "trajectory", "gamepad")
# A Twist or Joy older than this is stale.
CMD_VEL_LIMIT_S = 0.5
# The wheels' own firmware stops them when no velocity has been commanded for so long.
WATCHDOG_S = 1.0
ROUTINE_S = 1.0
# Base increments are slower while the arm is out; Twists are not.
ARM_OUT_M_S = 0.1
_STOWED_LIFT_M, _STOWED_ARM_M, _STOWED_YAW = 0.3, 0.03, 2.54
# Efforts (%) at which the firmware of arm and lift takes a contact and holds where it is, until the next command.
GUARDED_PCT = {"arm": (-55.0, 55.0), "lift": (-10.0, 69.0)}
# A gamepad's joint is led by what it needs to brake, and by what passes until the next tick.
_GAMEPAD_LEAD_S = 0.1
_DOF_OF_JOINT = {
    **{joint: dof for dof, joint in JOINT_OF_DOF.items()},
    **dict(zip(HEAD_JOINTS, HEAD_LIMITS, strict=True)),
    "joint_gripper_finger_right": "gripper",
}
_GROUP_OF_DOF = LIMIT_OF_DOF | dict(zip(HEAD_LIMITS, HEAD_JOINTS, strict=True))
# Without homing their motors do not know where they are, and do not move.
_NEED_HOMING = frozenset({"lift", "arm", "wrist_yaw", "gripper"})
# What stop_the_robot stops; wrist pitch and roll are forgotten.
_STOPPED = ("lift", "arm", "head_pan", "head_tilt", "wrist_yaw", "gripper")
STOWED = {"lift": 0.2, "arm": 0.0, "wrist_yaw": 3.0, "wrist_pitch": -0.5, "wrist_roll": 0.0, "gripper": 0.0}
Answer = tuple[bool, str]
_LOG = logging.getLogger(__name__)


class SimSettings(BaseModel):
    """What the simulated robot is started with; joints in m and rad.

    ``kinematic`` is without physics; ``scene``, ``camera`` (pictures on ``camera/image_raw``) and ``viewer`` are for
    physics. ``robot`` is which Stretch and tool. ``pose_latency_s`` is how long the writes of a pose take; then poses
    that come closely may be written out of order. ``base_ramps`` is off for firmware before 0.6.2p4. ``faults`` lets
    other programs set `Faults` over ROS 2.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    namespace: str = ""
    robot_model: Path | None = None
    robot: RobotName = "stretch3"
    rate_hz: float = Field(default=30.0, gt=0, le=500)
    kinematic: bool = False
    scene: Literal["home", "empty"] = "home"
    camera: bool = False
    viewer: bool = False
    homed: bool = True
    start_mode: Mode = "position"
    pose_latency_s: float = Field(default=0.0, ge=0, le=1)
    base_ramps: bool = True
    faults: bool = False
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

    Attributes
    ----------
    joint_names : tuple of str
        Names of joint_states, in their order.
    is_up : bool
        Whether the driver runs: False while it is started again, when it says and takes nothing.
    """

    def __init__(self, settings: SimSettings, robot: StretchBody | None = None) -> None:
        self._settings = settings
        self.variant = VARIANTS[settings.robot]
        self.robot: StretchBody = robot or KinematicStretch(
            load_robot_model(settings.robot_model),
            settings.start,
            self.variant,
            base_ramps=settings.base_ramps,
        )
        self.joint_names = tuple(name for name in JOINT_STATE_NAMES if self.variant.has(_dof(name)))
        self.homed = settings.homed
        self.runstopped = False
        self.faults = NO_FAULTS
        self.is_up = True
        self._now_s: float | None = None
        self._up_at_s = math.inf
        self._readings_left = 0
        # The order of joint_limits, which is that of a set of objects.
        self._random = random.Random(0)  # noqa: S311 - no cryptography
        self._origin = BaseState()
        # When the wheels were last told a velocity; None where they have none, or an increment.
        self._told_wheels_s: float | None = None
        self._begin()

    def _begin(self) -> None:
        """Be as the driver is when it starts."""
        self.mode: str = self._settings.start_mode
        self.streaming = False
        self.collision_avoidance = False
        self._mode_before: str = self._settings.start_mode
        self._routine_end_s: float | None = None
        self._twist, self._twist_s = (0.0, 0.0), -math.inf
        self._joy, self._joy_s = GamepadMotion(), -math.inf
        self._gamepad_joints: frozenset[str] = frozenset()
        self._pose_taken = False
        self._writes = PoseWrites(self._settings.pose_latency_s)
        self._late: deque[tuple[float, Callable[[float], None]]] = deque()

    # ---- topics

    def on_cmd_vel(self, translate_m_s: float, rotate_rad_s: float, t_mono_s: float) -> None:
        """Take a Twist; only in navigation mode. The next `step` tells the wheels."""

        def take(t_s: float) -> None:
            if self.mode != "navigation":
                _LOG.error("cmd_vel needs navigation mode; the mode is %s", self.mode)
                return
            self._twist, self._twist_s = (translate_m_s, rotate_rad_s), self._clock_s(t_s)

        self._arrive(take, t_mono_s)

    def on_joint_pose(self, pose: Sequence[float], t_mono_s: float | None = None) -> None:
        """Take a joint_pose_cmd; only with streaming active, in position or navigation mode."""
        values = [float(value) for value in pose]

        def take(t_s: float) -> None:
            if self._accepts_pose(len(values)):
                self._writes.add(values, t_s)
                self._write_poses(t_s)

        self._arrive(take, self._now(t_mono_s))

    def on_gamepad_joy(self, axes: Sequence[float], buttons: Sequence[int], t_mono_s: float) -> None:
        """Take a Joy; only in gamepad mode."""

        def take(t_s: float) -> None:
            if self.mode != "gamepad":
                _LOG.error("gamepad_joy needs gamepad mode; the mode is %s", self.mode)
                return
            self._joy = gamepad_motion(axes, buttons, self.robot.positions["arm"])
            self._joy_s = self._clock_s(t_s)

        self._arrive(take, t_mono_s)

    def _arrive(self, take: Callable[[float], None], t_s: float) -> None:
        """Take a command now, or once it has arrived."""
        if not self.is_up:
            return
        arrives_s = t_s + self.faults.commands_late_s
        if self._late:
            # What was sent before arrives before.
            self._late.append((max(arrives_s, self._late[-1][0]), take))
        elif arrives_s > t_s:
            self._late.append((arrives_s, take))
        else:
            take(t_s)

    def _accepts_pose(self, length: int) -> bool:
        if not self.streaming:
            _LOG.error("joint_pose_cmd needs streaming position to be activated")
        elif self.mode not in {"position", "navigation"}:
            _LOG.error("joint_pose_cmd needs position or navigation mode; the mode is %s", self.mode)
        elif length != self.variant.pose_length:
            wanted = self.variant.pose_length
            _LOG.error("joint_pose_cmd needs %d values, got %d: dropped", wanted, length)
        else:
            return True
        return False

    def _write_poses(self, t_s: float) -> None:
        for pose in self._writes.due(t_s):
            self._pose_taken = True
            targets = dict(zip(self.variant.pose, pose, strict=False))
            if not self.homed:
                _LOG.error("the robot is not homed: lift, arm, wrist yaw and gripper do not move")
                targets = {joint: at for joint, at in targets.items() if joint not in _NEED_HOMING}
            self.robot.set_targets(targets)
            if self.mode == "position":
                self._move_base(*pose[-2:])

    def _move_base(self, translate_m: float, rotate_rad: float) -> None:
        """Move by one of the two, more slowly while the arm is out; a translation goes before."""
        most = ARM_OUT_M_S if self._arm_is_out() else WHEEL_PROFILE[0]
        if translate_m != 0.0:
            self._increment(translate_m, 0.0, most)
        elif rotate_rad != 0.0:
            self._increment(0.0, rotate_rad, most)

    def _arm_is_out(self) -> bool:
        at = self.robot.positions
        stowed = at["lift"] < _STOWED_LIFT_M and at["arm"] < _STOWED_ARM_M and at["wrist_yaw"] > _STOWED_YAW
        return not stowed

    def _increment(self, translate_m: float, rotate_rad: float, most_m_s: float = WHEEL_PROFILE[0]) -> None:
        self._told_wheels_s = None
        self.robot.move_base_by(translate_m, rotate_rad, most_m_s)

    # ---- what it says

    def joint_states(self) -> tuple[list[float], list[float]]:
        """Positions and velocities of joint_states, in the order of ``joint_names``.

        The gripper's velocity is the driver's: far too small.
        """
        positions = dict(self.robot.positions)
        if self._readings_left:
            positions.update(self.faults.readings.items())
        velocities = dict(self.robot.velocities)
        if self.variant.gripper is not None:
            velocities["gripper"] = self.variant.gripper.reported_velocity(velocities["gripper"])
        return self._of_joints(positions), self._of_joints(velocities)

    def efforts(self) -> list[float]:
        """Efforts of joint_states, % of each motor's; every segment of the arm has its one motor's."""
        efforts = self.robot.efforts
        return [efforts[_dof(joint)] for joint in self.joint_names]

    def _of_joints(self, values: Mapping[str, float]) -> list[float]:
        segment = values["arm"] / len(ARM_SEGMENTS)
        return [segment if joint in ARM_SEGMENTS else values[_dof(joint)] for joint in self.joint_names]

    def joint_limits(self) -> dict[str, tuple[float, float]]:
        """Lower and upper limits as joint_limits names them: command groups in no fixed order, then the gripper's."""
        groups = [(joint, group) for joint, group in _GROUP_OF_DOF.items() if self._is_group(joint)]
        self._random.shuffle(groups)
        limits = {group: self.robot.limits_of(joint) for joint, group in groups}
        if self.variant.gripper is not None:
            lower, upper = self.robot.limits_of("gripper")
            limits["gripper_aperture"] = (2 * FINGER_LENGTH_M * lower, 2 * FINGER_LENGTH_M * upper)
            limits["joint_gripper_finger_left"] = limits["joint_gripper_finger_right"] = (lower, upper)
        return limits

    def _is_group(self, joint: str) -> bool:
        return joint != "gripper" and self.variant.has(joint)

    def odometry(self) -> BaseState:
        """Where the base is by the driver's odometry, which begins at zero whenever the driver starts."""
        base, origin = self.robot.base, self._origin
        x_m, y_m = base.x_m - origin.x_m, base.y_m - origin.y_m
        along, across = math.cos(origin.heading_rad), math.sin(origin.heading_rad)
        return BaseState(
            x_m * along + y_m * across,
            y_m * along - x_m * across,
            base.heading_rad - origin.heading_rad,
            base.travel_m - origin.travel_m,
            base.velocity_m_s,
            base.velocity_rad_s,
        )

    # ---- services: each returns success and message

    def serve(self, service: str, t_mono_s: float, *, value: bool = True) -> Answer | None:
        """Do what a service is called for; None where it does not answer, and does nothing.

        Parameters
        ----------
        service : str
            Its name.
        t_mono_s : float
            When it is called.
        value : bool
            Of a SetBool's request.
        """
        if not self.is_up or service in self.faults.mute_services:
            return None
        acts: Mapping[str, Callable[[], Answer]] = {
            **{f"switch_to_{mode}_mode": partial(self.switch_mode, mode) for mode in CONTROL_MODES},
            "activate_streaming_position": lambda: self.set_streaming(True),
            "deactivate_streaming_position": lambda: self.set_streaming(False),
            "stop_the_robot": self.stop_the_robot,
            "home_the_robot": lambda: self.start_routine("homing", t_mono_s),
            "stow_the_robot": lambda: self.start_routine("stowing", t_mono_s),
            "get_joint_states": lambda: (True, ""),
            "runstop": lambda: self.set_runstop(value),
            "self_collision_avoidance": lambda: self.set_collision_avoidance(value),
        }
        return acts[service]()

    def switch_mode(self, mode: str) -> Answer:
        """Switch between the control modes. Only position mode commands the wheels there and then."""
        if self.mode not in CONTROL_MODES:
            return False, f"Cannot switch to {mode} mode while in mode={self.mode}."
        self.mode = mode
        if mode == "navigation":
            self._twist = (0.0, 0.0)
        elif mode == "position":
            self._increment(0.0, 0.0)
        self._joy_s = -math.inf
        return True, f"Now in {mode} mode."

    def set_streaming(self, active: bool) -> Answer:
        """Activate or deactivate joint_pose_cmd."""
        self.streaming = active
        return True, f"{'Activated' if active else 'Deactivated'} streaming position."

    def stop_the_robot(self) -> Answer:
        """Move everything by nothing, once; as on the robot, wrist pitch and roll are forgotten.

        A joint in motion brakes and comes back to where it was; what is commanded afterwards moves it again.
        """
        self._increment(0.0, 0.0)
        positions = self.robot.positions
        self.robot.set_targets({joint: positions[joint] for joint in _STOPPED if self.variant.has(joint)})
        return True, "Stopped the robot."

    def set_collision_avoidance(self, active: bool) -> Answer:
        """Switch the collision manager; the simulated robot does not collide with itself anyway."""
        self.collision_avoidance = active
        return True, f"is self collision avoidance enabled: {active}"

    def start_routine(self, name: Literal["homing", "stowing"], t_mono_s: float) -> Answer:
        """Start homing or stowing; the former mode comes back when it is done.

        The answer is that of the end: whoever serves it waits until the mode is another.
        """
        verb = "home" if name == "homing" else "stow"
        if self.mode not in CONTROL_MODES:
            return False, f"Cannot {verb} while in mode={self.mode}."
        self._mode_before, self.mode = self.mode, name
        self.robot.set_targets(STOWED)
        self._routine_end_s = t_mono_s + ROUTINE_S
        return True, "Homed." if name == "homing" else "Stowed."

    def set_runstop(self, runstopped: bool) -> Answer:
        """Press or release the run-stop. Release restores the former mode; streaming stays as it was."""
        if runstopped != self.runstopped:
            self.runstopped = runstopped
            self.robot.set_runstopped(runstopped)
            if runstopped:
                self._mode_before = self.mode if self.mode in CONTROL_MODES else self._mode_before
                self.mode, self._routine_end_s = "runstopped", None
                self._told_wheels_s = None
            else:
                self.mode = self._mode_before
        return True, f"is_runstopped: {runstopped}"

    # ---- what is wrong

    def set_faults(self, faults: Faults) -> None:
        """Let a set of faults be in force, instead of the one before."""
        self.faults = faults
        pushed: dict[str, float] = dict(faults.pushed.items())
        self.robot.disturb(faults.blocked, pushed, faults.runaway)
        # The next step comes before the next joint state.
        self._readings_left = (
            (faults.reading_ticks + 1 if faults.reading_ticks else -1) if faults.readings else 0
        )
        if faults.restart_s > 0 and self._now_s is not None:
            self.is_up, self._up_at_s = False, self._now_s + faults.restart_s

    def _clock_s(self, t_mono_s: float) -> float:
        """Return what the driver takes the time to be."""
        return t_mono_s + self.faults.clock_jump_s

    # ---- time

    def step(self, t_mono_s: float) -> None:
        """Move on to a time: the robot moves, then the driver's loop runs once as it does 30 times a second."""
        self.robot.step(0.0 if self._now_s is None else t_mono_s - self._now_s)
        self._now_s = t_mono_s
        self._watchdog(t_mono_s)
        if not self.is_up:
            self._start_again(t_mono_s)
            return
        if self._readings_left > 0:
            self._readings_left -= 1
        if self.faults.battery_v < LOW_VOLTAGE_V:
            self.set_runstop(True)
        while self._late and self._late[0][0] <= t_mono_s:
            arrived_s, take = self._late.popleft()
            take(arrived_s)
        self._write_poses(t_mono_s)
        self._command_wheels(t_mono_s)
        self._gamepad(t_mono_s)
        self._take_contact()
        if self._routine_end_s is not None and t_mono_s >= self._routine_end_s and self.robot.is_still():
            self.homed = self.homed or self.mode == "homing"
            self.mode, self._routine_end_s = self._mode_before, None

    def _now(self, t_mono_s: float | None) -> float:
        if t_mono_s is not None:
            return t_mono_s
        return 0.0 if self._now_s is None else self._now_s

    def _tell_wheels(self, translate_m_s: float, rotate_rad_s: float, t_mono_s: float) -> None:
        self.robot.set_base_velocity(translate_m_s, rotate_rad_s)
        self._told_wheels_s = t_mono_s

    def _command_wheels(self, t_mono_s: float) -> None:
        if self.mode == "navigation":
            stale = self._clock_s(t_mono_s) - self._twist_s >= CMD_VEL_LIMIT_S
            self._tell_wheels(*((0.0, 0.0) if stale else self._twist), t_mono_s)

    def _watchdog(self, t_mono_s: float) -> None:
        """End a velocity that is not repeated, as the wheels' firmware does."""
        if self._told_wheels_s is not None and t_mono_s - self._told_wheels_s >= WATCHDOG_S:
            self.robot.set_base_velocity(0.0, 0.0)
            self._told_wheels_s = None

    def _gamepad(self, t_mono_s: float) -> None:
        """Gamepad mode: nothing until a first Joy; one that is stale counts as let go."""
        if self.mode != "gamepad" or self._joy_s == -math.inf:
            return
        stale = self._clock_s(t_mono_s) - self._joy_s >= CMD_VEL_LIMIT_S
        motion = GamepadMotion() if stale else self._joy
        self._tell_wheels(motion.translate_m_s, motion.rotate_rad_s, t_mono_s)
        joints = {joint: speed for joint, speed in motion.joints.items() if self.variant.has(joint)}
        for joint in joints.keys() | self._gamepad_joints:
            speed, acceleration = joints.get(joint, 0.0), DEFAULT_PROFILES[joint][1]
            braked = speed or self.robot.velocities[joint]
            lead = math.copysign(braked * braked / (2 * acceleration), braked) + _GAMEPAD_LEAD_S * speed
            self.robot.set_targets({joint: self.robot.positions[joint] + lead})
        self._gamepad_joints = frozenset(joints)

    def _take_contact(self) -> None:
        """Arm and lift hold at a contact by themselves; every new pose lets them press again."""
        taken, self._pose_taken = self._pose_taken, False
        if taken or self.runstopped:
            return
        efforts = self.robot.efforts
        for joint, (least, most) in GUARDED_PCT.items():
            if not least <= efforts[joint] <= most:
                self.robot.set_targets({joint: self.robot.positions[joint]})

    def _start_again(self, t_mono_s: float) -> None:
        if t_mono_s < self._up_at_s:
            return
        self.is_up, self._up_at_s = True, math.inf
        base = self.robot.base
        self._origin = BaseState(base.x_m, base.y_m, base.heading_rad, base.travel_m)
        self._begin()
        if self.mode == "position":
            self._increment(0.0, 0.0)
        if self.runstopped:
            self.mode = "runstopped"


def _dof(joint: str) -> str:
    """Return the DoF, or head joint, that a joint of joint_states belongs to."""
    return "arm" if joint in ARM_SEGMENTS else _DOF_OF_JOINT[joint]
