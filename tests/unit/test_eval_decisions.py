"""Judging trials by their decisions."""

import dataclasses

import numpy as np
import pytest

from calibration.outcomes import UNDECIDED, confusion_counts, judge_trial, trial_accuracy
from calibration.train_settings import Margins
from calibration.trial_verdict import TrialLabel, Verdict
from emg_acquisition.recording.session import Trial
from evaluation.decisions import Decided, session_outcomes
from tests.dec_support import GESTURES, session


def outcome_of(decided, gesture="fist"):
    return judge_trial(Trial(gesture, 1, 1, 0, 100), np.array(decided), GESTURES)


def test_the_most_frequent_gesture_is_the_trials():
    outcome = outcome_of([1, 1, 2, 1, -1])
    assert (outcome.decided, outcome.index, outcome.correct) == ("fist", 1, True)


def test_rejections_do_not_outvote_a_decision():
    assert outcome_of([-1, -1, -1, 1]).decided == "fist"


def test_nothing_but_rejections_is_wrong():
    outcome = outcome_of([-1, -1])
    assert (outcome.decided, outcome.correct) == (UNDECIDED, False)


def test_a_gesture_may_have_the_name_of_no_decision():
    assert not judge_trial(Trial(UNDECIDED, 1, 1, 0, 100), np.array([-1]), (UNDECIDED,)).correct


# Decisions of 20 samples' windows every 100 samples of three trials of a second each, at 1 kHz.
CUED = session([("rest", 1), ("fist", 1), ("hand_open", 1)], hold_s=1.0)
SAMPLES = np.arange(99, 3000, 100)


def outcomes(decided, margins, of=CUED, window_samples=20):
    return session_outcomes(of, Decided(SAMPLES, np.array(decided)), GESTURES, window_samples, margins)


def test_margins_leave_out_both_sides():
    decided = np.full(30, 2)
    decided[13:15] = 1
    assert [one.decided for one in outcomes(decided, Margins(0.0, 0.0))] == ["hand_open"] * 3
    assert [one.decided for one in outcomes(decided, Margins(0.3, 0.5))] == ["hand_open", "fist", "hand_open"]
    assert outcomes(decided, Margins(0.6, 0.6)) == ()


def test_a_window_that_reaches_into_a_margin_is_not_counted():
    decided = np.full(30, 2)
    decided[14:17] = 1
    assert outcomes(decided, Margins(0.3, 0.4))[1].decided == "fist"
    assert outcomes(decided, Margins(0.3, 0.4), window_samples=250)[1].decided == "fist"
    decided[15] = 2
    # Of the windows of a quarter second only the one that ends at 1.599 s is left.
    assert outcomes(decided, Margins(0.3, 0.4), window_samples=250)[1].decided == "hand_open"


def test_a_trial_without_any_decision_is_wrong():
    lost = session_outcomes(CUED, Decided(SAMPLES[:10], np.zeros(10, int)), GESTURES, 20, Margins(0.2, 0.2))
    assert [(one.decided, one.correct) for one in lost] == [
        ("rest", True),
        (UNDECIDED, False),
        (UNDECIDED, False),
    ]


def test_labels_of_the_muscle_say_what_counts():
    labels = [
        TrialLabel(2, "fist", 1, "", Verdict.GOOD, from_lsl_s=1.55, until_lsl_s=1.85),
        TrialLabel(3, "hand_open", 1, "", Verdict.OUTLIER),
    ]
    events = (*CUED.events, *(label.to_event(4.0) for label in labels))
    decided = np.full(30, 2)
    decided[16:19] = 1
    (only,) = outcomes(decided, Margins(0.0, 0.0), dataclasses.replace(CUED, events=events))
    assert (only.trial.gesture, only.decided) == ("fist", "fist")


def test_accuracy_and_confusion_count_trials():
    found = [outcome_of([1]), outcome_of([2]), outcome_of([-1]), outcome_of([0], "rest")]
    assert trial_accuracy(found) == pytest.approx(0.5)
    truth = np.array([GESTURES.index(one.trial.gesture) for one in found])
    counts = confusion_counts(truth, np.array([one.index for one in found]), len(GESTURES))
    assert counts.tolist() == [[1, 0, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0]]
    assert np.isnan(trial_accuracy([]))
