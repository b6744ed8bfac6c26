"""Drift is followed by trusted decisions only, within bounds, and never beyond a reset."""

import numpy as np
import pytest

from decoding.class_statistics import ClassStatistics
from decoding.drift import DriftFollower, DriftSettings
from emg_acquisition.decision import Decision

MEANS = np.array([[[1.0, 0.0]] * 4, [[3.0, 0.0]] * 4], dtype=np.float32)
STATISTICS = ClassStatistics(MEANS, np.eye(8, dtype=np.float32), 2)
SETTINGS = DriftSettings(learning_rate=0.01, max_offset_log=0.3)
NAMES = ("log_rms", "zero_crossings")
REST, FIST = 0, 1


def _decided(index: int, confidence: float = 0.99, quality: float = 1.0) -> Decision:
    return Decision(index, confidence, 1.0, quality, (0.01, 0.99))


def _follow(
    seen: np.ndarray, decision: Decision, times: int, settings: DriftSettings = SETTINGS
) -> DriftFollower:
    follower = DriftFollower(settings, STATISTICS, NAMES, REST)
    for _ in range(times):
        follower.learn(follower.corrected(seen), decision)
    return follower


def test_the_offset_nears_the_drift_at_the_learning_rate():
    seen = MEANS[FIST] + np.array([0.2, 5.0], dtype=np.float32)
    offset = _follow(seen, _decided(FIST), 50).offset
    assert offset is not None
    np.testing.assert_allclose(offset[:, 0], 0.2 * (1 - 0.99**50), rtol=1e-4)
    # What is no logarithm stays as it is.
    np.testing.assert_array_equal(offset[:, 1], 0.0)


def test_no_drift_is_followed_further_than_the_bound():
    seen = MEANS[FIST] + np.array([[9.0, 0.0], [-9.0, 0.0], [0.0, 0.0], [0.1, 0.0]], dtype=np.float32)
    offset = _follow(seen, _decided(FIST), 2000).offset
    assert offset is not None
    np.testing.assert_allclose(offset[:, 0], [0.3, -0.3, 0.0, 0.1], atol=1e-3)


@pytest.mark.parametrize(
    "decision",
    [
        _decided(FIST, 0.94),
        _decided(-1),
        _decided(REST),
        _decided(FIST, quality=0.98),
        _decided(FIST, np.nan),
    ],
)
def test_what_is_not_trusted_teaches_nothing(decision):
    assert _follow(MEANS[FIST] + np.float32(1.0), decision, 5).offset is None


def test_off_it_gives_the_features_themselves():
    features = MEANS[FIST] + np.float32(0.5)
    follower = DriftFollower(None, STATISTICS, NAMES, REST)
    follower.learn(features, _decided(FIST))
    assert follower.corrected(features) is features


def test_a_reset_returns_to_the_decoder_as_it_was_trained():
    follower = _follow(MEANS[FIST] + np.float32(0.2), _decided(FIST), 20)
    assert follower.offset is not None
    follower.reset()
    assert follower.offset is None
    np.testing.assert_array_equal(follower.corrected(MEANS[FIST]), MEANS[FIST])
