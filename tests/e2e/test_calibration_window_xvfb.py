"""The calibration window on a real X server, driven by real key presses and clicks, over the real chain."""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from calibration.progress import find_calibration
from calibration.trial_labels import Verdict
from ui.system_libraries import missing_packages

pytest.importorskip("PySide6")

LIMIT_S = 120.0
XVFB, XDOTOOL = shutil.which("Xvfb"), shutil.which("xdotool")
MISSING = [
    *missing_packages(),
    *(package for package, program in (("xvfb", XVFB), ("xdotool", XDOTOOL)) if program is None),
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: apt-get install {' '.join(MISSING)}"),
]


@pytest.fixture
def screen():
    """An X server of this test's own."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [XVFB, "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


class Window:
    """The window's process, what it tells, and hands on its keyboard and mouse."""

    def __init__(self, out, display, *more):
        self.env = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        self.env.pop("WAYLAND_DISPLAY", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.calibration_driver", str(out), *more],
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = queue.SimpleQueue()
        self.now = {"step": "", "phase": "", "trial": 0, "decoded": "", "wearer": 0}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with self.process.stdout as told:
            for line in told:
                self.lines.put(json.loads(line))
        self.lines.put(None)

    def until(self, **wanted):
        """Wait until the window tells all of these; returns what it told."""
        end_s = time.monotonic() + LIMIT_S
        while any(self.now[key] != value for key, value in wanted.items()):
            try:
                news = self.lines.get(timeout=max(0.1, end_s - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{wanted} did not come in time, but {self.now}") from None
            assert news is not None, f"the window ended at {self.now}"
            self.now = news
        return self.now

    def hands(self, *arguments):
        subprocess.run([XDOTOOL, *arguments], env=self.env, check=True, timeout=30, capture_output=True)

    def take_focus(self):
        """There is no window manager to do it."""
        self.hands(
            "search", "--sync", "--onlyvisible", "--name", "hdemg calibration", "windowfocus", "--sync"
        )

    def key(self, name):
        self.hands("key", name)

    def wait_ended(self):
        assert self.process.wait(timeout=LIMIT_S) == 0

    def kill(self):
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=20)
            self.process.kill()
            self.process.wait()


@pytest.fixture
def open_window(screen, tmp_path):
    windows = []

    def open_it(*more):
        windows.append(Window(tmp_path, screen, *more))
        windows[-1].until(step="signal_check")
        windows[-1].take_focus()
        return windows[-1]

    yield open_it
    for window in windows:
        window.kill()


def verdicts(out):
    return [label.verdict for label in find_calibration(out, "P01", None).labels if label.gesture != "rest"]


def test_every_step_by_key_presses_with_a_pause_a_repeat_a_lost_stream_and_a_resume(open_window, tmp_path):
    window = open_window()
    time.sleep(1.0)  # as a person, who looks before pressing
    window.key("Return")
    window.until(step="cue", phase="hold", trial=1)
    window.key("p")
    window.until(step="paused")
    window.key("p")
    window.until(step="cue", phase="hold", trial=1)
    window.key("r")
    window.until(step="cue", phase="rest")
    window.until(step="cue", phase="hold", trial=1)
    os.kill(window.now["wearer"], signal.SIGSTOP)
    window.until(step="stream_lost")
    window.key("space")  # must do nothing
    os.kill(window.now["wearer"], signal.SIGCONT)
    window.until(step="cue", phase="hold", trial=2)
    window.key("q")
    window.wait_ended()
    kept = verdicts(tmp_path)
    assert kept.count(Verdict.GOOD) == 1
    again = open_window("--resume")
    # With the mouse, or an eye tracker that moves it: the first large button.
    time.sleep(1.0)
    again.hands("mousemove", "200", "740", "click", "1")
    again.until(step="cue", phase="hold", trial=2)
    again.until(step="training")
    again.until(step="result")
    again.key("t")
    again.until(step="try_out")
    again.until(decoded="fist")
    again.key("a")
    again.until(step="done")
    again.key("q")
    again.wait_ended()
    assert verdicts(tmp_path).count(Verdict.GOOD) == 4
    assert len(list(tmp_path.glob("sub-P01/ses-*/decoder.onnx"))) == 1
