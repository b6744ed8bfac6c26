"""What a simulation can show beyond the robot: the camera's pictures, where things are, and a window to look into."""

import os
from array import array
from types import TracebackType
from typing import Any

import mujoco

from emg_acquisition.errors import InputError
from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import Image, JointState, PoseStamped
from robot_bridge.simulator.camera import Camera, Picture
from robot_bridge.simulator.mujoco_stretch import MujocoStretch

CAMERA_TOPIC = "camera/image_raw"
SCENE_TOPICS = "scene"
HINGES = ("door", "switch")


class SceneTopics:
    """Publishes ``scene/<thing>`` (PoseStamped), ``scene/joint_states`` (door, switch) and ``camera/image_raw``.

    Parameters
    ----------
    ros : RosNode
        The node.
    body : MujocoStretch
        The robot in its scene.
    camera, viewer : bool
        Whether to draw, off screen and in a window.

    Raises
    ------
    InputError
        If there is no OpenGL for the camera, or no screen for the viewer.
    """

    def __init__(self, ros: RosNode, body: MujocoStretch, *, camera: bool, viewer: bool) -> None:
        self._node, self._body = ros.node, body
        self._things = {
            thing: self._node.create_publisher(PoseStamped, f"{SCENE_TOPICS}/{thing}", QOS)
            for thing in body.things
        }
        self._hinges = [hinge for hinge in HINGES if hinge in body.hinges]
        self._joints = self._node.create_publisher(JointState, f"{SCENE_TOPICS}/joint_states", QOS)
        self._pictures = self._node.create_publisher(Image, CAMERA_TOPIC, QOS) if camera else None
        self._viewer = _open_viewer(body) if viewer else None
        self._camera = Camera(body.model, self._publish_picture) if camera else None

    def publish(self, stamp: object) -> None:
        """Tell of the present state; called after a step, in the thread of the physics."""
        for thing, publisher in self._things.items():
            pose, message = self._body.pose(thing), PoseStamped()
            message.header.stamp, message.header.frame_id = stamp, "odom"
            at, turned = message.pose.position, message.pose.orientation
            at.x, at.y, at.z = (float(value) for value in pose.position_m)
            turned.w, turned.x, turned.y, turned.z = (float(value) for value in pose.quaternion)
            publisher.publish(message)
        angles = [self._body.joint_angle_rad(hinge) for hinge in self._hinges]
        joints = JointState(name=self._hinges, position=angles)
        joints.header.stamp = stamp
        self._joints.publish(joints)
        if self._camera is not None:
            self._camera.show(self._body.data.qpos)
        if self._viewer is not None and self._viewer.is_running():
            self._viewer.sync()

    def _publish_picture(self, picture: Picture) -> None:
        if self._pictures is None:
            return
        height, width, _ = picture.shape
        message = Image(height=height, width=width, encoding="rgb8", step=3 * width)
        message.header.stamp, message.header.frame_id = self._node.get_clock().now().to_msg(), "overview"
        message.data = array("B", picture.tobytes())
        self._pictures.publish(message)

    def __enter__(self) -> "SceneTopics":  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._camera is not None:
            self._camera.close()
        if self._viewer is not None:
            self._viewer.close()


def _open_viewer(body: MujocoStretch) -> Any:  # noqa: ANN401 - no types
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        msg = "--viewer needs a screen, and there is none (DISPLAY is not set): use --camera, or leave --viewer out"
        raise InputError(msg)
    # Here, for it opens a connection to the screen.
    from mujoco import viewer  # noqa: PLC0415

    try:
        return viewer.launch_passive(body.model, body.data, show_left_ui=False, show_right_ui=False)
    except (RuntimeError, mujoco.FatalError) as error:
        msg = f"--viewer cannot open a window: {error}; use --camera, or leave --viewer out"
        raise InputError(msg) from error
