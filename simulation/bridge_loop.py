"""The bridge's core and a simulated Stretch in one process and in simulated time: decisions in, motion out.

What lies between them on a real robot is kept: ticks of the bridge at 50 Hz, and stretch_driver's own logic, which
publishes at 30 Hz. The guard process and the operator's heartbeat are taken as present.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array
from robot_bridge.bridge_core import BridgeCore, Listeners
from robot_bridge.control import SpeedControl
from robot_bridge.gesture_map import GestureMap
from robot_bridge.motion import Command
from robot_bridge.robot_model import RobotModel
from robot_bridge.safety_inputs import SafetyLimits
from robot_bridge.stretch_interface import (
    JOINT_DOF,
    JOINT_OF_DOF,
    JOINT_STATE_NAMES,
    joint_pose,
)
from simulation.stretch.driver_logic import DriverLogic, SimSettings
from simulation.stretch.stretch_body import StretchBody

# How often stretch_driver publishes, and the bridge decides on a command.
DRIVER_HZ, TICK_HZ = 30, 50


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


class BridgeLoop:
    """A `BridgeCore` that drives a `DrivenRobot`, in steps of equal length.

    Parameters
    ----------
    model : RobotModel
        Limits and speeds.
    maps : sequence of GestureMap
        One a sleeve.
    body : StretchBody
        Kinematic, or with physics.
    steps_per_s : int
        A multiple of the bridge's 50 Hz.
    transport_s : float
        How long the driver's words are on their way.
    listeners : Listeners, optional
        What hears of transitions and modes.
    speed_control : str
        How coarse and fine are chosen.
    """

    def __init__(
        self,
        model: RobotModel,
        maps: Sequence[GestureMap],
        body: StretchBody,
        *,
        steps_per_s: int,
        transport_s: float = 0.0,
        listeners: Listeners | None = None,
        speed_control: SpeedControl = "tiers",
    ) -> None:
        nobody = Listeners(lambda _: None, lambda _sleeve, _change: None)
        self.core = BridgeCore(model, maps, SafetyLimits(), listeners or nobody, speed_control)
        self.core.safety.guard_problem = None
        self.robot = DrivenRobot(body)
        self.core.on_joint_limits(*self.robot.limits())
        self._steps_per_s, self._transport_s = steps_per_s, transport_s
        self._steps, self._driver_words = 0, 0
        self._travelling: deque[tuple[float, DriverWords]] = deque()

    @property
    def t_s(self) -> float:
        """Simulated time; steps are counted, so it does not drift."""
        return self._steps / self._steps_per_s

    @property
    def steps(self) -> int:
        """Steps so far."""
        return self._steps

    @property
    def positions(self) -> Float64Array:
        """The 8 DoF in the order of ``DOF_NAMES``; the base as travel and unwrapped heading."""
        return np.array(self.robot.positions())

    def step(self, decide: Callable[[float], None]) -> bool:
        """Move on by a step; `decide` is called with the time before a tick. Returns whether the driver published."""
        self._steps += 1
        now_s = self.t_s
        if self._steps % (self._steps_per_s // TICK_HZ) == 0:
            decide(now_s)
            command = self.core.tick(now_s)
            if command is not None:
                self.robot.command(command, now_s)
        published = now_s * DRIVER_HZ >= self._driver_words
        if published:
            self._driver_words += 1
            words = self.robot.step(now_s)
            for topic, value in words.status.items():
                self.core.safety.on_driver(topic, value, now_s)
            self._travelling.append((now_s, words))
        while self._travelling and now_s - self._travelling[0][0] >= self._transport_s:
            said_s, words = self._travelling.popleft()
            self.core.on_joint_states(words.names, words.positions, said_s, now_s, words.velocities)
        return published
