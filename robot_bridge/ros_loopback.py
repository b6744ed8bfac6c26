"""Whether ROS 2 works here: a message from one node to another, for `hdemg doctor`."""

import time

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String


def loopback_ms(timeout_s: float) -> float | None:
    """Milliseconds until a first message has gone from one node to another; None if it never arrived."""
    context = Context()
    rclpy.init(context=context)
    executor = SingleThreadedExecutor(context=context)
    talker = Node("hdemg_doctor_talker", context=context)
    listener = Node("hdemg_doctor_listener", context=context)
    arrived: list[String] = []
    try:
        publisher = talker.create_publisher(String, "hdemg_doctor", 1)
        listener.create_subscription(String, "hdemg_doctor", arrived.append, 1)
        executor.add_node(listener)
        started = time.monotonic()
        while not arrived and time.monotonic() - started < timeout_s:
            publisher.publish(String(data="ping"))
            executor.spin_once(timeout_sec=0.02)
        return (time.monotonic() - started) * 1e3 if arrived else None
    finally:
        executor.shutdown()
        talker.destroy_node()
        listener.destroy_node()
        context.shutdown()
