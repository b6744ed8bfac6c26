"""A bridge's journal: whatever its core is given, a fresh core that is given the same commands the same."""

import json
import math
import random
from array import array

import pytest

from emg_acquisition.decision import Decision
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.inputs import (
    DecisionInput,
    DriverInput,
    GuardInput,
    HeartbeatInput,
    JointLimitsInput,
    JointStatesInput,
    OdometryInput,
    OperatorInput,
    PublishersInput,
    TickInput,
)
from robot_bridge.journal import (
    JournaledCore,
    OlderJournalError,
    begin_settings,
    from_plain,
    make_core,
    replay_journal,
    to_plain,
)
from robot_bridge.safety_inputs import SafetyLimits
from robot_bridge.stretch_interface import JOINT_DOF, JOINT_STATE_NAMES, LIMIT_OF_DOF
from tests import bridge_support as bridge
from tests.bridge_support import MODEL

GESTURES = ("rest", "fist", "hand_open", "wrist_flexion", "wrist_extension")
LIMITS = [MODEL.dof[dof] for dof in JOINT_DOF]


def drive(seed: int, ticks: int = 600):
    """Drive a journaled core at random; returns its entries and, noted next to the journal, what each tick said."""
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    maps, limits = [load_gesture_map("four_gestures", GESTURES, MODEL)], SafetyLimits()
    core = bridge.make_core(maps, limits=limits)
    entries, answers = [], []
    take = JournaledCore(core, begin_settings(MODEL, maps, limits, "tiers"), entries.append).take
    take(GuardInput(0.0, None))
    gesture, at, base = 0, [rng.uniform(0.1, 0.4) for _ in JOINT_STATE_NAMES], 0.0
    for tick in range(ticks):
        t = 5.0 + 0.02 * tick
        # As ROS has it: an array, not a list. Now and then what no joint can have done.
        at = [value + rng.uniform(-1e-3, 1e-3) for value in at]
        positions = array("d", at)
        if rng.random() < 0.004:
            positions[1] = rng.choice((math.nan, 0.9))
        take(JointStatesInput(t, t, list(JOINT_STATE_NAMES), positions))
        take(OdometryInput(t, t, base, 0.0, 0.0))
        for topic, value in (("mode", "navigation"), ("is_homed", True), ("is_streaming_position", True)):
            take(DriverInput(t, topic, value))
        take(DriverInput(t, "is_runstopped", rng.random() < 0.001))
        if tick > 80 and rng.random() < 0.05:
            gesture = rng.choice((-1, 0, 3, 4, 4, 4))
        quality = math.inf if rng.random() < 0.002 else rng.random() ** 0.1
        take(DecisionInput(t, 0, Decision(gesture, 0.9, 0.5, quality, (0.2,) * 5, age_s=0.03)))
        if rng.random() < 0.01:
            take(OperatorInput(t, rng.choice(("fine", "coarse"))))
        take(HeartbeatInput(t))
        take(GuardInput(t, "gone" if rng.random() < 0.002 else None))
        take(PublishersInput(t, None))
        if not core.safety.is_live and tick > 60:
            take(OperatorInput(t, "prepare"))
            names = [LIMIT_OF_DOF[dof] for dof in JOINT_DOF]
            lower, upper = [d.position_lower for d in LIMITS], [d.position_upper for d in LIMITS]
            take(JointLimitsInput(t, names, lower, upper))
            answers.append(take(TickInput(t, t + 3.0)).command)
            take(OperatorInput(t, "arm"))
        answers.append(take(TickInput(t, t + 3.0)).command)
        command = answers[-1]
        base += 0.02 * (command.translate_m_s if command is not None else 0.0)
        if rng.random() < 0.003:
            take(OperatorInput(t, "stop"))
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


def test_the_journal_is_the_list_of_the_inputs() -> None:
    entries, _ = drive(0, ticks=100)
    assert [entry.number for entry in entries] == list(range(len(entries)))
    assert {type(entry.what).__name__ for entry in entries} == {
        *("Beginning", "DecisionInput", "DriverInput", "GuardInput", "HeartbeatInput", "JointLimitsInput"),
        *("JointStatesInput", "OdometryInput", "OperatorInput", "PublishersInput", "TickInput"),
    }


def test_another_input_gives_another_command() -> None:
    entries, _ = drive(1)
    rows = [to_plain(entry) for entry in entries]
    decisions = [row for row in rows if row[1] == "DecisionInput"]
    assert decisions
    for row in decisions:
        row[2][-1][0] = 0
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


def test_a_journal_of_the_first_format_is_refused_by_name() -> None:
    entries, _ = drive(1, ticks=20)
    settings = dict(entries[0].what.settings)
    del settings["format"]
    with pytest.raises(
        OlderJournalError, match="format 1, this version computes commands again from format 2"
    ):
        make_core(settings)
    for row in (
        [0, "begin", [settings], None],
        [1, "core.tick", [[5.0], {}], None],
        [2, "assign", ["a"], None],
    ):
        with pytest.raises(OlderJournalError, match="format 1"):
            from_plain(row)
