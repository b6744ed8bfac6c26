"""Arming as soon as the bridge accepts it, and no more once somebody has stopped."""

import threading

import pytest

pytest.importorskip("rclpy")

from robot_bridge.errors import CommandRejectedError
from robot_bridge.operator_link import OperatorLink


class Link(OperatorLink):
    """An operator link without ROS 2, whose bridge accepts as it is told."""

    def __init__(self, answer):
        self.answer, self.said = answer, []

    def arm(self, timeout_s=5.0):
        self.said.append("arm")
        self.answer()

    def stop(self, timeout_s=5.0):
        self.said.append("stop")


def test_what_was_stopped_is_not_armed():
    stop = threading.Event()
    stop.set()
    link = Link(lambda: None)
    with pytest.raises(CommandRejectedError, match="stopped before"):
        link.arm_within(20.0, stop)
    assert link.said == []


def test_a_stop_ends_the_tries():
    stop = threading.Event()

    def refuse():
        stop.set()
        raise CommandRejectedError("not now")

    link = Link(refuse)
    with pytest.raises(CommandRejectedError, match="stopped before"):
        link.arm_within(20.0, stop)
    assert link.said == ["arm"]


def test_a_stop_while_arming_stops_what_was_armed():
    stop = threading.Event()
    link = Link(stop.set)
    link.arm_within(20.0, stop)
    assert link.said == ["arm", "stop"]
