"""The calibration window on a real X server, driven by real key presses and clicks, over the real chain."""

import os
import signal
import time

import pytest

from calibration.parts import find_calibration
from calibration.trial_verdict import Verdict
from tests.xvfb_support import MISSING, WHY_NOT, DrivenWindow, x_server

pytest.importorskip("PySide6")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)]


@pytest.fixture
def open_window(tmp_path):
    windows = []
    with x_server() as display:

        def open_it(*more):
            arguments = (str(tmp_path), *more)
            windows.append(DrivenWindow("tests.calibration_driver", "hdemg calibration", display, arguments))
            windows[-1].until(step="signal_check")
            windows[-1].take_focus()
            return windows[-1]

        yield open_it
        for window in windows:
            window.end()


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
