import numpy as np
import pytest
from pydantic import ValidationError

from decoding.decision import Decider, DecisionSettings, EffortCalibration, GestureHold, HopEvidence
from emg_acquisition.decision import Decision

REST, FIST, OPEN, NONE = 0, 1, 2, -1
EFFORT = EffortCalibration(rest_log_uv=1.0, contraction_log_uv=(3.0, 3.0, 2.0))


def _hold(choices: list[int], change_dwell_hops: int | None = None, **settings: int) -> list[int]:
    hold = GestureHold(DecisionSettings(change_dwell_hops=change_dwell_hops, **settings), REST)
    return [hold.process(choice) for choice in choices]


def _decide(
    probabilities: list[float], *, quality: float = 1.0, log_amplitude: float = 2.0, **settings: float
):
    decider = Decider(DecisionSettings(vote_hops=1, dwell_hops=1, **settings), EFFORT, REST)
    return decider.process(HopEvidence(7, np.array(probabilities, np.float32), log_amplitude, quality))


def test_a_gesture_begins_after_its_dwell_and_ends_at_once():
    said = _hold([REST, FIST, FIST, FIST, FIST, REST, REST], vote_hops=3, dwell_hops=3)
    assert said == [REST, NONE, NONE, FIST, FIST, REST, REST]


def test_a_change_between_gestures_shows_neither_until_the_new_one_has_dwelt():
    said = _hold([FIST] * 3 + [OPEN] * 4, vote_hops=3, dwell_hops=3)
    assert said == [NONE, NONE, FIST, NONE, NONE, OPEN, OPEN]


def test_a_third_gesture_passing_by_is_never_said():
    said = _hold([FIST] * 4 + [3, 3] + [OPEN] * 4, vote_hops=3, dwell_hops=3)
    assert 3 not in said
    assert said[-2:] == [OPEN, OPEN]


def test_a_change_waits_longer_than_a_beginning_from_rest():
    said = _hold([FIST] * 3 + [OPEN] * 5, vote_hops=1, dwell_hops=2, change_dwell_hops=4)
    assert said == [NONE, FIST, FIST, NONE, NONE, NONE, OPEN, OPEN]


def test_a_moment_of_rest_between_two_gestures_is_still_a_change():
    choices = [FIST] * 2 + [REST] * 3 + [OPEN] * 5
    dwells = {"vote_hops": 1, "dwell_hops": 2, "change_dwell_hops": 4}
    changed = _hold(choices, recent_hops=6, **dwells)
    assert changed == [NONE, FIST, REST, REST, REST, NONE, NONE, NONE, OPEN, OPEN]
    # A longer rest makes it a beginning, and so does the gesture that was held before.
    assert _hold(choices, recent_hops=4, **dwells)[5:] == [NONE, OPEN, OPEN, OPEN, OPEN]
    assert _hold([FIST] * 2 + [REST] * 3 + [FIST] * 3, recent_hops=6, **dwells)[5:] == [NONE, FIST, FIST]


def test_a_stray_hop_stops_for_that_hop_alone():
    said = _hold([FIST] * 5 + [OPEN] + [FIST] * 2, vote_hops=3, dwell_hops=3)
    assert said == [NONE, NONE, FIST, FIST, FIST, NONE, FIST, FIST]


def test_a_held_gesture_that_left_the_votes_must_dwell_again():
    said = _hold([FIST] * 3 + [NONE] * 3 + [FIST] * 3, vote_hops=3, dwell_hops=3)
    assert said == [NONE, NONE, FIST, NONE, NONE, NONE, NONE, NONE, FIST]


def test_a_gesture_without_a_majority_is_not_said():
    assert _hold([FIST, OPEN, FIST, OPEN, FIST], vote_hops=5, dwell_hops=1) == [NONE, NONE, NONE, NONE, FIST]


@pytest.mark.parametrize(
    ("probabilities", "quality", "expected"),
    [
        ([0.1, 0.61, 0.29], 1.0, FIST),
        ([0.2, 0.59, 0.21], 1.0, NONE),
        ([0.1, 0.8, 0.1], 0.69, NONE),
        ([0.9, 0.05, 0.05], 0.69, NONE),
        ([np.nan, np.nan, np.nan], 1.0, NONE),
    ],
)
def test_an_unclear_hop_is_rejected(probabilities, quality, expected):
    assert _decide(probabilities, quality=quality).gesture_index == expected


@pytest.mark.parametrize(
    ("probabilities", "log_amplitude", "effort"),
    [
        ([0.0, 1.0, 0.0], 1.0, 0.0),
        ([0.0, 1.0, 0.0], 2.0, 0.5),
        ([0.0, 0.0, 1.0], 1.5, 0.5),
        ([0.0, 0.0, 1.0], 9.0, 1.0),
        ([0.0, 1.0, 0.0], 0.0, 0.0),
        ([1.0, 0.0, 0.0], 2.0, 0.5),
        ([0.4, 0.3, 0.3], 2.5, 0.75),
    ],
)
def test_effort_runs_from_rest_to_the_decided_gestures_own_level(probabilities, log_amplitude, effort):
    assert _decide(probabilities, log_amplitude=log_amplitude).effort == pytest.approx(effort)


def test_a_decision_is_laid_out_as_the_gesture_stream_wants_it():
    values = Decision(1, 0.5, 0.75, 1.0, (0.25, 0.5, 0.25), sample_index=99).to_values()
    assert values.dtype == np.float32
    assert values.tolist() == [1.0, 0.5, 0.75, 1.0, 0.25, 0.5, 0.25]
    assert Decision.from_values(values.tolist(), 7.0).to_values().tolist() == values.tolist()


@pytest.mark.parametrize(
    ("index", "expected"), [(3.0, 3), (-1.0, -1), (float("nan"), -1), (float("inf"), -1), (float("-inf"), -1)]
)
def test_a_received_index_that_is_no_number_is_no_decision_and_kept_for_the_bridge(index, expected):
    received = Decision.from_values([index, 0.5, 0.5, 1.0, 1.0], 7.0, 0.02)
    assert received.gesture_index == expected
    assert received.is_finite() == (abs(index) < 9)
    assert (received.t_lsl_s, received.age_s) == (7.0, 0.02)


def test_reset_forgets_the_held_gesture():
    hold = GestureHold(DecisionSettings(vote_hops=3, dwell_hops=3), REST)
    for _ in range(4):
        hold.process(FIST)
    hold.reset()
    assert hold.process(FIST) == NONE


def test_a_contraction_not_above_rest_is_refused():
    with pytest.raises(ValidationError, match="above rest"):
        EffortCalibration(rest_log_uv=2.0, contraction_log_uv=(3.0, 2.0))


def test_a_change_that_waits_less_than_a_beginning_is_refused():
    with pytest.raises(ValidationError, match=r"must be 4 \(dwell_hops\) at least, got 3"):
        DecisionSettings(dwell_hops=4, change_dwell_hops=3)
