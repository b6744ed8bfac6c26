"""How fast every DoF of the simulated robot really goes, in both directions and tiers, by gestures of a map."""

from collections.abc import Iterator
from dataclasses import dataclass

from evaluation.gesture_operator import GestureOperator
from evaluation.simulated_robot import TICK_HZ, SimulatedRobot
from robot_bridge.gesture_map import GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.simulator.mujoco_stretch import MujocoStretch
from robot_bridge.stretch_interface import BASE_DOF, DOF_NAMES

# Stowed, so that the base may drive at full speed; and in the middle of every joint's range.
STOWED = {"lift": 0.2, "arm": 0.0, "wrist_yaw": 3.0, "wrist_pitch": -0.5, "wrist_roll": 0.0, "gripper": 0.1}
MIDDLE = {"lift": 0.5, "arm": 0.2, "wrist_yaw": 1.5, "wrist_pitch": -0.6, "wrist_roll": 0.0, "gripper": 0.15}
# How long a gesture is held; at coarse speed the wrist would otherwise come to its limits.
HOLD_S = {"wrist_pitch": 0.8, "wrist_roll": 1.2, "gripper": 1.0}
LONG_HOLD_S = 2.5
# The last part of a hold, in which the robot has got up to speed.
STEADY_SHARE = 0.3


@dataclass(frozen=True)
class DofSpeed:
    """One DoF, direction and tier: the speed that is wanted, the steady speed, and the way of a whole hold; SI."""

    dof: str
    sign: int
    fine: bool
    wanted: float
    measured: float
    way: float
    hold_s: float

    @property
    def ratio(self) -> float:
        """Measured over wanted speed; negative if it went the other way."""
        return self.measured / (self.wanted * self.sign)


def measure_speeds(gesture_map: GestureMap, model: RobotModel) -> Iterator[DofSpeed]:
    """Move every DoF of a map by gestures and yield what came of it.

    Raises
    ------
    InputError
        If MuJoCo or the robot's description is not installed.
    """
    for dof in gesture_map.covers:
        start = STOWED if dof in BASE_DOF else MIDDLE
        robot = SimulatedRobot(MujocoStretch(model, start, "empty"), gesture_map, model)
        operator = GestureOperator(gesture_map, model, lambda robot=robot: robot.view)  # type: ignore[misc]
        for fine in (False, True):
            for sign in (1, -1):
                yield _measure(robot, operator, model, dof, sign, fine=fine)


def _measure(
    robot: SimulatedRobot, operator: GestureOperator, model: RobotModel, dof: str, sign: int, *, fine: bool
) -> DofSpeed:
    hold_s = HOLD_S.get(dof, LONG_HOLD_S)
    at, wanted = DOF_NAMES.index(dof), model.dof[dof].speed(fine=fine)
    robot.perform(operator.ready(dof, sign, fine=fine))
    begin, track = robot.view.positions[at], []
    for gesture in operator.hold(dof, sign, hold_s, fine=fine):
        robot.perform((gesture,))
        track.append(robot.view.positions[at])
    held = round(hold_s * TICK_HZ)
    steady = round(STEADY_SHARE * held)
    measured = (track[held - 1] - track[held - 1 - steady]) / steady * TICK_HZ
    return DofSpeed(dof, sign, fine, wanted, measured, track[-1] - begin, hold_s)
