"""The cup: grasped from the table, lifted, driven 1 m and set down upright, by gestures alone.

The script is an operator's who sees robot and cup; what counts is where the cup is at the end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from emg_acquisition.errors import StreamLostError
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.robot_model import load_robot_model
from simulation.operator.gesture_operator import GESTURE_HZ, GestureOperator, RobotView
from simulation.operator.stepped_bridge import STEP_S, SteppedBridge
from simulation.stretch.driver_logic import SimSettings
from simulation.stretch.pose import Pose

MAP = "ten_gestures"
GESTURES = (
    *("rest", "fist", "hand_open", "tripod_pinch", "wrist_flexion", "wrist_extension"),
    *("wrist_abduction", "wrist_adduction", "pronation", "supination"),
)
CUP = "cup"
DRIVE_M = 1.0
# The place between the fingertips, seen from the base, with all joints at zero: m.
GRASP_X_M, GRASP_Y_M, GRASP_Z_M = -0.021, -0.415, 0.11
ABOVE_MIDDLE_M = 0.015
CLEAR_M = 0.15
RETRACTED_M = 0.03
OPEN_RAD = 0.42
SQUEEZE_S = 1.2


@dataclass(frozen=True)
class CupOutcome:
    """How the cup fared; m, rad, s. ``lifted_m`` is the highest that it was above its place on the table.

    ``stops`` are those of the bridge after which the robot was armed again.
    """

    lifted_m: float
    driven_m: float
    off_table_m: float
    tilt_rad: float
    let_go: bool
    seconds: float
    stops: int = 0

    @property
    def success(self) -> bool:
        """Lifted, moved by 1 m along the table, and standing there upright, let go."""
        moved = abs(self.driven_m - DRIVE_M) <= 0.05  # noqa: PLR2004 - 5 cm of 1 m
        stands = abs(self.off_table_m) <= 0.005 and self.tilt_rad <= 0.05  # noqa: PLR2004 - 5 mm, 3 degrees
        return self.lifted_m >= CLEAR_M / 2 and moved and stands and self.let_go


def cup_gestures(operator: GestureOperator, look_at_cup: Callable[[], Pose]) -> Iterator[str]:
    """Yield the task's gestures, one every 20 ms; the base starts at the scene's origin, at travel zero.

    Raises
    ------
    StreamLostError
        If the robot does not get where it should, or the gripper does not close.
    """
    x, y, z = (float(value) for value in look_at_cup().position_m)
    height = z + ABOVE_MIDDLE_M - GRASP_Z_M
    yield from operator.go("lift", height + CLEAR_M, 0.02)
    yield from operator.go("arm", RETRACTED_M, 0.02)
    yield from _level_wrist(operator)
    yield from operator.go("gripper", OPEN_RAD, 0.06)
    yield from operator.go("base_translate", x - GRASP_X_M, 0.008)
    yield from operator.go("lift", height, 0.008)
    # A gesture that was taken for another may have turned it since.
    yield from _level_wrist(operator)
    yield from operator.go("gripper", OPEN_RAD, 0.06)
    yield from operator.go("base_translate", x - GRASP_X_M, 0.008)
    yield from operator.go("lift", height, 0.008)
    yield from operator.go("arm", GRASP_Y_M - y, 0.008)
    grip = yield from operator.hold("gripper", -1, (OPEN_RAD - 0.2) / 0.37 + SQUEEZE_S)
    if not grip.achieved:
        raise StreamLostError(grip.words)
    yield from operator.go("lift", height + CLEAR_M, 0.02)
    yield from operator.go("base_translate", x - GRASP_X_M + DRIVE_M, 0.015)
    yield from operator.go("lift", operator.position("lift") - (look_at_cup().position_m[2] - z), 0.003)
    yield from operator.go("gripper", OPEN_RAD, 0.06)
    yield from operator.go("arm", RETRACTED_M, 0.05)
    yield from operator.rest(0.5)


def _level_wrist(operator: GestureOperator) -> Iterator[str]:
    for dof in ("wrist_pitch", "wrist_yaw", "wrist_roll"):
        yield from operator.go(dof, 0.0, 0.03)


def simulate_cup_task(seed: int | None = None) -> CupOutcome:
    """Do the task in this process, in simulated time.

    Parameters
    ----------
    seed : int, optional
        Moves the things on the table about; in their places without.

    Raises
    ------
    InputError
        If MuJoCo or the robot's description is not installed.
    StreamLostError
        If the bridge stops, or the robot does not get where it should.
    """
    # Only here: a live session, which may have the script done, needs no physics of its own.
    from simulation.stretch.mujoco_stretch import MujocoStretch  # noqa: PLC0415 - an extra

    model = load_robot_model()
    body = MujocoStretch(model, SimSettings().start)
    body.reset(seed=seed)
    gesture_map = load_gesture_map(MAP, GESTURES, model)
    bridge = SteppedBridge(model, [gesture_map], body)
    bridge.arm()
    operator = GestureOperator(gesture_map, model, lambda: _view(bridge))
    begin = body.pose(CUP).position_m
    highest = begin[2]
    for gesture in cup_gestures(operator, lambda: body.pose(CUP)):
        _perform(bridge, gesture)
        highest = max(highest, body.pose(CUP).position_m[2])
    end = body.pose(CUP)
    return CupOutcome(
        lifted_m=float(highest - begin[2]),
        driven_m=float(end.position_m[0] - begin[0]),
        off_table_m=float(end.position_m[2] - begin[2]),
        tilt_rad=end.tilt_rad,
        let_go=not body.fingers_touching(CUP),
        seconds=bridge.t_s,
    )


def _view(bridge: SteppedBridge) -> RobotView:
    control = bridge.core.controls[0]
    return RobotView(tuple(bridge.positions.tolist()), control.mode, control.fine)


def _perform(bridge: SteppedBridge, gesture: str) -> None:
    bridge.gestures[0] = gesture
    for _ in range(round(1 / GESTURE_HZ / STEP_S)):
        bridge.step()
    safety = bridge.core.safety
    if not safety.is_live:
        msg = f"the bridge stopped: {safety.state}, {safety.reason}"
        raise StreamLostError(msg)
