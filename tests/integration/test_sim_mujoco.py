"""The Stretch of MuJoCo: it stands, holds, lets go, and its home's things behave; its node draws and refuses."""

import subprocess
import uuid

import numpy as np
import pytest

pytest.importorskip("mujoco")

from robot_bridge.robot_model import load_robot_model
from simulation.stretch.mujoco_stretch import MujocoStretch
from tests.command_line import command
from tests.waiting import wait_for

MODEL = load_robot_model()
START = {"lift": 0.6, "arm": 0.2, "wrist_yaw": 0.5, "wrist_pitch": -0.4, "wrist_roll": 0.0, "gripper": 0.2}


@pytest.fixture(scope="module")
def home():
    return MujocoStretch(MODEL, START, "home")


def test_what_nobody_commands_stays_where_it_is(home):
    home.reset()
    before = dict(home.positions)
    cup, bottle = home.pose("cup"), home.pose("bottle")
    home.step(3.0)
    assert dict(home.positions) == pytest.approx(before, abs=2e-3)
    for thing, was in (("cup", cup), ("bottle", bottle)):
        assert np.linalg.norm(home.pose(thing).position_m - was.position_m) < 3e-3
        assert home.pose(thing).tilt_rad < 0.02


def test_it_goes_to_its_targets_and_no_further_than_its_limits(home):
    home.reset()
    home.set_targets({"lift": 0.9, "wrist_yaw": 1.5, "arm": 5.0})
    home.step(8.0)
    assert home.positions["lift"] == pytest.approx(0.9, abs=2e-3)
    assert home.positions["wrist_yaw"] == pytest.approx(1.5, abs=0.01)
    assert home.positions["arm"] <= MODEL.dof["arm"].upper + 2e-3


def test_the_table_holds_the_arm_back_and_the_motor_waits(home):
    home.reset({**START, "lift": 0.95, "arm": 0.4, "wrist_yaw": 0.0, "wrist_pitch": -1.2}, (0.8, 0.0, 0.0))
    home.set_targets({"lift": 0.2})
    home.step(8.0)
    held = home.positions["lift"]
    assert held > 0.35  # on the table, far from its target
    home.step(2.0)
    assert home.positions["lift"] == pytest.approx(held, abs=5e-3)
    home.set_targets({"lift": held + 0.2})
    home.step(4.0)
    assert home.positions["lift"] == pytest.approx(held + 0.2, abs=5e-3)


def test_a_run_stop_lets_the_gripper_go_and_the_lift_floats(home):
    home.reset({**START, "gripper": -0.1})
    home.step(1.0)
    closed, lift = home.finger_angle_rad, home.positions["lift"]
    home.set_runstopped(True)
    home.step(2.0)
    assert home.finger_angle_rad > closed + 0.2
    assert home.positions["lift"] == pytest.approx(lift, abs=0.02)
    home.set_runstopped(False)
    home.set_targets({"lift": lift + 0.05})
    home.step(2.0)
    assert home.positions["lift"] == pytest.approx(lift + 0.05, abs=5e-3)


def test_the_door_opens_when_it_is_pushed_and_the_switch_snaps(home):
    home.reset()
    door = home.model.joint("door").dofadr[0]
    home.data.qfrc_applied[door] = 6.0
    home.step(2.0)
    home.data.qfrc_applied[door] = 0.0
    assert home.joint_angle_rad("door") > 0.3
    switch = home.model.joint("switch").dofadr[0]
    for torque, sign in ((0.2, 1), (-0.2, -1)):
        home.data.qfrc_applied[switch] = torque
        home.step(0.5)
        home.data.qfrc_applied[switch] = 0.0
        home.step(0.5)
        assert sign * home.joint_angle_rad("switch") > 0.1


def test_the_same_beginning_and_commands_give_the_same_motion():
    paths = []
    for _ in range(2):
        robot = MujocoStretch(MODEL, START, "home")
        robot.reset(seed=3)
        robot.set_targets({"lift": 0.8, "arm": 0.4})
        robot.set_base_velocity(0.1, 0.1)
        robot.step(2.0)
        paths.append((*robot.positions.values(), robot.base.x_m, *robot.pose("cup").position_m))
    assert paths[0] == paths[1]


def pictures_of(namespace, robot):
    """The first pictures; none where the robot's process ends before."""
    from robot_bridge.ros_context import QOS_FRESH, RosNode
    from robot_bridge.ros_imports import Image

    pictures = []
    with RosNode("camera_test", namespace) as ros:
        ros.node.create_subscription(
            Image,
            "camera/image_raw",
            lambda m: pictures.append((m.height, m.width, bytes(m.data))),
            QOS_FRESH,
        )
        ros.start()
        wait_for(lambda: len(pictures) >= 3 or robot.poll() is not None, "a picture")
    return pictures


def test_its_node_draws_the_scene(ros_domain):
    namespace = f"camera_{uuid.uuid4().hex[:8]}"
    robot = subprocess.Popen(
        command("sim-robot", "--camera", "--namespace", namespace), stderr=subprocess.PIPE, text=True
    )
    try:
        pictures = pictures_of(namespace, robot)
    finally:
        robot.terminate()
        _, said = robot.communicate(timeout=15)
    if not pictures and "cannot draw" in said:
        assert said.count("\n") == 1
        pytest.skip(f"nothing draws here: {said.strip()}")
    assert pictures, said
    height, width, data = pictures[-1]
    picture = np.frombuffer(data, np.uint8).reshape(height, width, 3).astype(int)
    blue = (picture[..., 2] - picture[..., 0] > 40) & (picture[..., 2] > 80)
    assert blue.sum() > 20  # the cup
    assert picture.std() > 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--viewer",), "needs a screen"),
        (("--kinematic", "--camera"), "leave --kinematic out"),
        (("--robot", "stretch2"), "--robot stretch2 has no physics: add --kinematic"),
    ],
)
def test_what_cannot_be_shown_is_one_line(hdemg, monkeypatch, ros_domain, arguments, words):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    ran = hdemg("sim-robot", *arguments)
    assert ran.status == 2
    assert words in ran.err
    assert ran.err.count("\n") == 1
