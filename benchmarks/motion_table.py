"""How every DoF moves from each ready-made map: speed, way after release and step, against the robot's table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array
from robot_bridge.control import SpeedControl
from robot_bridge.gesture_map import GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import BASE_DOF, DOF_NAMES
from simulation.operator.stepped_bridge import STEP_S, SteppedBridge
from simulation.stretch.stretch_body import StretchBody

# The arm is stowed while the base is measured.
_MIDDLE = {
    "lift": 0.55,
    "arm": 0.26,
    "wrist_yaw": 1.5,
    "wrist_pitch": -0.5,
    "wrist_roll": 0.0,
    "gripper": 0.14,
}
_STOWED = {**_MIDDLE, "lift": 0.2, "arm": 0.0, "wrist_yaw": 3.0}
# A run begins near one end of the range, and ends before the other.
_MARGIN = 0.04
# Speed is taken over the last part of a hold, when every ramp is over.
HOLD_S, MEASURED_S = 3.0, 0.3
_SHORT_HOLD_S = {"wrist_pitch": 1.4, "wrist_roll": 2.2, "gripper": 1.7, "wrist_yaw": 2.6}
REPEATS = 3

Body = Callable[[RobotModel, dict[str, float]], StretchBody]


@dataclass(frozen=True)
class Motion:
    """One DoF, one direction, one tier.

    Parameters
    ----------
    gesture_map, dof, direction, fine
        What was moved.
    wanted, speed : float
        Speed of the tier, and the one reached, m/s or rad/s.
    after : float
        Way after the decision for rest, m or rad, in the direction of the motion.
    others : dict of str to float
        What every other DoF moved, m or rad.
    steps : ndarray, shape (REPEATS,)
        Lengths of single steps, m or rad.
    step : float
        What a step is to be.
    """

    gesture_map: str
    dof: str
    direction: int
    fine: bool
    wanted: float
    speed: float
    after: float
    others: dict[str, float]
    steps: Float64Array
    step: float

    @property
    def off(self) -> float:
        """Speed against the table, as a part of it."""
        return self.speed / self.wanted - 1.0


@dataclass(frozen=True)
class _Run:
    """What is moved, on which robot."""

    maps: Sequence[GestureMap]
    model: RobotModel
    body: Body
    dof: str
    direction: int
    fine: bool

    @property
    def column(self) -> int:
        return DOF_NAMES.index(self.dof)

    @property
    def sleeve(self) -> int:
        return next(k for k, one in enumerate(self.maps) if self.dof in one.covers)

    @property
    def start(self) -> dict[str, float]:
        """Near that end of the range from which there is the most room."""
        if self.dof in BASE_DOF:
            return dict(_STOWED)
        limits = self.model.dof[self.dof]
        end = limits.position_lower + _MARGIN if self.direction > 0 else limits.position_upper - _MARGIN
        return {**_MIDDLE, self.dof: end}

    def ready(self, control: SpeedControl) -> tuple[SteppedBridge, str]:
        """Return an armed bridge, brought into the mode and tier by gestures, and the gesture that moves the DoF."""
        bridge = SteppedBridge(self.model, self.maps, self.body(self.model, self.start), control)
        bridge.arm()
        bridge.run(0.5)
        chosen = self.maps[self.sleeve]
        found = [(mode, chosen.gesture_for(mode, self.dof, self.direction)) for mode in chosen.mode_names]
        mode, gesture = next((mode, gesture) for mode, gesture in found if gesture is not None)
        bridge.go_to_mode(mode, self.sleeve)
        bridge.set_fine(self.fine, self.sleeve)
        bridge.run(1.0)
        return bridge, gesture


def motion_table(
    maps: Sequence[GestureMap],
    model: RobotModel,
    body: Body,
    progress: Callable[[str, float], None],
    names: Sequence[str] = DOF_NAMES,
) -> list[Motion]:
    """Move DoF of the maps of one robot both ways, coarse and fine, by gestures; then by single steps."""
    runs = [
        _Run(maps, model, body, dof, direction, fine)
        for dof in names
        for fine in (False, True)
        for direction in (1, -1)
    ]
    table = []
    for number, run in enumerate(runs):
        progress(f"{maps[0].name}: {run.dof}", number / len(runs))
        table.append(_measure(run))
    return table


def _measure(run: _Run) -> Motion:
    limits = run.model.dof[run.dof]
    bridge, gesture = run.ready("tiers")
    begun = bridge.positions
    bridge.gestures[run.sleeve] = gesture
    bridge.run((HOLD_S if run.fine else _SHORT_HOLD_S.get(run.dof, HOLD_S)) - MEASURED_S)
    path = []
    for _ in range(round(MEASURED_S / STEP_S)):
        bridge.step()
        path.append((bridge.t_s, bridge.positions[run.column]))
    released = bridge.positions
    bridge.gestures[run.sleeve] = run.maps[run.sleeve].rest
    bridge.run(2.0)
    t_s, at = np.array(path).T
    moved = bridge.positions - begun
    return Motion(
        run.maps[0].name,
        run.dof,
        run.direction,
        run.fine,
        limits.speed(fine=run.fine),
        run.direction * float(np.polyfit(t_s, at, 1)[0]),
        run.direction * float((bridge.positions - released)[run.column]),
        {name: float(moved[k]) for k, name in enumerate(DOF_NAMES) if k != run.column},
        _steps(run),
        limits.step_fine if run.fine else limits.step_coarse,
    )


def _steps(run: _Run) -> Float64Array:
    bridge, gesture = run.ready("steps")
    lengths = []
    for _ in range(REPEATS):
        before = bridge.positions[run.column]
        bridge.hold(gesture, 0.3, run.sleeve)
        bridge.run(3.0)
        lengths.append(run.direction * float(bridge.positions[run.column] - before))
    return np.array(lengths)
