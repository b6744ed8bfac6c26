"""Arming as soon as the bridge accepts it, and no more once somebody has stopped."""

import threading

import pytest

pytest.importorskip("rclpy")

from robot_bridge.errors import CommandRejectedError
from robot_bridge.operator_link import OperatorLink
from robot_bridge.operator_orders import OperatorOrders


class Link(OperatorLink):
    """An operator link without ROS 2, whose bridge accepts as it is told."""

    def __init__(self, answer):
        self.answer, self.said = answer, []
        self._orders = OperatorOrders()

    def arm(self, timeout_s=5.0, request=None):
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


@pytest.mark.parametrize(
    ("sleeves", "text", "told"),
    [
        (("left", "right"), "left rest; right fist", {"left": "rest", "right": "fist"}),
        # One that has not decided yet, and a bridge that tells of fewer.
        (("left", "right"), "left ; right fist", {"left": "", "right": "fist"}),
        (("left", "right"), "left rest", {"left": "rest"}),
        # An only sleeve, with a name in the map and without.
        (("left",), "left rest", {"left": "rest"}),
        (("",), "rest; fist", {"": "rest; fist"}),
    ],
)
def test_what_the_bridge_tells_of_its_sleeves_is_taken_apart(sleeves, text, told):
    link = Link(lambda: None)
    link._sleeves = sleeves
    assert dict(link._told(text)) == told


def test_an_order_to_stop_beats_every_earlier_arm_and_no_later_one():
    orders = OperatorOrders()
    before = orders.ask_to_arm()
    first, second = orders.ask_to_stop(), orders.ask_to_stop()
    after = orders.ask_to_arm()
    assert before.beaten
    assert not after.beaten
    assert orders.unconfirmed
    orders.confirm(first)
    assert orders.is_confirmed(first)
    assert orders.unconfirmed
    orders.confirm(second)
    assert not orders.unconfirmed
    assert not after.beaten
    orders.beat_arms()
    assert after.beaten
    assert not orders.unconfirmed
