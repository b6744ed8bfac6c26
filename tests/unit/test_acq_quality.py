import numpy as np
import pytest

from emg_acquisition.quality import ChannelState, QualityMonitor

FS_HZ = 1000.0
GOOD, FLAT, SATURATED, NONFINITE = ChannelState


def state_of(signal_uv, full_scale_uv=None):
    monitor = QualityMonitor(FS_HZ, 1, full_scale_uv)
    monitor.process(np.asarray(signal_uv, dtype=np.float32)[:, np.newaxis])
    return monitor.states[0]


@pytest.fixture
def noise():
    return np.random.default_rng(2).normal(0, 4, 200)


def test_rest_activity_and_coarse_counts_are_good(noise):
    assert state_of(noise) == GOOD
    assert state_of(30 * noise + 20_000) == GOOD
    # A quiet channel whose steps of 3 uV are coarser than its noise.
    assert state_of(3.05 * np.round(noise / 3.05)) == GOOD
    assert state_of(3.05 * np.round(0.3 * noise / 3.05)) == GOOD
    assert state_of(100 * np.sin(2 * np.pi * 60 * np.arange(200) / FS_HZ)) == GOOD


def test_a_stuck_channel_is_flat_wherever_it_is_stuck():
    assert state_of(np.zeros(200)) == FLAT
    assert state_of(np.full(200, 12_345.0)) == FLAT
    assert state_of(np.full(200, 12_345.0), full_scale_uv=400_000) == FLAT


def test_clipping_is_seen_with_and_without_a_declared_full_scale(noise):
    assert state_of(np.clip(100 * noise, -300, 300)) == SATURATED
    assert state_of(np.clip(100 * noise, None, 500)) == SATURATED
    assert state_of(noise + 6200, full_scale_uv=6250) == SATURATED
    assert state_of(noise - 6200, full_scale_uv=6250) == SATURATED
    assert state_of(noise + 5000, full_scale_uv=6250) == GOOD
    assert state_of(np.full(200, 6250.0), full_scale_uv=6250) == SATURATED


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_sample_that_is_not_finite_marks_its_block_and_no_more(noise, value):
    monitor = QualityMonitor(FS_HZ, 2)
    emg_uv = np.stack((noise, noise), axis=1).astype(np.float32)
    bad = emg_uv.copy()
    bad[17, 1] = value
    monitor.process(bad)
    assert monitor.states == (GOOD, NONFINITE)
    assert monitor.summary == 0.5
    monitor.process(emg_uv)
    assert monitor.states == (GOOD, GOOD)


def test_the_summary_changes_with_the_last_sample_of_a_block(noise):
    emg_uv = np.stack((noise, np.zeros(200), noise, noise), axis=1).astype(np.float32)
    monitor = QualityMonitor(FS_HZ, 4)
    np.testing.assert_array_equal(monitor.process(emg_uv), [*np.ones(199), 0.75])
    np.testing.assert_array_equal(monitor.process(emg_uv[:3]), [0.75] * 3)
    monitor.reset()
    assert monitor.summary == 1.0
