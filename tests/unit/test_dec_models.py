import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from decoding.models.lda import LdaClassifier, fit_lda, ledoit_wolf_shrinkage
from decoding.models.temperature import fit_temperature, negative_log_likelihood
from decoding.onnx_classifier import OnnxClassifier
from emg_acquisition.errors import InputError


def _model_bytes(classifier: LdaClassifier) -> bytes:
    from onnx import helper

    model = helper.make_model(
        classifier.to_graph(), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    return model.SerializeToString()


def _windows(n: int, n_gestures: int, shape: tuple[int, int], seed: int = 0, spread: float = 1.0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_gestures
    centres = rng.normal(3.0, spread, (n_gestures, *shape))
    return (centres[labels] + rng.normal(0.0, 0.3, (n, *shape))).astype(np.float32), labels


@pytest.mark.parametrize(("n", "dimensions"), [(30, 4), (10, 40), (400, 6)])
def test_shrinkage_is_that_of_the_paper_written_out_window_by_window(n, dimensions):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, dimensions)) @ rng.normal(size=(dimensions, dimensions))
    x -= x.mean(axis=0)
    covariance = sum(np.outer(row, row) for row in x) / n
    mean_variance = np.trace(covariance) / dimensions
    sphere = mean_variance * np.eye(dimensions)
    # Ledoit and Wolf 2004, section 3.3; their norm divides by the dimension, which cancels in the ratio.
    d2 = np.sum((covariance - sphere) ** 2) / dimensions
    b2 = min(d2, sum(np.sum((np.outer(row, row) - covariance) ** 2) for row in x) / dimensions / n**2)
    found, shrinkage = ledoit_wolf_shrinkage(x)
    assert shrinkage == pytest.approx(b2 / d2, rel=1e-9)
    np.testing.assert_allclose(found, b2 / d2 * sphere + (1 - b2 / d2) * covariance, rtol=1e-9, atol=1e-12)


def test_windows_of_a_trial_count_as_one_sample():
    """Ten copies of each window say nothing new: the shrinkage stays that of the windows themselves."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 12)) @ rng.normal(size=(12, 12))
    x -= x.mean(axis=0)
    once, expected = ledoit_wolf_shrinkage(x)
    copies, of_trial = np.repeat(x, 10, axis=0), np.arange(40).repeat(10)
    found, shrinkage = ledoit_wolf_shrinkage(copies, of_trial)
    assert shrinkage == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(found, once, rtol=1e-9)
    assert ledoit_wolf_shrinkage(copies)[1] < 0.2 * expected


@pytest.mark.parametrize(("n", "shape"), [(60, (8, 2)), (399, (16, 1)), (90, (6, 20))])
def test_it_is_scikit_learns_lda_with_the_same_shrinkage(n, shape):
    """Same decisions, and probabilities alike to rounding, from few windows of many dimensions to many of few."""
    features, labels = _windows(n, 3, shape, seed=n, spread=0.1)
    flat = features.reshape(n, -1).astype(np.float64)
    normal = (flat - flat.mean(axis=0)) / flat.std(axis=0)
    centres = np.stack([normal[labels == k].mean(axis=0) for k in range(3)])
    _, shrinkage = ledoit_wolf(normal - centres[labels], assume_centered=True)
    oracle = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage, priors=np.full(3, 1 / 3))
    expected = oracle.fit(normal, labels).predict_proba(normal)
    found = softmax(fit_lda(features, labels, 3).logits(features), axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))


def test_probabilities_are_the_posteriors_of_the_gaussians_that_made_the_data():
    rng = np.random.default_rng(5)
    covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
    centres = np.array([[0.0, 0.0], [2.0, 1.0], [-1.0, 2.5]])
    labels = np.arange(60_000) % 3
    x = centres[labels] + rng.multivariate_normal(np.zeros(2), covariance, len(labels))
    classifier = fit_lda(x[:, :, np.newaxis].astype(np.float32), labels, 3)
    probe = rng.normal(1.0, 2.0, (200, 2))
    density = np.stack([multivariate_normal(centre, covariance).pdf(probe) for centre in centres], axis=1)
    found = softmax(classifier.logits(probe[:, :, np.newaxis]), axis=1)
    np.testing.assert_allclose(found, density / density.sum(axis=1, keepdims=True), atol=0.02)


def test_a_gesture_that_is_rare_in_training_is_not_thought_unlikely():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [9000, 1000])
    x = (np.where(labels == 0, -1.0, 1.0) + rng.normal(0.0, 1.0, 10_000)).astype(np.float32)
    logits = fit_lda(x[:, np.newaxis, np.newaxis], labels, 2).logits(np.zeros((1, 1, 1), np.float32))
    assert logits[0, 1] - logits[0, 0] == pytest.approx(0.0, abs=0.15)


@pytest.mark.parametrize("temperature", [1.0, 3.7])
def test_onnx_gives_the_classifiers_probabilities(temperature):
    features, labels = _windows(300, 5, (16, 3))
    classifier = fit_lda(features, labels, 5).with_temperature(temperature)
    graph = OnnxClassifier(_model_bytes(classifier), "test")
    probe, _ = _windows(200, 5, (16, 3), seed=8, spread=0.1)
    expected = softmax(classifier.logits(probe) / temperature, axis=1)
    found = np.stack([graph.probabilities(window) for window in probe])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=5e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
    assert expected.max(axis=1).min() < 0.9  # the probe has windows that are not clear


def test_fitting_twice_gives_the_same_bytes():
    features, labels = _windows(300, 5, (16, 2))
    assert _model_bytes(fit_lda(features, labels, 5)) == _model_bytes(fit_lda(features, labels, 5))


def test_a_dead_feature_does_no_harm():
    features, labels = _windows(300, 3, (8, 1))
    features[:, 2] = 1.609438
    logits = fit_lda(features, labels, 3).logits(features)
    assert np.isfinite(logits).all()
    assert (logits.argmax(axis=1) == labels).mean() > 0.99


def test_a_gesture_without_windows_is_refused():
    features, labels = _windows(20, 2, (8, 1))
    with pytest.raises(InputError, match="gesture number 2 of 3 has no window"):
        fit_lda(features, labels, 3)


def test_non_finite_features_are_refused():
    features, labels = _windows(20, 2, (8, 1))
    features[3, 1, 0] = np.nan
    with pytest.raises(InputError, match="non-finite"):
        fit_lda(features, labels, 2)


@pytest.mark.parametrize("true_temperature", [1.0, 2.5, 8.0])
def test_the_temperature_that_made_the_labels_is_found(true_temperature):
    rng = np.random.default_rng(2)
    logits = rng.normal(0.0, 12.0, (20_000, 4))
    odds = np.exp(logits / true_temperature - (logits / true_temperature).max(axis=1, keepdims=True))
    labels = (rng.random((20_000, 1)) > np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
    assert fit_temperature(logits, labels) == pytest.approx(true_temperature, rel=0.08)


def test_perfect_held_out_windows_do_not_sharpen_the_probabilities():
    assert fit_temperature(np.eye(4) * 5.0, np.arange(4)) == 1.0


def test_windows_told_apart_without_any_doubt_leave_the_temperature_alone():
    assert fit_temperature(np.eye(4) * 1e5, np.arange(4)) == 1.0


def test_likelihood_is_the_mean_log_probability_of_the_label():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]))
    expected = -(np.log(0.5) + np.log(0.8)) / 2
    assert negative_log_likelihood(logits, np.array([0, 1]), 1.0) == pytest.approx(expected)
