"""Latencies read from a bridge's journal: made by hand, so that every one is known."""

import numpy as np
import pytest

from emg_acquisition.decision import Decision
from evaluation.session_latency import journal_latency, latency_figures, latency_lines
from robot_bridge.journal import Entry
from robot_bridge.motion import Command
from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import JOINT_DOF, JOINT_OF_DOF, JOINT_STATE_NAMES

MODEL = load_robot_model()
HELD = dict.fromkeys(JOINT_DOF, 0.3)


class Journal:
    """Entries, each at a time in seconds."""

    def __init__(self):
        self.entries = [(0.0, Entry(0, "begin", ({},)))]

    def note(self, t_s, call, *arguments, answer=None):
        self.entries.append((t_s, Entry(len(self.entries), call, (list(arguments), {}), answer)))

    def decision(self, came_s, age_s):
        self.note(came_s + 0.004, "core.on_decision", Decision(1.0, 1.0, 1.0, 1.0, age_s=age_s), came_s, 0)

    def tick(self, t_s, **targets):
        self.note(t_s, "core.tick", t_s - 0.001, answer=Command(0.0, 0.0, {**HELD, **targets}, (0.0, 0.0)))

    def silence(self, t_s):
        self.note(t_s, "core.tick", t_s)

    def joints(self, t_s, **positions):
        by_joint = {JOINT_OF_DOF[dof]: value for dof, value in {**HELD, **positions}.items()}
        values = [by_joint.get(name, 0.0) for name in JOINT_STATE_NAMES]
        self.note(t_s, "core.on_joint_states", list(JOINT_STATE_NAMES), values, t_s, t_s, [0.0] * len(values))

    def latency(self):
        return journal_latency(self.entries, MODEL)


def test_each_step_is_counted_from_the_newest_sample_of_its_decision():
    journal = Journal()
    journal.joints(0.99)
    journal.tick(1.0)
    journal.decision(2.010, 0.006)  # the sample: 2.004
    journal.tick(2.016, lift=0.301)
    journal.tick(2.036, lift=0.302)
    journal.joints(2.050, lift=0.3002)  # less than anybody sees
    journal.joints(2.084, lift=0.3010)
    journal.joints(2.117, lift=0.3030)
    found = journal.latency()
    assert found.decision_ms == pytest.approx([6.0])
    assert found.command_ms == pytest.approx([12.0])
    assert found.motion_ms == pytest.approx([80.0])


def test_only_the_first_command_of_the_newest_decision_counts():
    journal = Journal()
    journal.decision(1.000, 0.005)
    journal.decision(1.025, 0.005)
    journal.tick(1.030)
    journal.tick(1.050)
    found = journal.latency()
    assert found.decision_ms == pytest.approx([5.0, 5.0])
    assert found.command_ms == pytest.approx([10.0])


def test_a_robot_that_is_not_armed_is_not_counted():
    journal = Journal()
    journal.decision(1.000, 0.005)
    journal.silence(1.010)
    journal.tick(1.500)
    assert len(journal.latency().command_ms) == 0


@pytest.mark.parametrize(
    ("position", "seen_s"),
    [(0.3, 2.1), (0.29, 2.1), (0.31, 4.0)],
    ids=["it does not move", "it moves the other way", "it moves long after"],
)
def test_what_is_no_answer_is_no_latency(position, seen_s):
    journal = Journal()
    journal.joints(0.99)
    journal.tick(1.0)
    journal.decision(2.0, 0.005)
    journal.tick(2.01, lift=0.301)
    as_it_should = Journal()
    as_it_should.entries = list(journal.entries)
    as_it_should.joints(2.1, lift=0.31)
    assert len(as_it_should.latency().motion_ms) == 1
    if seen_s > 3:
        journal.joints(seen_s - 0.1)
    journal.joints(seen_s, lift=position)
    assert len(journal.latency().motion_ms) == 0


def test_a_joint_that_had_not_stood_begins_no_motion():
    journal = Journal()
    journal.joints(0.99)
    journal.tick(1.0)
    journal.decision(1.2, 0.005)
    journal.tick(1.3, lift=0.31)
    journal.joints(1.4, lift=0.31)
    assert len(journal.latency().motion_ms) == 0


def test_lines_and_figures_say_median_and_p99():
    journal = Journal()
    for k, age_ms in enumerate(range(1, 102)):
        journal.decision(1.0 + k, age_ms / 1000)
    found = journal.latency()
    assert latency_figures(found)["decision"] == {"median": 51.0, "p99": 100.0, "n": 101}
    assert latency_figures(found)["motion"] is None
    assert latency_figures(None) == {"decision": None, "command": None, "motion": None}
    (line,) = latency_lines(found)
    assert "median 51.0 ms" in line
    assert "p99 100.0 ms" in line
    assert np.isclose(found.decision_ms.max(), 101.0)
