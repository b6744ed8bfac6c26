"""The companion process that stops the robot when the bridge dies or hangs (``python -m robot_bridge.guard``).

stretch_driver has no watchdog on joints and one of 0.5 s on the wheels. The bridge writes a byte a tick to a
socket; when an armed bridge falls silent for 150 ms, or its end of the socket closes, the guard at once sends
a zero Twist and the measured joints, as far as they are plausible, a few times, and ends. While the bridge is
disarmed, and after its goodbye, the guard publishes nothing. It runs in a session of its own, so it survives what
kills the bridge.
"""

import argparse
import logging
import math
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from robot_bridge.guard_link import ARMED, BYE, SEES_NO_ROBOT, SEES_ROBOT
from robot_bridge.plausibility import PlausibleJoints
from robot_bridge.robot_model import RobotModel, load_robot_model
from robot_bridge.ros_context import QOS, QOS_FRESH, RosNode
from robot_bridge.ros_imports import Float64MultiArray, JointState, Twist
from robot_bridge.stretch_interface import (
    CMD_VEL,
    GUARD_NODE,
    JOINT_POSE,
    JOINT_STATES,
    POSE_GRIPPER,
    POSE_LENGTH,
    POSE_OF_DOF,
    joint_pose,
    read_joint_states,
)

SILENCE_S = 0.15
# An older measurement is no place to hold: the joint may have gone elsewhere since.
HOLD_FRESH_S = 0.25
# A guard that has not heard joint states for so long does not see the robot.
SEEN_FRESH_S = 0.5
REPEATS = 10
REPEAT_EVERY_S = 0.05
_LOG = logging.getLogger(__name__)


class Guard:
    """Publishers made beforehand, and the newest measured pose."""

    def __init__(self, ros: RosNode, model: RobotModel) -> None:
        self._ros = ros
        self._twist = ros.node.create_publisher(Twist, CMD_VEL, QOS)
        self._pose = ros.node.create_publisher(Float64MultiArray, JOINT_POSE, QOS)
        ros.node.create_subscription(JointState, JOINT_STATES, self._on_joint_states, QOS_FRESH)
        ros.node.create_subscription(Float64MultiArray, JOINT_POSE, self._on_command, QOS)
        self._model = model
        self._plausible = PlausibleJoints(model)
        self._armed = False
        self._measured: list[float] | None = None
        self._measured_s = -math.inf
        self._commanded: list[float] | None = None
        self._grips: tuple[float, float] | None = None

    def watch(self, link: socket.socket) -> str | None:
        """Answer the bridge's bytes. Returns why the robot must be stopped, or None after a goodbye.

        Raises
        ------
        RuntimeError
            If the thread that hears the robot has failed: the bridge then finds the guard gone, and stops.
        """
        link.settimeout(SILENCE_S)
        while True:
            if self._ros.failed.is_set():
                msg = f"the guard no longer hears the robot: {self._ros.failure}"
                raise RuntimeError(msg)
            try:
                received = link.recv(4096)
            except TimeoutError:
                if self._armed:
                    return f"the bridge was silent for {SILENCE_S} s"
                continue
            except OSError:
                received = b""
            if BYE in received:
                return None
            if not received:
                return "the bridge has died" if self._armed else None
            self._armed = received.endswith(ARMED)
            try:
                link.send(SEES_ROBOT if self._sees_robot() else SEES_NO_ROBOT)
            except OSError:
                continue  # the next recv says that the bridge has gone

    def _sees_robot(self) -> bool:
        publishers = (self._twist, self._pose)
        heard = time.monotonic() - self._measured_s <= SEEN_FRESH_S
        return heard and all(p.get_subscription_count() > 0 for p in publishers)

    def stop_robot(self) -> None:
        """Zero wheels and joints held where they were just measured, repeated in case a message is lost.

        Without a fresh measurement the joints are left to their last target, which leads by the stop bound at most.
        """
        pose = self._hold_pose()
        for _ in range(REPEATS):
            self._twist.publish(Twist())
            if pose is not None:
                self._pose.publish(Float64MultiArray(data=pose))
            time.sleep(REPEAT_EVERY_S)

    def _hold_pose(self) -> list[float] | None:
        if self._measured is None or time.monotonic() - self._measured_s > HOLD_FRESH_S:
            return None
        pose = list(self._measured)
        told = self._commanded or pose
        for dof, index in POSE_OF_DOF.items():
            # A joint that is far from its last command did not get there by it: it is left where it was told to be.
            if abs(pose[index] - told[index]) > self._model.dof[dof].stop_bound:
                pose[index] = told[index]
        if self._grips is not None and self._grips[0] == self._grips[1]:
            # The gripper was holding, not moving: keep its grip, or it drops the cup.
            pose[POSE_GRIPPER] = self._grips[1]
        return pose

    def _on_joint_states(self, message: JointState) -> None:
        reading = read_joint_states(message.name, message.position)
        if reading is None:
            return
        pose, now_s = joint_pose(reading.positions, reading.head), time.monotonic()
        if not all(math.isfinite(value) for value in pose):
            return
        # As the bridge does: what a robot cannot have done is no place to hold.
        if self._plausible.problem(reading, now_s, live=self._armed) is None:
            self._measured, self._measured_s = pose, now_s

    def _on_command(self, message: Float64MultiArray) -> None:
        if len(message.data) != POSE_LENGTH:
            return  # the driver drops it too
        self._commanded = list(message.data)
        grip = message.data[POSE_GRIPPER]
        self._grips = (grip if self._grips is None else self._grips[1], grip)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a guard on an inherited socket."""
    parser = argparse.ArgumentParser(prog="python -m robot_bridge.guard", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="socket to the bridge, inherited")
    parser.add_argument("--namespace", default="", help="ROS namespace of the robot")
    parser.add_argument("--robot-model", type=Path, help="limits and speeds; a Stretch 3 without")
    options = parser.parse_args(arguments)
    # The bridge ends the guard; a Ctrl-C or a plain kill meant for the bridge must not come first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.socket(fileno=options.fd) as link, RosNode(GUARD_NODE, options.namespace) as ros:
        guard = Guard(ros, load_robot_model(options.robot_model))
        ros.start()
        reason = guard.watch(link)
        if reason is not None:
            _LOG.warning("%s: stopping the robot", reason)
            guard.stop_robot()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
