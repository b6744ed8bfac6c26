"""What the bridge asks of stretch_driver before it arms: navigation mode, streaming, joint limits."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from robot_bridge.bridge_core import DriverCall
from robot_bridge.ros_context import RosNode
from robot_bridge.ros_imports import SetBool, Trigger
from robot_bridge.safety import SafetyMachine
from robot_bridge.safety_inputs import NAVIGATION

# All together must stay below the 5 s that an operator's program waits for an answer.
SERVICE_LIMIT_S = 1.0
STATUS_LIMIT_S = 0.7
_LOG = logging.getLogger(__name__)
Until = Callable[[Callable[[], bool], float], Awaitable[bool]]


class RobotSetup:
    """Clients of stretch_driver's services.

    Parameters
    ----------
    ros : RosNode
        The bridge's node.
    until : callable
        ``await until(condition, limit_s)`` is True once the condition holds, False when the limit has passed.
    note : callable
        ``note(service, answer)`` is told of every call.
    """

    def __init__(
        self, ros: RosNode, until: Until, note: Callable[[str, str], None] = lambda _service, _answer: None
    ) -> None:
        self._until, self._note = until, note
        self._clients = {
            name: ros.node.create_client(Trigger, name)
            for name in ("switch_to_navigation_mode", "activate_streaming_position", "get_joint_states")
        }
        self._in_need = {
            "stop_the_robot": ros.node.create_client(Trigger, "stop_the_robot"),
            "runstop": ros.node.create_client(SetBool, "runstop"),
        }

    async def prepare(self, safety: SafetyMachine) -> str | None:
        """Bring the robot into the state that arming requires. Returns None, or the one reason why not."""
        driver = safety.driver
        if driver.run_stop_pressed:
            return "the run-stop is pressed: release it, then arm"
        if not driver.homed:
            return "the robot is not homed: call /home_the_robot, then arm"
        asked = [
            ("switch_to_navigation_mode", driver.mode != NAVIGATION),
            ("activate_streaming_position", not driver.streaming),
            # Asked again at every arming: limits change with the tool.
            ("get_joint_states", True),
        ]
        for service, needed in asked:
            problem = await self._call(service) if needed else None
            if problem is not None:
                return problem
        await self._until(lambda: driver.mode == NAVIGATION and driver.streaming, STATUS_LIMIT_S)
        await self._until(lambda: safety.limits_problem is None, STATUS_LIMIT_S)
        return None

    def call_in_need(self, name: DriverCall) -> None:
        """Ask the driver to stop, or press its run-stop; never waits. The core sees for itself whether it helped."""
        client = self._in_need[name]
        if not client.service_is_ready():
            _LOG.error("the driver's service %s is not there", client.srv_name)
            self._note(name, "it is not there")
            return
        request = Trigger.Request() if name == "stop_the_robot" else SetBool.Request(data=True)
        _LOG.error("calling %s", client.srv_name)
        self._note(name, "called")
        future: Any = client.call_async(request)
        future.add_done_callback(lambda done: self._on_answer_in_need(name, done))

    def _on_answer_in_need(self, name: DriverCall, done: Any) -> None:  # noqa: ANN401 - a future of rclpy
        _LOG.error("%s answered: %s", name, _words(done))
        self._note(name, _words(done))

    async def _call(self, service: str) -> str | None:
        problem = await self._ask(service)
        self._note(service, problem or "yes")
        return problem

    async def _ask(self, service: str) -> str | None:
        client = self._clients[service]
        if not client.service_is_ready():
            return f"the driver's service {client.srv_name} is not there; is stretch_driver running?"
        future: Any = client.call_async(Trigger.Request())
        if not await self._until(future.done, SERVICE_LIMIT_S):
            client.remove_pending_request(future)
            return f"the driver did not answer {client.srv_name} within {SERVICE_LIMIT_S:g} s"
        response = future.result()
        return None if response.success else f"the driver refused {client.srv_name}: {response.message}"


def _words(done: Any) -> str:  # noqa: ANN401 - a future of rclpy
    failure = done.exception()
    if failure is not None:
        return str(failure)
    answer = done.result()
    return f"{'yes' if answer.success else 'no'}, {answer.message}"
