"""Killing a stage in mid-motion leaves the robot still within half a second, until it is armed again."""

import logging
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from emg_acquisition.events import Event
from emg_acquisition.outlet import EventOutlet, lsl_clock_s
from emg_acquisition.sources.simulated_forearm.settings import WearerSettings
from emg_acquisition.sources.simulated_forearm.wearer import SimulatedWearer
from evaluation.chain import ChainSettings, Isolation, LiveChain, running_chain
from robot_bridge.errors import CommandRejectedError
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES
from tests.e2e.conftest import WEARER

logger = logging.getLogger(__name__)

STILL_WITHIN_S = 0.5
STAYS_STILL_S = 1.5
NOISE = 1e-6


@dataclass(frozen=True)
class Intentions:
    source_id: str
    outlet: EventOutlet


@pytest.fixture
def intentions(lsl_session: str) -> Iterator[Intentions]:
    source_id = f"test-intentions-{uuid.uuid4().hex[:8]}"
    outlet = EventOutlet("test intentions", source_id)
    yield Intentions(source_id, outlet)
    outlet.close()


class Wearer:
    """What the simulated wearer is asked to do, and where the robot is."""

    def __init__(self, chain: LiveChain, outlet: EventOutlet, gestures: tuple[str, ...]) -> None:
        self.chain = chain
        self._outlet = outlet
        self._map = load_gesture_map("ten_gestures", gestures, load_robot_model())

    def intend(self, gesture: str) -> None:
        self._outlet.push(Event(lsl_clock_s(), "intention", {"gesture": gesture, "effort": 1.0}))

    def rest(self) -> None:
        self.intend(self._map.rest)
        self.chain.link.wait_for(lambda now: now.gesture == self._map.rest, 10.0)

    def move(self, dof: str, direction: int) -> None:
        """Hold the gesture of a DoF until the robot is seen to move it."""
        before = self.position(dof)
        self.intend(self._map.gesture_for(self.chain.link.snapshot().mode, dof, direction))
        self.chain.link.wait_for(lambda now: abs(now.positions[DOF_NAMES.index(dof)] - before) > 0.02, 10.0)

    def hold_until_seen(self, gesture: str) -> None:
        """Hold a gesture until the bridge has it from the decoder; a source that restarted must be told again."""
        decisions = self.chain.link.snapshot().decisions
        deadline = time.monotonic() + 20.0
        while not (
            (now := self.chain.link.snapshot()).gesture == gesture and now.decisions not in (0, decisions)
        ):
            assert time.monotonic() < deadline, "the decisions did not come back"
            self.intend(gesture)
            time.sleep(0.2)

    def next_mode(self) -> None:
        before = self.chain.link.snapshot().mode
        for _ in range(5):
            self.intend("tripod_pinch")
            time.sleep(0.4)
            self.rest()
            try:
                self.chain.link.wait_for(lambda now: now.mode != before, 2.0)
            except TimeoutError:
                continue
            return
        raise AssertionError(f"mode stays {before}")

    def position(self, dof: str) -> float:
        return self.chain.link.snapshot().positions[DOF_NAMES.index(dof)]

    def last_motion_after(self, t_mono_s: float, seconds: float) -> float:
        """Seconds from `t_mono_s` to the last change of any DoF, watched for `seconds`."""
        begun = former = np.array(self.chain.link.snapshot().positions)
        last_s = 0.0
        while (now_s := time.monotonic()) < t_mono_s + seconds:
            positions = np.array(self.chain.link.snapshot().positions)
            if np.abs(positions - former).max() > NOISE:
                last_s, former = now_s - t_mono_s, positions
            time.sleep(0.005)
        travel = np.abs(former - begun)
        farthest = DOF_NAMES[int(travel.argmax())]
        logger.info("last motion after %.0f ms, %s by %.4f", 1e3 * last_s, farthest, travel.max())
        return last_s

    def kill(self, stage: str) -> float:
        killed = self.chain.processes.process(stage)
        killed.kill()
        t_mono_s = time.monotonic()
        killed.wait()
        return t_mono_s


@pytest.fixture
def wearer(
    intentions: Intentions, lsl_session: str, ros_domain: int, simulated_decoder: Path, tmp_path: Path
) -> Iterator[Wearer]:
    source = SimulatedWearer(WearerSettings(seed=WEARER))
    settings = ChainSettings(
        source=("simulated", "--wearer", str(WEARER), "--intentions", intentions.source_id),
        emg_source_id=source.info.source_id,
        decoder=simulated_decoder,
        gesture_map="ten_gestures",
        out=tmp_path,
        robot=("--kinematic",),
    )
    names = Isolation(lsl_session, ros_domain, f"faults_{uuid.uuid4().hex[:8]}")
    with running_chain(settings, names) as chain:
        chain.wait_until_ready()
        chain.arm()
        yield Wearer(chain, intentions.outlet, source.gestures)


@pytest.mark.parametrize("stage", ["acquire", "decode", "bridge"])
def test_robot_is_still_after_a_stage_is_killed_and_until_it_is_armed_again(
    wearer: Wearer, stage: str
) -> None:
    wearer.move("base_translate", 1)
    assert wearer.last_motion_after(wearer.kill(stage), STAYS_STILL_S) <= STILL_WITHIN_S

    # The stage comes back and the gesture is held, seen by the bridge: that must not move anything.
    wearer.chain.restart(stage)
    wearer.hold_until_seen("wrist_extension")
    assert wearer.last_motion_after(time.monotonic(), STAYS_STILL_S) == 0.0
    with pytest.raises(CommandRejectedError, match="rest"):
        wearer.chain.link.arm()

    wearer.rest()
    wearer.chain.arm(timeout_s=40.0)  # DDS remembers a killed bridge for a while
    wearer.next_mode()
    wearer.move("lift", -1)
    assert wearer.last_motion_after(wearer.kill(stage), STAYS_STILL_S) <= STILL_WITHIN_S
