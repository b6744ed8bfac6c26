"""What is told, and that it goes to the program that plays it."""

import io
import os
import threading
import wave
from dataclasses import replace

import numpy as np
import pytest

from emg_acquisition.errors import InputError
from robot_bridge.operator_link import RobotSnapshot, SleeveSnapshot
from teleoperation.feedback import FeedbackVoice, feedback_program, tones, what_changed
from tests.waiting import wait_for


def in_mode(mode, *, fine=False):
    return {"": SleeveSnapshot(mode=mode, fine=fine)}


ARMED = RobotSnapshot(safety_state="armed", sleeves=in_mode("arm"))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (ARMED, []),
        (replace(ARMED, safety_state="moving"), []),
        (replace(ARMED, safety_state="stopped", reason="stop"), [("stopped", "stopped")]),
        (replace(ARMED, safety_state="fault", reason="no decisions"), [("fault", "stopped: no decisions")]),
        (replace(ARMED, sleeves=in_mode("wrist")), [("mode", "wrist")]),
        (replace(ARMED, sleeves=in_mode("arm", fine=True)), [("fine", "fine")]),
        (
            replace(ARMED, safety_state="fault", reason="x", sleeves=in_mode("base_rotate")),
            [("fault", "stopped: x"), ("mode", "base rotate")],
        ),
    ],
)
def test_what_is_told(now, told):
    assert what_changed(ARMED, now) == told


def test_of_two_sleeves_it_is_told_which_one_changed():
    left, right = SleeveSnapshot(mode="drive", fine=False), SleeveSnapshot(mode="arm", fine=False)
    before = replace(ARMED, sleeves={"left": left, "right": right})
    now = replace(ARMED, sleeves={"left": replace(left, fine=True), "right": replace(right, mode="wrist")})
    assert what_changed(before, now) == [("fine", "left fine"), ("mode", "right wrist")]


def test_arming_is_told_and_the_first_look_is_not():
    assert what_changed(replace(ARMED, safety_state="disarmed"), ARMED) == [("armed", "armed")]
    assert what_changed(RobotSnapshot(), ARMED) == []


def test_tones_have_their_pitch():
    with wave.open(io.BytesIO(tones((440.0,)))) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        spectrum = np.abs(np.fft.rfft(sound))
        assert np.argmax(spectrum) * file.getframerate() / len(sound) == pytest.approx(440, abs=5)
    assert abs(int(sound[0])) < 100  # faded in


@pytest.mark.parametrize("how", ["speech", "beeps"])
def test_a_stop_reaches_the_program(tmp_path, monkeypatch, how):
    heard = tmp_path / "heard"
    for name in ("spd-say", "paplay"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho "$@" > {heard}.part\n[ {name} = paplay ] && cat > {heard}.part\nmv {heard}.part {heard}\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    looks = [ARMED]
    voice = FeedbackVoice(how, feedback_program(how), lambda: looks[-1])
    voice.start()
    threading.Timer(0.3, looks.append, (replace(ARMED, safety_state="fault", reason="no decisions"),)).start()
    wait_for(heard.exists, "what the program hears")
    voice.close()
    assert heard.read_bytes()[:4] == b"RIFF" if how == "beeps" else "no decisions" in heard.read_text()


def test_without_a_program_it_says_which_would_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="needs one of spd-say, espeak-ng, espeak"):
        feedback_program("speech")
