"""The simulated driver refuses what stretch_driver refuses, and moves as its numbers say."""

import math

import pytest

from robot_bridge.stretch_interface import joint_pose
from simulation.stretch.driver_logic import DriverLogic, SimSettings

AT = {"lift": 0.6, "arm": 0.2, "wrist_yaw": 0.5, "wrist_pitch": -0.4, "wrist_roll": 0.0, "gripper": 0.2}


class Sim(DriverLogic):
    def __init__(self, **settings):
        super().__init__(SimSettings(**settings))
        self.t = 10.0
        self.step(self.t)

    def run(self, seconds, dt=1 / 30):
        for _ in range(round(seconds / dt)):
            self.t += dt
            self.step(self.t)

    def ready(self):
        assert self.switch_mode("navigation")[0]
        assert self.set_streaming(True)[0]
        return self

    def drive(self, translate, rotate, seconds):
        for _ in range(round(seconds * 30)):
            self.on_cmd_vel(translate, rotate, self.t)
            self.run(1 / 30)

    def aim(self, head=(0.0, 0.0), base=(0.0, 0.0), **targets):
        pose = joint_pose(AT | targets, head)
        pose[8:] = base
        self.on_joint_pose(pose)


def test_a_joint_follows_its_target_by_the_default_trapezoidal_profile_without_a_watchdog():
    sim = Sim().ready()
    sim.aim(lift=0.9)
    sim.run(1.0)
    # 0.55 s of speeding up at 0.2 m/s² cost 3 cm against 0.11 m/s all the way
    assert sim.robot.positions["lift"] == pytest.approx(0.6 + 0.11 - 0.11**2 / (2 * 0.2), abs=1e-4)
    assert sim.robot.velocities["lift"] == pytest.approx(0.11)
    sim.run(5.0)
    assert sim.robot.positions["lift"] == 0.9
    assert sim.robot.velocities["lift"] == 0.0


def test_a_target_that_jumps_back_is_overshot_by_the_braking_distance_and_returned_to():
    sim = Sim(arm=0.0).ready()
    sim.aim(arm=0.5)
    sim.run(2.0)
    at = sim.robot.positions["arm"]
    assert sim.robot.velocities["arm"] == pytest.approx(0.14)
    sim.aim(arm=at)
    furthest = 0.0
    for _ in range(150):
        sim.run(1 / 30)
        furthest = max(furthest, sim.robot.positions["arm"] - at)
    assert furthest == pytest.approx(0.14**2 / (2 * 0.14), abs=0.001)
    assert sim.robot.positions["arm"] == at


def test_targets_beyond_the_limits_end_at_the_limits():
    sim = Sim().ready()
    sim.aim(lift=9.0, wrist_pitch=-9.0, arm=math.nan)
    sim.run(20.0)
    assert sim.robot.positions["lift"] == 1.10
    assert sim.robot.positions["wrist_pitch"] == -1.57
    assert sim.robot.positions["arm"] == 0.2


@pytest.mark.parametrize(
    "refuse",
    [
        lambda sim: sim.set_streaming(False),
        lambda sim: sim.switch_mode("trajectory"),
        lambda sim: sim.set_runstop(True),
    ],
)
def test_joint_pose_needs_streaming_in_position_or_navigation_mode(refuse, caplog):
    sim = Sim().ready()
    refuse(sim)
    sim.aim(lift=0.9)
    sim.run(1.0)
    assert sim.robot.positions["lift"] == 0.6
    assert "joint_pose_cmd needs" in caplog.text


@pytest.mark.parametrize("length", [0, 8, 9, 11])
def test_a_pose_of_another_length_is_logged_and_dropped(length, caplog):
    sim = Sim().ready()
    sim.on_joint_pose([0.3] * length)
    sim.run(1.0)
    assert sim.robot.positions["lift"] == 0.6
    assert f"got {length}" in caplog.text


def test_cmd_vel_drives_in_navigation_mode_only_and_goes_stale_after_half_a_second():
    sim = Sim()
    sim.on_cmd_vel(0.1, 0.0, sim.t)
    sim.run(0.2)
    assert sim.robot.base.travel_m == 0.0
    sim.ready()
    sim.on_cmd_vel(0.1, 0.0, sim.t)
    sim.run(3.0)
    # 0.5 s up the ramp of 0.12 m/s², then down it again
    assert sim.robot.base.travel_m == pytest.approx(0.12 * 0.5**2, abs=0.005)
    assert sim.robot.base.velocity_m_s == 0.0


def test_each_wheel_is_clamped_by_itself():
    sim = Sim().ready()
    sim.drive(0.3, 1.0, 3.0)
    # left 0.3 - 0.15765 = 0.14235, right clamped from 0.45765 to 0.3
    assert sim.robot.base.velocity_m_s == pytest.approx((0.14235 + 0.3) / 2)
    assert sim.robot.base.velocity_rad_s == pytest.approx((0.3 - 0.14235) / 0.3153)


def test_the_base_increment_moves_in_position_mode_and_is_ignored_in_navigation_mode():
    sim = Sim().ready()
    sim.aim(base=(0.1, 0.0))
    sim.run(2.0)
    assert sim.robot.base.travel_m == 0.0
    sim.switch_mode("position")
    sim.aim(base=(0.1, 0.0))
    sim.run(3.0)
    assert sim.robot.base.travel_m == pytest.approx(0.1)
    sim.aim(base=(0.0, -0.5))
    sim.run(3.0)
    assert sim.robot.base.heading_rad == pytest.approx(-0.5)


def test_run_stop_drops_the_target_lets_the_gripper_go_and_release_restores_the_mode():
    sim = Sim().ready()
    sim.aim(lift=0.9, gripper=-0.2)
    sim.run(0.5)
    at = sim.robot.positions["lift"]
    sim.set_runstop(True)
    assert sim.mode == "runstopped"
    assert not sim.switch_mode("position")[0]
    sim.run(1.0)
    assert sim.robot.positions["lift"] == at
    assert sim.robot.positions["gripper"] > 0.3
    sim.set_runstop(False)
    assert (sim.mode, sim.streaming) == ("navigation", True)
    opened = sim.robot.positions["gripper"]
    sim.run(1.0)
    assert sim.robot.positions["lift"] == at
    assert sim.robot.positions["gripper"] == opened


def test_homing_takes_a_while_and_brings_the_former_mode_back():
    sim = Sim(homed=False, start_mode="navigation")
    assert sim.start_routine("homing", sim.t)[0]
    assert sim.mode == "homing"
    assert not sim.start_routine("stowing", sim.t)[0]
    sim.run(20.0)
    assert (sim.mode, sim.homed) == ("navigation", True)


def test_stop_the_robot_forgets_wrist_pitch_and_roll_as_the_real_one_does():
    sim = Sim().ready()
    sim.aim(lift=0.9, wrist_pitch=0.4)
    sim.run(0.2)
    at = sim.robot.positions["lift"]
    sim.stop_the_robot()
    sim.run(3.0)
    assert sim.robot.positions["lift"] == at
    assert sim.robot.positions["wrist_pitch"] == 0.4


def test_driving_in_a_circle_closes_it():
    sim = Sim().ready()
    sim.drive(0.05, 0.5, 2.0)
    base = sim.robot.base
    x, y, travelled = base.x_m, base.y_m, base.travel_m
    sim.drive(0.05, 0.5, 2 * math.pi / 0.5)
    assert math.hypot(base.x_m - x, base.y_m - y) < 0.001
    assert base.travel_m - travelled == pytest.approx(0.05 * 2 * math.pi / 0.5, rel=0.01)
