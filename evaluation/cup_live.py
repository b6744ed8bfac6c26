"""The cup task on a running robot and bridge, over LSL and ROS 2: the same script in real time."""

import threading
import time
from collections.abc import Callable
from types import TracebackType

import numpy as np

from emg_acquisition.errors import StreamLostError
from evaluation.cup_task import MAP, CupOutcome, cup_gestures
from evaluation.gesture_operator import AT_ONCE, GESTURE_HZ, GestureOperator, Reflexes, RobotView
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.operator_link import OperatorLink
from robot_bridge.robot_model import load_robot_model
from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import PoseStamped
from robot_bridge.simulator.pose import Pose
from robot_bridge.stretch_interface import DOF_NAMES

# A gripper this far open holds no cup, rad.
LET_GO_RAD = 0.3
FIRST_POSE_TIMEOUT_S = 20.0
LIVE = ("armed", "moving")
# A machine that is busy with other things may stop the bridge now and then.
MOST_STOPS, ARM_TIMEOUT_S = 5, 30.0


class ThingWatcher:
    """Where a loose thing of the simulated scene is, as the simulator publishes it.

    Parameters
    ----------
    thing : str
        Its name in the scene.
    namespace : str
        ROS namespace of the robot.
    """

    def __init__(self, thing: str, namespace: str) -> None:
        self._pose: Pose | None = None
        self._first = threading.Event()
        self.highest_m = -np.inf
        self._ros = RosNode("thing_watcher", namespace)
        self._ros.node.create_subscription(PoseStamped, f"scene/{thing}", self._on_pose, QOS)
        self._ros.start()

    def pose(self) -> Pose:
        """Return where it is now.

        Raises
        ------
        StreamLostError
            If nothing was ever heard of it.
        """
        self._first.wait(FIRST_POSE_TIMEOUT_S)
        if self._pose is None:
            msg = f"nothing on scene/ for {FIRST_POSE_TIMEOUT_S:g} s: is `hdemg sim-robot` running, with MuJoCo?"
            raise StreamLostError(msg)
        return self._pose

    def _on_pose(self, message: PoseStamped) -> None:
        at, turned = message.pose.position, message.pose.orientation
        self._pose = Pose(np.array([at.x, at.y, at.z]), np.array([turned.w, turned.x, turned.y, turned.z]))
        self.highest_m = max(self.highest_m, at.z)
        self._first.set()

    def __enter__(self) -> "ThingWatcher":  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ros.close()


def live_cup_task(
    gestures: tuple[str, ...],
    make: Callable[[str], None],
    link: OperatorLink,
    cup: ThingWatcher,
    *,
    reflexes: Reflexes = AT_ONCE,
    stop: threading.Event | None = None,
) -> CupOutcome:
    """Do the task with an armed bridge, whose robot stands where `hdemg sim-robot` starts it.

    Parameters
    ----------
    gestures : tuple of str
        The decoder's gestures.
    make : callable
        Called with the gesture to make, every 20 ms.
    link : OperatorLink
        Its travel must have begun at the robot's start.
    cup : ThingWatcher
        Made before arming: a node that comes new holds messages of others up while it is discovered.
    reflexes : Reflexes
        How quick gestures are: decisions at once, or made by muscles.
    stop : threading.Event, optional
        Ends the task before its time.

    Raises
    ------
    StreamLostError
        If the bridge stops more than `MOST_STOPS` times, the robot does not get where it should, or `stop` is set.
    """
    model = load_robot_model()
    gesture_map = load_gesture_map(MAP, gestures, model)

    def look() -> RobotView:
        now = link.snapshot()
        if now.positions is None or now.fine is None:
            msg = "robot or bridge say nothing: are `hdemg sim-robot` and `hdemg bridge` running?"
            raise StreamLostError(msg)
        return RobotView(now.positions, now.mode, now.fine)

    began = next_s = time.monotonic()
    stops = 0
    begin = cup.pose().position_m
    for gesture in cup_gestures(GestureOperator(gesture_map, model, look, reflexes), cup.pose):
        if stop is not None and stop.is_set():
            raise StreamLostError("the task was ended before its time")
        if link.snapshot().safety_state not in LIVE:
            stops += 1
            _arm_again(make, rest=gesture_map.rest, link=link, stops=stops, stop=stop)
            next_s = time.monotonic()
        make(gesture)
        next_s += 1 / GESTURE_HZ
        time.sleep(max(0.0, next_s - time.monotonic()))
    end = cup.pose()
    return CupOutcome(
        lifted_m=float(cup.highest_m - begin[2]),
        driven_m=float(end.position_m[0] - begin[0]),
        off_table_m=float(end.position_m[2] - begin[2]),
        tilt_rad=end.tilt_rad,
        let_go=look().positions[DOF_NAMES.index("gripper")] > LET_GO_RAD,
        seconds=time.monotonic() - began,
        stops=stops,
    )


def _arm_again(
    make: Callable[[str], None], rest: str, link: OperatorLink, stops: int, stop: threading.Event | None
) -> None:
    """Somebody stands by who arms the robot again, with the operator at rest; not for ever."""
    now = link.snapshot()
    if stops > MOST_STOPS:
        msg = f"the bridge stopped {stops} times: {now.safety_state}, {now.reason}"
        raise StreamLostError(msg)
    make(rest)
    link.arm_within(ARM_TIMEOUT_S, stop)
