"""``hdemg replay --window`` from the command line: it opens, ends with Ctrl-C, and says in a line what is wrong."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.command_line import command
from tests.replay_support import write_emg_only, write_session

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sessions")
    write_session(root / "good")
    shutil.copytree(root / "good", root / "truncated")
    recording = root / "truncated" / "recording.xdf"
    recording.write_bytes(recording.read_bytes()[:-5000])
    (root / "empty").mkdir()
    shutil.copytree(write_emg_only(root / "bare"), root / "no-samples")
    (root / "no-samples" / "recording.xdf").write_bytes(b"XDF:")
    return root


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere",), "is no folder"),
        (("empty",), "no session folder"),
        (("truncated",), "truncated"),
        (("no-samples",), "recording.xdf"),
        (("good", "--decoder", "missing.onnx"), "missing.onnx"),
        (("good", "--robot", "sim"), "--robot is for a replay without a window"),
        (("good", "--json"), "--json is for a replay without a window"),
        (("good", "--speed", "max"), "--speed max"),
        (("good", "--emg", "other"), "other"),
    ],
)
def test_bad_input_is_one_line_and_no_window(hdemg, sessions, arguments, says):
    ran = hdemg("replay", sessions / arguments[0], *arguments[1:], "--window")
    assert ran.status == 2
    (line,) = [line for line in ran.err.splitlines() if "error" in line]
    assert says in line
    assert "Traceback" not in ran.err


def test_no_screen_is_one_line(hdemg, sessions, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    ran = hdemg("replay", sessions / "good", "--window")
    assert ran.status == 2
    assert "or leave out --window" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_window_opens_and_a_signal_closes_it(sessions, how):
    child = subprocess.Popen(
        command("--debug", "replay", sessions / "good", "--window"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        assert child.stdout.readline().startswith("showing ")
        child.send_signal(how)
        _, err = child.communicate(timeout=LIMIT_S)
    finally:
        child.kill()
    assert child.returncode == 0, err
    assert "Traceback" not in err
