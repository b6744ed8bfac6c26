"""Bad input gets one clear line and a non-zero exit: never a traceback, never a hang."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Ran


def refused(ran: Ran, *words: str) -> None:
    assert ran.status not in (0, 70), ran.err
    assert "Traceback" not in ran.err
    line = ran.err.strip().splitlines()[-1]
    assert line.startswith("hdemg "), ran.err
    for word in words:
        assert word in line, line


def test_missing_recording(hdemg: Callable[..., Ran], tmp_path: Path) -> None:
    refused(hdemg("train", tmp_path / "nowhere", "-o", tmp_path / "d.onnx"), "nowhere")
    refused(hdemg("acquire", tmp_path / "nowhere"), "nowhere")
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
    hdemg: Callable[..., Ran], flexemg_sessions: Path, flexemg_decoder: Path, tmp_path: Path
) -> None:
    session = flexemg_sessions / "ses-Session1Test"
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(flexemg_decoder.read_bytes()[:200])
    refused(hdemg("replay", session, "--decoder", broken), "broken.onnx")
    refused(hdemg("decode", broken, "--timeout", "1"), "broken.onnx")
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


def test_no_stream_within_the_time_given(hdemg: Callable[..., Ran], flexemg_decoder: Path) -> None:
    lsl = ("--timeout", "1", "--lsl-session", "hdemg-nobody-here")
    refused(hdemg("decode", flexemg_decoder, *lsl), "1 s")
    refused(hdemg("bridge", "--decoder", "nobody", *lsl), "nobody")


def test_no_ros(hdemg: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rclpy.py").write_text("raise ImportError('no rclpy here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in ("bridge", "sim-robot", "demo"):
        refused(hdemg(name), "ROS 2")


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
