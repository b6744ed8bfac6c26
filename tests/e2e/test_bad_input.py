"""Bad input gets one clear line and a non-zero exit: never a traceback, never a hang."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import Ran, refused


def test_missing_recording(hdemg: Callable[..., Ran], tmp_path: Path, lsl_session: str) -> None:
    refused(hdemg("train", tmp_path / "nowhere", "-o", tmp_path / "d.onnx"), "nowhere")
    refused(hdemg("acquire", tmp_path / "nowhere", "--lsl-session", lsl_session), "nowhere")
    refused(hdemg("import", "flexemg", tmp_path / "nowhere", tmp_path / "out"), "nowhere")


def test_truncated_recording(
    hdemg: Callable[..., Ran], flexemg_sessions: Path, flexemg_decoder: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "ses-broken"
    shutil.copytree(flexemg_sessions / "ses-Session1Train", broken)
    recording = broken / "recording.xdf"
    recording.write_bytes(recording.read_bytes()[:-100_000])
    refused(hdemg("train", broken, "-o", tmp_path / "d.onnx"), "recording.xdf")
    refused(hdemg("replay", broken, "--decoder", flexemg_decoder), "recording.xdf")
    recording.write_bytes(b"")
    refused(hdemg("replay", broken, "--decoder", flexemg_decoder), "recording.xdf")


def test_foreign_and_truncated_decoder(
    hdemg: Callable[..., Ran],
    flexemg_sessions: Path,
    flexemg_decoder: Path,
    tmp_path: Path,
    lsl_session: str,
) -> None:
    session = flexemg_sessions / "ses-Session1Test"
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(flexemg_decoder.read_bytes()[:200])
    refused(hdemg("replay", session, "--decoder", broken), "broken.onnx")
    refused(hdemg("decode", broken, "--timeout", "1", "--lsl-session", lsl_session), "broken.onnx")
    refused(hdemg("replay", session, "--decoder", tmp_path / "none.onnx"), "none.onnx")


def test_decoder_for_another_grid(
    hdemg: Callable[..., Ran], flexemg_sessions: Path, simulated_decoder: Path
) -> None:
    session = flexemg_sessions / "ses-Session1Test"
    refused(hdemg("replay", session, "--decoder", simulated_decoder), "Hz")


def test_unknown_gesture_and_map(
    hdemg: Callable[..., Ran], flexemg_sessions: Path, flexemg_decoder: Path, tmp_path: Path
) -> None:
    robot = ("replay", flexemg_sessions / "ses-Session1Test", "--decoder", flexemg_decoder, "--robot", "sim")
    refused(hdemg(*robot, "--map", "ten_gestures"), "ten_gestures")
    refused(hdemg(*robot, "--map", tmp_path / "mine.yaml"), "mine.yaml")


def test_no_stream_within_the_time_given(
    hdemg: Callable[..., Ran], flexemg_decoder: Path, lsl_session: str
) -> None:
    lsl = ("--timeout", "0.5", "--lsl-session", lsl_session)
    refused(hdemg("decode", flexemg_decoder, *lsl), "within 0.5 s")
    refused(hdemg("bridge", "--decoder", "nobody", *lsl), "nobody")


def test_no_ros(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rclpy.py").write_text("raise ImportError('no rclpy here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    for_each = "import sys; from ui.cli import main; sys.exit(0 in [main([name]) for name in sys.argv[1:]])"
    names = ("bridge", "sim-robot", "demo")
    done = subprocess.run(
        [sys.executable, "-c", for_each, *names], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert [line.partition(": error: ")[0] for line in lines] == [f"hdemg {name}" for name in names]
    assert all("ROS 2" in line for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ("acquire", "simulated", "--speed", "0"),
        ("acquire", "simulated", "--speed", "nan"),
        ("replay",),
        ("nonsense",),
    ],
)
def test_nonsense_options(hdemg: Callable[..., Ran], arguments: tuple[str, ...]) -> None:
    ran = hdemg(*arguments)
    assert ran.status == 2
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--version",), 0, "hdemg "),
        (("nonsense",), 2, "invalid choice"),
        (("import", "flexemg", "nowhere", "out"), 2, "hdemg import: error: "),
        (("acquire", "intan", "--timeout", "0.2"), 3, "hdemg acquire: stopped: "),
    ],
    ids=["good", "usage", "input", "lost"],
)
def test_the_process_ends_as_the_command_does(
    hdemg_process: Callable[..., Ran],
    arguments: tuple[str, ...],
    status: int,
    said: str,
) -> None:
    """Through the entry point; ``tests/unit/test_ui_cli.py`` tests how signals and closed pipes end a process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    if status == 3:
        arguments = (*arguments, "--port", port)
    ran = hdemg_process(*arguments)
    assert ran.status == status, ran.err
    assert said in (ran.err if status else ran.out)
    assert "Traceback" not in ran.err
