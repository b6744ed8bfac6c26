"""What the calibration window costs and how long it ever blocks, with the real chain.

    python benchmarks/bench_calibration_window.py

A simulated wearer (64 channels at 4 kHz, a process of its own) is calibrated unattended in the real window: signal
check, cues, training, try-out. By step, of the window's process: CPU as a share of one core (`getrusage`: all of its
threads, reading and judging EMG included; recorder, trainer and wearer are other processes), the longest time that the
event loop did not turn (a timer of 5 ms), and the most CPU and the longest time that one frame took.
"""

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from calibration.protocol import CueSchedule, load_protocol
from calibration.session_view import Step
from calibration.start import CalibrationSettings, open_calibration
from emg_acquisition.streams.lsl_config import configure_lsl
from simulation.automatic_calibration import SimulatedPerson
from simulation.wearer_process import start_wearer
from ui import CLI_MODULE
from ui.windows.calibration import CalibrationWindow

BEAT_MS = 5
WEARER = 1
FS_HZ = 4000.0
SHORT = CueSchedule(
    gestures=load_protocol("five_minutes").gestures,
    repetitions=2,
    rest_s=1.2,
    ready_s=0.4,
    ramp_s=0.4,
    hold_s=1.2,
)


@dataclass
class StepCost:
    """What one step took."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    stall_ms: float = 0.0
    frame_ms: float = 0.0
    frame_cpu_ms: float = 0.0
    frames: int = 0


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class MeasuredWindow(CalibrationWindow):
    """The window, timed from within."""

    def measure(self) -> None:
        """Begin."""
        self.costs: defaultdict[Step, StepCost] = defaultdict(StepCost)
        self._beat_s, self._cpu_then_s = time.perf_counter(), _cpu_s()
        self._beat = QTimer(self, interval=BEAT_MS)
        self._beat.setTimerType(Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)
        self._beat.start()

    def refresh(self) -> None:
        """Time a frame."""
        wall_s, cpu_s = time.perf_counter(), time.thread_time()
        super().refresh()
        cost = self.costs[self._step or Step.CONNECTING]
        cost.frames += 1
        cost.frame_ms = max(cost.frame_ms, 1e3 * (time.perf_counter() - wall_s))
        cost.frame_cpu_ms = max(cost.frame_cpu_ms, 1e3 * (time.thread_time() - cpu_s))

    def _on_beat(self) -> None:
        now_s, cpu_s = time.perf_counter(), _cpu_s()
        cost = self.costs[self._step or Step.CONNECTING]
        cost.wall_s += now_s - self._beat_s
        cost.cpu_s += cpu_s - self._cpu_then_s
        cost.stall_ms = max(cost.stall_ms, 1e3 * (now_s - self._beat_s) - BEAT_MS)
        self._beat_s, self._cpu_then_s = now_s, cpu_s


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protocol", help="instead of two repetitions of the nine gestures")
    args = parser.parse_args()
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication([])
    configure_lsl(f"bench-{uuid.uuid4().hex[:8]}")
    with ExitStack() as cleanup:
        root = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="hdemg-bench-")))
        wearer = start_wearer(WEARER, FS_HZ, root / "logs", cleanup, CLI_MODULE)
        protocol = load_protocol(args.protocol) if args.protocol else SHORT
        settings = CalibrationSettings(root, "BENCH", protocol, wearer.source_id, timeout_s=60.0)
        session = cleanup.enter_context(open_calibration(settings, threading.Event()))
        person = SimulatedPerson(session, wearer.intend)
        window = MeasuredWindow(app, session, person.follow)
        app.setQuitOnLastWindowClosed(True)
        window.show()
        window.measure()
        window.start()
        app.exec()
        _tell(window, person)
    return 0


def _tell(window: MeasuredWindow, person: SimulatedPerson) -> None:
    load = os.getloadavg()[0]
    print(
        f"64 channels at {FS_HZ:g} Hz, {os.cpu_count()} cores, load {load:.1f}, Qt on {QApplication.platformName()}"
    )
    print(
        f"{'step':14s}{'s':>7s}{'CPU':>7s}{'frames/s':>10s}{'stall ms':>10s}{'frame ms':>10s}{'frame CPU ms':>14s}"
    )
    for step, cost in window.costs.items():
        if cost.wall_s < 0.5:  # noqa: PLR2004 - too short to mean anything
            continue
        share = cost.cpu_s / cost.wall_s
        print(
            f"{step.value:14s}{cost.wall_s:7.1f}{share:7.1%}{cost.frames / cost.wall_s:10.1f}"
            f"{cost.stall_ms:10.1f}{cost.frame_ms:10.1f}{cost.frame_cpu_ms:14.1f}"
        )
    print(f"try-out: {person.score.right} of {len(person.score.decoded)} decoded as meant")


if __name__ == "__main__":
    sys.exit(main())
