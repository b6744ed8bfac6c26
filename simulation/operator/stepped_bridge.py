"""Gestures in, motion out: the bridge and a simulated Stretch in simulated time, with perfect decisions every 25 ms."""

from collections.abc import Sequence

from emg_acquisition.arrays import Float64Array
from emg_acquisition.decision import Decision
from emg_acquisition.errors import StreamLostError
from robot_bridge.control import SpeedControl
from robot_bridge.gesture_map import Function, GestureMap
from robot_bridge.robot_model import RobotModel
from simulation.bridge_loop import BridgeLoop
from simulation.stretch.stretch_body import StretchBody

STEPS_PER_S = 200
STEP_S = 1 / STEPS_PER_S
DECISION_STEPS = 5
TRANSPORT_S = 0.005
AGE_S = 0.02
ARMING_LIMIT_S = 10.0
REST_S = 0.4


class SteppedBridge:
    """A `BridgeLoop` whose sleeves decide on the gestures that they are given.

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
        self._loop = BridgeLoop(
            model,
            maps,
            body,
            steps_per_s=STEPS_PER_S,
            transport_s=TRANSPORT_S,
            speed_control=speed_control,
        )
        self.core, self.robot = self._loop.core, self._loop.robot
        self.maps = tuple(maps)
        self.gestures = [one.rest for one in maps]
        self.effort = 1.0
        # Sleeves whose decoder says nothing.
        self.silent: set[int] = set()

    @property
    def t_s(self) -> float:
        """Simulated time."""
        return self._loop.t_s

    @property
    def positions(self) -> Float64Array:
        """The 8 DoF in the order of ``DOF_NAMES``; the base as travel and unwrapped heading."""
        return self._loop.positions

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
        self._loop.step(lambda _now_s: None)
        if self._loop.steps % DECISION_STEPS:
            return
        for sleeve, gesture in enumerate(self.gestures):
            if sleeve not in self.silent:
                index = float(self.maps[sleeve].gestures.index(gesture))
                decision = Decision(index, 1.0, self.effort, 1.0, age_s=AGE_S)
                self.core.on_decision(decision, self.t_s, sleeve)

    def _call(self, function: Function, sleeve: int) -> None:
        found = self.maps[sleeve].gesture_to(self.core.controls[sleeve].mode, function)
        if found is None:
            msg = f"map {self.maps[sleeve].name}: no gesture calls {function}"
            raise StreamLostError(msg)
        gesture, act = found
        self.hold(gesture, 0.3 if act == "tap" else self.maps[sleeve].hold_s + 0.2, sleeve)
