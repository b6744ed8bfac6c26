"""Distance from every gesture: against scipy, in the graph, and in the decision."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from calibration.training_set import TrainingSet
from calibration.unknown import fit_rejection
from decoding.decision import Decider, DecisionSettings, EffortCalibration, HopEvidence
from decoding.decoder_file import load_decoder
from decoding.models.distance import fit_distance
from decoding.models.export import export_decoder
from decoding.models.lda import fit_lda
from decoding.pipeline import DecoderPipeline
from decoding.signal_settings import SignalSettings
from emg_acquisition.errors import InputError
from tests.dec_support import GESTURES, amplitude_of, metadata, session

N, K = 3000, 3


def _windows() -> tuple[np.ndarray, np.ndarray]:
    """Three classes of eight correlated features each; so many that shrinkage is little."""
    rng = np.random.default_rng(0)
    labels = np.arange(N) % K
    centres = rng.normal(0.0, 3.0, (K, 8))
    mixing = np.eye(8) + 0.2 * rng.normal(0.0, 1.0, (8, 8))
    features = centres[labels] + rng.normal(size=(N, 8)) @ mixing
    return features.astype(np.float32)[:, :, np.newaxis], labels


def test_the_distance_is_scipys_to_the_nearest_mean():
    features, labels = _windows()
    found = fit_distance(features, labels, K).of(features[:50])
    flat = features[:, :, 0].astype(float)
    means = np.array([flat[labels == k].mean(axis=0) for k in range(K)])
    inverse = np.linalg.inv(np.cov((flat - means[labels]).T, bias=True))
    expected = [min(mahalanobis(x, mean, inverse) ** 2 for mean in means) / 8 for x in flat[:50]]
    np.testing.assert_allclose(found, expected, rtol=0.05)
    assert np.median(fit_distance(features, labels, K).of(features)) == pytest.approx(1.0, abs=0.15)


def test_the_graph_gives_the_same_distance_and_the_same_probabilities_as_without(tmp_path):
    features, labels = _windows()
    distance, lda = fit_distance(features, labels, K), fit_lda(features, labels, K)
    export_decoder(lda, metadata(), tmp_path / "with.onnx", distance=distance)
    export_decoder(lda, metadata(), tmp_path / "without.onnx")
    both = [load_decoder(tmp_path / name).classifier() for name in ("with.onnx", "without.onnx")]
    assert [one.has_distance for one in both] == [True, False]
    for window, expected in zip(features[:40], distance.of(features[:40]), strict=True):
        probabilities, found = both[0].classify(window)
        assert found == pytest.approx(expected, rel=1e-4)
        plain, nothing = both[1].classify(window)
        np.testing.assert_array_equal(probabilities, plain)
        assert nothing == 0.0


def test_a_limit_without_a_distance_in_the_graph_is_refused(tmp_path):
    features, labels = _windows()
    about = metadata().model_copy(update={"decision": DecisionSettings(max_distance=2.0)})
    with pytest.raises(InputError, match="no output 'distance'"):
        export_decoder(fit_lda(features, labels, K), about, tmp_path / "decoder.onnx")
    assert not (tmp_path / "decoder.onnx").exists()


@pytest.mark.parametrize(
    ("distance", "limit", "said"), [(1.9, 2.0, 1), (2.1, 2.0, -1), (2.1, None, 1), (np.nan, 2.0, -1)]
)
def test_a_hop_too_far_from_every_gesture_is_rejected(distance, limit, said):
    settings = DecisionSettings(dwell_hops=1, change_dwell_hops=1, vote_hops=1, max_distance=limit)
    effort = EffortCalibration(rest_log_uv=1.0, contraction_log_uv=(2.0, 2.0))
    evidence = HopEvidence(0, np.array([0.1, 0.9], np.float32), 1.5, 1.0, distance)
    assert Decider(settings, effort, 0).process(evidence).gesture_index == said


CUES = [(gesture, repetition) for repetition in (1, 2, 3) for gesture in GESTURES]


def test_a_trained_decoder_rejects_a_pattern_that_it_was_not_shown_and_knows_its_own(tmp_path):
    def unknown(_gesture: str) -> np.ndarray:
        return np.array([60.0] * 6 + [6.0] * 2)

    decided = {}
    for reject in (False, True):
        out = tmp_path / f"{reject}.onnx"
        settings = TrainSettings(reject_unknown=reject, after_cue_s=0.5, before_next_s=0.0)
        train_decoder([session(CUES)], out, settings, lambda _step, _share: None)
        pipeline = DecoderPipeline(load_decoder(out), session(CUES).emg.info)
        for name, amplitude in (("known", amplitude_of), ("unknown", unknown)):
            pipeline.reset()
            emg_uv = session([("fist", 1)], seed=7, amplitude=amplitude).emg.emg_uv
            said = np.array([one.gesture_index for one in pipeline.process(emg_uv)][20:])
            decided[reject, name] = float((said > 0).mean())
    assert decided[False, "unknown"] > 0.9
    assert decided[True, "unknown"] == 0.0
    assert decided[False, "known"] == 1.0
    assert decided[True, "known"] > 0.8


def test_a_single_repetition_gives_no_limit():
    windows = [
        dataclasses.replace(one, trial=dataclasses.replace(one.trial, repetition=1))
        for one in _trial_windows()
    ]
    with pytest.raises(InputError, match="two repetitions"):
        fit_rejection(windows, GESTURES)


def _trial_windows():
    settings = TrainSettings(after_cue_s=0.5, before_next_s=0.0)
    return TrainingSet([session(CUES)], settings).windows(SignalSettings())
