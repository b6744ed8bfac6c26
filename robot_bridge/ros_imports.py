"""All of ROS 2 that this package uses, imported in one place: without ROS there is one clear error."""

from emg_acquisition.errors import InputError
from robot_bridge.ros_base import (
    Bool,
    Context,
    ExternalShutdownException,
    JointState,
    Odometry,
    QoSProfile,
    ReliabilityPolicy,
    SetBool,
    ShutdownException,
    SingleThreadedExecutor,
    Trigger,
    Twist,
    rclpy,
    rosidl_generator_py,
)

try:
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
    from geometry_msgs.msg import PoseStamped
    from rclpy.callback_groups import ReentrantCallbackGroup
    from rclpy.clock import Clock, ClockType
    from rclpy.duration import Duration
    from rclpy.task import Future
    from sensor_msgs.msg import BatteryState, Image, Imu, Joy
    from std_msgs.msg import Empty, Float32MultiArray, Float64MultiArray, String
except ImportError as error:
    msg = (
        "ROS 2 is not installed: pip install 'hdemg-teleop[ros]' (Linux x86-64), or source a ROS 2 "
        f"distribution such as Humble or Jazzy ({error})"
    )
    raise InputError(msg) from error

__all__ = [
    "BatteryState",
    "Bool",
    "Clock",
    "ClockType",
    "Context",
    "DiagnosticArray",
    "DiagnosticStatus",
    "Duration",
    "Empty",
    "ExternalShutdownException",
    "Float32MultiArray",
    "Float64MultiArray",
    "Future",
    "Image",
    "Imu",
    "JointState",
    "Joy",
    "KeyValue",
    "Odometry",
    "PoseStamped",
    "QoSProfile",
    "ReentrantCallbackGroup",
    "ReliabilityPolicy",
    "SetBool",
    "ShutdownException",
    "SingleThreadedExecutor",
    "String",
    "Trigger",
    "Twist",
    "rclpy",
    "rosidl_generator_py",
]
