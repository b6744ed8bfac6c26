"""The command line's edge: every failure becomes one line and an exit status."""

import json
import os
import signal
import subprocess
import sys
import uuid
from types import SimpleNamespace

import pytest

from emg_acquisition.errors import InputError, SearchStoppedError, StreamLostError
from robot_bridge.errors import CommandRejectedError
from tests.dec_support import write_decoder
from ui import cli
from ui.commands import doctor, options, train
from ui.console import StatusLine


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (InputError("rate 1000 Hz,\n2000 Hz is required"), 2, "rate 1000 Hz, 2000 Hz is required"),
        (InputError(f"grid {'x' * 5000}: unknown; choose one"), 2, "x […] x"),
        (InputError(f"grid {'x' * 5000}: unknown; choose one"), 2, "unknown; choose one"),
        (FileNotFoundError(2, "No such file or directory", "x.xdf"), 2, "x.xdf"),
        (StreamLostError("decode ended"), 3, "decode ended"),
        (CommandRejectedError("run-stopped"), 3, "run-stopped"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 2, "hdemg-teleop[network]"),
        (ModuleNotFoundError("No module named 'mine'", name="mine"), 70, "--debug"),
        (KeyError("oops"), 70, "--debug"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (SearchStoppedError("no more"), 130, "interrupted"),
    ],
)
def test_a_failure_is_one_line(
    error: BaseException,
    status: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_args: object) -> int:
        raise error

    monkeypatch.setattr(doctor, "run", fail)
    assert cli.main(["doctor"]) == status
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert len(err) < 1000
    assert err.startswith("hdemg doctor: ")
    assert word in err


def test_debug_lets_the_traceback_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_args: object) -> int:
        raise InputError("bad")

    monkeypatch.setattr(doctor, "run", fail)
    for arguments in (["--debug", "doctor"], ["doctor", "--debug"]):
        with pytest.raises(InputError):
            cli.main(arguments)


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for module in cli.COMMANDS:
        with pytest.raises(SystemExit) as ended:
            cli.main([module.NAME, "--help"])
        assert ended.value.code == 0
        assert f"example: hdemg {module.NAME}" in capsys.readouterr().out


def test_json_is_the_last_line_of_train(
    monkeypatch: pytest.MonkeyPatch, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = SimpleNamespace(
        decoder=tmp_path / "d.onnx",
        model="lda",
        made_of="lda on amplitude, shrinkage by trials",
        gestures=("rest", "fist"),
        window_accuracy=0.9,
        trial_accuracy=1.0,
        seconds=1.5,
    )
    monkeypatch.setattr("calibration.train.train_decoder", lambda *_: report)
    monkeypatch.setattr("emg_acquisition.recording.session.load_session", lambda *_: None)
    assert cli.main([train.NAME, str(tmp_path), "-o", str(tmp_path / "d.onnx"), "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == {
        "decoder": str(tmp_path / "d.onnx"),
        "model": "lda",
        "held_out": {"window_accuracy": 0.9, "trial_accuracy": 1.0},
        "seconds": 1.5,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["acquire", "simulated", "--wearer", "-1"], "--wearer: an integer of at least 0"),
        (["demo", "--wearer", "-1"], "--wearer: an integer of at least 0"),
        (["demo", "--wearer", "one"], "--wearer: invalid seed value"),
        (["sim-robot", "--namespace", "bad ns!"], "--namespace: letters, digits"),
        (["sim-robot", "--pose-latency", "1.5"], "--pose-latency: 0 to 1 seconds are allowed, got 1.5"),
        (["sim-robot", "--pose-latency", "nan"], "--pose-latency: 0 to 1 seconds are allowed, got nan"),
        (["bridge", "--namespace", "bad ns"], "--namespace: letters, digits"),
        (["bridge", "--namespace", "left/2nd"], "--namespace: letters, digits"),
        (["bridge", "--namespace", "left/"], "--namespace: letters, digits"),
        (["bridge", "--namespace", "a" * 300], "--namespace: letters, digits"),
        (["bridge", "--decoder", ""], "--decoder: it must not be empty"),
        (["decode", "d.onnx", "--source-id", ""], "--source-id: it must not be empty"),
        (["decode", "d.onnx", "--emg", "it's"], "--emg: it must not be empty"),
        (["record", "out", "--gesture", ""], "--gesture: it must not be empty"),
        (["record", "out", "--timeout", "3601"], "--timeout: at most 3600 seconds"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_before_anything_starts(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert f"hdemg {arguments[0]}: error: argument {said}" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "left", "/left", "left/arm_2", "_x"])
def test_namespaces_that_ros_takes_are_taken(text: str) -> None:
    assert options.namespace(text) == text


def test_a_map_or_robot_that_does_not_exist_is_told_before_a_decoder_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    def look(*_: object) -> None:
        pytest.fail("it looked for the decoder")

    monkeypatch.setattr("emg_acquisition.streams.inlet.GestureInlet", look)
    assert cli.main(["bridge", "--map", "nosuch"]) == 2
    assert "gesture map 'nosuch': neither a file nor a bundled map" in capsys.readouterr().err
    assert cli.main(["bridge", "--map", "two_sleeves", "--decoder", "left"]) == 2
    assert "two_sleeves.yaml: is for 2 decoder(s) (left, right), got 1" in capsys.readouterr().err
    twice = ["bridge", "--map", "two_sleeves", "--decoder", "same", "--decoder", "same"]
    assert cli.main(twice) == 2
    assert "decoder 'same' is given for more than one sleeve" in capsys.readouterr().err
    assert cli.main(["bridge", "--robot-model", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: cannot be read" in capsys.readouterr().err


def test_a_decoder_file_that_is_a_folder_is_told_before_anything_is_read(
    tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["train", str(tmp_path / "nosuch"), "-o", str(tmp_path)]) == 2
    assert f"{tmp_path} is a folder: --out names the decoder file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "unbuffered"), [(("import", "--help"), ""), (("doctor",), ""), (("doctor",), "1")]
)
def test_a_reader_that_goes_away_ends_a_command_quietly(arguments: tuple[str, ...], unbuffered: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    code = "import sys; from ui import cli, doctor; doctor.run_checks = lambda _more: [doctor.Check('a', True, 'b')];"
    ended = subprocess.run(
        [sys.executable, "-c", code + "sys.exit(cli.main(sys.argv[1:]))", *arguments],
        stdout=write_end,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        text=True,
        check=False,
    )
    os.close(write_end)
    assert (ended.returncode, ended.stderr) == (cli.EXIT_BROKEN_PIPE, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["bridge", "record", "decode"])
def test_a_signal_ends_the_search_for_a_stream(command: str, number: signal.Signals, tmp_path) -> None:
    if command == "bridge":
        pytest.importorskip("rclpy")
    decoder = write_decoder(tmp_path / "decoder.onnx")
    arguments = {"bridge": [], "record": [str(tmp_path / "out")], "decode": [str(decoder)]}[command]
    # The child says when LSL has begun to search, so that the signal falls into the search.
    code = (
        "import sys, pylsl; from ui import cli; resolve = pylsl.resolve_bypred;"
        "pylsl.resolve_bypred = lambda *a: print('searching', flush=True) or resolve(*a);"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    session = ["--timeout", "100", "--lsl-session", f"hdemg-test-{uuid.uuid4().hex[:12]}"]
    with subprocess.Popen(
        [sys.executable, "-c", code, command, *arguments, *session],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "searching\n"
            child.send_signal(number)
            _, err = child.communicate(timeout=20)
        finally:
            child.kill()
    assert child.returncode == 130
    assert err.splitlines()[-1] == f"hdemg {command}: interrupted"
    assert "Traceback" not in err


def test_a_status_line_is_written_over_on_a_terminal_and_nowhere_else(monkeypatch, capsys):
    with StatusLine() as line:
        line("nothing")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with StatusLine() as line:
        line("ten seconds")
        line("short")
    assert capsys.readouterr().err == "\rten seconds\rshort      \n"
