"""A bridge's journal: whatever its core is told, a fresh core that is told the same commands the same."""

import json
import math
import random
from array import array

import pytest

from emg_acquisition.decision import Decision
from robot_bridge.bridge_core import BridgeCore, Listeners
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.journal import (
    ASSIGN,
    Journal,
    begin_settings,
    from_plain,
    make_core,
    replay_journal,
    to_plain,
)
from robot_bridge.robot_model import load_robot_model
from robot_bridge.safety_inputs import SafetyLimits
from robot_bridge.stretch_interface import JOINT_DOF, JOINT_OF_DOF, JOINT_STATE_NAMES

MODEL = load_robot_model()
GESTURES = ("rest", "fist", "hand_open", "wrist_flexion", "wrist_extension")
LIMITS = [MODEL.dof[dof] for dof in JOINT_DOF]


def drive(seed: int, ticks: int = 600):
    """Drive a journaled core at random; returns its entries and, noted beside the journal, what each tick said."""
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    maps, limits = [load_gesture_map("four_gestures", GESTURES, MODEL)], SafetyLimits()
    core = BridgeCore(MODEL, maps, limits, Listeners(lambda _: None, lambda _sleeve, _change: None), "tiers")
    entries, answers = [], []
    Journal(core, begin_settings(MODEL, maps, limits, "tiers"), entries.append)
    core.safety.guard_problem = None
    core.on_joint_limits(
        [JOINT_OF_DOF[dof] for dof in JOINT_DOF],
        [d.position_lower for d in LIMITS],
        [d.position_upper for d in LIMITS],
    )
    gesture = 0
    for tick in range(ticks):
        t = 5.0 + 0.02 * tick
        # As ROS has it: an array, not a list.
        positions = array("d", [rng.uniform(0.1, 0.4)] * len(JOINT_STATE_NAMES))
        if rng.random() < 0.002:
            positions[1] = math.nan
        core.on_joint_states(list(JOINT_STATE_NAMES), positions, t, t)
        for topic, value in (("mode", "navigation"), ("is_homed", True), ("is_streaming_position", True)):
            core.safety.on_driver(topic, value, t)
        core.safety.on_driver("is_runstopped", rng.random() < 0.001, t)
        if tick > 80 and rng.random() < 0.05:
            gesture = rng.choice((-1, 0, 3, 4, 4, 4))
        quality = math.inf if rng.random() < 0.002 else rng.random() ** 0.1
        core.on_decision(Decision(gesture, 0.9, 0.5, quality, (0.2,) * 5, age_s=0.03), t)
        if rng.random() < 0.01:
            core.control.set_fine(rng.random() < 0.5)
        core.safety.guard_problem = "gone" if rng.random() < 0.002 else None
        if not core.safety.is_live and tick > 60:
            core.safety.refusal_before_setup(t)
            core.safety.arm(t)
        answers.append(core.tick(t))
        if rng.random() < 0.003:
            core.safety.stop(t)
    return entries, answers


@pytest.mark.parametrize("seed", range(4))
def test_every_command_is_computed_again_after_a_round_trip_through_text(seed: int) -> None:
    entries, answers = drive(seed)
    again = [from_plain(row) for row in json.loads(json.dumps([to_plain(entry) for entry in entries]))]
    ticks = list(replay_journal(again))
    assert [tick.again for tick in ticks] == answers
    assert all(tick.identical for tick in ticks)
    moving = [a for a in answers if a is not None and (a.translate_m_s or a.targets)]
    assert len(moving) > 100
    assert any(a is not None and a.translate_m_s for a in answers)


def test_calls_that_the_core_makes_itself_are_not_noted() -> None:
    entries, _ = drive(0, ticks=100)
    assert {entry.call for entry in entries} <= {
        *("begin", ASSIGN, "core.on_joint_limits", "core.on_joint_states", "core.on_decision", "core.tick"),
        *(
            "safety.on_driver",
            "safety.refusal_before_setup",
            "safety.arm",
            "safety.stop",
            "control0.set_fine",
        ),
    }
    assert [entry.number for entry in entries] == list(range(len(entries)))


def test_another_input_gives_another_command() -> None:
    entries, _ = drive(1)
    rows = [to_plain(entry) for entry in entries]
    decisions = [row for row in rows if row[1] == "core.on_decision"]
    for row in decisions:
        row[2][0][0]["decision"][0] = 0
    assert not all(tick.identical for tick in replay_journal([from_plain(row) for row in rows]))


def test_a_missing_entry_is_named() -> None:
    entries, _ = drive(0, ticks=50)
    with pytest.raises(ValueError, match="lacks entry 20"):
        list(replay_journal([*entries[:20], *entries[21:]]))
    with pytest.raises(ValueError, match="lacks entry 0"):
        list(replay_journal(entries[1:]))


def test_a_bridge_that_was_started_again_begins_a_new_journal() -> None:
    first, answers = drive(0, ticks=150)
    second, more = drive(2, ticks=150)
    assert [tick.again for tick in replay_journal([*first, *second])] == [*answers, *more]


def test_a_journal_from_before_taps_could_have_a_gap_has_none() -> None:
    entries, _ = drive(1, ticks=20)
    settings = entries[0].arguments[0]
    assert make_core(settings).control._map.tap_gap_s > 0
    maps = [{key: value for key, value in one.items() if key != "tap_gap_s"} for one in settings["maps"]]
    assert make_core({**settings, "maps": maps}).control._map.tap_gap_s == 0.0
