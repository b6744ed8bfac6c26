"""Whether a ROS 2 program that hangs holds up another one that publishes to it.

    python benchmarks/dds_hung_reader.py --seconds 40

A reader is halted (SIGSTOP) for 80 ms at random moments, a few hundred times, while a writer publishes to it a thousand
times a second. A stall is a halt in whose last 50 ms no message got off. Over UDP, as hdemg's nodes talk, there is
none; with ROS 2's default, Fast DDS's shared memory, the writer waits for a lock that a reader halted in the wrong
microsecond holds, for a second at most:

    ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET python benchmarks/dds_hung_reader.py
"""

import argparse
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_domain import free_ros_domain
from robot_bridge.ros_imports import JointState, Twist
from robot_bridge.stretch_interface import CMD_VEL, JOINT_STATES

HALT_S, LOOK_S, PAUSE_S = 0.08, 0.05, 0.01
FOUND_WITHIN_S = 30.0
COUNTS = struct.Struct("qq")  # messages sent by the writer, messages it has heard from the reader


def _read() -> None:
    """Hear commands and publish joint states, until killed."""
    with RosNode("reader") as ros:
        joints = ros.node.create_publisher(JointState, JOINT_STATES, QOS)
        ros.node.create_subscription(Twist, CMD_VEL, lambda _: None, QOS)
        message = JointState(name=["joint"] * 20, position=[0.0] * 20)
        ros.node.create_timer(1 / 400, lambda: joints.publish(message))
        ros.start()
        signal.pause()


def _write(path: Path) -> None:
    """Publish commands and count them in a file that the parent looks at, until killed."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), COUNTS.size) as shared, RosNode("writer") as ros:
        commands = ros.node.create_publisher(Twist, CMD_VEL, QOS)
        sent = heard = 0

        def hear(_: object) -> None:
            nonlocal heard
            heard += 1

        def publish() -> None:
            nonlocal sent
            commands.publish(Twist())
            sent += 1
            shared[:] = COUNTS.pack(sent, heard)

        ros.node.create_subscription(JointState, JOINT_STATES, hear, QOS)
        ros.node.create_timer(1 / 1000, publish)
        ros.start()
        signal.pause()


def _watch(seconds: float, folder: Path) -> int:
    counts = folder / "counts"
    counts.write_bytes(bytes(COUNTS.size))
    command = [sys.executable, __file__, "--as"]
    reader = subprocess.Popen([*command, "reader"])
    writer = subprocess.Popen([*command, "writer", "--counts", str(counts)])
    halts = stalls = 0
    try:
        with counts.open("r+b") as file, mmap.mmap(file.fileno(), COUNTS.size) as shared:
            deadline_s = time.monotonic() + FOUND_WITHIN_S
            while COUNTS.unpack(shared[:])[1] == 0:
                if time.monotonic() > deadline_s:
                    print("reader and writer did not find each other", file=sys.stderr)
                    return 1
                time.sleep(0.1)
            end_s = time.monotonic() + seconds
            while time.monotonic() < end_s:
                time.sleep(random.random() * PAUSE_S)  # noqa: S311 - moments, not secrets
                reader.send_signal(signal.SIGSTOP)
                halts += 1
                time.sleep(HALT_S - LOOK_S)
                before = COUNTS.unpack(shared[:])[0]
                time.sleep(LOOK_S)
                stalls += COUNTS.unpack(shared[:])[0] == before
                reader.send_signal(signal.SIGCONT)
    finally:
        for process in (reader, writer):
            process.kill()
            process.wait()
    print(f"{halts} halts of the reader, {stalls} of them stalled the writer")
    return 0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--as", dest="role", choices=["reader", "writer"], help=argparse.SUPPRESS)
    parser.add_argument("--counts", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.role == "reader":
        _read()
    elif args.role == "writer":
        _write(args.counts)
    else:
        os.environ.setdefault("ROS_DOMAIN_ID", str(free_ros_domain()))
        with tempfile.TemporaryDirectory(prefix="hdemg-dds-") as folder:
            return _watch(args.seconds, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
