"""The teleoperation window on a real X server, driven by real key presses, over a whole session."""

import os
import re
import signal
import time

import pytest

from emg_acquisition.recording.session import load_session
from emg_acquisition.streams.outlet import lsl_clock_s
from tests.e2e.conftest import WEARER
from tests.waiting import wait_for
from tests.xvfb_support import MISSING, WHY_NOT, DrivenWindow, x_server

pytest.importorskip("PySide6")
pytest.importorskip("rclpy")

pytestmark = [pytest.mark.alone, pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)]
LIVE = ("armed", "moving")
TRIES = 10
FROZEN_S = 1.5


@pytest.fixture
def window(simulated_decoder, marked_environment, ros_domain, tmp_path):
    arguments = (str(simulated_decoder), str(tmp_path), str(WEARER))
    (tmp_path / "tmp").mkdir()
    environment = {**marked_environment, "TMPDIR": str(tmp_path / "tmp")}
    with x_server() as display:
        window = DrivenWindow("tests.teleop_driver", "hdemg teleoperation", display, arguments, environment)
        window.until(ready=True)
        window.take_focus()
        yield window
        window.end()


def armed_and(window, act, /, **wanted):
    """Arm as often as a person would, do something, and wait for what comes of it.

    The bridge wants a steady second of everything before, and a machine that is busy with other things may hold the
    heartbeat up: then it stands with a fault, and is armed again.
    """
    for _ in range(TRIES):
        window.say("rest")
        window.until(ready=True, gesture="rest", still=True)
        answers = window.now["answers"]
        window.key("a")
        window.until(answers=answers.__lt__)
        if window.now["said"] == "armed":
            act()
            if window.until_either(wanted, {"state": "fault"}):
                return
        time.sleep(1.0)
    pytest.fail(f"it does not arm, or does not stay so: {window.now}")


def test_arm_move_stop_lose_a_part_fail_the_preflight_and_end_by_keys(window, tmp_path):
    assert window.now["state"] == "disarmed"
    begin_cm = window.now["travel_cm"]

    # It arms, moves while the gesture is held, and stops by key though it is held still.
    armed_and(
        window,
        lambda: window.say("wrist_extension"),
        state="moving",
        travel_cm=lambda now_cm: now_cm >= begin_cm + 3,
    )
    window.key("space")
    window.until(
        state="stopped", badge="STOPPED: stopped by the operator", still=True, gesture="wrist_extension"
    )
    stood_cm = window.now["travel_cm"]

    # Escape stops too, from within a dialog whose line has the focus.
    armed_and(window, lambda: window.key("n"), writing=True, state="armed")
    assert window.now["travel_cm"] == pytest.approx(stood_cm, abs=1)
    window.key("Escape")
    window.until(state="stopped", writing=False)

    # A window that is frozen in mid-motion sends no heartbeat, and the bridge stops the robot meanwhile.
    armed_and(window, lambda: window.say("wrist_extension"), state="moving")
    frozen_s = lsl_clock_s()
    os.kill(window.process.pid, signal.SIGSTOP)
    time.sleep(FROZEN_S)
    thawed_s = lsl_clock_s()
    os.kill(window.process.pid, signal.SIGCONT)
    window.until(state="fault", reason=lambda reason: "heartbeat" in reason)

    # A part dies: the robot is stopped, the part comes back, nothing arms by itself.
    dead = window.now["decode"]
    armed_and(window, lambda: None, state="armed")
    os.kill(dead, signal.SIGKILL)
    window.until(state=lambda state: state in {"stopped", "fault"})
    window.until(restarts=1, decode=lambda pid: pid != dead, ready=True)
    assert window.now["state"] not in LIVE

    # The signal ceases: the preflight says so, and A does nothing but say it.
    os.kill(window.now["acquire"], signal.SIGSTOP)
    try:
        window.until(failing=lambda names: "signal arrives" in names)
        window.key("a")
        window.until(said=lambda text: text.startswith("signal arrives: no samples"))
        assert window.now["state"] not in LIVE
    finally:
        os.kill(window.now["acquire"], signal.SIGCONT)
    window.key("e")
    window.until(traces="raw")

    # Ended while armed: the robot is stopped, the recording closed, no process left.
    armed_and(window, window.process.terminate, state="armed")
    window.wait_ended()
    (folder,) = tmp_path.glob("sub-P01/ses-*")
    events = load_session(folder).events
    frozen = [event for event in events if frozen_s < event.t_lsl_s < thawed_s]
    assert any(event.kind == "fault" and "heartbeat" in event.fields["reason"] for event in frozen)
    kinds = [event.kind for event in events]
    assert kinds.count("arm") >= 4
    assert kinds.count("stop") >= 3


def test_a_window_that_is_killed_in_mid_motion_leaves_the_robot_stopped_and_no_process(window, tmp_path):
    armed_and(window, lambda: window.say("wrist_extension"), state="moving")
    window.process.kill()
    window.process.wait()
    (folder,) = tmp_path.glob("sub-P01/ses-*")
    # The recorder ends as the bridge does, so what the bridge did last stands in its log.
    (log,) = tmp_path.glob("tmp/*/logs/bridge.log")
    wait_for(
        lambda: load_session(folder).info.complete and last_state(log) not in LIVE, log.read_text, poll_s=0.2
    )


def last_state(log):
    return re.findall(r"-> (\w+)", log.read_text())[-1]
