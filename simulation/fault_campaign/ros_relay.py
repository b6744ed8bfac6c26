"""ROS 2 relay between the bridge and the robot that makes faults on demand (``python -m ...fault_campaign.ros_relay``).

The robot runs in a namespace of its own. The relay hears its driver there and offers the same topics and the three
services that the bridge needs in the bridge's namespace; commands go the other way. So every rule of the bridge
(one publisher of commands, fresh joint states, a guard that sees the robot) holds as it does without a relay.
"""

import argparse
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import (
    Bool,
    Float64MultiArray,
    JointState,
    Odometry,
    ReentrantCallbackGroup,
    String,
    Trigger,
    Twist,
)
from robot_bridge.stretch_interface import CMD_VEL, JOINT_LIMITS, JOINT_POSE, JOINT_STATES
from simulation.fault_campaign.relay_link import NONE, FaultSwitch

DELAY_S = 0.3
RELEASE_EVERY_S = 0.01
FROM_ROBOT = {
    "odom": Odometry,
    JOINT_LIMITS: JointState,
    "mode": String,
    "is_homed": Bool,
    "is_runstopped": Bool,
    "is_streaming_position": Bool,
}
TO_ROBOT = {CMD_VEL: Twist, JOINT_POSE: Float64MultiArray}
SERVICES = ("switch_to_navigation_mode", "activate_streaming_position", "get_joint_states")
STATUS = ("mode", "is_homed", "is_runstopped", "is_streaming_position")


class RosRelay:
    """Topics and services from one namespace to the other, through a `FaultSwitch`.

    Parameters
    ----------
    ros : RosNode
        The relay's node, not yet spinning.
    robot, bridge : str
        The two namespaces.
    switch : FaultSwitch
        What to do to the traffic.
    """

    def __init__(self, ros: RosNode, robot: str, bridge: str, switch: FaultSwitch) -> None:
        self._switch = switch
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._joints: Any = None
        node = ros.node
        for topics, origin, target in ((FROM_ROBOT, robot, bridge), (TO_ROBOT, bridge, robot)):
            for topic, kind in topics.items():
                publisher = node.create_publisher(kind, f"/{target}/{topic}", QOS)
                # Raw: passed on as bytes, neither read nor written.
                forward = partial(self._forward, topic, publisher.publish)
                node.create_subscription(kind, f"/{origin}/{topic}", forward, QOS, raw=True)
        joints = node.create_publisher(JointState, f"/{bridge}/{JOINT_STATES}", QOS)
        node.create_subscription(
            JointState, f"/{robot}/{JOINT_STATES}", partial(self._forward_joints, joints.publish), QOS
        )
        group = ReentrantCallbackGroup()
        for service in SERVICES:
            client = node.create_client(Trigger, f"/{robot}/{service}", callback_group=group)
            node.create_service(Trigger, f"/{bridge}/{service}", partial(_ask, client), callback_group=group)
        node.create_timer(RELEASE_EVERY_S, self._release)

    def _forward(self, topic: str, publish: Callable[[Any], None], message: object) -> None:
        fault = self._switch.fault
        if fault == "dropped" or (fault == "status_missing" and topic in STATUS):
            return
        if fault == "delayed":
            self._waiting.append((time.monotonic() + DELAY_S, partial(publish, message)))
        else:
            publish(message)

    def _forward_joints(self, publish: Callable[[Any], None], message: Any) -> None:  # noqa: ANN401 - JointState
        fault = self._switch.fault
        if fault == "joints_missing":
            return
        if fault == "joints_frozen" and self._joints is not None:
            message = self._joints
        elif fault == "joints_nan":
            message.position = [math.nan] * len(message.position)
        if fault == NONE:
            self._joints = message
        self._forward(JOINT_STATES, publish, message)

    def _release(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            self._waiting.popleft()[1]()


async def _ask(client: Any, request: Any, _response: object) -> Any:  # noqa: ANN401 - a ROS client and messages
    return await client.call_async(request)


def main(arguments: Sequence[str] | None = None) -> int:
    """Relay until the campaign closes its end of the socket."""
    parser = argparse.ArgumentParser(
        prog="python -m simulation.fault_campaign.ros_relay", description=__doc__
    )
    parser.add_argument("--fd", type=int, required=True, help="socket to the campaign, inherited")
    parser.add_argument("--robot", required=True, help="namespace of the robot")
    parser.add_argument("--bridge", required=True, help="namespace of the bridge")
    options = parser.parse_args(arguments)
    switch = FaultSwitch(options.fd)
    with RosNode("fault_relay", options.robot) as ros:
        RosRelay(ros, options.robot, options.bridge, switch)
        ros.start()
        either = threading.Event()
        while not switch.ended.is_set() and not ros.failed.is_set():
            either.wait(0.1)
        if ros.failure is not None:
            raise ros.failure
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
