"""Somebody else in the same ROS 2 domain: presses the run-stop, switches the mode, publishes commands."""

import threading
from typing import Any

from emg_acquisition.errors import StreamLostError
from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import Float64MultiArray, SetBool, Trigger, Twist
from robot_bridge.stretch_interface import CMD_VEL, JOINT_POSE, POSE_LENGTH
from simulation.fault_campaign.observer import INTRUDER_MARK

SERVICE_TIMEOUT_S = 5.0
PUBLISH_EVERY_S = 0.05


class Outsider:
    """Made before anything moves: making a node holds Python's interpreter for a while.

    Parameters
    ----------
    robot, bridge : str
        Namespace of the robot, whose services are called, and of the bridge, whose topics are intruded upon.
    """

    def __init__(self, robot: str, bridge: str) -> None:
        self._ros = RosNode("somebody_else", bridge)
        self._bridge = bridge
        node = self._ros.node
        self._clients = {
            name: node.create_client(SetBool if name == "runstop" else Trigger, f"/{robot}/{name}")
            for name in ("runstop", "switch_to_position_mode", "deactivate_streaming_position")
        }
        self._publishing: tuple[threading.Event, threading.Thread, Any] | None = None
        self._ros.start()

    def call(self, service: str, *, data: bool | None = None) -> None:
        """Call one of the robot's services.

        Raises
        ------
        StreamLostError
            If the robot does not answer or refuses.
        """
        client = self._clients[service]
        request = Trigger.Request() if data is None else SetBool.Request(data=data)
        done = threading.Event()
        if client.wait_for_service(SERVICE_TIMEOUT_S):
            future = client.call_async(request)
            future.add_done_callback(lambda _: done.set())
            if done.wait(SERVICE_TIMEOUT_S) and future.result().success:
                return
        msg = f"the robot did not do {service} within {SERVICE_TIMEOUT_S:g} s"
        raise StreamLostError(msg)

    def intrude(self, topic: str, joints: list[float] | None = None) -> None:
        """Publish commands as another controller that is left running does: wheels that stand, joints that stay.

        Parameters
        ----------
        topic : str
            ``CMD_VEL`` or ``JOINT_POSE``.
        joints : list of float, optional
            For ``JOINT_POSE``, the first eight values of its commands.
        """
        kind = Twist if topic == CMD_VEL else Float64MultiArray
        message = kind()
        if topic == JOINT_POSE:
            message.data = [*(joints or []), INTRUDER_MARK, INTRUDER_MARK][:POSE_LENGTH]
        else:
            message.linear.y = INTRUDER_MARK
        publisher = self._ros.node.create_publisher(kind, f"/{self._bridge}/{topic}", QOS)
        ending = threading.Event()

        def publish() -> None:
            while not ending.is_set():
                publisher.publish(message)
                ending.wait(PUBLISH_EVERY_S)

        thread = threading.Thread(target=publish, name="intruder", daemon=True)
        thread.start()
        self._publishing = (ending, thread, publisher)

    def withdraw(self) -> None:
        """End the intrusion."""
        if self._publishing is not None:
            ending, thread, publisher = self._publishing
            ending.set()
            thread.join()
            self._ros.node.destroy_publisher(publisher)
            self._publishing = None

    def close(self) -> None:
        """Leave."""
        self.withdraw()
        self._ros.close()
