"""Decision pushed -> command published, and the jitter of the bridge's timer, with the simulated robot running.

Usage: python benchmarks/bench_bridge.py [--seconds 60] [--robot ARGUMENTS OF hdemg sim-robot]

Every stage is a process of its own, as in a session. A decision's time stamp is the moment at which it is pushed, so
that the bridge's own latency (`diagnostics`) is that from decision to command.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
import uuid

import numpy as np

from emg_acquisition.stream_info import GestureStreamInfo
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.outlet import GestureOutlet, lsl_clock_s
from robot_bridge.errors import CommandRejectedError
from robot_bridge.operator_link import OperatorLink
from teleoperation.chain import isolate

TEN = ("rest", "fist", "hand_open", "tripod_pinch", "wrist_flexion", "wrist_extension")
TEN += ("wrist_abduction", "wrist_adduction", "pronation", "supination")
RATE_HZ = 40.0
HELD = ("rest", "wrist_extension", "rest", "wrist_flexion")


def start(*arguments: str) -> subprocess.Popen[bytes]:
    """Start a stage."""
    return subprocess.Popen([sys.executable, "-m", "ui.cli", *arguments])


def main() -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--robot", nargs="*", default=[], help="further arguments of hdemg sim-robot")
    args = parser.parse_args()
    names = isolate()
    configure_lsl(names.lsl_session)
    source_id = f"bench-{uuid.uuid4().hex[:6]}"
    outlet = GestureOutlet(GestureStreamInfo("bench", source_id, RATE_HZ, TEN, "emg"))
    ros = ("--namespace", names.namespace)
    stages = [
        start("sim-robot", *ros, *args.robot),
        start("bridge", "--decoder", source_id, "--lsl-session", names.lsl_session, *ros),
    ]
    try:
        with OperatorLink(names.namespace) as link:
            link.start_heartbeat()
            values = np.zeros(4 + len(TEN), np.float32)
            begun = armed = None
            n = 0
            started = time.monotonic()
            while begun is None or time.monotonic() - begun < args.seconds:
                n += 1
                time.sleep(max(0.0, started + n / RATE_HZ - time.monotonic()))
                held = "rest" if begun is None else HELD[int(time.monotonic() - begun) % len(HELD)]
                values[:4] = TEN.index(held), 1.0, 1.0, 1.0
                outlet.push(values, lsl_clock_s())
                if armed is None and n % round(RATE_HZ) == 0 and link.snapshot().safety_state:
                    armed = _try_to_arm(link)
                    begun = time.monotonic() if armed else None
            seen = link.snapshot()
    finally:
        for stage in reversed(stages):
            stage.terminate()
            stage.wait(15)
        outlet.close()
    print(
        json.dumps(
            {
                "decision_to_command_ms": {"median": seen.latency_ms_median, "p99": seen.latency_ms_p99},
                "timer_jitter_ms_p99": seen.timer_jitter_ms_p99,
                "decisions": seen.decisions,
                "stops": seen.stops,
                "state": seen.safety_state,
                "reason": seen.reason,
            }
        )
    )
    return 0


def _try_to_arm(link: OperatorLink) -> bool | None:
    # Decisions must go on meanwhile, so it is asked in a thread.
    threading.Thread(target=_arm, args=(link,), daemon=True).start()
    return link.snapshot().safety_state in {"armed", "moving"} or None


def _arm(link: OperatorLink) -> None:
    try:
        link.arm()
    except CommandRejectedError as error:
        print(f"not yet: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
