"""What the simulated robot and its driver do while something is wrong, and that they go on afterwards."""

import pytest
from pydantic import ValidationError

from robot_bridge.robot_model import load_robot_model
from simulation.stretch.faults import Faults
from tests.driver_support import START, TICK_S, Driver

AT_START = {
    joint: START[joint] for joint in ("lift", "arm", "wrist_yaw", "wrist_pitch", "wrist_roll", "gripper")
}


def physical():
    pytest.importorskip("mujoco")
    pytest.importorskip("stretch_urdf")
    from simulation.stretch.mujoco_stretch import MujocoStretch

    return MujocoStretch(load_robot_model(), AT_START, "empty")


@pytest.fixture(params=["kinematic", "physics"])
def driver(request):
    return Driver(physical() if request.param == "physics" else None).ready()


@pytest.mark.parametrize("joint", ["lift", "arm", "wrist_yaw"])
def test_a_blocked_joint_stays_and_goes_on_once_it_is_free(driver, joint):
    target = START[joint] + 0.2
    driver.set_faults(Faults(blocked={joint}))
    begin = driver.at(joint)
    driver.run(2.0, lambda: driver.pose(**{joint: target}))
    assert driver.at(joint) == pytest.approx(begin, abs=0.015)
    driver.set_faults(Faults())
    driver.run(4.0, lambda: driver.pose(**{joint: target}))
    assert driver.at(joint) == pytest.approx(target, abs=2e-3)


def test_blocked_fingers_stay_while_their_motor_goes_on_by_what_their_springs_give():
    driver = Driver(physical()).ready()
    driver.set_faults(Faults(blocked={"gripper"}))
    driver.run(2.0, lambda: driver.pose(gripper=0.4))
    assert driver.robot.finger_angle_rad == pytest.approx(0.2, abs=0.05)
    assert driver.at("gripper") == pytest.approx(0.4, abs=0.01)
    assert driver.robot.efforts["gripper"] > 40


def test_a_blocked_base_stays_whatever_it_is_told(driver):
    driver.set_faults(Faults(blocked={"base"}))
    driver.drive(2.0)
    assert driver.robot.base.travel_m == pytest.approx(0.0, abs=1e-3)
    driver.set_faults(Faults())
    driver.drive(2.0)
    assert driver.robot.base.travel_m > 0.1


def test_a_pushed_joint_moves_without_a_command_and_its_motor_brings_it_back(driver):
    driver.set_faults(Faults(pushed={"lift": 0.1}))
    driver.run(1.9)
    assert driver.at("lift") == pytest.approx(0.79, abs=0.01)
    assert driver.robot.efforts["lift"] < 0
    driver.set_faults(Faults())
    driver.pose()
    driver.run(4.0)
    assert driver.at("lift") == pytest.approx(0.6, abs=2e-3)


def test_wheels_run_away_at_zero_command_until_the_run_stop(driver):
    driver.set_faults(Faults(runaway=(0.1, 0.0)))
    driver.drive(1.0, 0.0)
    driver.call("stop_the_robot")
    driver.run(1.0)
    assert driver.robot.base.travel_m == pytest.approx(0.2, abs=0.02)
    driver.call("runstop")
    driver.run(2.0)
    at = driver.robot.base.travel_m
    driver.run(1.0)
    assert driver.robot.base.travel_m - at < 0.02


def lift_read(driver):
    positions, _ = driver.joint_states()
    return positions[driver.joint_names.index("joint_lift")]


def test_a_reading_jumps_for_as_many_joint_states_as_are_asked_for():
    driver = Driver()
    driver.set_faults(Faults(readings={"lift": 0.0, "arm": 0.0}, reading_ticks=1))
    read = []
    driver.run(4 * TICK_S, lambda: read.append(lift_read(driver)))
    # asked for now, and the next that is published
    assert read == [0.0, 0.0, 0.6, 0.6]
    driver.set_faults(Faults(readings={"lift": 0.0}))
    driver.run(1.0)
    assert lift_read(driver) == 0.0
    assert driver.at("lift") == 0.6


@pytest.mark.parametrize("late_s", [1.0, 2.0])
def test_commands_arrive_late_and_in_their_order_while_states_are_on_time(late_s):
    driver = Driver().ready()
    driver.set_faults(Faults(commands_late_s=late_s))
    driver.run(late_s - 0.1, lambda: (driver.twist(), driver.pose(lift=0.9)))
    assert (driver.robot.base.travel_m, driver.at("lift")) == (0.0, 0.6)
    driver.set_faults(Faults())
    driver.pose(lift=0.5)
    driver.run(late_s + 0.3)
    # What was sent late comes before what was sent on time after it.
    assert driver.robot.base.travel_m > 0.0
    assert driver.robot.target_of("lift") == 0.5


def test_a_mute_service_neither_answers_nor_acts():
    driver = Driver().ready()
    driver.set_faults(Faults(mute_services={"stop_the_robot"}))
    driver.robot.told.clear()
    assert driver.call("stop_the_robot") is None
    assert driver.robot.told == []
    assert driver.call("runstop") == (True, "is_runstopped: True")


def test_a_clock_set_back_keeps_a_twist_fresh_for_so_much_longer():
    driver = Driver().ready()
    driver.twist()
    driver.run(TICK_S)
    driver.set_faults(Faults(clock_jump_s=-3.0))
    driver.run(2.0)
    assert driver.robot.base.velocity_m_s == pytest.approx(0.1)
    driver.run(3.0)
    assert driver.robot.base.velocity_m_s == 0.0


def test_a_clock_set_forth_makes_the_last_twist_stale_at_once():
    driver = Driver().ready()
    driver.twist()
    driver.run(TICK_S)
    driver.set_faults(Faults(clock_jump_s=3.0))
    driver.robot.told.clear()
    driver.run(TICK_S)
    assert driver.robot.told == [("velocity", 0.0, 0.0)]


def test_a_driver_that_ends_leaves_joints_to_their_targets_and_the_wheels_to_their_firmware():
    driver = Driver(start_mode="navigation").ready()
    driver.pose(lift=0.9)
    driver.drive(1.5)
    driver.set_faults(Faults(restart_s=3.0))
    assert not driver.is_up
    driver.robot.told.clear()
    driver.run(0.9)
    assert driver.robot.base.velocity_m_s == pytest.approx(0.1)
    driver.run(1.9)
    assert driver.robot.told == [("velocity", 0.0, 0.0)]
    assert driver.robot.base.velocity_m_s == 0.0
    assert driver.at("lift") == pytest.approx(0.9, abs=0.05)
    assert driver.call("stop_the_robot") is None
    driver.twist()
    driver.run(0.4)
    assert driver.is_up
    assert (driver.mode, driver.streaming) == ("navigation", False)
    odometry = driver.odometry()
    assert (odometry.x_m, odometry.heading_rad) == (0.0, 0.0)
    assert driver.robot.base.travel_m > 0.1


def test_a_run_stopped_robot_is_still_so_after_its_driver_was_started_again():
    driver = Driver().ready()
    driver.call("runstop")
    driver.set_faults(Faults(restart_s=0.5))
    driver.run(1.0)
    assert (driver.mode, driver.runstopped) == ("runstopped", True)
    driver.call("runstop", value=False)
    assert driver.mode == "position"


@pytest.mark.parametrize(
    "wrong",
    [
        {"blocked": ["elbow"]},
        {"pushed": {"lift": 9.0}},
        {"readings": {"lift": float("nan")}},
        {"commands_late_s": -1},
        {"mute_services": ["all"]},
        {"earthquake": True},
    ],
)
def test_what_is_no_fault_is_refused(wrong):
    with pytest.raises(ValidationError):
        Faults.model_validate(wrong)
