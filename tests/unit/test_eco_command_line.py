"""Completion, version, log file, and the files that `hdemg init` writes."""

import json
import logging
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import get_args

import pytest
import yaml

from calibration.model_selection import SPECTRAL_FEATURES
from decoding.signal_settings import FeatureName, SignalSettings
from emg_acquisition.errors import InputError
from emg_acquisition.settings_file import yaml_value
from tests.conftest import REPOSITORY
from ui import cli
from ui.commands import doctor, init
from ui.commands.completion import SHELLS, completion_script
from ui.log_file import LOG_VARIABLE, JsonLinesHandler


def _completed(*words: str) -> list[str]:
    """What bash offers for the last word."""
    script = completion_script(cli.build_parser(), "bash")
    asks = (
        f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; _shtab_hdemg; "
    )
    done = subprocess.run(
        ["/bin/bash", "-c", f'{script}\n{asks}printf "%s\\n" "${{COMPREPLY[@]}}"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_options_and_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decoder.onnx").touch()
    (tmp_path / "decades").mkdir()
    assert {module.NAME for module in cli.COMMANDS} <= set(_completed("hdemg", ""))
    assert _completed("hdemg", "rec") == ["record", "recalibrate"]
    assert "--emulate" in _completed("hdemg", "acquire", "simulated", "--e")
    assert _completed("hdemg", "acquire", "--impairment", "c") == ["c5", "c6", "c7", "c8"]
    assert sorted(_completed("hdemg", "decode", "dec")) == ["decades", "decoder.onnx"]
    assert _completed("hdemg", "teleop", "decoder.onnx", "--map", "decod") == ["decoder.onnx"]
    assert _completed("hdemg", "train", "dec") == ["decades"]  # sessions are folders
    assert _completed("hdemg", "train", "decades", "-o", "decod") == ["decoder.onnx"]
    assert _completed("hdemg", "completion", "f") == ["fish"]
    assert "flexemg" in _completed("hdemg", "import", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_told_every_command_and_option(shell: str) -> None:
    script = completion_script(cli.build_parser(), shell)
    for name, parser in cli.subcommands(cli.build_parser()).items():
        assert re.search(rf"\b{name}\b", script)
        for action in parser._actions:
            if action.help != "==SUPPRESS==":
                for flag in action.option_strings:
                    assert flag in script or f"-l {flag[2:]}" in script or f"-s {flag[1:]}" in script


def test_version_tells_the_build(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"hdemg \d+\.\d+\.\d+( \(commit [0-9a-f]+(-dirty)?\))?", first)
    assert second.startswith(f"Python {sys.version_info[0]}.{sys.version_info[1]}.")
    assert "numpy" in third
    assert "onnxruntime" in third


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("how", ["option before", "option behind", "variable"])
def test_the_log_goes_to_a_file_with_the_error_that_ended_it(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_args: object) -> int:
        logging.getLogger("emg_acquisition.anything").warning("electrode %d\nis loose", 3)
        raise InputError("no such thing")

    monkeypatch.setattr(doctor, "run", fail)
    path = tmp_path / "log.jsonl"
    if how == "variable":
        monkeypatch.setenv(LOG_VARIABLE, str(path))
    arguments = {
        "option before": ["--log-file", str(path), "doctor"],
        "option behind": ["doctor", "--log-file", str(path)],
        "variable": ["doctor"],
    }
    assert cli.main(arguments[how]) == 2
    assert cli.main(arguments[how]) == 2  # appended, never overwritten
    lines = _lines(path)
    assert len(lines) == 4
    assert lines[0]["message"] == "electrode 3\nis loose"
    assert (lines[0]["level"], lines[0]["command"]) == ("warning", "doctor")
    assert lines[0]["logger"] == "emg_acquisition.anything"
    assert lines[1]["message"] == "hdemg doctor: error: no such thing"
    assert lines[1]["level"] == "error"
    assert set(lines[0]) == {"time", "t_mono_s", "level", "command", "pid", "logger", "message"}
    assert logging.getLogger().handlers == [
        handler for handler in logging.getLogger().handlers if not isinstance(handler, JsonLinesHandler)
    ]


def test_lines_of_several_writers_stay_whole_and_wait_for_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "ses-1" / "log.jsonl"
    handlers = [JsonLinesHandler(path, f"part{k}") for k in range(4)]

    def say(handler: JsonLinesHandler) -> None:
        for k in range(50):
            handler.handle(logging.makeLogRecord({"msg": f"{k} " + "x" * 300, "levelname": "INFO"}))

    say(handlers[0])
    path.parent.mkdir()
    threads = [threading.Thread(target=say, args=(handler,)) for handler in handlers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for handler in handlers:
        handler.close()
    lines = _lines(path)
    assert len(lines) == 250
    assert {line["command"] for line in lines} == {f"part{k}" for k in range(4)}


@pytest.mark.parametrize("name", ["session.yaml", "signal.yaml"])
def test_init_writes_its_files_and_never_overwrites_one(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "study"
    assert cli.main(["init", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {"session.yaml", "signal.yaml"}
    path = folder / name
    for other in set(folder.iterdir()) - {path}:
        other.unlink()
    path.write_text(path.read_text() + "# mine\n")
    assert cli.main(["init", str(folder)]) == 2
    assert f"{name} exists: nothing is overwritten" in capsys.readouterr().err
    assert path.read_text().endswith("# mine\n")
    assert list(folder.iterdir()) == [path]


def test_every_key_of_the_session_template_is_one_that_teleop_has() -> None:
    text = init.TEMPLATES["session.yaml"].read_text(encoding="utf-8")
    uncommented = re.sub(r"(?m)^# ([a-z_]+: .*)$", r"\1", text)
    values = yaml_value(uncommented)
    assert isinstance(values, dict)
    assert set(yaml.safe_load(text)) < set(values)
    settings = pytest.importorskip("teleoperation.settings", reason="hdemg teleop is not there")
    assert set(values) == set(settings.TeleopSettings.model_fields)
    settings.TeleopSettings.model_validate(yaml_value(text))
    settings.TeleopSettings.model_validate(values)


def test_the_signal_template_has_every_key_with_its_default_and_every_feature() -> None:
    text = init.TEMPLATES["signal.yaml"].read_text(encoding="utf-8")
    assert SignalSettings.model_validate(yaml_value(text)) == SignalSettings()
    assert set(yaml_value(text)) == set(SignalSettings.model_fields) - {"spatial", "features"}
    sets = [yaml_value(match) for match in re.findall(r"\[[a-z][^]]*\]", text.replace("\n#", ""))]
    for names in sets:
        SignalSettings(features=names)
    assert {name for names in sets for name in names} == set(get_args(FeatureName))
    assert list(SPECTRAL_FEATURES) in sets
    page = (REPOSITORY / "docs" / "signal_path.md").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^\| `([a-z_]+)` \|", page) == list(SignalSettings.model_fields)
