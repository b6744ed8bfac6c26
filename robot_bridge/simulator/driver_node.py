"""The simulated Stretch as a ROS 2 node with stretch_driver's topics and services.

Left out: the trajectory action and gamepad mode (their messages are not among the wheels), backlash, IMU
readings other than rest. Topics are where the stock launch file puts them (``stretch/cmd_vel``,
``stretch/joint_states``).
"""

import math
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import (
    BatteryState,
    Bool,
    Float64MultiArray,
    Imu,
    JointState,
    Odometry,
    SetBool,
    String,
    Trigger,
    Twist,
)
from robot_bridge.simulator.bodies import build_body
from robot_bridge.simulator.driver_logic import DriverLogic, SimSettings
from robot_bridge.simulator.stretch_body import StretchBody
from robot_bridge.stretch_interface import (
    CMD_VEL,
    JOINT_LIMITS,
    JOINT_POSE,
    JOINT_STATE_NAMES,
    JOINT_STATES,
)

NODE_NAME = "stretch_driver"
TOOL = "eoa_wrist_dw3_tool_sg3"


class DriverNode:
    """Messages to `DriverLogic` and back, at 30 Hz.

    Parameters
    ----------
    ros : RosNode
        The node, not yet spinning.
    settings : SimSettings
        Rate and mode.
    robot : StretchBody
        The robot that it drives.
    after_step : callable
        Called after every step with its time stamp.
    """

    def __init__(
        self, ros: RosNode, settings: SimSettings, robot: StretchBody, after_step: Callable[[object], None]
    ) -> None:
        self._node = ros.node
        self._logic = DriverLogic(settings, robot)
        self._after_step = after_step
        self._pubs = {
            topic: self._node.create_publisher(kind, topic, QOS)
            for topic, kind in (
                ("odom", Odometry),
                ("battery", BatteryState),
                ("is_homed", Bool),
                ("is_runstopped", Bool),
                ("is_streaming_position", Bool),
                ("mode", String),
                ("tool", String),
                (JOINT_STATES, JointState),
                (JOINT_LIMITS, JointState),
                ("imu_mobile_base", Imu),
            )
        }
        self._node.create_subscription(Twist, CMD_VEL, self._on_cmd_vel, QOS)
        self._node.create_subscription(Float64MultiArray, JOINT_POSE, self._on_joint_pose, QOS)
        self._serve()
        self._node.create_timer(1.0 / settings.rate_hz, self._tick)

    def _serve(self) -> None:
        logic = self._logic
        for mode in ("position", "navigation", "trajectory"):
            self._trigger(f"switch_to_{mode}_mode", partial(logic.switch_mode, mode))
        self._trigger("activate_streaming_position", lambda: logic.set_streaming(True))
        self._trigger("deactivate_streaming_position", lambda: logic.set_streaming(False))
        self._trigger("stop_the_robot", logic.stop_the_robot)
        self._trigger("home_the_robot", lambda: logic.start_routine("homing", time.monotonic()))
        self._trigger("stow_the_robot", lambda: logic.start_routine("stowing", time.monotonic()))
        self._trigger("get_joint_states", self._publish_limits)
        self._set_bool("runstop", logic.set_runstop)
        self._set_bool(
            "self_collision_avoidance", lambda on: (not on, "not supported by this simulated robot")
        )

    def _trigger(self, name: str, act: Callable[[], tuple[bool, str]]) -> None:
        def serve(_request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            response.success, response.message = act()
            return response

        self._node.create_service(Trigger, name, serve)

    def _set_bool(self, name: str, act: Callable[[bool], tuple[bool, str]]) -> None:
        def serve(request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
            response.success, response.message = act(request.data)
            return response

        self._node.create_service(SetBool, name, serve)

    def _on_cmd_vel(self, message: Twist) -> None:
        now_s = time.monotonic()
        # A command takes effect when it comes, not at the tick before.
        self._logic.step(now_s)
        self._logic.on_cmd_vel(message.linear.x, message.angular.z, now_s)

    def _on_joint_pose(self, message: Float64MultiArray) -> None:
        self._logic.step(time.monotonic())
        self._logic.on_joint_pose(message.data)

    def _tick(self) -> None:
        self._logic.step(time.monotonic())
        stamp = self._node.get_clock().now().to_msg()
        logic, pubs = self._logic, self._pubs
        pubs["mode"].publish(String(data=logic.mode))
        pubs["tool"].publish(String(data=TOOL))
        pubs["is_homed"].publish(Bool(data=logic.homed))
        pubs["is_runstopped"].publish(Bool(data=logic.runstopped))
        pubs["is_streaming_position"].publish(Bool(data=logic.streaming))
        pubs["odom"].publish(self._odometry(stamp))
        pubs[JOINT_STATES].publish(self._joint_states(stamp))
        battery = BatteryState(voltage=13.0, current=math.nan, percentage=math.nan, present=False)
        battery.header.stamp = stamp
        pubs["battery"].publish(battery)
        imu = Imu()
        imu.header.stamp, imu.header.frame_id = stamp, "imu_mobile_base"
        imu.orientation.z = math.sin(logic.robot.base.heading_rad / 2)
        imu.orientation.w = math.cos(logic.robot.base.heading_rad / 2)
        imu.linear_acceleration.z = 9.81
        pubs["imu_mobile_base"].publish(imu)
        self._after_step(stamp)

    def _odometry(self, stamp: Any) -> Odometry:  # noqa: ANN401 - a ROS time
        base = self._logic.robot.base
        odom = Odometry(child_frame_id="base_link")
        odom.header.stamp, odom.header.frame_id = stamp, "odom"
        odom.pose.pose.position.x, odom.pose.pose.position.y = base.x_m, base.y_m
        odom.pose.pose.orientation.z = math.sin(base.heading_rad / 2)
        odom.pose.pose.orientation.w = math.cos(base.heading_rad / 2)
        odom.twist.twist.linear.x, odom.twist.twist.angular.z = base.velocity_m_s, base.velocity_rad_s
        return odom

    def _joint_states(self, stamp: Any) -> JointState:  # noqa: ANN401 - a ROS time
        message = JointState(name=list(JOINT_STATE_NAMES), effort=[0.0] * len(JOINT_STATE_NAMES))
        message.header.stamp = stamp
        message.position, message.velocity = self._logic.joint_states()
        return message

    def _publish_limits(self) -> tuple[bool, str]:
        limits = self._logic.joint_limits()
        message = JointState(name=list(limits))
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.position = [lower for lower, _ in limits.values()]
        message.velocity = [upper for _, upper in limits.values()]
        self._pubs[JOINT_LIMITS].publish(message)
        return True, ""


def run(settings: SimSettings, stop: threading.Event) -> None:
    """Run the node until `stop` is set; a failure in it is raised here.

    Raises
    ------
    InputError
        If what the settings ask for is not installed, or cannot be drawn on this machine.
    """
    robot = build_body(settings)
    with RosNode(NODE_NAME, settings.namespace) as ros, ExitStack() as closing:
        after_step: Callable[[object], None] = _nothing
        if settings.physics == "mujoco":
            after_step = _scene_topics(ros, robot, settings, closing)
        DriverNode(ros, settings, robot, after_step)
        ros.start()
        closing.callback(ros.stop_spinning)
        while not stop.is_set() and not ros.failed.wait(0.05):
            pass
        ros.stop_spinning()
        if ros.failure is not None:
            raise ros.failure


def _scene_topics(
    ros: RosNode, robot: StretchBody, settings: SimSettings, closing: ExitStack
) -> Callable[[object], None]:
    # Here, for MuJoCo need not be installed.
    from robot_bridge.simulator.mujoco_stretch import MujocoStretch  # noqa: PLC0415
    from robot_bridge.simulator.scene_topics import SceneTopics  # noqa: PLC0415

    if not isinstance(robot, MujocoStretch):
        return _nothing
    topics = SceneTopics(ros, robot, camera=settings.camera, viewer=settings.viewer)
    return closing.enter_context(topics).publish


def _nothing(_stamp: object) -> None:
    """After a step of a robot without a scene."""
