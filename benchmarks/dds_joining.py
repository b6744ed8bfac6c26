"""Joint states heard at 30 Hz while other ROS 2 nodes join, leave and are killed: the longest silences.

Usage: python benchmarks/dds_joining.py [--joins 5] [--transports ours default] [--nice 0]

``ours`` is UDP on the loopback interface, as every node of hdemg has it; ``default`` is ROS 2's, with shared memory.
The bridge stops after 0.25 s without joint states. With ``--nice -15`` (needs the right to it) talker and listener go
before everything else on the machine: what is then left of the silences is the middleware's doing, the rest comes of a
processor that is busy with the programs that start.
"""

import argparse
import itertools
import os
import subprocess
import sys
import threading
import time

from robot_bridge.operator_link import OperatorLink
from robot_bridge.ros_context import QOS, QOS_FRESH, RosNode
from robot_bridge.ros_domain import free_ros_domain
from robot_bridge.ros_imports import JointState
from robot_bridge.ros_scope import this_machine_only
from robot_bridge.stretch_interface import JOINT_STATES

NAMESPACE = "joining"
RATE_HZ = 30.0


def talk(stop: threading.Event) -> None:
    """Publish numbered joint states until `stop` is set."""
    with RosNode("talker", NAMESPACE) as ros:
        publisher = ros.node.create_publisher(JointState, JOINT_STATES, QOS)
        sent = 0

        def tick() -> None:
            nonlocal sent
            sent += 1
            publisher.publish(JointState(name=["sent"], position=[float(sent)]))

        ros.node.create_timer(1 / RATE_HZ, tick)
        ros.start()
        stop.wait()


def listen(stop: threading.Event) -> None:
    """Print the longest silences and the most messages lost in a row."""
    heard: list[tuple[float, int]] = []
    with RosNode("listener", NAMESPACE) as ros:
        ros.node.create_subscription(
            JointState,
            JOINT_STATES,
            lambda m: heard.append((time.monotonic(), int(m.position[0]))),
            QOS_FRESH,
        )
        ros.start()
        stop.wait()
    silences = sorted(1e3 * (b[0] - a[0]) for a, b in itertools.pairwise(heard))
    lost = sorted(b[1] - a[1] - 1 for a, b in itertools.pairwise(heard))
    longest = ", ".join(f"{silence:.0f}" for silence in silences[-4:])
    print(f"{len(heard)} heard; longest silences {longest} ms; lost in a row {lost[-4:]}", flush=True)


def join(kill: bool) -> None:
    """Be an operator's link for a second, and end or be killed."""
    with OperatorLink(NAMESPACE):
        time.sleep(1.0)
        if kill:
            os.kill(os.getpid(), 9)


def main() -> int:
    """Measure each transport, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--joins", type=int, default=5)
    parser.add_argument("--transports", nargs="+", choices=["ours", "default"], default=["ours", "default"])
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--role", choices=["talk", "listen", "join", "die"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.role in {"join", "die"}:
        join(args.role == "die")
        return 0
    if args.role:
        stop = threading.Event()
        threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
        (talk if args.role == "talk" else listen)(stop)
        return 0
    for transport in args.transports:
        print(f"{transport}, nice {args.nice}: ", end="", flush=True)
        measure(transport, args.joins, args.nice)
    return 0


def measure(transport: str, joins: int, nice: int) -> None:
    """Start talker and listener, let others come and go, and end them."""
    said = this_machine_only() if transport == "ours" else {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    environment = {**os.environ, "ROS_DOMAIN_ID": str(free_ros_domain()), **said}
    me = [sys.executable, __file__, "--role"]
    stages = [
        subprocess.Popen(
            ["nice", "-n", str(nice), *me, role],  # noqa: S607 - the system's own
            env=environment,
            stdin=subprocess.PIPE,
        )
        for role in ("talk", "listen")
    ]
    time.sleep(4.0)
    for number in range(2 * joins):
        subprocess.run([*me, "die" if number % 2 else "join"], env=environment, check=False)
    for stage in reversed(stages):
        stage.communicate()


if __name__ == "__main__":
    sys.exit(main())
