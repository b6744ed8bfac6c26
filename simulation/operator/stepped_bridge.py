"""The bridge and a simulated Stretch stepped together in simulated time, in one process: gestures in, motion out.

What lies between them on a real robot is kept: decisions every 25 ms, ticks of the bridge at 50 Hz, joint states at
30 Hz that arrive some milliseconds after they were measured.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from emg_acquisition.arrays import Float64Array
from emg_acquisition.decision import Decision
from emg_acquisition.errors import StreamLostError
from robot_bridge.bridge_core import BridgeCore, Listeners
from robot_bridge.control import SpeedControl
from robot_bridge.gesture_map import Function, GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.safety_inputs import SafetyLimits
from simulation.operator.driven_robot import DRIVER_HZ, DrivenRobot, DriverWords
from simulation.stretch.stretch_body import StretchBody

STEP_S = 0.005
DECISION_STEPS, TICK_STEPS = 5, 4
TRANSPORT_S = 0.005
AGE_S = 0.02
ARMING_LIMIT_S = 10.0
REST_S = 0.4


class SteppedBridge:
    """A `BridgeCore` that drives a `StretchBody` through stretch_driver's own logic.

    Parameters
    ----------
    model : RobotModel
        Limits and speeds.
    maps : sequence of GestureMap
        One a sleeve.
    body : StretchBody
        Kinematic, or with physics.
    speed_control : str
        How coarse and fine are chosen.
    """

    def __init__(
        self,
        model: RobotModel,
        maps: Sequence[GestureMap],
        body: StretchBody,
        speed_control: SpeedControl = "tiers",
    ) -> None:
        self.maps = tuple(maps)
        nobody = Listeners(lambda _: None, lambda _sleeve, _change: None)
        self.core = BridgeCore(model, maps, SafetyLimits(), nobody, speed_control)
        self.core.safety.guard_problem = None
        self.robot = DrivenRobot(body)
        self.core.on_joint_limits(*self.robot.limits())
        self.gestures = [one.rest for one in maps]
        self.effort = 1.0
        # Sleeves whose decoder says nothing.
        self.silent: set[int] = set()
        self._steps, self._driver_words = 0, 0
        self._travelling: deque[tuple[float, DriverWords]] = deque()

    @property
    def t_s(self) -> float:
        """Simulated time; steps are counted, so it does not drift."""
        return self._steps * STEP_S

    @property
    def positions(self) -> Float64Array:
        """The 8 DoF in the order of ``DOF_NAMES``; the base as travel and unwrapped heading."""
        return np.array(self.robot.positions())

    def arm(self) -> None:
        """Rest until the bridge arms.

        Raises
        ------
        StreamLostError
            If it does not; the message has its reason.
        """
        safety = self.core.safety
        while (refusal := safety.refusal_before_setup(self.t_s)) is not None:
            if self.t_s > ARMING_LIMIT_S:
                raise StreamLostError(f"the bridge does not arm: {refusal}")
            self.step()
        refusal = safety.arm(self.t_s)
        if refusal is not None:
            raise StreamLostError(f"the bridge does not arm: {refusal}")

    def hold(self, gesture: str, seconds: float, sleeve: int = 0) -> None:
        """Hold a gesture for a time, then rest until all has come to a standstill."""
        self.gestures[sleeve] = gesture
        self.run(seconds)
        self.gestures[sleeve] = self.maps[sleeve].rest
        self.run(REST_S)

    def go_to_mode(self, mode: str, sleeve: int = 0) -> None:
        """Change the mode by gestures."""
        control = self.core.controls[sleeve]
        while control.mode != mode:
            self._call("next_mode", sleeve)

    def set_fine(self, fine: bool, sleeve: int = 0) -> None:
        """Change the tier by a gesture, or where the map has none by the service."""
        control = self.core.controls[sleeve]
        if control.fine != fine and self.maps[sleeve].gesture_to(control.mode, "toggle_speed") is None:
            control.set_fine(fine)
        elif control.fine != fine:
            self._call("toggle_speed", sleeve)

    def run(self, seconds: float) -> None:
        """Go on for a time as it is."""
        for _ in range(round(seconds / STEP_S)):
            self.step()

    def step(self) -> None:
        """Move on by 5 ms."""
        self._steps += 1
        now_s = self.t_s
        if self._driver_words <= now_s * DRIVER_HZ:
            self._driver_words += 1
            self._hear_driver(now_s)
        while self._travelling and now_s - self._travelling[0][0] >= TRANSPORT_S:
            said_s, words = self._travelling.popleft()
            self.core.on_joint_states(words.names, words.positions, said_s, now_s, words.velocities)
        if self._steps % DECISION_STEPS == 0:
            for sleeve, gesture in enumerate(self.gestures):
                if sleeve in self.silent:
                    continue
                index = float(self.maps[sleeve].gestures.index(gesture))
                self.core.on_decision(Decision(index, 1.0, self.effort, 1.0, age_s=AGE_S), now_s, sleeve)
        if self._steps % TICK_STEPS == 0:
            command = self.core.tick(now_s)
            if command is not None:
                self.robot.command(command, now_s)

    def _hear_driver(self, now_s: float) -> None:
        words = self.robot.step(now_s)
        self._travelling.append((now_s, words))
        for topic, value in words.status.items():
            self.core.safety.on_driver(topic, value, now_s)

    def _call(self, function: Function, sleeve: int) -> None:
        found = self.maps[sleeve].gesture_to(self.core.controls[sleeve].mode, function)
        if found is None:
            msg = f"map {self.maps[sleeve].name}: no gesture calls {function}"
            raise StreamLostError(msg)
        gesture, act = found
        self.hold(gesture, 0.3 if act == "tap" else self.maps[sleeve].hold_s + 0.2, sleeve)
