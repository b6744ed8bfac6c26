"""stretch_driver over real ROS 2: names, types, QoS and services of the simulated driver's node."""

import itertools
import threading
import uuid

import pytest

pytest.importorskip("rclpy")

from robot_bridge.robot_model import load_robot_model
from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import Float64MultiArray, JointState, Odometry, SetBool, String, Trigger, Twist
from robot_bridge.stretch_interface import JOINT_POSE, JOINT_STATE_NAMES
from simulation.stretch.driver_logic import SimSettings
from simulation.stretch.driver_node import DriverNode
from simulation.stretch.faults import FAULTS_TOPIC
from tests.driver_support import NotedStretch
from tests.waiting import holds_for, wait_for

PUBLISHED = {
    "odom": "nav_msgs/msg/Odometry",
    "battery": "sensor_msgs/msg/BatteryState",
    "is_homed": "std_msgs/msg/Bool",
    "is_runstopped": "std_msgs/msg/Bool",
    "is_streaming_position": "std_msgs/msg/Bool",
    "mode": "std_msgs/msg/String",
    "tool": "std_msgs/msg/String",
    "stretch/joint_states": "sensor_msgs/msg/JointState",
    "joint_limits": "sensor_msgs/msg/JointState",
    "imu_mobile_base": "sensor_msgs/msg/Imu",
}
SUBSCRIBED = {
    "stretch/cmd_vel": "geometry_msgs/msg/Twist",
    "joint_pose_cmd": "std_msgs/msg/Float64MultiArray",
    "gamepad_joy": "sensor_msgs/msg/Joy",
}
TRIGGERS = {
    *("switch_to_position_mode", "switch_to_navigation_mode", "switch_to_trajectory_mode"),
    *("switch_to_gamepad_mode", "activate_streaming_position", "deactivate_streaming_position"),
    *("stop_the_robot", "home_the_robot", "stow_the_robot", "get_joint_states"),
}
SET_BOOLS = {"runstop", "self_collision_avoidance"}


class Rig:
    """The driver's node in this process, and a node that hears and calls it."""

    def __init__(self, namespace, **settings):
        made = SimSettings(namespace=namespace, kinematic=True, **settings)
        self.namespace = f"/{namespace}" if namespace else ""
        self.body = NotedStretch(load_robot_model(), made.start)
        self.driver = RosNode("stretch_driver", namespace)
        DriverNode(self.driver, made, self.body, threading.Lock())
        self.watcher = RosNode("watcher", namespace)
        self.heard = {}
        for topic, kind in (("mode", String), ("stretch/joint_states", JointState), ("odom", Odometry)):
            self.hear(topic, kind)
        self.driver.start()
        self.watcher.start()
        wait_for(lambda: len(self.heard) == 3, lambda: list(self.heard))

    def hear(self, topic, kind):
        self.watcher.node.create_subscription(
            kind, topic, lambda message: self.heard.setdefault(topic, []).append(message), QOS
        )

    def last(self, topic):
        return self.heard[topic][-1]

    def ask(self, service, *, value=None):
        kind = Trigger if value is None else SetBool
        client = self.watcher.node.create_client(kind, service)
        wait_for(client.service_is_ready, service)
        return client.call_async(kind.Request() if value is None else kind.Request(data=value))

    def call(self, service, *, value=None):
        future = self.ask(service, value=value)
        wait_for(future.done, service)
        return future.result().success, future.result().message

    def publisher(self, topic, kind):
        publisher = self.watcher.node.create_publisher(kind, topic, QOS)
        wait_for(lambda: publisher.get_subscription_count() == 1, topic)
        return publisher

    def close(self):
        self.watcher.close()
        self.driver.close()


@pytest.fixture(scope="module")
def rig(ros_domain):
    made = Rig(f"contract_{uuid.uuid4().hex[:8]}", faults=True)
    yield made
    made.close()


def test_the_node_is_called_stretch_driver(rig):
    assert rig.driver.node.get_name() == "stretch_driver"


def test_topics_have_relative_names_and_the_stock_launch_files_two_remappings(rig):
    own = {
        name: kinds[0]
        for name, kinds in rig.driver.node.get_publisher_names_and_types_by_node(
            "stretch_driver", rig.namespace
        )
    }
    assert {name: kind for name, kind in own.items() if name.startswith(rig.namespace)} == {
        f"{rig.namespace}/{topic}": kind for topic, kind in PUBLISHED.items()
    }
    heard = {
        name: kinds[0]
        for name, kinds in rig.driver.node.get_subscriber_names_and_types_by_node(
            "stretch_driver", rig.namespace
        )
    }
    assert {name: kind for name, kind in heard.items() if not name.endswith(FAULTS_TOPIC)} == {
        f"{rig.namespace}/{topic}": kind for topic, kind in SUBSCRIBED.items()
    }


def test_every_topic_is_reliable_volatile_and_keeps_one(rig):
    node = rig.driver.node
    ends = [end for end in (*node.publishers, *node.subscriptions) if end.topic_name != "/parameter_events"]
    assert len(ends) == len(PUBLISHED) + len(SUBSCRIBED) + 1
    for end in ends:
        qos = end.qos_profile
        assert (qos.depth, qos.reliability.name, qos.durability.name) == (1, "RELIABLE", "VOLATILE")


def test_services_are_triggers_and_two_set_bools(rig):
    offered = dict(rig.driver.node.get_service_names_and_types_by_node("stretch_driver", rig.namespace))
    own = {name: kinds[0] for name, kinds in offered.items() if "type_description" not in name}
    assert own == {
        **{f"{rig.namespace}/{name}": "std_srvs/srv/Trigger" for name in TRIGGERS},
        **{f"{rig.namespace}/{name}": "std_srvs/srv/SetBool" for name in SET_BOOLS},
    }


def test_without_a_namespace_the_services_are_absolute_names(ros_domain):
    with RosNode("stretch_driver") as ros:
        settings = SimSettings(kinematic=True)
        body = NotedStretch(load_robot_model(), settings.start)
        DriverNode(ros, settings, body, threading.Lock())
        offered = dict(ros.node.get_service_names_and_types_by_node("stretch_driver", "/"))
    assert {"/stop_the_robot", "/runstop", "/get_joint_states"} <= offered.keys()


def test_it_is_not_the_interface_of_a_stretch_4(rig):
    subscribed = [end.topic_name for end in rig.driver.node.subscriptions]
    assert not any("joint_vel" in name for name in subscribed)


def test_it_publishes_thirty_times_a_second(rig):
    def stamps():
        return [m.header.stamp.sec + 1e-9 * m.header.stamp.nanosec for m in rig.heard["stretch/joint_states"]]

    begin = len(stamps())
    wait_for(lambda: len(stamps()) >= begin + 60)
    steps = sorted(after - before for before, after in itertools.pairwise(stamps()[begin:]))
    assert steps[len(steps) // 2] == pytest.approx(1 / 30, rel=0.1)


def test_joint_limits_come_only_when_they_are_asked_for(rig):
    rig.hear("joint_limits", JointState)
    wait_for(lambda: rig.driver.node.count_subscribers(f"{rig.namespace}/joint_limits") == 1)
    holds_for(lambda: "joint_limits" not in rig.heard, 0.5, "nobody has asked")
    assert rig.call("get_joint_states") == (True, "")
    wait_for(lambda: "joint_limits" in rig.heard)
    limits = rig.last("joint_limits")
    at = list(limits.name).index("joint_arm")
    # position is the lower and velocity the upper limit
    assert (limits.position[at], limits.velocity[at]) == (0.0, 0.52)


def test_joint_states_have_position_velocity_and_effort_of_every_joint(rig):
    state = rig.last("stretch/joint_states")
    assert tuple(state.name) == JOINT_STATE_NAMES
    assert len(state.position) == len(state.velocity) == len(state.effort) == len(JOINT_STATE_NAMES)
    assert state.effort[JOINT_STATE_NAMES.index("joint_lift")] > 10


def test_of_a_twist_linear_x_and_angular_z_count_and_odometry_has_pose_and_twist(rig):
    assert rig.call("switch_to_navigation_mode") == (True, "Now in navigation mode.")
    twists = rig.publisher("stretch/cmd_vel", Twist)
    twist = Twist()
    twist.linear.x, twist.linear.y, twist.linear.z = 0.1, 5.0, 5.0
    twist.angular.x, twist.angular.y, twist.angular.z = 5.0, 5.0, 0.2

    def driven():
        twists.publish(twist)
        odom = rig.last("odom")
        speed = odom.twist.twist
        return odom.pose.pose.position.x > 0.05 and speed.linear.x > 0.09 and speed.angular.z > 0.19 and odom

    odom = wait_for(driven, poll_s=0.05)
    assert (odom.header.frame_id, odom.child_frame_id) == ("odom", "base_link")
    assert odom.twist.twist.angular.z == pytest.approx(0.2, abs=0.011)
    assert odom.pose.pose.orientation.z > 0.0
    assert abs(odom.pose.pose.position.y) < 0.05
    wait_for(lambda: rig.last("odom").twist.twist.linear.x == 0.0)


def test_a_pose_moves_a_joint(rig):
    assert rig.call("activate_streaming_position") == (True, "Activated streaming position.")
    poses = rig.publisher(JOINT_POSE, Float64MultiArray)
    lift = JOINT_STATE_NAMES.index("joint_lift")
    begin = rig.last("stretch/joint_states").position[lift]
    poses.publish(Float64MultiArray(data=[0.2, begin + 0.05, 0.5, -0.4, 0.0, 0.0, 0.0, 0.2, 0.0, 0.0]))
    wait_for(lambda: rig.last("stretch/joint_states").position[lift] == pytest.approx(begin + 0.05))


def test_homing_and_stowing_answer_when_they_are_done_and_everything_else_goes_on(rig):
    for service, mode, done in (
        ("home_the_robot", "homing", "Homed."),
        ("stow_the_robot", "stowing", "Stowed."),
    ):
        before = rig.last("mode").data
        answer = rig.ask(service)
        wait_for(lambda mode=mode: rig.last("mode").data == mode)
        assert not answer.done()
        refused = f"Cannot stow while in mode={mode}."
        assert rig.call("stow_the_robot") == (False, refused)
        wait_for(answer.done)
        assert (answer.result().success, answer.result().message) == (True, done)
        wait_for(lambda before=before: rig.last("mode").data == before)


def test_a_service_that_hangs_answers_once_it_goes_on(rig):
    faults = rig.publisher(FAULTS_TOPIC, String)
    rig.body.told.clear()
    faults.publish(String(data='{"mute_services": ["stop_the_robot"]}'))
    wait_for(lambda: _hangs(rig), "the fault")
    answer = rig.ask("stop_the_robot")
    holds_for(lambda: not answer.done(), 0.5, "it hangs")
    faults.publish(String(data="{}"))
    wait_for(answer.done)
    assert answer.result().message == "Stopped the robot."


def _hangs(rig):
    answer = rig.ask("stop_the_robot")
    rig.call("get_joint_states")
    return not answer.done()


def test_a_driver_that_is_started_again_falls_silent_and_comes_back_as_it_was_started(rig):
    assert rig.call("switch_to_navigation_mode")[0]
    wait_for(lambda: rig.last("mode").data == "navigation")
    faults = rig.publisher(FAULTS_TOPIC, String)
    faults.publish(String(data='{"restart_s": 1.0}'))

    def longest_silence_s():
        stamps = [m.header.stamp.sec + 1e-9 * m.header.stamp.nanosec for m in rig.heard["odom"]]
        return max(after - before for before, after in itertools.pairwise(stamps))

    wait_for(lambda: rig.last("mode").data == "position" and longest_silence_s() > 0.9)
    assert rig.last("odom").pose.pose.position.x == pytest.approx(0.0, abs=1e-6)
    faults.publish(String(data="{}"))


def test_what_is_no_set_of_faults_is_logged_and_changes_nothing(rig, caplog):
    faults = rig.publisher(FAULTS_TOPIC, String)
    faults.publish(String(data='{"blocked": ["elbow"]}'))
    wait_for(lambda: "sim/faults: blocked" in caplog.text)
    assert "nothing is changed" in caplog.text


def test_without_the_option_nobody_can_make_faults(ros_domain):
    with RosNode("stretch_driver", f"plain_{uuid.uuid4().hex[:8]}") as ros:
        settings = SimSettings(kinematic=True)
        body = NotedStretch(load_robot_model(), settings.start)
        DriverNode(ros, settings, body, threading.Lock())
        assert not any(end.topic_name.endswith(FAULTS_TOPIC) for end in ros.node.subscriptions)
