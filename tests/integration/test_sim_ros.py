"""`hdemg sim-robot` over real ROS 2: the robot and the things of its scene."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("mujoco")
pytest.importorskip("stretch_urdf")


def sim_robot(*options, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "sim-robot", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def test_an_opengl_that_is_not_there_is_named_in_one_line(ros_domain):
    process = sim_robot(
        "--camera", MUJOCO_GL="osmesa", PYOPENGL_PLATFORM="osmesa", LD_LIBRARY_PATH="/nowhere"
    )
    try:
        _, error = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate(timeout=20)
        pytest.skip("OSMesa is installed here")
    assert process.returncode == 2
    assert "MUJOCO_GL" in error.strip().splitlines()[-1]


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
            deadline = time.monotonic() + 40
            while set(heard) != set(wanted) and time.monotonic() < deadline:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=30)
    assert set(heard) == set(wanted)
    assert process.returncode == 0, error
    assert heard["scene/cup"].pose.position.z == pytest.approx(0.76, abs=0.002)
    assert list(heard["scene/joint_states"].name) == ["door", "switch"]
