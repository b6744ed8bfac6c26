"""The MuJoCo Stretch: motors, contacts, what a run-stop lets go of, and the things of the home scene."""

import math
import time

import numpy as np
import pytest

from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import joint_pose
from simulation.stretch.driver_logic import DriverLogic, SimSettings
from simulation.stretch.motors import DEFAULT_PROFILES

pytest.importorskip("mujoco")
pytest.importorskip("stretch_urdf")

from emg_acquisition.errors import InputError
from simulation.stretch.mujoco_stretch import MujocoStretch

AHEAD = {"lift": 0.75, "arm": 0.1, "wrist_yaw": 0.0, "wrist_pitch": 0.0, "wrist_roll": 0.0, "gripper": 0.42}
# Where the fingertips are with all joints at zero, seen from the base.
TIPS = (-0.021, -0.415, 0.11)


@pytest.fixture(scope="module")
def home() -> MujocoStretch:
    return MujocoStretch(load_robot_model(), AHEAD, "home")


@pytest.fixture(scope="module")
def empty() -> MujocoStretch:
    return MujocoStretch(load_robot_model(), AHEAD, "empty")


def run_to(body, seconds=0.0, **targets):
    """Give targets and run until every motor stands, then some."""
    body.set_targets(targets)
    body.step(0.1)
    while not body.is_still():
        body.step(0.1)
        assert body.t_s < 120, "the motors never came to rest"
    body.step(0.3 + seconds)


def grasp_the_cup(home):
    x, y, z = home.pose("cup").position_m
    home.reset(base_pose=(x - TIPS[0], 0.0, 0.0))
    run_to(home, lift=z - TIPS[2] + 0.015)
    run_to(home, arm=TIPS[1] - y)
    run_to(home, gripper=-0.2)
    run_to(home, lift=z + 0.1)


def test_it_runs_at_five_times_real_time_on_one_core(home):
    home.reset()
    home.set_targets({"lift": 0.4, "arm": 0.4, "wrist_yaw": 2.0})
    home.set_base_velocity(0.1, 0.1)
    began = time.process_time()
    for _ in range(90):
        home.step(1 / 30)
    assert 3.0 / (time.process_time() - began) >= 5.0


@pytest.mark.parametrize("joint", ["lift", "arm", "wrist_yaw", "wrist_pitch", "wrist_roll"])
def test_a_joint_follows_the_trapezoid_of_its_default_profile(empty, joint):
    empty.reset()
    velocity, acceleration = DEFAULT_PROFILES[joint]
    start, span = AHEAD[joint], {"lift": 0.3, "arm": 0.35, "wrist_pitch": -1.2}.get(joint, 2.0)
    empty.set_targets({joint: start + span})
    ramp_s = min(velocity / acceleration, math.sqrt(abs(span) / acceleration))
    top = acceleration * ramp_s
    for share in (0.3, 0.5, 0.7):
        at_s = share * (ramp_s + abs(span) / top)
        empty.step(at_s - empty.t_s)
        left_s = max(0.0, at_s - (abs(span) / top))
        fast_s = min(at_s, abs(span) / top) - ramp_s
        expected = acceleration * min(at_s, ramp_s) ** 2 / 2 + max(0.0, fast_s) * top
        expected += left_s * top - acceleration * left_s**2 / 2
        moved = abs(empty.positions[joint] - start)
        # as far as the motor goes in 10 ms
        assert moved == pytest.approx(expected, abs=max(0.002, 0.01 * velocity))
    run_to(empty)
    assert empty.positions[joint] == pytest.approx(start + span, abs=0.001)


def test_repeated_small_steps_are_repeatable_to_2_mm_and_1_degree(empty):
    empty.reset()
    for joint, step, tolerance in (
        *(("lift", 0.01, 0.002), ("arm", 0.01, 0.002)),
        *((name, 0.05, math.radians(1.0)) for name in ("wrist_yaw", "wrist_pitch", "wrist_roll", "gripper")),
    ):
        for sign in (1, -1):
            for _ in range(3):
                before = empty.positions[joint]
                run_to(empty, **{joint: before + sign * step})
                assert empty.positions[joint] - before == pytest.approx(sign * step, abs=tolerance)


def test_the_base_drives_and_turns_as_its_wheels_say(empty):
    empty.reset(base_pose=(0.2, -0.1, math.pi / 2))
    empty.set_base_velocity(0.1, 0.0)
    empty.step(3.0)
    # 0.1/0.12 s up the ramp
    assert empty.base.travel_m == pytest.approx(0.1 * 3.0 - 0.1**2 / 0.24, abs=0.003)
    assert empty.base.y_m == pytest.approx(-0.1 + empty.base.travel_m, abs=1e-3)
    assert empty.base.x_m == pytest.approx(0.2, abs=1e-3)
    empty.set_base_velocity(0.0, 0.0)
    empty.step(2.0)
    empty.move_base_by(0.0, -0.5)
    empty.step(4.0)
    assert empty.base.heading_rad == pytest.approx(math.pi / 2 - 0.5, abs=0.01)
    assert empty.base.velocity_rad_s == pytest.approx(0.0, abs=1e-3)


def test_the_gripper_holds_the_cup_by_friction_and_the_run_stop_lets_it_go(home):
    home.reset()
    grasp_the_cup(home)
    held = home.pose("cup")
    assert held.position_m[2] > 0.85
    assert home.fingers_touching("cup") == {"left", "right"}
    home.step(10.0)
    later = home.pose("cup")
    assert np.linalg.norm(later.position_m - held.position_m) < 0.002
    assert later.tilt_rad < 0.05
    home.set_runstopped(True)
    home.step(2.0)
    assert home.fingers_touching("cup") == frozenset()
    assert home.pose("cup").position_m[2] < 0.78


def test_at_a_run_stop_the_lift_floats_the_wrist_drops_and_base_and_arm_can_be_pushed(empty):
    empty.reset()
    empty.set_base_velocity(0.1, 0.0)
    empty.step(1.0)
    empty.set_runstopped(True)
    empty.step(2.0)
    at = dict(empty.positions)
    assert at["lift"] == pytest.approx(AHEAD["lift"], abs=0.02)
    assert at["wrist_pitch"] < -0.5
    assert at["gripper"] > 0.3
    before_m = empty.base.y_m
    base, hand = empty.data.body("base").id, empty.data.body("robot/link_arm_l0").id
    empty.data.xfrc_applied[base, 1] = 10.0
    empty.data.xfrc_applied[hand, 1] = -5.0
    empty.step(1.0)
    empty.data.xfrc_applied[:] = 0.0
    assert abs(empty.base.y_m - before_m) > 0.05
    assert empty.positions["arm"] > at["arm"] + 0.05
    pushed = empty.positions["arm"]
    empty.set_runstopped(False)
    empty.step(1.0)
    # the drives hold everything where it was pushed to
    assert empty.positions["arm"] == pytest.approx(pushed, abs=0.02)
    assert max(map(abs, empty.velocities.values())) < 0.01


def test_what_is_in_the_way_stalls_the_motors_and_does_not_wind_them_up(home):
    # The lift comes down on the table; below it, the target is 0.3 m further.
    home.reset({**AHEAD, "arm": 0.3}, base_pose=(1.0, 0.0, 0.0))
    home.set_targets({"lift": 0.3})
    home.step(6.0)
    stalled = home.positions["lift"]
    assert stalled > 0.5
    home.set_targets({"lift": stalled + 0.05})
    home.step(1.0)
    assert home.positions["lift"] > stalled + 0.02


def test_the_door_opens_by_its_handle(home):
    home.reset(base_pose=(-1.2 - TIPS[0], 0.0, 0.0))
    run_to(home, lift=0.95 - TIPS[2], gripper=0.3)
    run_to(home, arm=0.795 + TIPS[1])
    run_to(home, gripper=-0.37)
    assert home.joint_angle_rad("door") == pytest.approx(0.0, abs=0.03)
    run_to(home, arm=0.1)
    assert home.joint_angle_rad("door") > 0.2


def test_the_switch_snaps_over_when_it_is_pressed_and_lights_the_lamp(home):
    lamp = home.model.light("lamplight")
    for press_m, angle, lit in ((0.03, 0.15, 1), (-0.03, -0.15, 0)):
        home.reset(base_pose=(-0.65 - TIPS[0], 0.0, 0.0))
        home.data.joint("switch").qpos = -angle
        run_to(home, lift=1.0 + press_m - TIPS[2], gripper=0.0)
        assert home.joint_angle_rad("switch") == pytest.approx(-angle, abs=0.02)
        run_to(home, arm=0.44)
        run_to(home, arm=0.2)
        assert home.joint_angle_rad("switch") == pytest.approx(angle, abs=0.02)
        assert int(lamp.active[0]) == lit


def test_the_same_commands_give_the_same_motion_and_a_seed_moves_the_things(home):
    ends = []
    for seed in (None, None, 1, 1, 2):
        home.reset(seed=seed)
        began = home.pose("cup").position_m
        home.set_targets({"lift": 0.6, "arm": 0.3})
        home.step(1.0)
        ends.append((*home.data.qpos, *began))
    assert ends[0] == ends[1]
    assert ends[2] == ends[3]
    assert ends[2] != ends[4] != ends[0]


def test_an_unknown_thing_is_named_with_those_that_are_there(home):
    with pytest.raises(InputError, match="no body 'mug' in the scene; loose things: cup, bottle"):
        home.pose("mug")


def test_the_driver_drives_it_as_it_drives_the_kinematic_one(empty):
    empty.reset()
    driver = DriverLogic(SimSettings(start_mode="navigation"), empty)
    driver.set_streaming(True)
    driver.step(0.0)
    driver.on_joint_pose(joint_pose(AHEAD | {"lift": 0.8}, (0.0, 0.0)))
    driver.on_cmd_vel(0.1, 0.0, 0.0)
    for tick in range(1, 91):
        driver.step(tick / 30)
    # half a second of driving, then the time-out
    assert empty.base.travel_m == pytest.approx(0.12 * 0.5**2, abs=0.005)
    positions, velocities = driver.joint_states()
    assert positions[1] == pytest.approx(0.8, abs=0.001)
    assert positions[2:6] == [positions[0] / 4] * 4
    assert velocities[1] == pytest.approx(0.0, abs=0.001)
