"""What a session is made of: file, command line, and what is refused before anything starts."""

import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from emg_acquisition.errors import InputError
from teleoperation.settings import TeleopSettings, load_config, new_folder
from ui.cli import main
from ui.live_session import checked

DECODER = Path("decoder.onnx")


def test_a_source_is_split_as_a_shell_would():
    settings = TeleopSettings(decoder=DECODER, source="simulated --gestures 'my gestures.yaml'")
    assert settings.sources == (("simulated", "--gestures", "my gestures.yaml"),)
    assert settings.holds_start


def test_an_amplifier_cannot_hold_its_first_sample():
    assert not TeleopSettings(decoder=DECODER, source="muovi+ --emulate").holds_start
    assert not TeleopSettings(decoder=DECODER, source="", emg="sleeve-1").holds_start


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"source": ""}, "give --source, or --emg"),
        ({"source": ("simulated", "simulated")}, r"2 sources for 1 decoder\(s\)"),
        ({"emg": ("a", "b")}, r"2 EMG streams for 1 decoder\(s\)"),
        ({"lsl_session": "lab"}, "--lsl-session is for a stream that is there"),
        ({"namespace": "stretch"}, "--namespace is for a robot that is there"),
        ({"script": "cup", "robot": "ros"}, "--script is for the simulated wearer and robot"),
        ({"script": "cup", "source": "muovi+ --emulate"}, "--script is for the simulated wearer and robot"),
        ({"script": "cup", "source": "simulated --intentions x"}, "without --intentions"),
        ({"script": "tea"}, "script 'tea' is unknown; known are cup"),
        ({"script": "cup", "map": "four_gestures"}, "written for --map ten_gestures, got four_gestures"),
        ({"robot": "ros", "robot_options": "--camera"}, "--robot-options are for the simulated robot"),
    ],
)
def test_contradictions_are_told_before_anything_starts(values, words):
    with pytest.raises(InputError, match=words):
        checked(TeleopSettings(decoder=DECODER, **values))


TWO = {"decoder": (Path("left.onnx"), Path("right.onnx")), "map": "two_sleeves"}
WEARERS = ("simulated --wearer 2", "simulated --wearer=5 --donning 3")


def test_two_simulated_wearers_need_not_be_named_and_others_in_their_order():
    settings = checked(TeleopSettings(**TWO, source=WEARERS))
    assert settings.emg_source_ids == ("simulated-2", "simulated-5")
    named = TeleopSettings(**TWO, source=("muovi+ --host a", "muovi+ --host b"), emg=("muovi-1", "muovi-2"))
    named.check()
    assert (named.emg_source_ids, named.holds_start) == (("muovi-1", "muovi-2"), False)
    # One amplifier for both, and streams that are there already.
    TeleopSettings(**TWO, source="quattrocento --host a", emg=("q-1", "q-2")).check()
    TeleopSettings(**TWO, source="", emg=("q-1", "q-2"), lsl_session="lab").check()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "2 decoders need an EMG stream each"),
        ({"source": WEARERS[0]}, "2 decoders need an EMG stream each"),
        ({"source": (*WEARERS, "simulated")}, r"3 sources for 2 decoder\(s\)"),
        ({"source": (WEARERS[0], "")}, "an empty --source beside another one"),
        ({"source": (WEARERS[0], WEARERS[0])}, "'simulated-2' is given for more than one sleeve"),
        ({"source": WEARERS, "emg": ("a",)}, r"1 EMG streams for 2 decoder\(s\)"),
        ({"source": ("simulated", "muovi+ --emulate")}, "which EMG stream is whose: give --emg"),
        ({"source": ("simulated", "simulated --wearer x")}, "--wearer: invalid seed value: 'x'"),
        ({"source": WEARERS, "script": "cup"}, "--script is for one sleeve, got 2 decoders"),
        ({"source": WEARERS, "emg": ("simulated-5", "simulated-2")}, "'simulated-5' stands in its place"),
    ],
)
def test_what_does_not_fit_two_sleeves_is_told_before_anything_starts(values, words):
    with pytest.raises(InputError, match=words):
        checked(TeleopSettings(**TWO, **values))


def test_a_file_gives_each_sleeve_its_own(tmp_path):
    (tmp_path / "session.yaml").write_text(
        "decoder: [l.onnx, r.onnx]\nsource: [simulated --wearer 2, simulated --wearer 5]\nmap: two_sleeves\n"
    )
    settings = checked(TeleopSettings.model_validate(load_config(tmp_path / "session.yaml")))
    assert settings.decoder == (tmp_path / "l.onnx", tmp_path / "r.onnx")
    assert settings.sources == (("simulated", "--wearer", "2"), ("simulated", "--wearer", "5"))


def test_a_file_of_one_sleeve_may_leave_its_emg_stream_empty(tmp_path):
    (tmp_path / "session.yaml").write_text("decoder: d.onnx\nemg:\n")
    settings = TeleopSettings.model_validate(load_config(tmp_path / "session.yaml"))
    assert settings.emg_source_ids == (None,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("decoder: []", "decoder: must not be empty"),
        ("decoder: [l.onnx, 2]", "decoder.1: a path is required"),
        ("decoder: {left: l.onnx}", "decoder: one text is required, or with several sleeves a list"),
        # Sleeves go by their order, and a set has none.
        ("decoder: !!set {l.onnx, r.onnx}", "decoder: one text is required, or with several sleeves a list"),
        ("decoder: d.onnx\nsource: 5", "source: one text is required, or with several sleeves a list"),
        ('decoder: d.onnx\nsource: "\'"', 'source: "\'" cannot be split into words'),
    ],
)
def test_a_wrong_file_is_one_line_in_plain_words(tmp_path, capsys, text, words):
    (tmp_path / "session.yaml").write_text(text)
    assert main(["teleop", "--config", str(tmp_path / "session.yaml"), "--headless"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"session.yaml: {words}" in told


@pytest.mark.parametrize("bad", ["../P01", "P 01", "", "a" * 65])
def test_a_participant_code_is_no_path(bad):
    with pytest.raises(ValueError, match="participant"):
        TeleopSettings(decoder=DECODER, participant=bad)


def test_an_unclosed_quote_is_named():
    with pytest.raises(ValueError, match="cannot be split"):
        TeleopSettings(decoder=DECODER, source="simulated 'x")


def test_a_file_s_paths_are_relative_to_it(tmp_path):
    (tmp_path / "session.yaml").write_text("decoder: d.onnx\nparticipant: P07\nout: recordings\n")
    values = load_config(tmp_path / "session.yaml")
    assert values == {"decoder": tmp_path / "d.onnx", "participant": "P07", "out": tmp_path / "recordings"}


def test_an_unknown_key_is_named_with_the_known(tmp_path):
    (tmp_path / "session.yaml").write_text("decoder: d.onnx\nrobots: sim\n")
    with pytest.raises(InputError, match=r"session.yaml: robots: unknown; known are decoder, source"):
        load_config(tmp_path / "session.yaml")


def test_no_session_folder_is_chosen_twice(tmp_path):
    settings, now = (
        TeleopSettings(decoder=DECODER, out=tmp_path, participant="P01"),
        datetime(2026, 11, 23, 10, 15, tzinfo=timezone.utc),
    )
    first = new_folder(settings, now)
    assert first == tmp_path / "sub-P01" / "ses-20261123T101500"
    first.mkdir(parents=True)
    second = new_folder(settings, now)
    assert second.name == "ses-20261123T101500n2"
    assert second.name.removeprefix("ses-").isalnum()


def test_a_session_on_the_robot_s_own_computer_needs_neither_physics_nor_training():
    pytest.importorskip("rclpy")
    pytest.importorskip("PySide6")
    program = "import sys, teleoperation.session, ui.headless, ui.windows.teleop; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert not {"mujoco", "torch"} & set(done.stdout.split())
