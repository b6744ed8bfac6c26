"""The watchdog's rules, in simulated time: when it stops the robot, presses the run-stop, or does nothing."""

import json
import subprocess
import sys

import pytest

from robot_bridge.watchdog import BRAKES_AT, Watchdog, WatchdogSettings

STEP_S = 0.01


class World:
    """A bridge's sign of life 20 times a second, a robot's joint states 30 times, and what the watchdog orders."""

    def __init__(self, **settings):
        self.watchdog = Watchdog(WatchdogSettings(**settings))
        self.t_s = 0.0
        self.orders = []
        self.alive = True
        self.armed = True
        self.guards = False
        self.sees = True
        self.lift_m, self.base_m = 0.5, 0.0
        self.lift_m_s = self.base_m_s = 0.0

    def run(self, seconds):
        end_s = self.t_s + seconds
        while self.t_s < end_s - 1e-9:
            step = round(self.t_s / STEP_S)
            self.lift_m += self.lift_m_s * STEP_S
            self.base_m += self.base_m_s * STEP_S
            if self.alive and step % 5 == 0:
                self.watchdog.on_alive(self.armed, self.t_s)
                self.watchdog.on_twist(self.base_m_s == 0.0, self.t_s)
            if self.guards and step % 5 == 0:
                self.watchdog.on_twist(True, self.t_s)
            if self.sees and step % 3 == 0:
                self.watchdog.on_joint_states(["joint_lift"], [self.lift_m], self.t_s)
                self.watchdog.on_odometry(self.base_m, 0.0, 0.0, self.t_s)
            self.orders += [(self.t_s, one) for one in self.watchdog.tick(self.t_s)]
            self.t_s += STEP_S

    @property
    def acts(self):
        return [order.act for _, order in self.orders]

    def time_of(self, act):
        return next(t_s for t_s, order in self.orders if order.act == act)


@pytest.fixture
def world():
    world = World()
    world.run(2.0)
    assert world.orders == []
    return world


def test_an_armed_bridge_that_falls_silent_is_stopped_once(world):
    world.alive = False
    world.run(3.0)
    assert world.time_of("stop") - 2.0 == pytest.approx(0.3, abs=0.06)
    # The robot stands: that is all.
    assert world.acts == ["stop", "report"]
    assert "armed bridge is silent for 0.3" in world.orders[0][1].reason


def test_a_disarmed_bridge_may_go(world):
    world.armed = False
    world.run(1.0)
    world.alive = False
    world.run(3.0)
    assert world.orders == []


def test_a_bridge_that_was_never_heard_is_not_missed():
    world = World()
    world.alive = False
    world.lift_m_s = 0.1
    world.run(5.0)
    assert world.orders == []


@pytest.mark.parametrize("dof", ["lift", "base"])
def test_a_robot_that_does_not_brake_gets_the_run_stop(world, dof):
    setattr(world, f"{dof}_m_s", 0.1)
    world.run(1.0)
    world.alive = False
    world.run(0.6)
    assert world.acts == ["stop"]
    world.run(0.4)
    assert world.acts == ["stop", "runstop"]
    assert world.time_of("runstop") - world.time_of("stop") == pytest.approx(0.5, abs=0.02)
    assert "does not brake" in world.orders[-1][1].reason
    setattr(world, f"{dof}_m_s", 0.0)
    world.run(2.0)
    assert world.acts == ["stop", "runstop", "report"]


def test_a_run_stop_that_does_not_help_is_pressed_again_and_reported(world):
    world.lift_m_s = 0.1
    world.alive = False
    world.run(5.0)
    assert world.acts == ["stop", "runstop", "runstop", "runstop", "report"]
    assert "press it by hand" in world.orders[-1][1].reason


def test_a_robot_that_brakes_by_its_profile_and_comes_back_is_left_to_it(world):
    world.lift_m_s = 0.13
    world.run(1.0)
    world.alive = False
    world.run(0.3)
    while not world.acts:
        world.run(STEP_S)
    speed, begun_s = 0.13, world.t_s
    while world.t_s < begun_s + 2 * 0.13 / BRAKES_AT["lift"]:
        world.lift_m_s = speed - BRAKES_AT["lift"] * (world.t_s - begun_s - 0.05)
        world.lift_m_s = max(min(world.lift_m_s, speed), -0.05)
        world.run(STEP_S)
    world.lift_m_s = 0.0
    world.run(2.0)
    assert world.acts == ["stop", "report"]
    assert world.orders[-1][1].reason == "the robot stands"


def test_a_robot_that_brakes_but_never_stands_gets_the_run_stop(world):
    world.lift_m_s = 0.13
    world.run(1.0)
    world.alive = False
    world.run(0.4)
    world.lift_m_s = 0.04
    world.run(3.0)
    assert world.acts[:2] == ["stop", "runstop"]
    allowed_s = 0.5 + 0.13 / BRAKES_AT["lift"] * 2.5
    assert 0.5 < world.time_of("runstop") - world.time_of("stop") < allowed_s + 0.1


def test_a_guard_that_stops_the_robot_is_left_to_it(world):
    """The driver's stop would open the gripper's grip; what the guard holds, it holds."""
    world.lift_m_s = 0.1
    world.run(1.0)
    world.alive, world.lift_m_s = False, 0.05
    world.run(0.15)
    world.guards = True
    world.run(0.35)
    world.lift_m_s = 0.0
    world.run(0.15)
    world.guards = False
    world.run(2.0)
    assert world.acts == ["report", "report"]
    assert world.orders[-1][1].reason == "the robot stands"


def test_a_guard_whose_stop_does_not_help_is_followed_by_the_drivers(world):
    world.lift_m_s = 0.1
    world.run(1.0)
    world.alive = False
    world.run(0.15)
    world.guards = True
    world.run(0.5)
    world.guards = False
    world.run(1.0)
    assert world.acts == ["report", "stop", "runstop"]
    assert "after the guard's stop" in world.orders[1][1].reason


def test_zero_twists_of_the_bridge_itself_are_no_guard(world):
    # A joint moves, the wheels stand: the last thing that came from the bridge was a zero Twist.
    world.lift_m_s = 0.1
    world.run(1.0)
    world.alive = False
    world.run(0.5)
    assert world.acts == ["stop"]


def test_a_bridge_that_comes_back_disarmed_is_watched_when_it_is_armed_again(world):
    world.alive = False
    world.run(2.0)
    world.alive, world.armed = True, False
    world.run(1.0)
    assert world.acts == ["stop", "report"]
    world.armed = True
    world.run(1.0)
    world.alive = False
    world.run(1.0)
    assert world.acts == ["stop", "report", "stop", "report"]


def test_a_bridge_that_commands_again_without_arming_is_stopped_again(world):
    world.alive = False
    world.run(2.0)
    world.alive, world.lift_m_s = True, 0.1
    world.run(1.0)
    assert world.acts == ["stop", "report", "stop", "runstop"]
    assert "without having been armed again" in world.orders[2][1].reason


def test_what_cannot_be_seen_is_said_and_not_guessed(world):
    world.sees = world.alive = False
    world.run(2.0)
    assert world.acts == ["stop", "report"]
    assert "cannot be seen" in world.orders[-1][1].reason


def test_a_watchdog_that_was_late_itself_listens_before_it_judges(world):
    world.run(1.0)
    world.t_s += 2.0  # this computer was busy, and the bridge's messages wait
    world.run(1.0)
    assert world.orders == []
    world.t_s += 2.0
    world.alive = False
    world.run(0.2)
    assert world.acts == ["stop"]


def test_it_is_cheap_and_needs_nothing_that_the_robots_driver_has_not():
    pytest.importorskip("rclpy")
    script = "import json, sys, robot_bridge.watchdog_node; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"pydantic", "pylsl", "scipy", "onnxruntime", "diagnostic_msgs", "rich"}
