"""`hdemg sim-robot` over real ROS 2: the robot and the things of its scene."""

import os
import signal
import subprocess

import pytest

pytest.importorskip("mujoco")
pytest.importorskip("stretch_urdf")

from tests.command_line import command
from tests.waiting import wait_for


def sim_robot(*options, **environment):
    return subprocess.Popen(
        command("sim-robot", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def test_robot_and_things_are_published(ros_domain):
    from robot_bridge.ros_context import QOS, RosNode
    from robot_bridge.ros_imports import JointState, PoseStamped

    heard = {}
    namespace = "sim_scene"
    process = sim_robot("--namespace", namespace)
    wanted = {
        "stretch/joint_states": JointState,
        "scene/joint_states": JointState,
        "scene/cup": PoseStamped,
        "scene/bottle": PoseStamped,
    }
    try:
        with RosNode("watcher", namespace) as ros:
            for topic, kind in wanted.items():
                ros.node.create_subscription(kind, topic, lambda m, t=topic: heard.setdefault(t, m), QOS)
            ros.start()
            wait_for(lambda: set(heard) == set(wanted) or process.poll() is not None, lambda: set(heard))
    finally:
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=30)
    assert set(heard) == set(wanted)
    assert process.returncode == 0, error
    assert heard["scene/cup"].pose.position.z == pytest.approx(0.76, abs=0.002)
    assert list(heard["scene/joint_states"].name) == ["door", "switch"]
