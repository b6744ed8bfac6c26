"""A teleoperation session with the simulated wearer and robot: one command, watched, recorded, ended."""

import csv
import os
import pty
import re
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from emg_acquisition.events import Event
from emg_acquisition.recording.session import load_session
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from robot_bridge.stretch_interface import DOF_NAMES
from teleoperation.session import TeleopSession
from teleoperation.settings import TeleopSettings
from tests.command_line import Ran, refused
from tests.e2e.conftest import WEARER
from tests.headless_session import ended_in_order, start_session, wait_until_it_decides
from tests.waiting import holds_for, wait_for
from ui.live_session import live_session


class Wearer:
    """Whoever wears the simulated sleeve: intentions out, the session's own view in."""

    def __init__(self, session: TeleopSession, outlet: EventOutlet) -> None:
        self.session, self.outlet = session, outlet

    def hold(self, gesture: str, until, what: str) -> None:
        def reached():
            self.outlet.push(Event(lsl_clock_s(), "intention", {"gesture": gesture, "effort": 1.0}))
            return until()

        wait_for(reached, what, poll_s=0.1)

    def rest(self) -> None:
        self.hold("rest", lambda: self.session.view().robot.gesture == "rest", "rest, decided")

    def position(self, dof: str) -> float:
        return self.session.view().robot.positions[DOF_NAMES.index(dof)]


def decoders_told(recording: Path) -> set[bytes]:
    """What every decoder that was recorded has said: since when it decodes."""
    return set(re.findall(rb'"since_t_lsl_s": ?([0-9.]+)', (recording / "recording.xdf").read_bytes()))


@pytest.mark.alone
@pytest.mark.usefixtures("ros_domain")
def test_a_session_arms_moves_survives_its_parts_and_is_recorded_whole(
    hdemg: Callable[..., Ran], simulated_decoder: Path, lsl_session: str, tmp_path: Path
) -> None:
    token = f"teleop-intentions-{uuid.uuid4().hex[:8]}"
    settings = TeleopSettings(
        decoder=simulated_decoder,
        source=f"simulated --wearer {WEARER} --intentions {token}",
        out=tmp_path,
        participant="P01",
        events=(token,),
        tasks=_tasks(tmp_path),
    )
    with ExitStack() as stack:
        outlet = EventOutlet("intentions", token)
        stack.callback(outlet.close)
        session = stack.enter_context(
            live_session(settings, lambda _step, _part: None, lsl_session=lsl_session)
        )
        wearer = Wearer(session, outlet)

        wearer.rest()
        wait_for(lambda: session.view().ready, lambda: session.view().checks)
        session.sheet.start()
        wait_for(lambda: session.arm() is None, "arming")
        before = wearer.position("base_translate")
        wearer.hold("wrist_extension", lambda: wearer.position("base_translate") > before + 0.02, "motion")

        # A part dies in mid-motion: the robot stands, the part comes back, nothing moves before a deliberate arm.
        session.chain.processes.process("decode").kill()
        wait_for(lambda: not session.view().live, "a stop for the dead decoder")
        wait_for(lambda: any(part.restarts for part in session.view().parts), "the decoder's restart")
        wait_for(lambda: session.view().robot.gesture == "wrist_extension", "decisions after the restart")
        assert session.view().robot.safety_state in {"stopped", "fault"}
        wait_for(lambda: max(map(abs, session.view().robot.velocities)) < 1e-3, "a standstill")
        still = wearer.position("base_translate")
        holds_for(
            lambda: wearer.position("base_translate") == pytest.approx(still, abs=1e-3), 1.0, "it stands"
        )

        # A window that hangs is no watcher: its pulse, given after the start, is what keeps the robot armed.
        wearer.rest()
        wait_for(lambda: session.arm() is None, "arming for a window")
        session.watch_by(lambda: False)
        wait_for(lambda: session.view().robot.safety_state == "fault", "a fault for the hung window")
        assert "heartbeat" in session.view().robot.reason
        session.watch_by(lambda: True)

        wearer.rest()
        wait_for(lambda: session.arm() is None, "arming again")
        # The decoder that came back says since when it decodes; a recorder takes a moment to find it again, and what is
        # decided before cannot be compared if the recording ends meanwhile.
        wait_for(lambda: len(decoders_told(session.recording)) == 2, "the second decoder's word, recorded")
        assert session.stop() is None
        assert wait_for(lambda: not session.view().live, "the stop")
        session.sheet.note("cup was too far")
        assert session.sheet.end("success")

        # Closed while armed, with a part that the supervisor restarted: the robot is stopped before anything ends.
        wearer.rest()
        wait_for(lambda: session.arm() is None, "it does not arm before the end")
        wait_for(lambda: session.view().live, "armed")
        recording = session.recording
    assert not session.chain.processes.dead()
    check_recorded(hdemg, recording)


def check_recorded(hdemg: Callable[..., Ran], recording: Path) -> None:
    recorded = load_session(recording)
    kinds = {event.kind for event in recorded.events}
    assert [event.kind for event in recorded.events if event.kind in {"arm", "stop", "fault"}][-2:] == [
        "arm",
        "stop",
    ]
    assert {"arm", "stop", "task_start", "task_success", "note", "message", "intention"} <= kinds
    replayed = hdemg("replay", recording, "--json")
    assert replayed.status == 0, replayed.out + replayed.err
    assert (replayed.json["identical_to_recording"], replayed.json["not_compared"]) == (True, 0)
    assert replayed.json["commands_identical_to_recording"] is True
    assert replayed.json["decisions"] > 200
    assert replayed.json["commands"] > 100
    with (recording / "trials.csv").open(encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    assert (line["task"], line["outcome"], line["notes"]) == ("cup", "success", "cup was too far")


def _tasks(folder: Path) -> Path:
    path = folder / "tasks.yaml"
    path.write_text("tasks: [{name: cup, trials: 2, limit_s: 120}]\n")
    return path


@pytest.mark.usefixtures("ros_domain")
def test_headless_on_a_terminal_ends_in_order(
    simulated_decoder: Path, marked_environment: dict[str, str], tmp_path: Path
) -> None:
    """By its key; by signals sessions end in ``test_teleop_already_there.py``."""
    master, slave = pty.openpty()
    session = start_session(simulated_decoder, "--out", tmp_path, env=marked_environment, stdin=slave)
    try:
        wait_until_it_decides(session)
        os.write(master, b"q")
        ended_in_order(session)
    finally:
        session.kill()
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no decoder"),
        (("missing.onnx",), "missing.onnx"),
        (("--config", "missing.yaml"), "missing.yaml"),
        (("d.onnx", "--tasks", "missing.yaml"), "missing.yaml"),
        (("d.onnx", "--map", "missing"), "missing"),
    ],
)
@pytest.mark.usefixtures("ros_domain")
def test_bad_input_is_one_clear_line(hdemg, simulated_decoder, tmp_path, arguments, words):
    given = [simulated_decoder if part == "d.onnx" else part for part in arguments]
    ran = hdemg("teleop", *given, "--headless", "--out", tmp_path / "data")
    assert ran.status == 2
    refused(ran, words)
    assert not list(tmp_path.rglob("*.xdf"))


@pytest.mark.usefixtures("ros_domain")
def test_a_source_that_is_not_there_is_one_clear_line(hdemg_process, simulated_decoder, tmp_path):
    source = ("--source", "nonsense")
    ran = hdemg_process("teleop", simulated_decoder, *source, "--headless", "--out", tmp_path / "data")
    assert ran.status in {2, 3}
    refused(ran, "nonsense")
    assert not list(tmp_path.rglob("*.xdf"))
