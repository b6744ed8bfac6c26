"""Signals end a command in order, however many come and whatever it is doing just then."""

import os
import signal
import subprocess
import sys

from ui.console import stop_on_signals

LIMIT_S = 30.0
# A signal that comes while the event's own lock is held, as in the middle of a wait.
IN_A_WAIT = """
import os, signal
from ui.console import stop_on_signals
with stop_on_signals() as stop:
    with stop._cond:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
    assert stop.wait(10)
print("ended")
"""


def test_a_signal_within_a_wait_does_not_lock_up():
    done = subprocess.run(
        [sys.executable, "-c", IN_A_WAIT], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


def test_more_signals_than_a_pipe_holds_say_no_more_than_one():
    former = signal.getsignal(signal.SIGTERM)
    with stop_on_signals() as stop:
        for _ in range(100_000):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(LIMIT_S)
    assert signal.getsignal(signal.SIGTERM) is former


def test_without_a_signal_nothing_is_set():
    with stop_on_signals() as stop:
        assert not stop.is_set()
    assert not stop.is_set()
