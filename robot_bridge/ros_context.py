"""One ROS 2 node in a context and a thread of its own, so that several can live in one process."""

import threading
from types import TracebackType
from typing import Any

from robot_bridge.ros_base import (
    Context,
    ExternalShutdownException,
    QoSProfile,
    ReliabilityPolicy,
    ShutdownException,
    SingleThreadedExecutor,
    rclpy,
)
from robot_bridge.ros_scope import keep_to_this_machine

# stretch_driver's own: depth 1, reliable, volatile.
QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
# For what is heard at 30 Hz and only matters fresh: a reliable reader would hold back the newest message until a
# lost one has been sent again. It matches a reliable publisher.
QOS_FRESH = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_SPIN_S = 0.1


class RosNode:
    """A node that spins in its own thread between `start` and `close`.

    Parameters
    ----------
    name, namespace : str
        The node's name and namespace.

    Attributes
    ----------
    node : rclpy.node.Node
        The node itself.
    failure : Exception or None
        What a callback raised; the thread has then ended.
    """

    def __init__(self, name: str, namespace: str = "") -> None:
        keep_to_this_machine()
        self._context = Context()
        rclpy.init(context=self._context, args=[])
        self.node: Any = rclpy.create_node(
            name,
            namespace=namespace,
            context=self._context,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.failure: Exception | None = None
        self.failed = threading.Event()

    def start(self) -> None:
        """Spin from now on."""
        self._thread = threading.Thread(target=self._spin, name=f"ros-{self.node.get_name()}", daemon=True)
        self._thread.start()

    def stop_spinning(self) -> None:
        """End the thread; the node can still publish."""
        self._ending.set()
        if self._thread is not None:
            self._executor.wake()
            self._thread.join()
            self._thread = None

    def close(self) -> None:
        """End the thread, the node and its context."""
        self.stop_spinning()
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()

    def _spin(self) -> None:
        try:
            while not self._ending.is_set():
                self._executor.spin_once(timeout_sec=_SPIN_S)
        except (ExternalShutdownException, ShutdownException):
            pass
        except Exception as error:  # noqa: BLE001 - the thread's edge: whoever runs the node reads it and stops
            self.failure = error
            self.failed.set()

    def __enter__(self) -> "RosNode":  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
