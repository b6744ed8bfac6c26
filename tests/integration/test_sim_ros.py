"""`hdemg sim-robot` over real ROS 2: the robot, its scene and its camera; refusals in one line."""

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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--kinematic", "--camera"), "--kinematic has none"),
        (("--viewer",), "--viewer needs a screen"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(ros_domain, options, said):
    process = sim_robot(*options, DISPLAY="", WAYLAND_DISPLAY="")
    out, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == ""
    (line,) = error.strip().splitlines()
    assert said in line


def test_an_opengl_that_is_not_there_is_named_in_one_line(ros_domain):
    process = sim_robot("--camera", MUJOCO_EGL_DEVICE_ID="4711")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "no off-screen OpenGL for --camera" in error.strip().splitlines()[-1]


def test_robot_things_and_camera_are_published(ros_domain):
    from robot_bridge.ros_context import QOS, RosNode
    from robot_bridge.ros_imports import Image, JointState, PoseStamped
    from robot_bridge.simulator.camera import Drawing
    from robot_bridge.simulator.mujoco_model import build_model

    drawn = True
    try:
        Drawing(build_model("empty")).close()
    except ValueError:
        drawn = False
    heard = {}
    namespace = "sim_scene"
    process = sim_robot("--namespace", namespace, *(["--camera"] if drawn else []))
    wanted = {
        "stretch/joint_states": JointState,
        "scene/joint_states": JointState,
        "scene/cup": PoseStamped,
        "scene/bottle": PoseStamped,
        **({"camera/image_raw": Image} if drawn else {}),
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
    if drawn:
        image = heard["camera/image_raw"]
        assert image.encoding == "rgb8"
        assert len(image.data) == image.height * image.width * 3
        assert len(set(image.data[:: 3 * 101])) > 20
