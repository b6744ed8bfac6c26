"""The newest picture of the robot's camera topic; what a window does not fetch is overwritten."""

import threading
from dataclasses import dataclass

from robot_bridge.ros_context import QOS_FRESH, RosNode
from robot_bridge.ros_imports import Image
from robot_bridge.stretch_interface import CAMERA_TOPIC


@dataclass(frozen=True)
class CameraPicture:
    """A picture, 8-bit RGB, row after row."""

    width: int
    height: int
    data: bytes


class CameraFeed:
    """Listen to ``camera/image_raw`` in a ROS 2 node of its own, between construction and `close`."""

    def __init__(self, namespace: str) -> None:
        self._lock = threading.Lock()
        self._picture: CameraPicture | None = None
        self._ros = RosNode("hdemg_window_camera", namespace)
        self._ros.node.create_subscription(Image, CAMERA_TOPIC, self._on_image, QOS_FRESH)
        self._ros.start()

    def take(self) -> CameraPicture | None:
        """Return the newest picture, once; None where nothing new has come."""
        with self._lock:
            picture, self._picture = self._picture, None
        return picture

    def close(self) -> None:
        """Listen no more."""
        self._ros.close()

    def _on_image(self, message: Image) -> None:
        if message.encoding != "rgb8" or message.step != 3 * message.width:
            return
        with self._lock:
            self._picture = CameraPicture(message.width, message.height, bytes(message.data))
