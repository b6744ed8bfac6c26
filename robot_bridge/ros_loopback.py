"""Whether ROS 2 works here: a message from one node to another, for `hdemg doctor`."""

import threading
import time

from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import String


def loopback_ms(timeout_s: float) -> float | None:
    """Milliseconds until a first message has gone from one node to another; None if it never arrived."""
    arrived = threading.Event()
    with RosNode("hdemg_doctor_talker") as talker, RosNode("hdemg_doctor_listener") as listener:
        publisher = talker.node.create_publisher(String, "hdemg_doctor", QOS)
        listener.node.create_subscription(String, "hdemg_doctor", lambda _: arrived.set(), QOS)
        listener.start()
        started_s = time.monotonic()
        while not arrived.is_set() and time.monotonic() - started_s < timeout_s:
            publisher.publish(String(data="ping"))
            arrived.wait(0.02)
        return (time.monotonic() - started_s) * 1e3 if arrived.is_set() else None
