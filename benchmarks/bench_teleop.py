"""What window and recorder cost in a whole `hdemg teleop` session of 64 channels at 4 kHz, and ten minutes of it all.

    python benchmarks/bench_teleop.py --compare --rounds 3 --seconds 60
    python benchmarks/bench_teleop.py --seconds 600
    python benchmarks/bench_teleop.py --seconds 60 --headless --kinematic

A simulated wearer drives the simulated Stretch (physics, camera) forth and back. The first line above runs three kinds
of session in turn: headless without a recorder, headless with it, with window and recorder; it gives decision ->
command of each from the bridge's journal, whose times are the bridge's own, and what the others add. The second runs
everything at once and tells frames, lost samples, the robot's rate, processor time and memory of every part as it went
on. The third leaves out what another computer, or the robot itself, does. A window needs a screen: run it under
``xvfb-run -a``, or with ``QT_QPA_PLATFORM=offscreen``. A decoder of the wearer is trained first. Linux only.
"""

import argparse
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

from emg_acquisition.errors import StreamLostError
from emg_acquisition.events import Event
from emg_acquisition.recording.session import read_session_info
from emg_acquisition.stream_info import EMG_TYPE, JOURNAL_TYPE
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.lsl_stream import LslStream, Search, find_stream
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from evaluation.session_latency import journal_latency
from robot_bridge.errors import CommandRejectedError
from robot_bridge.inputs import DecisionInput, JointStatesInput, TickInput
from robot_bridge.journal import Entry
from robot_bridge.journal_stream import entries_from_text, journal_source_id
from robot_bridge.robot_model import load_robot_model
from simulation.forearm.settings import WearerSettings
from teleoperation.session import TeleopSession
from teleoperation.settings import TeleopSettings
from ui.live_session import live_session
from ui.windows.teleop import TeleopWindow, run_teleop_window

WEARER, FS_HZ = 2, 4000.0
CAMERA, KINEMATIC = "--camera", "--kinematic"
KINDS = {"bare": (False, False), "recorded": (False, True), "whole": (True, True)}  # window, recorder
GESTURES = ("rest", "wrist_extension", "rest", "wrist_flexion")
GESTURE_S, LOOK_S, SETTLE_S, FIND_S = 1.5, 10.0, 5.0, 60.0
WARM_LOOKS = 6  # a minute
LEAST_S = 2 * LOOK_S
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def run_session(kind: str, robot: str, decoder: Path, lsl_session: str, seconds: float) -> None:
    """Be a session: drive, and print a line of JSON every ten seconds and a last one with what was recorded."""
    window, record = KINDS[kind]
    configure_lsl(lsl_session)
    intentions_id, ending = f"intentions-{uuid.uuid4().hex[:8]}", threading.Event()
    outlet, frames = EventOutlet("intentions", intentions_id), [0]
    with tempfile.TemporaryDirectory(prefix="hdemg-bench-") as out:
        settings = TeleopSettings.model_validate(
            {
                "decoder": decoder,
                "source": f"simulated --wearer {WEARER} --rate {FS_HZ:g} --chunk-ms 2.5 --intentions {intentions_id}",
                "robot_options": robot,
                "record": record,
                "out": out,
            }
        )
        with live_session(settings, lambda _step, _part: None, lsl_session=lsl_session) as session:
            threads = [
                threading.Thread(target=_intend, args=(outlet, ending)),
                threading.Thread(target=_keep_armed, args=(session, ending)),
                threading.Thread(target=_tell, args=(session, frames, ending)),
                threading.Timer(seconds, ending.set),
            ]
            for thread in threads:
                thread.start()
            if window:
                _show(session, frames, ending)
            ending.wait()
            for thread in threads:
                thread.join()
        outlet.close()
        if session.recording is not None:
            info = read_session_info(session.recording)
            print(
                json.dumps({"recorded": [s.model_dump() for s in info.streams if s.type == EMG_TYPE]}),
                flush=True,
            )


class _Painted(QObject):
    """Counts the frames of what it is installed on."""

    def __init__(self, window: TeleopWindow, frames: list[int]) -> None:
        super().__init__(window)
        self._frames = frames

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self._frames[0] += event.type() == QEvent.Type.Paint
        return False


def count_frames(window: TeleopWindow, frames: list[int]) -> QObject:
    """Count the frames of the window's history from now on, which is painted with every one; returns what counts."""
    painted = _Painted(window, frames)
    window.histories[0].history.installEventFilter(painted)
    return painted


def _show(session: TeleopSession, frames: list[int], ending: threading.Event) -> None:
    app = QApplication([])

    def watch() -> None:
        for one in app.topLevelWidgets():
            if isinstance(one, TeleopWindow):
                count_frames(one, frames)

    QTimer.singleShot(0, watch)
    run_teleop_window(session, ending)


def _intend(outlet: EventOutlet, ending: threading.Event) -> None:
    began_s = time.monotonic()
    while not ending.wait(0.1):
        gesture = GESTURES[int((time.monotonic() - began_s) / GESTURE_S) % len(GESTURES)]
        outlet.push(Event(lsl_clock_s(), "intention", {"gesture": gesture, "effort": 1.0}))


def _keep_armed(session: TeleopSession, ending: threading.Event) -> None:
    while not ending.wait(0.5):
        if not session.view().live:
            try:
                session.chain.link.arm_within(GESTURE_S, ending)
            except CommandRejectedError as error:
                print(f"not yet armed: {error}", file=sys.stderr)


def _tell(session: TeleopSession, frames: list[int], ending: threading.Event) -> None:
    began_s = time.monotonic()
    while not ending.wait(LOOK_S):
        processes = session.chain.processes
        pids = {name: processes.process(name).pid for name in session.chain.part_names} | {
            "window": os.getpid()
        }
        seen = {
            "s": round(time.monotonic() - began_s, 1),
            "frames": frames[0],
            "stops": session.view().robot.stops,
            "restarts": sum(part.restarts for part in session.view().parts),
            "mb": {name: _resident_mb(pid) for name, pid in pids.items()},
            "cpu_s": {name: _processor_s(pid) for name, pid in pids.items()},
        }
        print(json.dumps(seen), flush=True)


def _resident_mb(pid: int) -> float:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return round(int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def measure(
    kind: str, decoder: Path, seconds: float, robot: str = CAMERA
) -> tuple[list[tuple[float, Entry]], list[dict[str, Any]]]:
    """Run a session in a process of its own; its bridge's journal, and what it told."""
    lsl_session = f"bench-teleop-{uuid.uuid4().hex[:8]}"
    me = [sys.executable, __file__, "--decoder", str(decoder), "--lsl-session", lsl_session, "--as"]
    journal: list[tuple[float, Entry]] = []
    with tempfile.TemporaryFile() as heard:
        # A process of its own, too: it must not wait for what the session does.
        listener = subprocess.Popen([*me, "listener"], stdout=heard)
        try:
            done = subprocess.run(
                [
                    *me,
                    kind,
                    *([KINEMATIC] if robot == KINEMATIC else []),
                    "--seconds",
                    str(seconds + SETTLE_S),
                ],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            listener.wait(FIND_S)
        finally:
            listener.kill()
        heard.seek(0)
        for line in heard:
            journal += entries_from_text(line)
    begin_s = journal[0][0] + SETTLE_S
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return [entry for entry in journal if entry[0] >= begin_s], told


def listen(lsl_session: str) -> None:
    """Write the bridge's journal to standard output until it ends."""
    configure_lsl(lsl_session)
    found = find_stream(JOURNAL_TYPE, journal_source_id("hdemg"), Search(FIND_S, None))
    stream = LslStream(found, Search(FIND_S, None))
    stream.connect(360)
    with contextlib.suppress(StreamLostError):
        while True:
            texts, _ = stream.pull(1.0)
            for row in texts:
                sys.stdout.buffer.write(row[0] + b"\n")


def latencies_ms(journal: list[tuple[float, Entry]]) -> dict[str, np.ndarray[Any, Any]]:
    """Return milliseconds from the decision at the bridge to its command, and from the EMG sample to both."""
    came_s, at_bridge = None, []
    for t_s, entry in journal:
        if isinstance(entry.what, DecisionInput):
            came_s = entry.what.t_mono_s
        elif isinstance(entry.what, TickInput) and came_s is not None:
            if entry.answer is not None:
                at_bridge.append(1e3 * (t_s - came_s))
            came_s = None
    latency = journal_latency(journal, load_robot_model())
    return {
        "decision at the bridge to command": np.array(at_bridge),
        "sample to decision": latency.decision_ms,
        "sample to command": latency.command_ms,
    }


def compare(decoder: Path, rounds: int, seconds: float) -> dict[str, Any]:
    """Run the kinds in turn, and pool the rounds of each."""
    pooled: dict[str, dict[str, list[np.ndarray[Any, Any]]]] = {kind: {} for kind in KINDS}
    for n, kind in itertools.product(range(rounds), KINDS):
        print(f"round {n + 1} of {rounds}: {kind}", file=sys.stderr)
        journal, _ = measure(kind, decoder, seconds)
        for name, values_ms in latencies_ms(journal).items():
            pooled[kind].setdefault(name, []).append(values_ms)
    result: dict[str, Any] = {
        kind: {name: distribution(np.concatenate(values)) for name, values in of_kind.items()}
        for kind, of_kind in pooled.items()
    }
    for kind in ("recorded", "whole"):
        result[f"{kind} adds, p99"] = {
            name: round(result[kind][name]["p99"] - result["bare"][name]["p99"], 2) for name in result["bare"]
        }
    return result


def distribution(values_ms: np.ndarray[Any, Any]) -> dict[str, float]:
    """Median, 99th percentile, the most, and of how many."""
    median, p99 = np.percentile(values_ms, (50, 99))
    return {
        "median": round(median, 2),
        "p99": round(p99, 2),
        "most": round(values_ms.max(), 2),
        "n": len(values_ms),
    }


def whole(kind: str, robot: str, decoder: Path, seconds: float) -> dict[str, Any]:
    """Run everything once, for long."""
    journal, told = measure(kind, decoder, seconds, robot)
    *looks, last = told
    (recorded,) = last["recorded"]
    expected = round((recorded["last_t_lsl_s"] - recorded["first_t_lsl_s"]) * recorded["fs_hz"]) + 1
    joints_s = np.array([t_s for t_s, entry in journal if isinstance(entry.what, JointStatesInput)])
    first, end = looks[min(WARM_LOOKS, (len(looks) - 1) // 2)], looks[-1]
    parts = first["mb"]
    return {
        "seconds": end["s"],
        "samples": recorded["samples"],
        "lost": expected - recorded["samples"],
        "gaps": recorded["gaps"],
        "frames_a_second": round((end["frames"] - first["frames"]) / (end["s"] - first["s"]), 1),
        "joint_states_hz": round((len(joints_s) - 1) / (joints_s[-1] - joints_s[0]), 2),
        "joint_states_longest_ms": round(1e3 * np.diff(joints_s).max(), 1),
        "stops": end["stops"],
        "restarts": end["restarts"],
        "cores": {
            p: round((end["cpu_s"][p] - first["cpu_s"][p]) / (end["s"] - first["s"]), 3) for p in parts
        },
        "mb_at": {first["s"]: parts, end["s"]: end["mb"]},
        "latency_ms": {name: distribution(values) for name, values in latencies_ms(journal).items()},
    }


def _robot(args: argparse.Namespace) -> str:
    return KINEMATIC if args.kinematic else CAMERA


def main() -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decoder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--headless", action="store_true", help="not with --compare")
    parser.add_argument(KINEMATIC, action="store_true", help="neither physics nor camera; not with --compare")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--as", dest="role", choices=(*KINDS, "listener"), help=argparse.SUPPRESS)
    parser.add_argument("--lsl-session", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.role == "listener":
        listen(args.lsl_session)
    elif args.role:
        run_session(args.role, _robot(args), args.decoder, args.lsl_session, args.seconds)
    elif not args.compare and args.seconds < LEAST_S:
        parser.error(f"--seconds: at least {LEAST_S:g}, to compare two looks at what runs; or give --compare")
    else:
        # It brings what trains, which no session has.
        from simulation.recorded_wearer import calibrate_wearer  # noqa: PLC0415

        with tempfile.TemporaryDirectory(prefix="hdemg-bench-") as folder:
            wearer = WearerSettings(seed=WEARER, fs_hz=FS_HZ)
            decoder = calibrate_wearer(wearer, Path(folder) / "ses-calibration").decoder
            result = (
                compare(decoder, args.rounds, args.seconds)
                if args.compare
                else whole("recorded" if args.headless else "whole", _robot(args), decoder, args.seconds)
            )
        print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
