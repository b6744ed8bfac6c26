"""Keys steer a simulated wearer, in a real terminal that is left as it was found."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from emg_acquisition.errors import InputError
from tests.command_line import command, refused
from ui.keyboard import KeyState


class Told:
    gestures = ("rest", "fist", "hand_open")

    def __init__(self):
        self.intentions = []

    def set_intention(self, gesture, effort=1.0):
        self.intentions.append((gesture, effort))


def test_each_key_does_what_the_list_says():
    told = Told()
    state = KeyState(told)
    listed = state.help().splitlines()
    assert [line.split() for line in listed[1:4]] == [["1", "fist"], ["2", "hand_open"], ["space", "rest"]]
    assert [state.press(key) for key in "1x+2- 9"] == [
        "fist, effort 1.0",
        None,
        "fist, effort 1.1",
        "hand_open, effort 1.1",
        "hand_open, effort 1.0",
        "rest, effort 1.0",
        None,
    ]
    assert told.intentions == [
        ("fist", 1.0),
        ("fist", 1.1),
        ("hand_open", 1.1),
        ("hand_open", 1.0),
        ("rest", 1.0),
    ]
    for _ in range(40):
        state.press("+")
    assert told.intentions[-1] == ("rest", 2.0)
    for _ in range(40):
        state.press("-")
    assert told.intentions[-1] == ("rest", 0.1)


def test_more_gestures_than_keys_are_refused():
    told = Told()
    told.gestures = ("rest", *(f"g{k}" for k in range(37)))
    with pytest.raises(InputError, match="keys for 36 gestures; the wearer knows 37"):
        KeyState(told)


def read_until(descriptor, text, timeout_s=60.0):
    got, deadline = "", time.monotonic() + timeout_s
    while text not in got:
        assert time.monotonic() < deadline, got
        if select.select([descriptor], [], [], 0.2)[0]:
            got += os.read(descriptor, 4096).decode()
    return got


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_steers_and_is_restored(how, lsl_session):
    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    arguments = ["acquire", "simulated", "--wearer", "77", "--keyboard", "--lsl-session", lsl_session]
    process = subprocess.Popen(command(*arguments), stdin=follower, stdout=follower, stderr=follower)
    try:
        listed = read_until(leader, "more or less effort")
        assert "1      fist" in listed
        os.write(leader, b"1")
        read_until(leader, "fist, effort 1.0")
        assert not termios.tcgetattr(follower)[3] & termios.ICANON
        process.send_signal(how)
        read_until(leader, "chunks late")
        assert process.wait(30) == 0
        assert termios.tcgetattr(follower) == before
    finally:
        process.kill()
        process.wait()
        os.close(leader)
        os.close(follower)


def test_without_a_terminal_it_is_refused_in_one_line(hdemg, lsl_session, monkeypatch):
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        ran = hdemg("acquire", "simulated", "--keyboard", "--lsl-session", lsl_session)
    assert ran.status == 2
    refused(ran, "hdemg acquire: error: --keyboard needs a terminal")
