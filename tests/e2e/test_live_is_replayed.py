"""A recorded live session with the simulated wearer and robot, and `hdemg replay`: every decision, every command."""

import itertools
import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from emg_acquisition.events import REST, Event
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from teleoperation.session import TeleopSession
from teleoperation.settings import TeleopSettings
from tests.command_line import Ran
from tests.e2e.conftest import WEARER
from tests.waiting import wait_for
from ui.live_session import live_session

LIMIT_S = 60.0
HOP_S, TICK_S = 0.025, 0.02
# What a busy machine may lose at the beginning and while the robot stands; fewer would show little.
MIN_PART = 0.5


class Person:
    """Makes gestures at random for a while, and arms again whenever the robot has stopped."""

    def __init__(self, session: TeleopSession, outlet: EventOutlet) -> None:
        self._session, self._outlet = session, outlet
        self._numbers = itertools.count(1)
        self._chance = random.Random(9)  # noqa: S311 - nothing secret

    def drive(self, seconds: float) -> None:
        self._arm()
        end_s = time.monotonic() + seconds
        gestures = [name for name in self._session.sleeves[0].gesture_map.gestures if name != REST]
        while time.monotonic() < end_s:
            self._hold(self._chance.choice(gestures), self._chance.uniform(0.3, 2.0))
            self._hold(REST, self._chance.uniform(0.4, 0.8))
            if not self._session.view().live:
                self._arm()

    def _arm(self) -> None:
        """Arm; where a busy machine held the bridge up and its guard has ended, start the bridge again, as is told."""
        self._hold(REST, 0.5)
        refused: list[str] = []

        def armed() -> bool:
            why_not = self._session.arm()
            if why_not is None:
                return True
            if "restart the bridge" in why_not and not any("restart the bridge" in one for one in refused):
                bridge = self._session.chain.processes.process("bridge")
                bridge.terminate()
                bridge.wait()
            refused.append(why_not)
            return False

        wait_for(armed, lambda: refused[-1], LIMIT_S, poll_s=0.2)

    def _hold(self, gesture: str, seconds: float) -> None:
        now_s = lsl_clock_s()
        cue = {"gesture": gesture, "repetition": 1, "trial": next(self._numbers)}
        self._outlet.push(Event(now_s, "intention", {"gesture": gesture, "effort": 1.0}))
        self._outlet.push(Event(now_s, "cue", cue))
        time.sleep(seconds)


@pytest.mark.slow  # a shorter session, whose decoder dies, is replayed in `test_teleop.py`
@pytest.mark.alone
@pytest.mark.usefixtures("ros_domain")
@pytest.mark.parametrize("seconds", [20, pytest.param(600, marks=pytest.mark.campaign)])
def test_every_decision_and_command_of_a_live_session_is_computed_again(
    hdemg: Callable[..., Ran],
    simulated_decoder: Path,
    lsl_session: str,
    tmp_path: Path,
    seconds: int,
) -> None:
    token = f"replayed-intentions-{uuid.uuid4().hex[:8]}"
    settings = TeleopSettings(
        decoder=simulated_decoder,
        source=f"simulated --wearer {WEARER} --intentions {token}",
        out=tmp_path,
        events=(token,),
    )
    outlet = EventOutlet("intentions", token)
    try:
        with live_session(settings, lambda _step, _part: None, lsl_session=lsl_session) as session:
            Person(session, outlet).drive(seconds)
            recording = session.recording
    finally:
        outlet.close()
    ran = hdemg("replay", recording, "--after-cue", "0.6", "--before-next", "0", "--json")
    assert ran.status == 0, ran.out + ran.err
    assert ran.json["identical_to_recording"] is True
    assert ran.json["commands_identical_to_recording"] is True
    assert ran.json["decisions"] > MIN_PART * seconds / HOP_S
    assert ran.json["commands"] > MIN_PART * seconds / TICK_S
