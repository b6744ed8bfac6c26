"""What was commanded and where the robot was, with the time stamps of those who sent it."""

import math
import threading
import time
from collections import deque
from typing import Any

import numpy as np

from emg_acquisition.arrays import Float64Array
from robot_bridge.ros_context import RosNode
from robot_bridge.ros_imports import (
    Float64MultiArray,
    JointState,
    Odometry,
    QoSProfile,
    ReliabilityPolicy,
    Twist,
)
from robot_bridge.stretch_interface import CMD_VEL, JOINT_DOF, JOINT_POSE, JOINT_STATES, read_joint_states
from simulation.fault_campaign.judge import RECORDED_COLUMNS, Recorded

_KEPT = 6000
# The robot only wants the newest command; an observer that is late must not miss what came before it.
_EVERY_ONE = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
# An intruder of the campaign marks its commands, in fields that the robot does not use, so that they are not taken
# for the bridge's.
INTRUDER_MARK = 0.125


class Observer:
    """Hears the commands in the bridge's namespace and the robot in the robot's own, past every relay.

    Parameters
    ----------
    robot, bridge : str
        The two namespaces.
    """

    def __init__(self, robot: str, bridge: str) -> None:
        self._lock = threading.Lock()
        self._wheels: deque[tuple[float, ...]] = deque(maxlen=_KEPT)
        self._poses: deque[tuple[float, ...]] = deque(maxlen=_KEPT)
        self._base: deque[tuple[float, ...]] = deque(maxlen=_KEPT)
        self._joints: deque[tuple[float, ...]] = deque(maxlen=_KEPT)
        self._heading_rad = 0.0
        self._ros = RosNode("fault_observer", bridge)
        node = self._ros.node
        node.create_subscription(Twist, f"/{bridge}/{CMD_VEL}", self._on_twist, _EVERY_ONE)
        node.create_subscription(Float64MultiArray, f"/{bridge}/{JOINT_POSE}", self._on_pose, _EVERY_ONE)
        node.create_subscription(Odometry, f"/{robot}/odom", self._on_odometry, _EVERY_ONE)
        node.create_subscription(JointState, f"/{robot}/{JOINT_STATES}", self._on_joints, _EVERY_ONE)
        self._ros.start()

    def recorded(self, since_mono_s: float) -> Recorded:
        """Return what was commanded and seen from a time on."""
        with self._lock:
            logs = [list(log) for log in (self._wheels, self._poses, self._base, self._joints)]
        return Recorded(
            *(_since(log, since_mono_s, n) for log, n in zip(logs, RECORDED_COLUMNS, strict=True))
        )

    def position(self, dof_index: int) -> float | None:
        """Newest position of a joint DoF, by its place among `JOINT_DOF`; None before the first."""
        with self._lock:
            return self._joints[-1][1 + dof_index] if self._joints else None

    def close(self) -> None:
        """Stop listening."""
        self._ros.close()

    # A callback with two arguments is given the middleware's own account of the message too.

    def _on_twist(self, message: Any, info: Any) -> None:  # noqa: ANN401 - ROS messages
        if message.linear.y != INTRUDER_MARK:
            self._note(self._wheels, _sent_mono_s(info), message.linear.x, message.angular.z)

    def _on_pose(self, message: Any, info: Any) -> None:  # noqa: ANN401 - ROS messages
        if INTRUDER_MARK not in message.data[-2:]:
            self._note(self._poses, _sent_mono_s(info), *message.data)

    def _on_odometry(self, message: Any) -> None:  # noqa: ANN401 - a ROS message
        pose = message.pose.pose
        heading = 2 * math.atan2(pose.orientation.z, pose.orientation.w)
        self._heading_rad += math.remainder(heading - self._heading_rad, 2 * math.pi)
        place = (pose.position.x, pose.position.y, self._heading_rad)
        self._note(self._base, _stamped_mono_s(message), *place)

    def _on_joints(self, message: Any) -> None:  # noqa: ANN401 - a ROS message
        reading = read_joint_states(message.name, message.position)
        if reading is not None:
            places = (reading.positions[dof] for dof in JOINT_DOF)
            self._note(self._joints, _stamped_mono_s(message), *places)

    def _note(self, log: deque[tuple[float, ...]], *values: float) -> None:
        with self._lock:
            log.append(values)


def _since(log: list[tuple[float, ...]], since_mono_s: float, n_columns: int) -> Float64Array:
    rows = [row for row in log if row[0] >= since_mono_s]
    return np.array(rows, dtype=np.float64).reshape(len(rows), n_columns)


def _sent_mono_s(info: Any) -> float:  # noqa: ANN401 - what rclpy tells of a message
    """When the middleware of the sender sent it: that the observer was late to read it does not count."""
    return float(1e-9 * info["source_timestamp"] - (time.time() - time.monotonic()))


def _stamped_mono_s(message: Any) -> float:  # noqa: ANN401 - a stamped ROS message
    stamp = message.header.stamp
    return float(stamp.sec + 1e-9 * stamp.nanosec - (time.time() - time.monotonic()))
