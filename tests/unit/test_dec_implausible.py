"""Old samples sent again, and levels that no muscle makes, are not decided on."""

import numpy as np
import pytest

from decoding.class_statistics import ClassStatistics
from decoding.feature_chain import FeatureChain
from decoding.plausibility import LoudnessBound
from decoding.repair import RepetitionMonitor
from decoding.signal_settings import SignalSettings
from emg_acquisition.grid import rectangular_grid

FS_HZ = 2000.0
GRID = rectangular_grid(4, 8, 10.0)
HOP = 50
RNG = np.random.default_rng(7)
EMG_UV = RNG.normal(0.0, 40.0, (12_000, GRID.n_channels)).astype(np.float32)


def quality(emg_uv, sizes):
    chain = FeatureChain(SignalSettings(), FS_HZ, GRID)
    found = []
    start = 0
    while start < len(emg_uv):
        size = next(sizes)
        found.append(chain.process(emg_uv[start : start + size]).quality)
        start += size
    return np.concatenate(found)


def fixed(size):
    return iter(lambda: size, 0)


@pytest.mark.parametrize("period", [20, 37, 400, 800, 3000])
def test_samples_sent_again_are_found_within_two_hops_whatever_their_number(period):
    good = EMG_UV[:6000]
    again = np.concatenate([good, np.resize(good[-period:].copy(), (2000, GRID.n_channels))])
    found = quality(again, fixed(HOP))
    first_faulty = 6000 // HOP - 7  # the first window of 8 hops ends with the eighth
    assert (found[:first_faulty] == 1.0).all()
    assert (found[first_faulty + 1 :] == 0.0).all()


def test_repetition_is_found_alike_in_any_chunks():
    emg_uv = np.concatenate([EMG_UV[:3000], EMG_UV[2500:3000], EMG_UV[3000:8000]])
    rng = np.random.default_rng(1)
    pieces = quality(emg_uv, iter(lambda: int(rng.integers(1, 300)), 0))
    np.testing.assert_array_equal(pieces, quality(emg_uv, fixed(len(emg_uv))))
    assert (pieces[-20:] == 1.0).all()
    assert (pieces == 0.0).any()


def test_coarse_samples_of_a_quiet_array_are_not_taken_for_old_ones():
    # Eight channels of whole microvolts that hardly move, as of a cheap amplifier at rest.
    quiet = np.round(RNG.normal(0.0, 1.0, (40_000, 8))).astype(np.float32)
    monitor = RepetitionMonitor(8, 1000.0, 25)
    repeated = []
    for start in range(0, len(quiet), 25):
        monitor.add(quiet[start : start + 25])
        repeated.append(monitor.end_hop())
    assert not any(repeated)


def test_reset_forgets():
    monitor = RepetitionMonitor(8, 1000.0, 25)
    monitor.add(EMG_UV[:25, :8])
    assert monitor.end_hop() is False
    monitor.reset()
    monitor.add(EMG_UV[:25, :8])
    assert monitor.end_hop() is False
    monitor.add(EMG_UV[:25, :8])
    assert monitor.end_hop() is True


def statistics(columns):
    """Two gestures; channel k's loudest has an RMS of 20 + k µV."""
    rms = np.stack([np.full(6, 5.0), 20.0 + np.arange(6)])
    scale = [1.0 if name == "log_rms" else 2.0 for name in columns]
    means = np.stack([factor * np.log(rms) for factor in scale], axis=2).astype(np.float32)
    n = 6 * len(columns)
    return ClassStatistics(means, np.eye(n, dtype=np.float32), 10)


@pytest.mark.parametrize("columns", [("log_rms",), ("log_welch_60_110",), ("log_rms", "log_welch_20_60")])
def test_a_channel_four_times_as_loud_as_in_any_gesture_is_implausible(columns):
    known = statistics(columns)
    bound = LoudnessBound(known, columns)
    scale = np.array([1.0 if name == "log_rms" else 2.0 for name in columns], dtype=np.float32)
    loudest = known.means[1]
    assert bound.plausible_share(loudest + scale * np.log(3.9)) == 1.0
    assert bound.plausible_share(loudest + scale * np.log(4.1)) == 0.0
    half = loudest.copy()
    half[:3] += scale * np.log(10.0)
    assert bound.plausible_share(half) == pytest.approx(0.5)
    half[1:3] = loudest[1:3]
    assert bound.plausible_share(half) == 1.0  # a jolt of one electrode


def test_without_statistics_or_levels_every_channel_is_plausible():
    loud = np.full((6, 1), 99.0, dtype=np.float32)
    assert LoudnessBound(None, ("log_rms",)).plausible_share(loud) == 1.0
    assert LoudnessBound(statistics(("log_rms",)), ("zero_crossings",)).plausible_share(loud) == 1.0
