"""Bridge and simulated Stretch in this process and in simulated time: gestures in, a moving robot out.

The bridge's core, the driver's logic and the robot are the objects that run live; left out are LSL, ROS 2 and their
transport times. Decisions come at 50 Hz, right before the bridge's tick, and the driver speaks at 30 Hz.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from emg_acquisition.errors import StreamLostError
from robot_bridge.bridge_core import BridgeCore, Listeners
from robot_bridge.control import ModeChange
from robot_bridge.gesture_map import GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.safety import Transition
from robot_bridge.safety_inputs import GestureDecision, SafetyLimits
from robot_bridge.simulator.driver_logic import DriverLogic, SimSettings
from robot_bridge.simulator.stretch_body import StretchBody
from robot_bridge.stretch_interface import JOINT_DOF, JOINT_STATE_NAMES, joint_pose

TICK_HZ = 50
TICK_S = 1 / TICK_HZ
DRIVER_HZ = 30
# Rest before arming, and joint states that have come steadily.
BEFORE_ARMING_S = 1.5


@dataclass(frozen=True)
class RobotView:
    """What an operator sees; ``positions`` in the order of ``DOF_NAMES``, the base as travel and heading, m and rad."""

    positions: tuple[float, ...]
    mode: str
    fine: bool


class SimulatedRobot:
    """A bridge that is armed and the robot that it drives.

    Parameters
    ----------
    body : StretchBody
        The robot, kinematic or physical.
    gesture_map : GestureMap
        What gestures do.
    model : RobotModel
        Limits and speeds.

    Raises
    ------
    StreamLostError
        If the bridge refuses to arm.
    """

    def __init__(self, body: StretchBody, gesture_map: GestureMap, model: RobotModel) -> None:
        self.stops: list[str] = []
        self._map = gesture_map
        self._driver = DriverLogic(SimSettings(start_mode="navigation"), body)
        self._driver.set_streaming(True)
        self._core = BridgeCore(
            model, gesture_map, SafetyLimits(), Listeners(self._on_transition, self._on_mode)
        )
        self._core.safety.guard_problem = None
        limits = self._driver.joint_limits()
        lower, upper = zip(*limits.values(), strict=True)
        self._core.on_joint_limits(list(limits), lower, upper)
        self._ticks = 0
        self._words = 0
        for _ in range(round(BEFORE_ARMING_S * TICK_HZ)):
            self.step(gesture_map.rest)
        refusal = self._core.safety.arm(self.t_s)
        if refusal is not None:
            msg = f"the bridge does not arm: {refusal}"
            raise StreamLostError(msg)

    @property
    def t_s(self) -> float:
        """Simulated time since the beginning."""
        return self._ticks / TICK_HZ

    @property
    def view(self) -> RobotView:
        """What there is to see now."""
        body, control = self._driver.robot, self._core.control
        base = (body.base.travel_m, body.base.heading_rad)
        joints = (body.positions[dof] for dof in JOINT_DOF)
        return RobotView((*base, *joints), control.mode, control.fine)

    def perform(self, gestures: Iterable[str]) -> None:
        """Make gestures, one every 20 ms, for as long as they come.

        Raises
        ------
        StreamLostError
            If the bridge stops the robot meanwhile.
        """
        for gesture in gestures:
            self.step(gesture)
            if self.stops:
                msg = f"the bridge stopped: {self.stops[0]}"
                raise StreamLostError(msg)

    def step(self, gesture: str) -> None:
        """Decide for a gesture and move on by 20 ms."""
        self._ticks += 1
        now_s = self.t_s
        if now_s * DRIVER_HZ >= self._words:
            self._words += 1
            self._hear_driver(now_s)
        index = self._map.gestures.index(gesture)
        chances = tuple(float(number == index) for number in range(len(self._map.gestures)))
        self._core.on_decision(GestureDecision(index, 1.0, 1.0, 1.0, 0.0, chances), now_s)
        command = self._core.tick(now_s)
        if command is not None:
            self._driver.step(now_s)
            self._driver.on_cmd_vel(command.translate_m_s, command.rotate_rad_s, now_s)
            if command.targets:
                self._driver.on_joint_pose(joint_pose(command.targets, command.head))

    def _hear_driver(self, now_s: float) -> None:
        driver = self._driver
        driver.step(now_s)
        words: dict[str, str | bool] = {
            "mode": driver.mode,
            "is_homed": driver.homed,
            "is_runstopped": driver.runstopped,
            "is_streaming_position": driver.streaming,
        }
        for topic, value in words.items():
            self._core.safety.on_driver(topic, value, now_s)
        self._core.on_joint_states(JOINT_STATE_NAMES, driver.joint_states()[0], now_s, now_s)

    def _on_transition(self, transition: Transition) -> None:
        if transition.new in {"stopped", "fault"}:
            self.stops.append(transition.reason)

    def _on_mode(self, change: ModeChange) -> None:
        """Seen through the controller."""
