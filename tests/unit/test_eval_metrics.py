"""Judging trials by their decisions."""

import numpy as np
import pytest

from emg_acquisition.recording.session import Trial
from evaluation.metrics import NO_DECISION, confusion, trial_accuracy, trial_outcomes

GESTURES = ("rest", "fist", "hand_open")


def outcome_of(decided: list[int], gesture: str = "fist", after: int = 0, before: int = 0) -> list:
    """Decisions at samples 0, 10, 20, … of one trial of 100 samples."""
    trial = Trial(gesture=gesture, repetition=1, trial=1, start=0, stop=100)
    samples = 10 * np.arange(len(decided))
    return list(
        trial_outcomes(
            [trial], samples, np.array(decided), GESTURES, after_cue_samples=after, before_next_samples=before
        )
    )


def test_the_most_frequent_gesture_is_the_trials() -> None:
    (outcome,) = outcome_of([1, 1, 2, 1, -1])
    assert outcome.decided == "fist"
    assert outcome.correct
    assert outcome.share_correct == pytest.approx(3 / 5)


def test_rejections_do_not_outvote_a_decision_but_lower_its_share() -> None:
    (outcome,) = outcome_of([-1, -1, -1, 1])
    assert outcome.decided == "fist"
    assert outcome.share_correct == pytest.approx(1 / 4)


def test_nothing_but_rejections_is_wrong() -> None:
    (outcome,) = outcome_of([-1, -1])
    assert outcome.decided == NO_DECISION
    assert not outcome.correct


def test_margins_leave_out_both_sides() -> None:
    decided = [2, 2, 2, 1, 1, 2, 2, 2, 2, 2]
    (outcome,) = outcome_of(decided, after=30, before=50)
    assert (outcome.decided, outcome.n_decisions) == ("fist", 2)
    assert outcome_of(decided, after=60, before=60) == []


def test_a_trial_without_any_decision_is_wrong() -> None:
    (outcome,) = outcome_of([1, 1], after=30)
    assert (outcome.decided, outcome.n_decisions, outcome.correct) == (NO_DECISION, 0, False)


def test_accuracy_and_confusion_count_trials() -> None:
    outcomes = outcome_of([1]) + outcome_of([2]) + outcome_of([-1]) + outcome_of([0], "rest")
    assert trial_accuracy(outcomes) == pytest.approx(0.5)
    assert confusion(outcomes, GESTURES).tolist() == [[1, 0, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0]]
    assert np.isnan(trial_accuracy([]))
