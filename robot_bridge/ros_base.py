"""What a node of this package needs of ROS 2 at least: nothing but what stretch_driver needs, too."""

import warnings

from emg_acquisition.errors import InputError

try:
    import rclpy

    with warnings.catch_warnings():
        # ROS's code generator, which the first message loads, imports deprecated modules; nothing of ours.
        warnings.simplefilter("ignore", DeprecationWarning)
        import rosidl_generator_py  # type: ignore[import-untyped]
    from geometry_msgs.msg import Twist
    from nav_msgs.msg import Odometry
    from rclpy.context import Context
    from rclpy.executors import ExternalShutdownException, ShutdownException, SingleThreadedExecutor
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import JointState
    from std_msgs.msg import Bool
    from std_srvs.srv import SetBool, Trigger
except ImportError as error:
    msg = (
        "ROS 2 is not installed: pip install 'hdemg-teleop[ros]' (Linux x86-64), or source a ROS 2 "
        f"distribution such as Humble or Jazzy ({error})"
    )
    raise InputError(msg) from error

__all__ = [
    "Bool",
    "Context",
    "ExternalShutdownException",
    "JointState",
    "Odometry",
    "QoSProfile",
    "ReliabilityPolicy",
    "SetBool",
    "ShutdownException",
    "SingleThreadedExecutor",
    "Trigger",
    "Twist",
    "rclpy",
    "rosidl_generator_py",
]
