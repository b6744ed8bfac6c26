"""Figures of merit against scikit-learn, scipy, and values worked out by hand."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from calibration.outcomes import confusion_counts
from emg_acquisition.errors import InputError
from evaluation.figures_of_merit.classification import (
    accuracy,
    balanced_accuracy,
    macro_f1,
    mutual_information_bits,
    recalls,
    wolpaw_bits,
)
from evaluation.figures_of_merit.confidence import rejection_curve, reliability
from evaluation.figures_of_merit.holds import hold_figures, judge_hold
from evaluation.figures_of_merit.intervals import bootstrap_interval, mean_interval
from evaluation.judging.comparison import mcnemar, wilcoxon

GESTURES = 5


@pytest.mark.parametrize("seed", range(6))
def test_accuracies_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice(GESTURES, 300, p=[0.5, 0.2, 0.1, 0.1, 0.1])
    said = np.where(rng.random(300) < 0.7, truth, rng.integers(-1, GESTURES, 300))
    counts = confusion_counts(truth, said, GESTURES)
    assert accuracy(counts) == pytest.approx(metrics.accuracy_score(truth, said), abs=1e-12)
    recall = metrics.recall_score(truth, said, labels=range(GESTURES), average=None, zero_division=np.nan)
    assert recalls(counts) == pytest.approx(recall, abs=1e-12)
    assert balanced_accuracy(counts) == pytest.approx(np.nanmean(recall), abs=1e-12)
    expected = metrics.f1_score(truth, said, labels=range(GESTURES), average="macro")
    assert macro_f1(counts) == pytest.approx(expected, abs=1e-12)
    labels = [*range(GESTURES), -1]
    assert counts.tolist() == metrics.confusion_matrix(truth, said, labels=labels)[:GESTURES].tolist()


def test_a_class_that_was_not_asked_for_counts_in_no_mean():
    counts = confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    assert balanced_accuracy(counts) == pytest.approx((0.5 + 1.0) / 2)
    assert np.isnan(recalls(counts)[2])
    # F1 by hand: class 0: P 1, R 1/2; class 1: P 1/2, R 1; both 2/3.
    assert macro_f1(counts) == pytest.approx(2 / 3)
    assert np.isnan(accuracy(np.zeros((2, 3), dtype=np.int64)))


def test_calibration_error_by_hand():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    right = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    found = reliability(confidence, right, 10)
    assert found.count.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 4]
    assert found.expected_error == pytest.approx((4 * abs(0.95 - 0.75) + 2 * abs(0.55 - 0.5)) / 6)
    # An edge belongs to the bin below it, as Guo et al. have it.
    assert reliability(np.array([0.5]), np.array([1.0]), 10).count.tolist()[4] == 1


def test_a_threshold_keeps_what_reaches_it():
    curve = rejection_curve(np.array([0.5, 0.6, 0.8, 1.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    at = {round(float(t), 2): k for k, t in enumerate(curve.threshold)}
    assert curve.kept[at[0.6]] == pytest.approx(0.75)
    assert curve.accuracy[at[0.6]] == pytest.approx(2 / 3)
    assert curve.accuracy[at[0.8]] == 1.0
    assert curve.kept[at[0.99]] == pytest.approx(0.25)


def test_a_hold_by_hand():
    # wanted 1, rest 0: late, right, broken off by none and by another gesture, right again
    hold = judge_hold(np.array([0, 0, 1, 1, -1, 1, 2, 1]), 1, 0)
    assert (hold.hops, hold.right, hold.wrong, hold.silent) == (8, 4, 1, 3)
    assert (hold.after_first, hold.right_after_first, hold.interruptions) == (6, 4, 2)
    found = hold_figures([hold, judge_hold(np.array([0, 0]), 1, 0)])
    assert found.usable_commands == pytest.approx(4 / 10)
    assert found.wrong_commands == pytest.approx(1 / 10)
    assert found.stability == pytest.approx(4 / 6)
    assert found.interruptions_per_hold == pytest.approx(1.0)
    assert np.isnan(hold_figures([]).usable_commands)


def test_bits_by_hand_and_by_scikit_learn():
    assert wolpaw_bits(4, 1.0) == pytest.approx(2.0)
    assert wolpaw_bits(4, 0.25) == 0.0
    # By hand: 1 + 0.9 (-0.15200) + 0.1 (-3.32193), and 2 + 0.9 (-0.15200) + 0.1 (-4.90689).
    assert wolpaw_bits(2, 0.9) == pytest.approx(0.53100, abs=2e-5)
    assert wolpaw_bits(4, 0.9) == pytest.approx(1.37251, abs=2e-5)
    counts = np.array([[8, 2, 0], [1, 8, 1]])
    truth, said = np.repeat([0, 0, 0, 1, 1, 1], counts.ravel()), np.repeat([0, 1, 2] * 2, counts.ravel())
    expected = metrics.mutual_info_score(truth, said) / np.log(2)
    assert mutual_information_bits(counts) == pytest.approx(expected, abs=1e-12)
    assert mutual_information_bits(np.eye(4, 5, dtype=np.int64) * 3) == pytest.approx(2.0)


def test_mcnemar_is_the_binomial_test_of_the_pairs_that_differ():
    first = np.array([1] * 12 + [0] * 3 + [1] * 20 + [0] * 5, dtype=float)
    second = np.array([0] * 12 + [1] * 3 + [1] * 20 + [0] * 5, dtype=float)
    found = mcnemar(first, second)
    assert (found.first_better, found.second_better, found.pairs) == (12, 3, 40)
    assert found.p_value == pytest.approx(stats.binomtest(3, 15, 0.5).pvalue)
    assert mcnemar(first, first).p_value == 1.0
    with pytest.raises(InputError, match="same trials"):
        mcnemar(first, second[:-1])


def test_wilcoxon_by_hand():
    # All six pairs better: the smallest two-sided p of six pairs is 2 / 2^6.
    first = np.array([0.9, 0.8, 0.95, 0.7, 0.85, 0.99])
    found = wilcoxon(first, first - np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06]), "participants")
    assert found.p_value == pytest.approx(2 / 64)
    assert (found.first_better, found.second_better) == (6, 0)
    assert wilcoxon(first, first, "sessions").p_value == 1.0


def test_bootstrap_covers_as_it_says():
    # 300 trials that are right with 0.8: the interval of the binomial is 0.755 to 0.845.
    rng = np.random.default_rng(1)
    right = rng.permutation([1] * 240 + [0] * 60)
    tables = np.stack([confusion_counts(np.array([0]), np.array([0 if one else -1]), 2) for one in right])
    low, high = bootstrap_interval([tables], accuracy)
    error = np.sqrt(0.8 * 0.2 / 300)
    assert low == pytest.approx(0.8 - 1.96 * error, abs=0.008)
    assert high == pytest.approx(0.8 + 1.96 * error, abs=0.008)
    assert bootstrap_interval([tables], accuracy) == (low, high)
    assert np.isnan(bootstrap_interval([tables[:1]], accuracy).low)


def test_participants_that_differ_widen_the_interval():
    def person(share):
        said = np.where(np.arange(100) < 100 * share, 0, -1)
        return np.stack([confusion_counts(np.array([0]), said[k : k + 1], 2) for k in range(100)])

    alike = bootstrap_interval([person(0.8)] * 4, accuracy, 500)
    apart = bootstrap_interval([person(share) for share in (0.6, 0.7, 0.9, 1.0)], accuracy, 500)
    assert apart.high - apart.low > 2 * (alike.high - alike.low)
    means = mean_interval(np.array([0.6, 0.7, 0.9, 1.0]))
    assert 0.6 <= means.low < 0.8 < means.high <= 1.0
    assert np.isnan(mean_interval(np.array([0.5, np.nan])).low)
