import json

import numpy as np
import pytest

from decoding.class_statistics import ClassStatistics, statistics_from_text
from decoding.models.lda import class_statistics, fit_lda, lda_of_statistics


def _windows(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), 80)
    centres = rng.normal(2.0, 1.0, (3, 4, 2))
    mixing = rng.normal(size=(8, 8))
    noise = (rng.normal(size=(240, 8)) @ mixing).reshape(240, 4, 2)
    return (centres[labels] + noise).astype(np.float32), labels, np.arange(240) // 20


def test_they_are_the_means_and_the_spread_within_gestures():
    features, labels, trials = _windows()
    found = class_statistics(features, labels, 3, trials)
    for k in range(3):
        np.testing.assert_allclose(found.means[k], features[labels == k].mean(axis=0), rtol=1e-4)
    assert found.n_trials == 12
    # Shrinkage is towards a sphere of normalised features: the variances' mean over scales stays what it was.
    centred = (features - found.means[labels]).reshape(240, 8).astype(np.float64)
    scale = features.reshape(240, 8).std(axis=0)
    np.testing.assert_allclose(
        (np.diag(found.covariance) / scale**2).mean(), ((centred / scale) ** 2).mean(), rtol=1e-4
    )


def test_lda_of_them_is_the_lda_of_the_windows():
    features, labels, trials = _windows()
    direct = fit_lda(features, labels, 3, trials).logits(features)
    found = lda_of_statistics(class_statistics(features, labels, 3, trials)).logits(features)
    difference = found - direct
    np.testing.assert_allclose(difference - difference[:, :1], 0.0, atol=2e-3)


def test_text_brings_them_back_to_the_bit():
    features, labels, trials = _windows()
    made = class_statistics(features, labels, 3, trials)
    back = statistics_from_text(made.to_text())
    np.testing.assert_array_equal(back.means, made.means)
    np.testing.assert_array_equal(back.covariance, made.covariance)
    assert back.n_trials == made.n_trials


def test_channels_move_in_means_and_covariance_alike():
    means = np.arange(12, dtype=np.float32).reshape(1, 4, 3)
    covariance = np.add.outer(100 * np.arange(12), np.arange(12)).astype(np.float32)
    moved = ClassStatistics(means, covariance, 1).seen_from(np.array([2, 0, 0, 3]))
    np.testing.assert_array_equal(moved.means[0], means[0][[2, 0, 0, 3]])
    for row, column in ((0, 4), (3, 8), (11, 1)):
        where = [3 * (2, 0, 0, 3)[at // 3] + at % 3 for at in (row, column)]
        assert moved.covariance[row, column] == covariance[where[0], where[1]]


def test_an_electrode_that_was_never_seen_there_hardly_counts():
    features, labels, trials = _windows()
    made = class_statistics(features, labels, 3, trials)
    # Channel 3 has left the grid; channel 2 stands in, and two copies of one channel are no two measurements.
    copied = made.seen_from(np.array([0, 1, 2, 2]))
    assert np.linalg.eigvalsh(copied.covariance.astype(np.float64)).min() == pytest.approx(0.0, abs=1e-5)
    unsure = copied.unsure_of(np.array([3]))
    added = unsure.covariance - copied.covariance
    np.testing.assert_allclose(np.diag(added)[6:], made.means[:, 2].var(axis=0), rtol=1e-4)
    assert np.count_nonzero(added) == 2
    np.testing.assert_array_equal(unsure.means, copied.means)


@pytest.mark.parametrize(
    "damage",
    [
        lambda fields: fields.pop("means"),
        lambda fields: fields.update(covariance="@@@"),
        lambda fields: fields.update(shape=[3, 4, 3]),
        lambda fields: fields.update(n_trials=0),
        lambda fields: fields.update(shape=7),
    ],
)
def test_damaged_text_is_refused(damage):
    features, labels, trials = _windows()
    fields = json.loads(class_statistics(features, labels, 3, trials).to_text())
    damage(fields)
    with pytest.raises(ValueError, match=r"\w"):
        statistics_from_text(json.dumps(fields))
