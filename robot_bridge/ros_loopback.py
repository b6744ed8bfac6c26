"""Whether ROS 2 works here: messages from a node of another process, for ``hdemg doctor``."""

import threading
import time

from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import String

TOPIC = "hdemg_doctor"
_EVERY_S = 0.02


def talk(name: str, stop: threading.Event) -> None:
    """Publish `name` again and again until `stop` is set."""
    with RosNode("hdemg_doctor_talker") as talker:
        publisher = talker.node.create_publisher(String, TOPIC, QOS)
        while not stop.wait(_EVERY_S):
            publisher.publish(String(data=name))


def heard_ms(name: str, timeout_s: float) -> float | None:
    """Milliseconds until a first message with `name` has come; None if none came in time."""
    arrived = threading.Event()

    def hear(message: String) -> None:
        if message.data == name:
            arrived.set()

    started_s = time.monotonic()
    with RosNode("hdemg_doctor_listener") as listener:
        listener.node.create_subscription(String, TOPIC, hear, QOS)
        listener.start()
        return (time.monotonic() - started_s) * 1e3 if arrived.wait(timeout_s) else None
