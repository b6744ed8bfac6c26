from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.quality import QualityMonitor

RNG = np.random.default_rng(11)
EMG_UV = RNG.normal(0, 5, (1000, 5)).astype(np.float32)
EMG_UV[200:450, 0] = 7.0
EMG_UV[:, 1] = np.clip(EMG_UV[:, 1], -4, 4)
EMG_UV[600, 2] = np.nan


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), max_size=12))
def test_however_samples_arrive_the_verdict_is_the_same(cuts):
    whole = QualityMonitor(1000.0, 5)
    expected = whole.process(EMG_UV)
    monitor = QualityMonitor(1000.0, 5)
    edges = [0, *sorted(cuts), 1000]
    given_back = [monitor.process(EMG_UV[a:b]) for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(given_back), expected)
    assert monitor.states == whole.states


def test_the_future_does_not_change_the_past_and_the_input_stays_as_it_is():
    before = EMG_UV.copy()
    full = QualityMonitor(1000.0, 5).process(EMG_UV)
    half = QualityMonitor(1000.0, 5).process(EMG_UV[:500])
    np.testing.assert_array_equal(full[:500], half)
    np.testing.assert_array_equal(EMG_UV, before)
    assert len(QualityMonitor(1000.0, 5).process(EMG_UV[:0])) == 0
