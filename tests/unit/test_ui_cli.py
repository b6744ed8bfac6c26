"""The command line's edge: every failure becomes one line and an exit status."""

import json
from types import SimpleNamespace

import pytest

from emg_acquisition.errors import InputError, StreamLostError
from robot_bridge.errors import CommandRejectedError
from ui import cli
from ui.commands import doctor, train


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (InputError("rate 1000 Hz,\n2000 Hz is required"), 2, "rate 1000 Hz, 2000 Hz is required"),
        (FileNotFoundError(2, "No such file or directory", "x.xdf"), 2, "x.xdf"),
        (StreamLostError("decode ended"), 3, "decode ended"),
        (CommandRejectedError("run-stopped"), 3, "run-stopped"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 2, "hdemg-teleop[train]"),
        (ModuleNotFoundError("No module named 'mine'", name="mine"), 70, "--debug"),
        (KeyError("oops"), 70, "--debug"),
        (KeyboardInterrupt(), 130, "interrupted"),
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
        gestures=("rest", "fist"),
        window_accuracy=0.9,
        trial_accuracy=1.0,
        seconds=1.5,
    )
    monkeypatch.setattr("calibration.train.train_decoder", lambda *_: report)
    monkeypatch.setattr("emg_acquisition.recording.session.load_session", lambda _: None)
    assert cli.main([train.NAME, str(tmp_path), "-o", str(tmp_path / "d.onnx"), "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == {
        "decoder": str(tmp_path / "d.onnx"),
        "model": "lda",
        "held_out": {"window_accuracy": 0.9, "trial_accuracy": 1.0},
        "seconds": 1.5,
    }
