"""What holds for decisions on any evidence whatever."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from decoding.decision import (
    Decider,
    DecisionSettings,
    EffortCalibration,
    GestureHold,
    HopEvidence,
)
from emg_acquisition.decision import NO_DECISION

REST = 0
CHOICES = st.lists(st.integers(-1, 4), max_size=60)
SETTINGS = st.builds(
    DecisionSettings,
    vote_hops=st.integers(1, 9),
    dwell_hops=st.integers(1, 6),
    change_dwell_hops=st.none() | st.integers(6, 9),
    recent_hops=st.integers(0, 12),
)
FLOATS = st.floats(width=32)


@given(CHOICES, SETTINGS)
def test_nothing_is_said_but_the_newest_hops_own_choice(choices, settings):
    hold = GestureHold(settings, REST)
    for choice in choices:
        assert hold.process(choice) in {choice, NO_DECISION}


@given(CHOICES, SETTINGS)
def test_rest_is_said_at_once(choices, settings):
    hold = GestureHold(settings, REST)
    for choice in choices:
        hold.process(choice)
    assert hold.process(REST) == REST


@given(CHOICES, SETTINGS)
def test_a_gesture_begins_only_after_its_dwell_in_a_row(choices, settings):
    hold = GestureHold(settings, REST)
    said = [hold.process(choice) for choice in choices]
    for k, one in enumerate(said):
        if one > REST and one not in said[max(0, k - settings.vote_hops) : k]:
            first = k - settings.dwell_hops + 1
            assert first >= 0
            assert choices[first : k + 1] == [one] * settings.dwell_hops


@given(CHOICES, SETTINGS)
def test_another_gesture_than_one_said_lately_waits_the_longer_of_its_dwells(choices, settings):
    hold = GestureHold(settings, REST)
    said = [hold.process(choice) for choice in choices]
    dwell = settings.change_dwell_hops or settings.dwell_hops
    for k, one in enumerate(said):
        before = [j for j in range(max(0, k - settings.recent_hops), k) if said[j] > REST]
        if (
            one > REST
            and before
            and said[before[-1]] != one
            and one not in said[max(0, k - settings.vote_hops) : k]
        ):
            assert choices[max(0, k - dwell + 1) : k + 1] == [one] * dwell


@given(CHOICES, SETTINGS, st.integers(1, 4))
def test_a_gesture_held_long_enough_is_always_said(choices, settings, gesture):
    hold = GestureHold(settings, REST)
    for choice in choices:
        hold.process(choice)
    enough = settings.vote_hops + max(settings.dwell_hops, settings.change_dwell_hops or 1)
    assert [hold.process(gesture) for _ in range(enough)][-1] == gesture


@given(st.lists(st.tuples(st.lists(FLOATS, min_size=3, max_size=3), FLOATS, FLOATS), max_size=20))
def test_any_evidence_gives_an_effort_in_its_range_and_a_gesture_only_if_clear(evidence):
    effort = EffortCalibration(rest_log_uv=1.0, contraction_log_uv=(2.0, 3.0, 4.0))
    settings = DecisionSettings(dwell_hops=1, vote_hops=1, change_dwell_hops=1)
    decider = Decider(settings, effort, REST)
    for probabilities, log_amplitude, quality in evidence:
        found = decider.process(HopEvidence(0, np.array(probabilities, np.float32), log_amplitude, quality))
        assert 0.0 <= found.effort <= 1.0
        if found.gesture_index != NO_DECISION:
            assert found.confidence >= settings.confidence_threshold
            assert found.quality >= settings.min_quality


THREE = st.lists(st.floats(0.0, 1.0, width=32), min_size=3, max_size=3)


@given(st.lists(st.tuples(THREE, THREE), max_size=40), SETTINGS)
def test_whatever_is_believed_nothing_is_said_but_the_newest_hops_own_choice_and_rest_at_once(hops, settings):
    effort = EffortCalibration(rest_log_uv=1.0, contraction_log_uv=(2.0, 3.0, 4.0))
    decider = Decider(settings, effort, REST)
    for probabilities, believed in hops:
        of_hop, of_all = np.array(probabilities, np.float32), np.array(believed, np.float32)
        found = decider.process(HopEvidence(0, of_hop, 2.0, 1.0, smoothed=of_all)).gesture_index
        clear = of_hop.max() >= settings.confidence_threshold
        own = int(of_hop.argmax()) if clear else NO_DECISION
        assert found in {own, NO_DECISION}
        assert found == REST or own != REST
