"""An operator's link against a bridge that answers late or never: a stop wins, and ends the heartbeat at once."""

import threading
import time
from contextlib import contextmanager

import pytest

pytest.importorskip("rclpy")

from robot_bridge.errors import CommandRejectedError
from robot_bridge.operator_link import OperatorLink
from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import Empty, Future, ReentrantCallbackGroup, SetBool, Trigger
from robot_bridge.stretch_interface import BRIDGE_NODE
from tests.waiting import holds_for, wait_for

pytestmark = pytest.mark.alone


class SlowBridge:
    """Services and heartbeat of a bridge: it arms and stops when a test lets it, or at once."""

    def __init__(self, namespace, *, arms=True, stops=True, refusal=None):
        self.asked_to_arm = self.asked_to_stop = 0
        self.refusal = refusal
        self.heartbeats = []
        self._arms, self._stops = Future(), Future()
        for answers, future in ((arms, self._arms), (stops, self._stops)):
            if answers:
                future.set_result(True)
        self._ros = RosNode(BRIDGE_NODE, namespace)
        node = self._ros.node
        # As in the bridge: what waits holds up nothing else.
        group = ReentrantCallbackGroup()
        node.create_service(SetBool, "~/arm", self._arm, callback_group=group)
        node.create_service(Trigger, "~/stop", self._stop, callback_group=group)
        node.create_subscription(
            Empty, "~/heartbeat", lambda _: self.heartbeats.append(time.monotonic()), QOS
        )
        self._ros.start()

    async def _arm(self, _request, response):
        self.asked_to_arm += 1
        await self._arms
        response.success, response.message = self.refusal is None, self.refusal or "armed"
        return response

    async def _stop(self, _request, response):
        self.asked_to_stop += 1
        await self._stops
        response.success, response.message = True, "stopped"
        return response

    def arm_now(self):
        self._arms.set_result(True)

    def stop_now(self):
        self._stops.set_result(True)

    def close(self):
        self._ros.close()


@contextmanager
def linked(namespace, **how):
    bridge = SlowBridge(namespace, **how)
    link = OperatorLink(namespace)
    try:
        wait_for(lambda: link._arm.service_is_ready() and link._stop.service_is_ready(), "the services")
        yield bridge, link
    finally:
        link.close()
        bridge.close()


class Arming:
    """An arm that somebody waits for, in a thread."""

    def __init__(self, arm):
        self.said = None
        self._arm = arm
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            self._arm()
        except CommandRejectedError as error:
            self.said = str(error)
        else:
            self.said = "armed"

    def end(self, within_s):
        self._thread.join(within_s)
        return self.said


@pytest.mark.parametrize("how", ["arm", "arm_within"])
def test_a_stop_ends_an_arm_under_way_and_stops_again_what_is_armed_after_it(ros_domain, how):
    with linked(f"late_{how}", arms=False) as (bridge, link):
        arming = Arming(lambda: getattr(link, how)(20.0))
        wait_for(lambda: bridge.asked_to_arm == 1, "the request")
        link.stop()
        assert arming.end(0.5) == "stopped"
        assert bridge.asked_to_stop == 1
        bridge.arm_now()
        wait_for(lambda: bridge.asked_to_stop == 2, "another stop", 5.0)


def test_what_arms_too_late_for_whoever_asked_is_stopped(ros_domain):
    with linked("too_late", arms=False) as (bridge, link):
        with pytest.raises(CommandRejectedError, match="did not answer"):
            link.arm(0.3)
        bridge.arm_now()
        wait_for(lambda: bridge.asked_to_stop == 1, "a stop", 5.0)


def test_an_answer_that_refuses_needs_no_other_stop(ros_domain):
    with linked("refused", arms=False, refusal="not now") as (bridge, link):
        arming = Arming(lambda: link.arm(20.0))
        wait_for(lambda: bridge.asked_to_arm == 1, "the request")
        link.stop()
        assert arming.end(0.5) == "stopped"
        bridge.arm_now()
        holds_for(lambda: bridge.asked_to_stop == 1, 0.5, "one stop")


def test_a_stop_ends_the_tries(ros_domain):
    with linked("tries", refusal="not at rest") as (bridge, link):
        arming = Arming(lambda: link.arm_within(20.0))
        wait_for(lambda: bridge.asked_to_arm >= 2, "tries")
        link.stop()
        assert arming.end(0.5) == "stopped"
        tries = bridge.asked_to_arm
        holds_for(lambda: bridge.asked_to_arm == tries, 0.5, "no more tries")


def test_an_arm_that_was_asked_for_before_a_stop_is_never_sent_after_it(ros_domain):
    with linked("asked") as (bridge, link):
        request = link.ask_to_arm()
        link.stop()
        with pytest.raises(CommandRejectedError, match=r"^stopped$"):
            link.arm(request=request)
        assert bridge.asked_to_arm == 0
        link.arm()
        assert bridge.asked_to_arm == 1


def test_a_stop_that_nobody_answers_ends_the_heartbeat_at_once_until_it_is_confirmed(ros_domain):
    with linked("deaf", stops=False) as (bridge, link):
        link.start_heartbeat()
        wait_for(lambda: len(bridge.heartbeats) > 3, "heartbeats")
        stopped_s = time.monotonic()
        with pytest.raises(CommandRejectedError, match="did not answer"):
            link.stop(1.0)
        last_s = bridge.heartbeats[-1] - stopped_s
        print(f"last heartbeat {1e3 * last_s:.0f} ms after the stop was asked for")  # noqa: T201 - a figure
        assert last_s <= 0.2
        # Nor is it armed meanwhile, and the stop is asked for until it is confirmed.
        with pytest.raises(CommandRejectedError, match="not confirmed"):
            link.arm(0.5)
        heard = len(bridge.heartbeats)
        holds_for(lambda: len(bridge.heartbeats) == heard, 0.5, "no heartbeat")
        assert bridge.asked_to_stop >= 2
        bridge.stop_now()
        wait_for(lambda: len(bridge.heartbeats) > heard + 2, "heartbeats after the confirmation", 5.0)
        link.arm()


def test_a_link_whose_node_has_failed_sends_no_heartbeat(ros_domain):
    with linked("failed") as (bridge, link):
        link.start_heartbeat()
        wait_for(lambda: len(bridge.heartbeats) > 3, "heartbeats")
        link._ros.failed.set()
        time.sleep(0.2)
        heard = len(bridge.heartbeats)
        holds_for(lambda: len(bridge.heartbeats) == heard, 0.5, "no heartbeat")
