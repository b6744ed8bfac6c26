"""Where the things of the simulated scene are, published for windows and for whoever judges a task."""

from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import JointState, PoseStamped
from simulation.stretch.mujoco_stretch import MujocoStretch

RATE_HZ = 30.0


class SceneTopics:
    """``scene/<thing>`` (PoseStamped, frame ``odom``) and ``scene/joint_states`` (door and switch).

    Parameters
    ----------
    ros : RosNode
        The driver's node, not yet spinning: both then run in one thread.
    body : MujocoStretch
        The robot in its scene.
    """

    def __init__(self, ros: RosNode, body: MujocoStretch) -> None:
        self._node, self._body = ros.node, body
        self._things = {
            thing: self._node.create_publisher(PoseStamped, f"scene/{thing}", QOS) for thing in body.things
        }
        self._joints = self._node.create_publisher(JointState, "scene/joint_states", QOS)
        self._hinges = [name for name in body.hinges if not name.startswith("robot/")]
        self._node.create_timer(1.0 / RATE_HZ, self._publish)

    def _publish(self) -> None:
        stamp = self._node.get_clock().now().to_msg()
        for thing, publisher in self._things.items():
            pose, message = self._body.pose(thing), PoseStamped()
            message.header.stamp, message.header.frame_id = stamp, "odom"
            at, turned = message.pose.position, message.pose.orientation
            at.x, at.y, at.z = (float(value) for value in pose.position_m)
            turned.w, turned.x, turned.y, turned.z = (float(value) for value in pose.quaternion)
            publisher.publish(message)
        joints = JointState(name=self._hinges)
        joints.header.stamp = stamp
        joints.position = [self._body.joint_angle_rad(hinge) for hinge in self._hinges]
        self._joints.publish(joints)
