"""Streams and nodes that have the right names but come from elsewhere: another LSL session, another machine."""

import os
import shutil
import subprocess
import sys
import uuid

import pytest

pytest.importorskip("rclpy")

from robot_bridge.errors import CommandRejectedError
from robot_bridge.ros_scope import this_machine_only
from tests.integration.test_bridge_robot import FOUR, Rig, simulated_robot
from tests.waiting import holds_for

pytestmark = pytest.mark.alone

# Decisions under the right names, as fast as a decoder's; and a ROS node that commands the robot outright.
STRANGER = """
import sys, time
import numpy as np, pylsl
session, source_id, scope = sys.argv[1:4]
pylsl.set_config_content(f"[multicast]\\nResolveScope = {scope}\\n[lab]\\nSessionID = {session}\\n")
from emg_acquisition.streams.outlet import GestureOutlet
from emg_acquisition.stream_info import GestureStreamInfo
import emg_acquisition.streams.lsl_config as lsl_config
lsl_config._configured.append((session, frozenset()))
gestures = ("rest", "fist", "hand_open", "wrist_flexion", "wrist_extension")
outlet = GestureOutlet(GestureStreamInfo(f"{source_id}-0", source_id, 50.0, gestures, "emg"))
values = np.zeros(4 + len(gestures), np.float32)
values[[0, 1, 2, 3, 8]] = 4.0, 1.0, 1.0, 1.0, 1.0
publishers = []
if scope != "machine":
    from robot_bridge.ros_context import QOS, RosNode
    from robot_bridge.ros_imports import Float64MultiArray, Twist
    from robot_bridge.stretch_interface import CMD_VEL, JOINT_POSE
    ros = RosNode("stranger", sys.argv[4])
    twist = Twist()
    twist.linear.x = 0.1
    publishers = [
        (ros.node.create_publisher(Twist, CMD_VEL, QOS), twist),
        (ros.node.create_publisher(Float64MultiArray, JOINT_POSE, QOS), Float64MultiArray(data=[0.1] * 10)),
    ]
print("speaking", flush=True)
while True:
    outlet.push(values, pylsl.local_clock())
    for publisher, message in publishers:
        publisher.publish(message)
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def rig(lsl_session, ros_domain):
    token = f"s{uuid.uuid4().hex[:8]}"
    with simulated_robot(token):
        rig = Rig(lsl_session, FOUR, "lift_and_gripper", f"decoder-{token}", token)
        yield rig
        assert rig.close() == 0


@pytest.fixture
def armed(rig, lsl_session):
    """A robot and an armed bridge of this session, its decoder at rest; and their names."""
    rig.arm()
    return rig, lsl_session, rig.source_id, rig.namespace


def nothing_moves(rig, seconds):
    before = rig.link.snapshot().positions
    holds_for(lambda: rig.link.snapshot().positions == before, seconds, "it stands")


def judge(rig):
    """The stranger speaks: it moves nothing beside the decoder, and takes nothing over when the decoder is silent."""
    nothing_moves(rig, 1.0)
    assert rig.link.snapshot().safety_state == "armed"
    assert rig.link.snapshot().gesture == "rest"
    rig.decoder.close()
    rig.link.wait_for(lambda s: s.safety_state == "fault" and "no decision" in s.reason, 5)
    nothing_moves(rig, 2.0)
    with pytest.raises(CommandRejectedError, match="no decision"):
        rig.link.arm()


def speaking(arguments, environment=None):
    stranger = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert stranger.stdout.readline().strip() == "speaking", stranger.stderr.read()
    return stranger


def test_a_decoder_of_another_session_moves_nothing(armed):
    rig, _, source_id, namespace = armed
    stranger = speaking(
        [sys.executable, "-c", STRANGER, f"other-{uuid.uuid4().hex[:8]}", source_id, "machine", namespace]
    )
    try:
        judge(rig)
    finally:
        stranger.kill()
        stranger.communicate()


@pytest.fixture
def other_machine():
    """A network namespace with an address of its own, linked to this machine: as good as another machine."""
    ip = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if ip is None or os.geteuid() != 0:
        pytest.skip("another machine is played by a network namespace: iproute2 and root are needed")
    name, octet = f"hdemg{uuid.uuid4().hex[:6]}", 1 + os.getpid() % 250
    ours, theirs = f"ha{name[-6:]}", f"hb{name[-6:]}"
    commands = [
        f"{ip} netns add {name}",
        f"{ip} link add {ours} type veth peer name {theirs} netns {name}",
        f"{ip} addr add 10.213.{octet}.1/24 dev {ours}",
        f"{ip} link set {ours} up",
        f"{ip} -n {name} addr add 10.213.{octet}.2/24 dev {theirs}",
        f"{ip} -n {name} link set lo up",
        f"{ip} -n {name} link set {theirs} up",
        f"{ip} -n {name} route add 224.0.0.0/4 dev {theirs}",
    ]
    try:
        for line in commands:
            done = subprocess.run(line.split(), capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"a network namespace cannot be made here: {line}: {done.stderr.strip()}")
        probe = f"import socket; socket.create_server(('10.213.{octet}.2', 0))"
        ping = subprocess.run(
            [
                ip,
                "netns",
                "exec",
                name,
                sys.executable,
                "-c",
                probe,
            ],
            check=False,
        )
        assert ping.returncode == 0
        yield [ip, "netns", "exec", name]
    finally:
        subprocess.run([ip, "netns", "del", name], capture_output=True, check=False)


def test_a_decoder_and_a_node_of_another_machine_move_nothing(armed, other_machine):
    rig, session, source_id, namespace = armed
    kept = {name: value for name, value in os.environ.items() if name not in this_machine_only()}
    environment = {**kept, "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    stranger = speaking(
        [*other_machine, sys.executable, "-c", STRANGER, session, source_id, "site", namespace], environment
    )
    try:
        judge(rig)
    finally:
        stranger.kill()
        stranger.communicate()
