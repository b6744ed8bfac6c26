"""``hdemg watchdog`` as a process, next to a driver: the bridge's computer is cut off, and the robot stands in time."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from robot_bridge.incident_log import incident_folder
from robot_bridge.robot_model import load_robot_model
from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import Bool, JointState, Odometry, SetBool, Trigger, Twist
from robot_bridge.stretch_interface import ALIVE, CMD_VEL, DOF_NAMES, JOINT_STATES
from robot_bridge.watchdog import AND_BACK, BRAKES_AT
from tests.integration.test_bridge_robot import FOUR, Rig, simulated_robot
from tests.waiting import holds_for, wait_for

pytestmark = pytest.mark.alone

MODEL = load_robot_model()
# Stated in docs/safety.md: from the last sign of life to the stop; from there the driver's profile brakes.
STOPS_WITHIN_S = 0.5


@contextmanager
def watchdog(namespace, *options):
    """Run ``hdemg watchdog``; gives what it has noted."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "watchdog", "--namespace", namespace, *options]
    )

    def noted(kind):
        (path,) = incident_folder().glob(f"*-watchdog-{process.pid}.jsonl")
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [line for line in lines if line["kind"] == kind]

    try:
        wait_for(lambda: list(incident_folder().glob(f"*-watchdog-{process.pid}.jsonl")), "its log")
        yield noted
    finally:
        process.terminate()
        assert process.wait(15) == 0


def guard_of(pid):
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@pytest.mark.parametrize("dof", ["lift", "base_translate"])
def test_the_bridges_computer_halts_and_the_robot_stands_in_time(lsl_session, ros_domain, tmp_path, dof):
    namespace = f"watched_{dof}"
    only = tmp_path / "only.yaml"
    only.write_text(
        f"covers: [{dof}]\nmodes: {{only: {{fist: {{move: {dof} +}}, hand_open: {{move: {dof} -}}}}}}\n"
    )
    axis = DOF_NAMES.index(dof)
    with simulated_robot(namespace), watchdog(namespace) as noted:
        rig = Rig(lsl_session, FOUR, str(only), f"decoder-{namespace}", namespace)
        halted = [rig.process.pid]
        try:
            rig.arm()
            rig.link.set_fine(False)
            rig.link.wait_for(lambda s: s.fine is False, 5)
            wait_for(lambda: noted("watching"), "the watch")
            rig.start_moving(dof, 1, 0.03)
            halted.append(guard_of(rig.process.pid))
            at = rig.link.snapshot().positions[axis]
            for pid in reversed(halted):
                os.kill(pid, signal.SIGSTOP)
            halted_s = time.monotonic()
            braking_s = MODEL.dof[dof].coarse / BRAKES_AT[dof] * (1.0 if dof in DOF_NAMES[:2] else AND_BACK)
            moved_s, last = halted_s, rig.link.snapshot().positions
            while time.monotonic() < halted_s + STOPS_WITHIN_S + braking_s + 1.0:
                now = rig.link.snapshot().positions
                if now != last:
                    moved_s, last = time.monotonic(), now
                time.sleep(0.002)
            wait_for(lambda: [one for one in noted("transition") if one["act"] == "report"], "its report")
            orders = noted("transition")
            stop_s = orders[0]["mono_s"] - halted_s
            print(  # noqa: T201 - a figure
                f"{dof}: stopped after {1e3 * stop_s:.0f} ms, still after {1e3 * (moved_s - halted_s):.0f} ms,"
                f" travel {last[axis] - at:.3f}"
            )
            assert [one["act"] for one in orders] == ["stop", "report"]
            assert stop_s <= STOPS_WITHIN_S
            assert moved_s - halted_s <= STOPS_WITHIN_S + braking_s
            assert any("yes" in one["answer"] for one in noted("driver_service"))
            # It is found latched when it runs again.
            for pid in halted:
                os.kill(pid, signal.SIGCONT)
            rig.link.wait_for(lambda s: s.safety_state == "fault", 5)
            rig.decoder.gesture = "rest"
            before = rig.link.snapshot().positions[axis]
            holds_for(lambda: abs(rig.link.snapshot().positions[axis] - before) < 0.03, 0.5, "it stands")
        finally:
            for pid in halted:
                os.kill(pid, signal.SIGCONT)
            rig.close()


def test_a_bridge_arms_next_to_a_watchdog_and_may_disarm_and_end(lsl_session, ros_domain):
    with simulated_robot("beside"), watchdog("beside") as noted:
        rig = Rig(lsl_session, FOUR, "lift_and_gripper", "decoder-beside", "beside")
        try:
            rig.arm()
            wait_for(lambda: noted("watching"), "the watch")
            rig.link.disarm()
            holds_for(lambda: not noted("transition"), 1.0, "nothing is done")
            rig.arm()
        finally:
            assert rig.close() == 0
        holds_for(lambda: not noted("transition"), 1.0, "nothing is done after the bridge's end")


class RunawayDriver:
    """A driver whose lift goes on whatever it is told, until its run-stop is pressed."""

    def __init__(self, namespace):
        self.twists, self.stops, self.runstops = [], [], []
        self.armed = False
        self._ros = RosNode("runaway_driver", namespace)
        self._bridge = RosNode("a_bridge", namespace)
        node = self._ros.node
        self._joints = node.create_publisher(JointState, JOINT_STATES, QOS)
        self._odometry = node.create_publisher(Odometry, "odom", QOS)
        node.create_subscription(Twist, CMD_VEL, lambda m: self.twists.append((time.monotonic(), m)), QOS)
        node.create_service(Trigger, "stop_the_robot", self._stop)
        node.create_service(SetBool, "runstop", self._runstop)
        self._alive = self._bridge.node.create_publisher(Bool, ALIVE, QOS)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        for ros in (self._ros, self._bridge):
            ros.start()
        self._thread.start()

    def _stop(self, _request, response):
        self.stops.append(time.monotonic())
        response.success = True
        return response

    def _runstop(self, request, response):
        self.runstops.append((time.monotonic(), request.data))
        response.success = True
        return response

    def _run(self):
        lift_m = 0.3
        while not self._ending.wait(1 / 30):
            if not self.runstops:
                lift_m += 0.1 / 30
            self._joints.publish(JointState(name=["joint_lift"], position=[lift_m]))
            self._odometry.publish(Odometry())
            if self.armed:
                self._alive.publish(Bool(data=True))

    def close(self):
        self._ending.set()
        self._thread.join()
        for ros in (self._ros, self._bridge):
            ros.close()


def test_a_robot_that_does_not_stop_gets_its_run_stop(ros_domain):
    driver = RunawayDriver("runaway")
    try:
        with watchdog("runaway") as noted:
            driver.armed = True
            wait_for(lambda: noted("watching"), "the watch")
            time.sleep(0.5)
            assert (driver.twists, driver.stops, driver.runstops) == ([], [], [])
            driver.armed = False
            silent_s = time.monotonic()
            wait_for(lambda: driver.runstops, "the run-stop", 5.0)
            (runstop_s, pressed) = driver.runstops[0]
            print(  # noqa: T201 - a figure
                f"stop after {driver.stops[0] - silent_s:.2f} s, run-stop after {runstop_s - silent_s:.2f} s"
            )
            assert pressed is True
            assert driver.stops[0] - silent_s <= STOPS_WITHIN_S
            assert driver.twists[0][0] - silent_s <= STOPS_WITHIN_S
            assert all(twist.linear.x == twist.angular.z == 0.0 for _, twist in driver.twists)
            assert 0.4 <= runstop_s - driver.stops[0] <= 0.7
            wait_for(lambda: noted("transition")[-1]["reason"] == "the robot stands", "the report", 5.0)
            assert [one["act"] for one in noted("transition")] == ["stop", "runstop", "report"]
    finally:
        driver.close()


# ---- two computers, as network namespaces, and the cable between them pulled out

LAPTOP = """
import sys, time
from emg_acquisition.streams.lsl_config import configure_lsl
configure_lsl(sys.argv[1])
from tests.integration.test_bridge_robot import FOUR, Rig
rig = Rig(sys.argv[1], FOUR, "lift_and_gripper", "decoder-cable", "")
rig.arm()
rig.link.set_fine(False)
rig.link.wait_for(lambda s: s.fine is False, 5)
rig.start_moving("lift", 1, 0.03)
print("moving", flush=True)
sys.stdin.read()
rig.close()
"""
OBSERVER = """
import json, sys, threading, time
from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import JointState
from robot_bridge.stretch_interface import JOINT_STATES
def tell(message):
    lift_m = message.position[message.name.index("joint_lift")]
    print(json.dumps([time.monotonic(), lift_m]), flush=True)
with RosNode("observer") as ros:
    ros.node.create_subscription(JointState, JOINT_STATES, tell, QOS)
    ros.start()
    sys.stdin.read()
"""


IP = shutil.which("ip") or ""


def ip(*words):
    return subprocess.run([IP, *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def two_computers():
    """Two network namespaces with a cable between them; gives their names."""
    names = [f"hdemg-{side}-{os.getpid()}" for side in ("robot", "laptop")]
    ends = [f"hd{side}{os.getpid()}" for side in ("r", "l")]
    if os.geteuid() != 0 or not IP:
        pytest.skip("network namespaces need root and iproute2")
    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
    except subprocess.CalledProcessError as error:
        for name in names:
            subprocess.run([IP, "netns", "del", name], capture_output=True, check=False)
        pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
    try:
        for number, (name, end) in enumerate(zip(names, ends, strict=True), 1):
            ip("link", "set", end, "netns", name)
            ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", end)
            for device in ("lo", end):
                ip("-n", name, "link", "set", device, "up")
            ip("-n", name, "route", "add", "224.0.0.0/4", "dev", end)
        yield names[0], names[1], ends[1]
    finally:
        for name in names:
            ip("netns", "del", name)


@contextmanager
def on(computer, *arguments, **how):
    """Run Python in a namespace, its ROS 2 open to the network, over UDP: both share this machine's memory."""
    closed = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE", "SKIP_DEFAULT_XML_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in closed}
    environment |= {
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
        "ROS_LOCALHOST_ONLY": "0",
        "FASTDDS_BUILTIN_TRANSPORTS": "UDPv4",
    }
    process = subprocess.Popen(
        [IP, "netns", "exec", computer, sys.executable, *arguments], env=environment, text=True, **how
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        else:
            process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.slow
def test_the_cable_is_pulled_out_and_the_robot_stands_in_time(
    lsl_session, ros_domain, tmp_path, two_computers
):
    robot, laptop, cable = two_computers
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    seen = tmp_path / "seen.jsonl"
    with (
        seen.open("w") as file,
        on(robot, "-m", "ui.cli", "sim-robot", "--kinematic"),
        on(robot, "-m", "ui.cli", "watchdog") as dog,
        on(robot, "-c", OBSERVER, stdin=subprocess.PIPE, stdout=file),
        on(laptop, "-c", LAPTOP, lsl_session, **piped) as far,
    ):
        assert far.stdout.readline() == "moving\n"
        pulled_s = time.monotonic()
        ip("-n", laptop, "link", "set", cable, "down")
        logs = incident_folder()
        noted = wait_for(
            lambda: [
                line
                for path in logs.glob(f"*-watchdog-{dog.pid}.jsonl")
                for line in map(json.loads, path.read_text().splitlines())
                if line["kind"] == "transition"
            ][1:],
            "the report",
        )
        time.sleep(0.5)
        ip("-n", laptop, "link", "set", cable, "up")
    assert noted[-1]["reason"] == "the robot stands"
    looks = [json.loads(line) for line in seen.read_text().splitlines()]
    at = next(lift_m for t_s, lift_m in looks if t_s >= pulled_s)
    moves = [t_s for (_, before), (t_s, lift_m) in itertools.pairwise(looks) if abs(lift_m - before) > 1e-5]
    braking_s = MODEL.dof["lift"].coarse / BRAKES_AT["lift"] * AND_BACK
    print(  # noqa: T201 - a figure
        f"cable: still after {1e3 * (moves[-1] - pulled_s):.0f} ms, travel {looks[-1][1] - at:.3f} m"
    )
    assert moves[-1] - pulled_s <= STOPS_WITHIN_S + braking_s
