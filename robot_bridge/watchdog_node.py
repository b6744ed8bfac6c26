"""The ROS 2 node ``hdemg_watchdog`` for the robot's own computer: hears bridge and robot, and stops the robot.

Needs nothing of ROS 2 that stretch_driver does not need as well, and none of hdemg's libraries for signals; a computer
with hdemg's sources on its path runs it as ``python -m robot_bridge.watchdog_node``, too.
"""

import argparse
import logging
import math
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

from robot_bridge.incident_log import IncidentLog
from robot_bridge.ros_base import Bool, JointState, Odometry, SetBool, Trigger, Twist
from robot_bridge.ros_context import QOS, QOS_FRESH, RosNode
from robot_bridge.ros_scope import describe_scope
from robot_bridge.stretch_interface import ALIVE, CMD_VEL, JOINT_STATES, ODOMETRY, WATCHDOG_NODE
from robot_bridge.watchdog import Order, Watchdog, WatchdogSettings

TICK_S = 0.02
TWIST_EVERY_S = 0.05
# A service that does not answer is called again.
CALL_AGAIN_S = 0.2
_LOG = logging.getLogger(__name__)


class _Call:
    """A service of the driver, called until it has answered."""

    def __init__(self, client: Any, request: object, incidents: IncidentLog) -> None:  # noqa: ANN401 - a ROS client
        self._client, self._request, self._incidents = client, request, incidents
        self._wanted = False
        self._called_s = -math.inf

    def ask(self) -> None:
        """Call it from now on."""
        self._wanted, self._called_s = True, -math.inf

    def forget(self) -> None:
        """Call it no more."""
        self._wanted = False

    def step(self, t_s: float) -> None:
        """Call it if it is wanted and has not answered."""
        if not self._wanted or t_s - self._called_s < CALL_AGAIN_S:
            return
        self._called_s = t_s
        name = self._client.srv_name
        if not self._client.service_is_ready():
            _LOG.error("the driver's service %s is not there", name)
            self._incidents.note("driver_service", service=name, answer="it is not there")
            return
        _LOG.error("calling %s", name)
        self._incidents.note("driver_service", service=name, answer="called")
        self._client.call_async(self._request).add_done_callback(self._on_answer)

    def _on_answer(self, done: Any) -> None:  # noqa: ANN401 - a ROS future
        if done.exception() is None:
            self._wanted = not done.result().success
            answer = f"{'yes' if done.result().success else 'no'}, {done.result().message}"
            _LOG.error("%s answered: %s", self._client.srv_name, answer)
            self._incidents.note("driver_service", service=self._client.srv_name, answer=answer)


class WatchdogNode:
    """Messages to `Watchdog`, and what it orders.

    Parameters
    ----------
    ros : RosNode
        The node, not yet spinning.
    settings : WatchdogSettings
        When to act.
    incidents : IncidentLog
        Where everything is noted.
    """

    def __init__(self, ros: RosNode, settings: WatchdogSettings, incidents: IncidentLog) -> None:
        node, self._incidents = ros.node, incidents
        self._lock = threading.Lock()
        self._watchdog = Watchdog(settings)
        self._twist = node.create_publisher(Twist, CMD_VEL, QOS)
        self._stop = _Call(node.create_client(Trigger, "stop_the_robot"), Trigger.Request(), incidents)
        self._runstop = _Call(node.create_client(SetBool, "runstop"), SetBool.Request(data=True), incidents)
        self._twist_s = -math.inf
        self._was_watching = False
        node.create_subscription(Bool, ALIVE, self._on_alive, QOS_FRESH)
        node.create_subscription(Twist, CMD_VEL, self._on_twist, QOS_FRESH)
        node.create_subscription(JointState, JOINT_STATES, self._on_joint_states, QOS_FRESH)
        node.create_subscription(Odometry, ODOMETRY, self._on_odometry, QOS_FRESH)

    def step(self) -> None:
        """Look at the time, and act."""
        t_s = time.monotonic()
        with self._lock:
            orders = self._watchdog.tick(t_s)
            stopping, watching = self._watchdog.is_stopping, self._watchdog.is_watching
        for order in orders:
            self._obey(order)
        if stopping and t_s - self._twist_s >= TWIST_EVERY_S:
            self._twist_s = t_s
            self._twist.publish(Twist())
        if not stopping:
            self._stop.forget()
        for call in (self._stop, self._runstop):
            call.step(t_s)
        if watching and not self._was_watching:
            _LOG.info("the bridge is armed: it is watched")
            self._incidents.note("watching")
        self._was_watching = watching

    def _obey(self, order: Order) -> None:
        _LOG.error("%s: %s", order.act, order.reason)
        self._incidents.note("transition", act=order.act, reason=order.reason)
        if order.act == "stop":
            self._twist.publish(Twist())
            self._stop.ask()
        elif order.act == "runstop":
            self._runstop.ask()

    # ---- what is heard, in the node's thread

    def _on_alive(self, message: Bool) -> None:
        with self._lock:
            self._watchdog.on_alive(message.data, time.monotonic())

    def _on_twist(self, message: Twist) -> None:
        zero = message.linear.x == 0.0 and message.angular.z == 0.0
        with self._lock:
            self._watchdog.on_twist(zero, time.monotonic())

    def _on_joint_states(self, message: JointState) -> None:
        with self._lock:
            self._watchdog.on_joint_states(message.name, message.position, time.monotonic())

    def _on_odometry(self, message: Odometry) -> None:
        at, turned = message.pose.pose.position, message.pose.pose.orientation
        heading_rad = 2.0 * math.atan2(turned.z, turned.w)
        with self._lock:
            self._watchdog.on_odometry(at.x, at.y, heading_rad, time.monotonic())


def run_watchdog(settings: WatchdogSettings, namespace: str, stop: threading.Event) -> None:
    """Watch until `stop` is set.

    Parameters
    ----------
    settings : WatchdogSettings
        When to act.
    namespace : str
        ROS namespace of robot and bridge.
    stop : threading.Event
        Ends the watchdog.

    Raises
    ------
    Exception
        What a callback raised: a watchdog that no longer hears must not seem to watch.
    """
    incidents = IncidentLog("watchdog")
    incidents.start()
    incidents.note("start", settings=vars(settings), namespace=namespace)
    try:
        with RosNode(WATCHDOG_NODE, namespace) as ros:
            node = WatchdogNode(ros, settings, incidents)
            ros.start()
            _LOG.info("watching for %g s of silence; ROS 2 reaches %s", settings.silence_s, describe_scope())
            while not stop.wait(TICK_S) and not ros.failed.is_set():
                node.step()
            if ros.failure is not None:
                raise ros.failure
    finally:
        incidents.note("end")
        incidents.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the watchdog without the rest of ``hdemg``; the options are those of ``hdemg watchdog``."""
    parser = argparse.ArgumentParser(prog="python -m robot_bridge.watchdog_node", description=__doc__)
    parser.add_argument("--namespace", default="", help="ROS 2 namespace of robot and bridge")
    parser.add_argument("--timeout", type=float, default=WatchdogSettings.silence_s)
    parser.add_argument("--standstill", type=float, default=WatchdogSettings.standstill_s)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s watchdog: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run_watchdog(WatchdogSettings(options.timeout, options.standstill), options.namespace, stop)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
