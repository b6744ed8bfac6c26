"""The simulated Stretch as a ROS 2 node with stretch_driver's topics and services.

Left out: the trajectory action (control_msgs is not among the wheels), backlash, IMU readings other than rest. Topics
are where the stock launch file puts them (``stretch/cmd_vel``, ``stretch/joint_states``); the services are in the
robot's namespace, although the real driver's are absolute names that a launch file has to move there.
"""

import logging
import math
import os
import threading
import time
from array import array
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from emg_acquisition.errors import InputError
from robot_bridge.robot_model import load_robot_model
from robot_bridge.ros_context import QOS, QOS_FRESH, RosNode
from robot_bridge.ros_imports import (
    BatteryState,
    Bool,
    Duration,
    Float64MultiArray,
    Future,
    Image,
    Imu,
    JointState,
    Joy,
    Odometry,
    ReentrantCallbackGroup,
    SetBool,
    String,
    Trigger,
    Twist,
)
from robot_bridge.stretch_interface import (
    CAMERA_TOPIC,
    CMD_VEL,
    JOINT_LIMITS,
    JOINT_POSE,
    JOINT_STATES,
)
from simulation.stretch.drawing_library import choose_drawing_library
from simulation.stretch.driver_logic import CONTROL_MODES, Answer, DriverLogic, SimSettings
from simulation.stretch.faults import FAULTS_TOPIC, Faults
from simulation.stretch.kinematic_stretch import KinematicStretch
from simulation.stretch.stretch_body import StretchBody
from simulation.stretch.variants import STRETCH_3, VARIANTS

if TYPE_CHECKING:
    from simulation.stretch.drawing import Picture, Viewer

NODE_NAME = "stretch_driver"
GAMEPAD_JOY = "gamepad_joy"
TRIGGERS = (
    *(f"switch_to_{mode}_mode" for mode in CONTROL_MODES),
    "activate_streaming_position",
    "deactivate_streaming_position",
    "stop_the_robot",
    "home_the_robot",
    "stow_the_robot",
    "get_joint_states",
)
SET_BOOLS = ("runstop", "self_collision_avoidance")
# Services that answer at the end of what they start, with the mode meanwhile.
ROUTINES = {"home_the_robot": "homing", "stow_the_robot": "stowing"}
_LOG = logging.getLogger(__name__)


class DriverNode:
    """Messages to `DriverLogic` and back, at 30 Hz.

    Parameters
    ----------
    ros : RosNode
        The node, not yet spinning.
    settings : SimSettings
        Rate and mode.
    body : StretchBody
        The robot.
    lock : threading.Lock
        Held while the robot is stepped.
    """

    def __init__(self, ros: RosNode, settings: SimSettings, body: StretchBody, lock: threading.Lock) -> None:
        self._node, self._lock = ros.node, lock
        self._logic = DriverLogic(settings, body)
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
        # As the real driver's: services wait for what they start while everything else goes on.
        self._group = ReentrantCallbackGroup()
        self._waiting: list[tuple[Callable[[], bool], Any]] = []
        for kind, topic, take in (
            (Twist, CMD_VEL, self._on_cmd_vel),
            (Float64MultiArray, JOINT_POSE, self._on_joint_pose),
            (Joy, GAMEPAD_JOY, self._on_gamepad_joy),
        ):
            self._node.create_subscription(kind, topic, take, QOS, callback_group=self._group)
        if settings.faults:
            self._node.create_subscription(String, FAULTS_TOPIC, self._on_faults, QOS)
        for name in TRIGGERS:
            self._serve(Trigger, name)
        for name in SET_BOOLS:
            self._serve(SetBool, name)
        self._node.create_timer(1.0 / settings.rate_hz, self._tick)

    def _serve(self, kind: Any, name: str) -> None:  # noqa: ANN401 - a service's type
        async def serve(request: Any, response: Any) -> Any:  # noqa: ANN401 - of that type
            response.success, response.message = await self._answer(name, getattr(request, "data", True))
            return response

        self._node.create_service(kind, name, serve, callback_group=self._group)

    async def _answer(self, name: str, value: bool) -> Answer:
        logic = self._logic
        while (answer := logic.serve(name, time.monotonic(), value=value)) is None:
            # Who asks a service that hangs is answered once it goes on; who asks a driver that has ended, never.
            await self._until(partial(self._goes_on, logic.faults) if logic.is_up else lambda: False)
        if name == "get_joint_states":
            self._publish_limits()
        elif name in ROUTINES and answer[0]:
            await self._until(lambda: logic.mode != ROUTINES[name])
        return answer

    def _goes_on(self, since: Faults) -> bool:
        return self._logic.faults is not since

    async def _until(self, condition: Callable[[], bool]) -> None:
        future: Any = Future()
        self._waiting.append((condition, future))
        await future

    def _on_cmd_vel(self, message: Twist) -> None:
        self._logic.on_cmd_vel(message.linear.x, message.angular.z, time.monotonic())

    def _on_joint_pose(self, message: Float64MultiArray) -> None:
        self._logic.on_joint_pose(message.data, time.monotonic())

    def _on_gamepad_joy(self, message: Joy) -> None:
        self._logic.on_gamepad_joy(message.axes, message.buttons, time.monotonic())

    def _on_faults(self, message: String) -> None:
        try:
            faults = Faults.model_validate_json(message.data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            _LOG.error("%s: %s: %s; nothing is changed", FAULTS_TOPIC, where, first["msg"])
            return
        with self._lock:
            self._logic.set_faults(faults)
        _LOG.warning("faults: %s", faults.model_dump_json(exclude_defaults=True))

    def _tick(self) -> None:
        with self._lock:
            self._logic.step(time.monotonic())
        still = []
        for condition, future in self._waiting:
            if condition():
                future.set_result(None)
            else:
                still.append((condition, future))
        self._waiting = still
        if self._logic.is_up:
            self._publish()

    def _publish(self) -> None:
        logic, pubs = self._logic, self._pubs
        now = self._node.get_clock().now() + Duration(seconds=logic.faults.clock_jump_s)
        stamp = now.to_msg()
        pubs["mode"].publish(String(data=logic.mode))
        pubs["tool"].publish(String(data=logic.variant.tool))
        pubs["is_homed"].publish(Bool(data=logic.homed))
        pubs["is_runstopped"].publish(Bool(data=logic.runstopped))
        pubs["is_streaming_position"].publish(Bool(data=logic.streaming))
        pubs["odom"].publish(self._odometry(stamp))
        pubs[JOINT_STATES].publish(self._joint_states(stamp))
        voltage = logic.faults.battery_v
        battery = BatteryState(voltage=voltage, current=math.nan, percentage=math.nan, present=False)
        battery.header.stamp = stamp
        pubs["battery"].publish(battery)
        imu = Imu()
        imu.header.stamp, imu.header.frame_id = stamp, "imu_mobile_base"
        imu.orientation.z = math.sin(logic.robot.base.heading_rad / 2)
        imu.orientation.w = math.cos(logic.robot.base.heading_rad / 2)
        imu.linear_acceleration.z = 9.81
        pubs["imu_mobile_base"].publish(imu)

    def _odometry(self, stamp: Any) -> Odometry:  # noqa: ANN401 - a ROS time
        base = self._logic.odometry()
        odom = Odometry(child_frame_id="base_link")
        odom.header.stamp, odom.header.frame_id = stamp, "odom"
        odom.pose.pose.position.x, odom.pose.pose.position.y = base.x_m, base.y_m
        odom.pose.pose.orientation.z = math.sin(base.heading_rad / 2)
        odom.pose.pose.orientation.w = math.cos(base.heading_rad / 2)
        odom.twist.twist.linear.x, odom.twist.twist.angular.z = base.velocity_m_s, base.velocity_rad_s
        return odom

    def _joint_states(self, stamp: Any) -> JointState:  # noqa: ANN401 - a ROS time
        message = JointState(name=list(self._logic.joint_names), effort=self._logic.efforts())
        message.header.stamp = stamp
        message.position, message.velocity = self._logic.joint_states()
        return message

    def _publish_limits(self) -> None:
        limits = self._logic.joint_limits()
        message = JointState(name=list(limits))
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.position = [lower for lower, _ in limits.values()]
        message.velocity = [upper for _, upper in limits.values()]
        self._pubs[JOINT_LIMITS].publish(message)


def run(settings: SimSettings, stop: threading.Event) -> None:
    """Run the node until `stop` is set, or the viewer is closed; a failure in it is raised here."""
    body, lock = make_body(settings), threading.Lock()
    with RosNode(NODE_NAME, settings.namespace) as ros, ExitStack() as cleanup:
        DriverNode(ros, settings, body, lock)
        looks = _start_looking(ros, settings, body, lock, cleanup)
        ros.start()
        while not stop.is_set() and not ros.failed.wait(0.05) and looks():
            pass
        ros.stop_spinning()
        if ros.failure is not None:
            raise ros.failure


def make_body(settings: SimSettings) -> StretchBody:
    """Return the robot that is asked for.

    Raises
    ------
    InputError
        If physics are asked for and are not installed, or are for another robot, or pictures without them.
    """
    model = load_robot_model(settings.robot_model)
    if settings.kinematic:
        if settings.camera or settings.viewer:
            raise InputError("--camera and --viewer show the physics: leave --kinematic out")
        variant = VARIANTS[settings.robot]
        return KinematicStretch(model, settings.start, variant, base_ramps=settings.base_ramps)
    if VARIANTS[settings.robot] is not STRETCH_3:
        raise InputError(f"--robot {settings.robot} has no physics: add --kinematic")
    if settings.camera:
        choose_drawing_library()
    try:
        from simulation.stretch.mujoco_stretch import MujocoStretch  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        msg = (
            f"{error.name} is not installed: pip install 'hdemg-teleop[sim]', or use --kinematic (no physics)"
        )
        raise InputError(msg) from error
    except (AttributeError, OSError, RuntimeError) as error:
        # MuJoCo loads the OpenGL that the variable names as it is imported, and fails in many ways without.
        wanted = os.environ.get("MUJOCO_GL", "")
        msg = f"MuJoCo cannot be loaded with MUJOCO_GL={wanted!r}: unset it, or use --kinematic ({error})"
        raise InputError(msg) from error
    return MujocoStretch(model, settings.start, settings.scene, base_ramps=settings.base_ramps)


def _start_looking(
    ros: RosNode, settings: SimSettings, body: StretchBody, lock: threading.Lock, cleanup: ExitStack
) -> Callable[[], bool]:
    """Start what shows the robot; what is returned refreshes it, and is false once a viewer was closed."""
    if settings.kinematic:
        return lambda: True
    from simulation.stretch.drawing import SceneCamera, Viewer  # noqa: PLC0415 - needs MuJoCo
    from simulation.stretch.mujoco_stretch import MujocoStretch  # noqa: PLC0415 - an extra
    from simulation.stretch.scene_topics import SceneTopics  # noqa: PLC0415 - needs MuJoCo

    if not isinstance(body, MujocoStretch):
        return lambda: True
    SceneTopics(ros, body)
    checks: list[Callable[[], bool]] = []
    if settings.camera:
        camera = SceneCamera(body, lock, CameraTopic(ros).publish)
        cleanup.callback(camera.close)
        checks.append(lambda: _goes_on(camera.failure))
    if settings.viewer:
        viewer = Viewer(body)
        cleanup.callback(viewer.close)
        checks.append(lambda: _synced(viewer, lock))
    return lambda: all(check() for check in checks)


def _goes_on(failure: Exception | None) -> bool:
    if failure is not None:
        msg = (
            f"the camera cannot draw here ({failure}); leave --camera out, or set MUJOCO_GL to egl or osmesa"
        )
        raise InputError(msg)
    return True


def _synced(viewer: "Viewer", lock: threading.Lock) -> bool:
    with lock:
        viewer.sync()
    return viewer.is_open


class CameraTopic:
    """Pictures as sensor_msgs/Image on ``camera/image_raw``.

    Parameters
    ----------
    ros : RosNode
        The driver's node.
    """

    def __init__(self, ros: RosNode) -> None:
        self._node = ros.node
        self._publisher = ros.node.create_publisher(Image, CAMERA_TOPIC, QOS_FRESH)

    def publish(self, picture: "Picture") -> None:
        """Publish a picture, uint8 of shape (height, width, 3)."""
        height, width, depth = picture.shape
        message = Image(height=height, width=width, encoding="rgb8", step=width * depth)
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.header.frame_id = "camera_overview"
        message.data = array("B", picture.tobytes())
        self._publisher.publish(message)
