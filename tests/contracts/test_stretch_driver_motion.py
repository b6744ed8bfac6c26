"""How fast the robot moves, how far it goes and what its motors report: each fact, against the simulated robot.

Numbers are stretch_body's parameters of a Stretch 3, written out here and not taken from the code.
"""

import itertools

import pytest

from robot_bridge.robot_model import load_robot_model
from simulation.stretch.faults import Faults
from tests.driver_support import START, TICK_S, Driver, NotedStretch

AT_START = {
    joint: START[joint] for joint in ("lift", "arm", "wrist_yaw", "wrist_pitch", "wrist_roll", "gripper")
}
# Joint: where from, where to, default velocity, default acceleration; m or rad, s.
DEFAULTS = {
    "lift": (0.2, 0.9, 0.11, 0.20),
    "arm": (0.0, 0.5, 0.14, 0.14),
    "wrist_yaw": (-1.0, 4.0, 2.0, 3.0),
    "wrist_pitch": (-1.5, 0.4, 2.0, 6.0),
    "wrist_roll": (-2.5, 2.5, 2.0, 8.0),
    "gripper": (-0.3, 0.6, 0.448, 0.747),
}


def velocities_of(driver, joint):
    """Run until it stands; returns its velocity at every tick, from its positions."""
    at = [driver.at(joint)]
    for _ in range(400):
        driver.run(TICK_S)
        at.append(driver.at(joint))
        if at[-1] == at[-2] and len(at) > 5:
            break
    return [(after - before) / TICK_S for before, after in itertools.pairwise(at)]


@pytest.mark.parametrize("joint", DEFAULTS)
def test_a_joint_moves_by_its_default_velocity_and_acceleration(joint):
    begin, end, velocity, acceleration = DEFAULTS[joint]
    driver = Driver(**{joint: begin}).ready()
    driver.pose(**AT_START | {joint: end})
    speeds = velocities_of(driver, joint)
    assert max(speeds) == pytest.approx(velocity, rel=1e-2)
    changes = [(after - before) / TICK_S for before, after in itertools.pairwise(speeds)]
    assert max(changes[: len(changes) // 2]) == pytest.approx(acceleration, rel=2e-2)
    assert driver.at(joint) == pytest.approx(end)


@pytest.mark.parametrize(
    ("joint", "lower", "upper"),
    [
        *(("lift", 0.0, 1.10), ("arm", 0.0, 0.52), ("wrist_yaw", -1.41, 4.56)),
        *(("wrist_pitch", -1.57, 0.45), ("wrist_roll", -2.91, 2.91), ("gripper", -0.376, 0.658)),
    ],
)
def test_a_joint_ends_at_its_limits(joint, lower, upper):
    driver = Driver().ready()
    for wanted, limit in ((-9.0, lower), (9.0, upper)):
        driver.pose(**{joint: wanted})
        driver.run(15.0)
        assert driver.at(joint) == pytest.approx(limit, abs=1e-3)


def test_the_grippers_hundred_percent_is_the_aperture_by_its_two_fingers():
    # 175 % of the motor: aperture 0.225 m, finger rad = aperture / (2 x 0.171)
    aperture_m = 175 * 0.09 / 70
    assert Driver().joint_limits()["joint_gripper_finger_left"][1] == pytest.approx(
        aperture_m / 0.342, abs=1e-3
    )


def test_the_grippers_velocity_is_reported_far_too_small():
    driver = Driver(gripper=-0.3).ready()
    driver.pose(gripper=0.6)
    driver.run(1.0)
    true = driver.robot.velocities["gripper"]
    assert true == pytest.approx(0.448, rel=1e-2)
    left, right = driver.joint_states()[1][-2:]
    assert left == right
    assert 0.0 < left < 0.01 * true


def test_a_stretch_2_has_its_own_gripper():
    driver = Driver(robot="stretch2", gripper=-0.3).ready()
    assert driver.joint_limits()["joint_gripper_finger_left"] == pytest.approx((-0.376, 0.203), abs=1e-3)
    driver.pose(gripper=0.2)
    # 4 rad/s and 10 rad/s² of a motor that turns by 7.995 rad for 100 %, of which a percent is 3.76 mrad at the finger
    assert max(velocities_of(driver, "gripper")) == pytest.approx(4.0 / 7.995 * 0.376, rel=1e-2)


# ---- the base


def test_a_twist_ramps_at_the_bases_default_acceleration():
    driver = Driver().ready()
    driver.drive(1.0 + TICK_S, 0.3)
    assert driver.robot.base.velocity_m_s == pytest.approx(0.12, rel=2e-2)
    driver.drive(2.0, 0.3)
    assert driver.robot.base.velocity_m_s == pytest.approx(0.3)


def test_before_firmware_0_6_2p4_the_base_does_not_ramp():
    driver = Driver(base_ramps=False).ready()
    driver.drive(2 * TICK_S + 0.01, 0.3)
    assert driver.robot.base.velocity_m_s == pytest.approx(0.3)
    driver.drive(2 * TICK_S + 0.01, 0.0)
    assert driver.robot.base.velocity_m_s == 0.0


def test_each_wheel_is_clamped_to_0_3_m_s_by_itself():
    driver = Driver().ready()
    driver.drive(4.0, 0.3, 1.0)
    # wheels 0.3153 m apart: left 0.3 - 0.15765, right clamped from 0.45765
    assert driver.robot.base.velocity_m_s == pytest.approx((0.14235 + 0.3) / 2)
    assert driver.robot.base.velocity_rad_s == pytest.approx((0.3 - 0.14235) / 0.3153)


def test_the_base_turns_by_no_more_than_1_90_rad_s():
    driver = Driver().ready()
    driver.drive(4.0, 0.0, 9.0)
    assert driver.robot.base.velocity_rad_s == pytest.approx(1.90, abs=0.01)


STOWED = {"lift": 0.2, "arm": 0.0, "wrist_yaw": 3.0}


@pytest.mark.parametrize(
    ("arm", "fastest"), [({}, 0.12), ({"arm": 0.1}, 0.10), ({"lift": 0.4}, 0.10), ({"wrist_yaw": 0.0}, 0.10)]
)
def test_with_the_arm_out_increments_are_slower_and_twists_are_not(arm, fastest):
    at = AT_START | STOWED | arm
    driver = Driver(**at).ready("position")
    driver.pose(**at, translate=0.6)
    speeds = []
    driver.run(4.0, lambda: speeds.append(driver.robot.base.velocity_m_s))
    assert max(speeds) == pytest.approx(fastest)
    driver.ready("navigation")
    driver.drive(3.0, 0.3)
    assert driver.robot.base.velocity_m_s == pytest.approx(0.3)


def test_an_increment_takes_the_default_velocity_and_acceleration():
    at = AT_START | STOWED
    driver = Driver(**at).ready("position")
    driver.pose(**at, translate=0.3)
    driver.run(1.0)
    assert driver.robot.base.travel_m == pytest.approx(0.12 / 2, rel=2e-2)
    driver.run(4.0)
    assert driver.robot.base.travel_m == pytest.approx(0.3)


# ---- effort


def effort(driver, joint):
    return dict(zip(driver.joint_names, driver.efforts(), strict=True))[joint]


def test_effort_is_a_percentage_of_the_motors_and_the_lift_carries_its_weight():
    driver = Driver()
    assert all(-100 <= value <= 100 for value in driver.efforts())
    assert effort(driver, "joint_lift") > 10
    assert effort(driver, "wrist_extension") == 0


@pytest.mark.parametrize(
    ("joint", "name", "way"),
    [
        *(("lift", "joint_lift", 0.2), ("lift", "joint_lift", -0.2)),
        *(("arm", "wrist_extension", 0.2), ("arm", "wrist_extension", -0.2)),
        ("wrist_yaw", "joint_wrist_yaw", 3.5),
    ],
)
def test_against_an_obstacle_the_effort_rises_in_the_direction_of_the_motion(joint, name, way):
    driver = Driver().ready()
    target = {joint: START[joint] + way}
    driver.run(0.8, lambda: driver.pose(**target))
    free = effort(driver, name)
    driver.set_faults(Faults(blocked={joint}))
    at = driver.at(joint)
    driver.run(0.3, lambda: driver.pose(**target))
    assert driver.at(joint) == at
    assert (effort(driver, name) - free) * (1 if way > 0 else -1) > 40
    driver.set_faults(Faults())
    driver.run(0.5, lambda: driver.pose(**target))
    assert effort(driver, name) == pytest.approx(free, abs=1)


def test_all_segments_of_the_arm_report_its_one_motor():
    driver = Driver().ready()
    driver.pose(arm=0.4)
    driver.run(1.0)
    assert driver.efforts()[0] > 0
    assert driver.efforts()[2:6] == [driver.efforts()[0]] * 4


def test_with_physics_effort_comes_from_the_motors_and_rises_against_what_is_in_the_way():
    pytest.importorskip("mujoco")
    pytest.importorskip("stretch_urdf")
    from simulation.stretch.mujoco_stretch import MujocoStretch

    driver = Driver(MujocoStretch(load_robot_model(), AT_START, "empty")).ready()
    driver.run(1.5, lambda: driver.pose(arm=0.4, lift=0.9))
    free = {name: effort(driver, name) for name in ("wrist_extension", "joint_lift")}
    assert max(map(abs, free.values())) < 40
    driver.set_faults(Faults(blocked={"lift", "arm"}))
    at = dict(driver.robot.positions)
    driver.run(1.0, lambda: driver.pose(arm=0.4, lift=0.9))
    for joint, name in (("arm", "wrist_extension"), ("lift", "joint_lift")):
        assert effort(driver, name) - free[name] > 40
        assert driver.at(joint) == pytest.approx(at[joint], abs=0.015)


@pytest.mark.parametrize("joint", ["wrist_yaw", "wrist_pitch", "wrist_roll"])
def test_with_physics_a_run_stop_takes_the_wrists_torque(joint):
    pytest.importorskip("mujoco")
    pytest.importorskip("stretch_urdf")
    from simulation.stretch.mujoco_stretch import MujocoStretch

    driver = Driver(MujocoStretch(load_robot_model(), AT_START, "empty")).ready()
    driver.call("runstop")
    driver.run(0.5)
    assert driver.robot.efforts[joint] == 0
    driver.set_faults(Faults(pushed={joint: 0.3}))
    at = driver.at(joint)
    driver.run(1.0)
    driver.set_faults(Faults())
    assert driver.at(joint) - at == pytest.approx(0.3, abs=0.06)


def test_a_noted_robot_is_the_simulated_one():
    """The double of these tests only takes notes."""
    noted = Driver().ready()
    plain = Driver(type(noted.robot).__mro__[1](load_robot_model(), AT_START)).ready()
    for driver in (noted, plain):
        driver.pose(lift=0.9, arm=0.4)
        driver.drive(2.0, 0.1, 0.2)
    assert isinstance(noted.robot, NotedStretch)
    assert dict(noted.robot.positions) == dict(plain.robot.positions)
    assert noted.robot.base == plain.robot.base
