"""Nodes are kept to this machine, over UDP, and find this machine's drivers however those were started."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import robot_bridge
from robot_bridge import ros_scope

RANGE, LOCALHOST_ONLY, PROFILES = (
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "ROS_LOCALHOST_ONLY",
    "FASTDDS_DEFAULT_PROFILES_FILE",
)
CYCLONE = {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}
NO_OTHER_PROFILE = ("SKIP_DEFAULT_XML_FILE", "SKIP_DEFAULT_XML")
SAID = (RANGE, LOCALHOST_ONLY, PROFILES, *NO_OTHER_PROFILE)
OURS = dict(zip(SAID, ("SUBNET", "0", str(ros_scope._THIS_MACHINE), "1", "1"), strict=True))

pytestmark = pytest.mark.usefixtures("ros_domain")


@pytest.fixture
def unsaid(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of ROS 2's reach."""
    for name in (*SAID, "RMW_IMPLEMENTATION", "ROS_DISTRO"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("said", "becomes", "in_words"),
    [
        ({}, OURS, "this machine"),
        ({RANGE: "LOCALHOST"}, OURS, "this machine"),
        ({LOCALHOST_ONLY: "1"}, OURS, "this machine"),
        ({RANGE: "SUBNET"}, {RANGE: "SUBNET"}, "range SUBNET"),
        ({LOCALHOST_ONLY: "0"}, {LOCALHOST_ONLY: "0"}, "range as the distribution has it"),
        ({PROFILES: "lab.xml"}, {PROFILES: "lab.xml", RANGE: "LOCALHOST"}, "as lab.xml has it"),
        (
            {RANGE: "SUBNET", PROFILES: "lab.xml"},
            {RANGE: "SUBNET", PROFILES: "lab.xml"},
            "as lab.xml has it",
        ),
        # What closes wins over what opens; to ROS 2 a variable that is empty is none.
        ({RANGE: "LOCALHOST", LOCALHOST_ONLY: "0"}, OURS, "this machine"),
        (dict.fromkeys((RANGE, LOCALHOST_ONLY, PROFILES, "RMW_IMPLEMENTATION"), ""), OURS, "this machine"),
        ({**CYCLONE, RANGE: ""}, {RANGE: "LOCALHOST"}, "range LOCALHOST"),
        (CYCLONE, {RANGE: "LOCALHOST"}, "range LOCALHOST"),
        ({**CYCLONE, LOCALHOST_ONLY: "1"}, {RANGE: "LOCALHOST", LOCALHOST_ONLY: "1"}, "this machine"),
    ],
)
def test_what_the_environment_says_holds_and_silence_means_this_machine(
    unsaid: pytest.MonkeyPatch, said: dict[str, str], becomes: dict[str, str], in_words: str
) -> None:
    for name, value in said.items():
        unsaid.setenv(name, value)
    ros_scope.keep_to_this_machine()
    assert {name: os.environ[name] for name in SAID if name in os.environ} == becomes
    assert ros_scope.describe_scope() == in_words
    ros_scope.keep_to_this_machine()
    assert ros_scope.describe_scope() == in_words


@pytest.mark.parametrize(
    ("distribution", "name"), [("jazzy", "FASTRTPS_DEFAULT_PROFILES_FILE"), ("kilted", PROFILES)]
)
def test_the_profile_is_named_as_the_distribution_knows_it(
    unsaid: pytest.MonkeyPatch, distribution: str, name: str
) -> None:
    unsaid.setenv("ROS_DISTRO", distribution)
    assert name in ros_scope.this_machine_only()


def test_a_chain_of_our_own_is_closed_whatever_was_said(unsaid: pytest.MonkeyPatch) -> None:
    unsaid.setenv(RANGE, "SUBNET")
    assert ros_scope.this_machine_only() == OURS
    unsaid.setenv("RMW_IMPLEMENTATION", "rmw_cyclonedds_cpp")
    assert ros_scope.this_machine_only() == {RANGE: "LOCALHOST", LOCALHOST_ONLY: "1"}


SOCKETS = """
import os
from robot_bridge.ros_context import RosNode
with RosNode("sockets"):
    fds = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    mine = {os.readlink(fd) for fd in fds if os.path.islink(fd)}
    for line in open("/proc/self/net/udp").read().splitlines()[1:]:
        fields = line.split()
        if f"socket:[{fields[9]}]" in mine:
            print("udp", fields[1].split(":")[0])
    for line in open("/proc/self/maps"):
        if "fastdds" in line.lower() and "/dev/shm" in line:
            print("memory", line.split()[-1])
"""


OPEN = """<?xml version="1.0" encoding="UTF-8" ?>
<dds xmlns="http://www.eprosima.com"><profiles>
  <transport_descriptors><transport_descriptor>
    <transport_id>open</transport_id><type>UDPv4</type>
  </transport_descriptor></transport_descriptors>
  <participant profile_name="open" is_default_profile="true"><rtps>
    <userTransports><transport_id>open</transport_id></userTransports>
    <useBuiltinTransports>false</useBuiltinTransports>
  </rtps></participant>
</profiles></dds>
"""


@pytest.mark.parametrize(
    "beside", [(), ("DEFAULT_FASTDDS_PROFILES.xml", "DEFAULT_FASTRTPS_PROFILES.xml")], ids=["alone", "beside"]
)
def test_a_node_has_sockets_on_the_loopback_and_the_multicast_group_alone_and_no_shared_memory(
    unsaid: pytest.MonkeyPatch, tmp_path: Path, beside: tuple[str, ...]
) -> None:
    """Also in a folder with a profile that opens every node: Fast DDS would read it of itself."""
    for name in beside:
        (tmp_path / name).write_text(OPEN)
    done = subprocess.run(
        [sys.executable, "-c", SOCKETS],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(robot_bridge.__file__).parent.parent)},
    )
    kinds = {tuple(line.split(maxsplit=1)) for line in done.stdout.splitlines()}
    loopback, group = (
        f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}"
        for address in ("127.0.0.1", "239.255.0.1")
    )
    assert kinds == {("udp", loopback), ("udp", group)}


@pytest.mark.parametrize(
    "driver",
    [
        {RANGE: "SUBNET"},
        {RANGE: "LOCALHOST"},
        {LOCALHOST_ONLY: "1"},
        {RANGE: "SUBNET", "FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"},
    ],
    ids=lambda said: " ".join(f"{name}={value}" for name, value in said.items()),
)
def test_a_driver_that_was_started_otherwise_is_found(
    unsaid: pytest.MonkeyPatch, driver: dict[str, str]
) -> None:
    """By others, with ROS 2's own default, or with what it has to keep to one machine."""
    from robot_bridge.ros_loopback import heard_ms

    program = (
        "import sys, time, rclpy; from std_msgs.msg import String;"
        "rclpy.init(); node = rclpy.create_node('driver'); sent = node.create_publisher(String, 'hdemg_doctor', 1)\n"
        "while True: sent.publish(String(data='driver')); time.sleep(0.05)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, **driver, "PYTHONPATH": str(Path(robot_bridge.__file__).parent.parent)},
    )
    try:
        assert heard_ms("driver", 30.0) is not None
    finally:
        process.kill()
        process.wait()
