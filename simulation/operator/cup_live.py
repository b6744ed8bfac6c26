"""The cup task on a running robot and bridge, over LSL and ROS 2: the same script in real time."""

import threading
import time
from collections.abc import Callable
from types import TracebackType

import numpy as np

from emg_acquisition.errors import StreamLostError
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.operator_link import OperatorLink
from robot_bridge.robot_model import load_robot_model
from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import PoseStamped
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.operator.cup_task import MAP, CupOutcome, cup_gestures
from simulation.operator.gesture_operator import AT_ONCE, GestureOperator, Reflexes
from simulation.operator.live_script import perform, view_of
from simulation.stretch.pose import Pose

# A gripper this far open holds no cup, rad.
LET_GO_RAD = 0.3
FIRST_POSE_TIMEOUT_S = 20.0


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
        If the robot does not get where it should, and as `perform` does.
    """
    model = load_robot_model()
    gesture_map = load_gesture_map(MAP, gestures, model)

    began = time.monotonic()
    begin = cup.pose().position_m
    operator = GestureOperator(gesture_map, model, lambda: view_of(link), reflexes)
    stops = perform(cup_gestures(operator, cup.pose), make, link, rest=gesture_map.rest, stop=stop)
    end = cup.pose()
    return CupOutcome(
        lifted_m=float(cup.highest_m - begin[2]),
        driven_m=float(end.position_m[0] - begin[0]),
        off_table_m=float(end.position_m[2] - begin[2]),
        tilt_rad=end.tilt_rad,
        let_go=view_of(link).positions[DOF_NAMES.index("gripper")] > LET_GO_RAD,
        seconds=time.monotonic() - began,
        stops=stops,
    )
