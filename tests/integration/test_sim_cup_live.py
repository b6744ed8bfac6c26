"""The cup task through `hdemg sim-robot` and `hdemg bridge`: decisions on real LSL, commands over real ROS 2."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("mujoco")
pytest.importorskip("stretch_urdf")
pytest.importorskip("rclpy")

from emg_acquisition.stream_info import GestureStreamInfo
from emg_acquisition.streams.outlet import GestureOutlet, lsl_clock_s
from robot_bridge.operator_link import OperatorLink
from simulation.operator.cup_live import ThingWatcher, live_cup_task
from simulation.operator.cup_task import CUP, GESTURES

NAMESPACE, DECODER = "cup_live", "decoder-cup-live"


class Decoder:
    """A Gesture stream on real LSL, 50 decisions a second of the gesture that is made."""

    def __init__(self):
        info = GestureStreamInfo(DECODER, DECODER, 50.0, GESTURES, "emg")
        self._outlet = GestureOutlet(info)
        self._gesture = "rest"
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def make(self, gesture):
        self._gesture = gesture

    def _run(self):
        while not self._end.wait(0.02):
            values = np.zeros(4 + len(GESTURES), np.float32)
            values[0] = GESTURES.index(self._gesture)
            values[[1, 3, 4 + int(values[0])]] = 1.0
            self._outlet.push(values, lsl_clock_s() - 0.02)

    def close(self):
        self._end.set()
        self._thread.join()
        self._outlet.close()


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.alone
def test_gestures_on_lsl_grasp_lift_drive_and_set_down_the_cup(lsl_session, ros_domain):
    bridge = ["bridge", "--decoder", DECODER, "--map", "ten_gestures", "--lsl-session", lsl_session]
    commands = {"sim-robot": ["sim-robot"], "bridge": bridge}
    decoder, processes = Decoder(), {}
    try:
        for name, arguments in commands.items():
            processes[name] = subprocess.Popen(
                [sys.executable, "-m", "ui.cli", *arguments, "--namespace", NAMESPACE],
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        with OperatorLink(NAMESPACE) as link, ThingWatcher(CUP, NAMESPACE) as cup:
            link.wait_for(lambda now: now.positions is not None and bool(now.safety_state), 40)
            link.start_heartbeat()
            link.arm_within(30)
            outcome = live_cup_task(GESTURES, decoder.make, link, cup)
    finally:
        for process in processes.values():
            process.terminate()
        statuses = {name: process.wait(20) for name, process in processes.items()}
        decoder.close()
    print(outcome)  # noqa: T201 - a figure
    assert outcome.success, outcome
    assert statuses == {"sim-robot": 0, "bridge": 0}
