"""A robot in simulated time: stretch_driver's logic in this process, stepped by whoever keeps the clock."""

from collections.abc import Mapping
from dataclasses import dataclass

from robot_bridge.motion import Command
from robot_bridge.stretch_interface import (
    JOINT_DOF,
    JOINT_OF_DOF,
    JOINT_STATE_NAMES,
    joint_pose,
)
from simulation.stretch.driver_logic import DriverLogic, SimSettings
from simulation.stretch.stretch_body import StretchBody

# How often stretch_driver publishes.
DRIVER_HZ = 30.0


@dataclass(frozen=True)
class DriverWords:
    """What stretch_driver publishes at one moment: joint_states and its status topics."""

    names: tuple[str, ...]
    positions: tuple[float, ...]
    velocities: tuple[float, ...]
    status: Mapping[str, str | bool]


class DrivenRobot:
    """A body behind the driver's own logic, in navigation mode and streaming, as the bridge asks for before it arms.

    Parameters
    ----------
    body : StretchBody
        The simulated robot: kinematics or physics.
    """

    def __init__(self, body: StretchBody) -> None:
        self._logic = DriverLogic(SimSettings(start_mode="navigation"), body)
        self._logic.set_streaming(True)

    def command(self, command: Command, t_s: float) -> None:
        """Take a command."""
        self._logic.on_cmd_vel(command.translate_m_s, command.rotate_rad_s, t_s)
        if command.targets:
            self._logic.on_joint_pose(joint_pose(command.targets, command.head))

    def step(self, t_s: float) -> DriverWords:
        """Move on to a time and say what the driver would."""
        logic = self._logic
        logic.step(t_s)
        positions, velocities = logic.joint_states()
        status: dict[str, str | bool] = {
            "mode": logic.mode,
            "is_homed": logic.homed,
            "is_runstopped": logic.runstopped,
            "is_streaming_position": logic.streaming,
        }
        return DriverWords(JOINT_STATE_NAMES, tuple(positions), tuple(velocities), status)

    def positions(self) -> tuple[float, ...]:
        """Return the 8 DoF in the order of ``DOF_NAMES``."""
        robot = self._logic.robot
        joints = (robot.positions[dof] for dof in JOINT_DOF)
        return (robot.base.travel_m, robot.base.heading_rad, *joints)

    def base_pose(self) -> tuple[float, float, float]:
        """Return where the base stands on the floor: x, y in m and heading in rad."""
        base = self._logic.robot.base
        return base.x_m, base.y_m, base.heading_rad

    def limits(self) -> tuple[list[str], list[float], list[float]]:
        """Return joint_limits: names, lower, upper."""
        names = [JOINT_OF_DOF[dof] for dof in JOINT_DOF]
        bounds = [self._logic.robot.limits_of(dof) for dof in JOINT_DOF]
        return names, [low for low, _ in bounds], [high for _, high in bounds]
