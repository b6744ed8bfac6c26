"""Signal quality against synthetic truth: what is put in is what is measured and named."""

import numpy as np
import pytest

from benchmarks.bench_quality import core_share
from emg_acquisition.errors import InputError
from emg_acquisition.quality.monitor import ChannelState, QualityMonitor
from tests.quality_support import OFFSET_UV, muscle, sine, white

RATES_HZ = (500.0, 512.0, 1000.0, 1500.0, 2048.0, 4000.0, 5120.0, 10240.0)
S = ChannelState


def final(fs_hz, emg_uv):
    return QualityMonitor(fs_hz, emg_uv.shape[1]).process(emg_uv.astype(np.float32))[-1]


def all_reports(fs_hz, emg_uv):
    return QualityMonitor(fs_hz, emg_uv.shape[1]).process(emg_uv.astype(np.float32))


@pytest.mark.parametrize("fs_hz", RATES_HZ)
def test_every_fault_is_named_at_every_rate(fs_hz):
    onset, n = int(fs_hz), int(2.0 * fs_hz)
    emg_uv = muscle(fs_hz, n / fs_hz, 10, rms_uv=30.0).astype(np.float64)
    rng = np.random.default_rng(1)
    t = np.arange(n - onset)
    emg_uv[onset:, 0] = emg_uv[onset, 0]
    emg_uv[onset:, 1] = 2e5
    emg_uv[onset:, 2] += sine(fs_hz, len(t), 50.0, 100.0)
    emg_uv[onset:, 3] += sine(fs_hz, len(t), 60.0, 100.0)
    emg_uv[onset:, 4] += np.cumsum(rng.normal(0.0, 5e3 / np.sqrt(fs_hz), len(t)))
    emg_uv[onset:, 5] += white(fs_hz, len(t), 1, rms_uv=200.0, rng=rng)[:, 0]
    emg_uv[-int(0.2 * fs_hz), 6] = np.nan
    expected = [S.FLAT, S.SATURATED, S.POWERLINE, S.POWERLINE, S.DETACHED, S.NOISY, S.INVALID]
    reports = all_reports(fs_hz, emg_uv)
    after = [r for r in reports if r.sample_index > onset]
    for channel, state in enumerate(expected):
        if state is S.NOISY and fs_hz < 800.0:
            continue  # no band is left above muscle: it may take longer, see default_thresholds
        assert state in {r.states[channel] for r in after}, state
    assert {int(state) for r in reports for state in r.states[7:]} == {S.GOOD}
    assert reports[-1].sample_index > n - 0.11 * fs_hz


@pytest.mark.parametrize(
    ("fs_hz", "n_channels"), [*((fs_hz, 10) for fs_hz in RATES_HZ), (500.0, 256), (2048.0, 256)]
)
def test_rest_and_the_strongest_contraction_are_good(fs_hz, n_channels):
    rest = muscle(fs_hz, 1.0, n_channels, rms_uv=1.0)
    level_uv = rest.mean(axis=0)
    strong = muscle(fs_hz, 1.5, n_channels, rms_uv=500.0, seed=1)
    emg_uv = np.concatenate([rest, strong - strong.mean(axis=0) + level_uv, rest])
    states = np.array([report.states for report in all_reports(fs_hz, emg_uv)])
    assert (states != S.GOOD).mean() < 0.002


@pytest.mark.parametrize("f_hz", [49.9, 50.0, 60.0, 60.1])
@pytest.mark.parametrize("fs_hz", [1000.0, 2048.0, 4000.0])
def test_mains_is_measured_in_microvolts_whatever_the_offset(fs_hz, f_hz):
    emg_uv = muscle(fs_hz, 1.0, 10, rms_uv=10.0).astype(np.float64)
    rms_uv = np.linspace(10.0, 1000.0, 10)
    for channel, amplitude_uv in enumerate(rms_uv):
        emg_uv[:, channel] += sine(fs_hz, len(emg_uv), f_hz, amplitude_uv)
    np.testing.assert_allclose(final(fs_hz, emg_uv).measures.mains_uv, rms_uv, rtol=0.1, atol=3.0)


def test_harmonics_count_as_mains():
    emg_uv = muscle(2000.0, 2.0, 10, rms_uv=10.0)
    emg_uv[:, 0] += sine(2000.0, len(emg_uv), 150.0, 60.0)
    emg_uv[:, 1] += sine(2000.0, len(emg_uv), 300.0, 60.0)
    emg_uv[:, 2] += sine(2000.0, len(emg_uv), 75.0, 60.0)  # a line, but no mains
    assert final(2000.0, emg_uv).states[:3].tolist() == [S.POWERLINE, S.POWERLINE, S.GOOD]


def test_mains_far_below_the_muscle_is_no_fault_until_it_relaxes():
    fs_hz = 1000.0
    strong = muscle(fs_hz, 2.0, 10, rms_uv=300.0)
    weak = muscle(fs_hz, 2.0, 10, rms_uv=10.0)
    hum_uv = sine(fs_hz, 2000, 60.0, 40.0)[:, np.newaxis]
    assert (final(fs_hz, strong + hum_uv).states == S.GOOD).all()
    assert (final(fs_hz, weak + hum_uv).states == S.POWERLINE).all()


@pytest.mark.parametrize("fs_hz", [1000.0, 2048.0, 4000.0])
def test_noise_and_muscle_are_measured_in_microvolts(fs_hz):
    rng = np.random.default_rng(0)
    rms_uv = 50.0
    noise = OFFSET_UV + white(fs_hz, int(2 * fs_hz), 128, rms_uv=rms_uv, rng=rng)
    measures = final(fs_hz, noise).measures
    share = np.sqrt(430.0 / 500.0)  # the band of muscle, 20-450 Hz, of 500 Hz
    assert np.median(measures.noise_uv) == pytest.approx(share * rms_uv, rel=0.1)
    assert np.median(measures.muscle_uv) == pytest.approx(share * rms_uv, rel=0.1)
    assert np.median(measures.whiteness) == pytest.approx(1.0, rel=0.15)
    contraction = final(fs_hz, muscle(fs_hz, 2.0, 32, rms_uv=100.0)).measures
    assert np.median(contraction.muscle_uv) == pytest.approx(100.0, rel=0.1)
    assert np.median(contraction.whiteness) < 0.2


def test_one_step_of_movement_is_no_detachment_but_lasting_drift_is():
    fs_hz = 1000.0
    emg_uv = muscle(fs_hz, 4.0, 10).astype(np.float64)
    emg_uv[1234:, 0] += 1000.0
    emg_uv[1000:, 1] += np.arange(3000) * 2.0  # 2 mV/s
    emg_uv[1000:, 2] += np.arange(3000) * 0.2  # 0.2 mV/s: an electrode settling
    reports = all_reports(fs_hz, emg_uv)
    assert {report.states[0] for report in reports} == {S.GOOD}
    assert {report.states[2] for report in reports} == {S.GOOD}
    found = [report.sample_index for report in reports if report.states[1] == S.DETACHED]
    assert found[0] <= 2000
    assert found[-1] == 4000


def test_a_lost_offset_is_a_detachment_at_once():
    emg_uv = muscle(1000.0, 2.0, 10)
    emg_uv[1050:, 0] += 5000.0
    assert next(r for r in all_reports(1000.0, emg_uv) if r.sample_index == 1100).states[0] == S.DETACHED


def test_a_dead_input_behind_a_high_pass_is_detached_beside_those_that_hear_muscle():
    fs_hz = 1000.0
    emg_uv = muscle(fs_hz, 2.0, 10, rms_uv=40.0)
    hum_uv = sine(fs_hz, len(emg_uv), 60.0, 8.0)
    emg_uv[:, 0] = white(fs_hz, len(emg_uv), 1, rms_uv=8.0, rng=np.random.default_rng(0))[:, 0] + hum_uv
    assert final(fs_hz, emg_uv).states.tolist() == [S.DETACHED, *[S.GOOD] * 9]
    # At rest all are white: nothing tells it from the others, and nothing is claimed.
    at_rest = muscle(fs_hz, 2.0, 10, rms_uv=0.1, floor_uv=8.0) + hum_uv[:, np.newaxis].astype(np.float32)
    assert (final(fs_hz, at_rest).states == S.GOOD).all()


@pytest.mark.parametrize("level_uv", [0.0, 12345.0, -3e4])
def test_a_channel_that_stands_still_from_the_start_is_flat(level_uv):
    emg_uv = muscle(1000.0, 1.5, 10)
    emg_uv[:, 4] = level_uv
    assert {report.states[4] for report in all_reports(1000.0, emg_uv)} == {S.FLAT}


def test_still_is_told_from_the_rail_by_how_it_came_there():
    emg_uv = muscle(1000.0, 4.0, 10)
    emg_uv[1500:, 0] = 0.0  # a dead input sends nothing
    emg_uv[1500:, 1] = emg_uv[1500, 1]
    emg_uv[1500:, 2] = 1e5
    emg_uv[1500:, 3] = -1e5
    emg_uv[1500:3000, 4] = 1e5  # and comes back
    reports = all_reports(1000.0, emg_uv)
    assert next(r for r in reports if r.sample_index == 2100).states[:5].tolist() == [1, 1, 2, 2, 2]
    assert reports[-1].states[:5].tolist() == [S.FLAT, S.FLAT, S.SATURATED, S.SATURATED, S.GOOD]


def test_clipped_tops_are_saturation_and_quiet_counts_are_not():
    emg_uv = muscle(1000.0, 2.0, 10, rms_uv=200.0)
    emg_uv[:, 0] = np.minimum(emg_uv[:, 0], np.quantile(emg_uv[:, 0], 0.6))
    emg_uv[:, 1] = np.clip(emg_uv[:, 1], *np.quantile(emg_uv[:, 1], [0.2, 0.8]))
    # Two microvolts of noise on a converter with steps of 3 uV: most samples lie on a few counts.
    quiet = np.random.default_rng(0).normal(0.0, 2.0, len(emg_uv))
    emg_uv[:, 2] = np.round(quiet / 3.0) * 3.0
    assert final(1000.0, emg_uv).states[:3].tolist() == [S.SATURATED, S.SATURATED, S.GOOD]


@pytest.mark.parametrize("fault", ["mains", "noise", "drift"])
def test_what_ends_is_forgotten_within_a_second(fault):
    fs_hz, rng = 1000.0, np.random.default_rng(0)
    emg_uv = muscle(fs_hz, 5.0, 10, rms_uv=20.0)
    span = slice(1000, 3000)
    disturbance = {
        "mains": sine(fs_hz, 2000, 60.0, 100.0),
        "noise": rng.normal(0.0, 100.0, 2000),
        "drift": 1000.0 * np.sin(2 * np.pi * 2.0 * np.arange(2000) / fs_hz),
    }
    emg_uv[span, 7] += disturbance[fault].astype(np.float32)
    bad = [r.sample_index for r in all_reports(fs_hz, emg_uv) if r.states[7] != S.GOOD]
    assert 1000 < bad[0] <= 2000
    assert 3000 <= bad[-1] <= 4000
    assert all((r.states[:7] == S.GOOD).all() for r in all_reports(fs_hz, emg_uv))


def test_the_summary_is_the_share_of_good_channels():
    emg_uv = muscle(1000.0, 1.0, 10)
    emg_uv[:, 3] = emg_uv[0, 3]
    emg_uv[-10:, 5] = np.nan
    report = final(1000.0, emg_uv)
    assert report.summary == pytest.approx(0.8)
    assert report.counts == dict.fromkeys(S, 0) | {S.GOOD: 8, S.FLAT: 1, S.INVALID: 1}


def test_mains_on_every_channel_is_told_on_every_channel():
    emg_uv = muscle(1000.0, 2.0, 64, rms_uv=10.0) + sine(1000.0, 2000, 50.0, 60.0)[:, np.newaxis]
    assert final(1000.0, emg_uv).summary == 0.0


@pytest.mark.parametrize("fs_hz", [499.0, 0.0, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_judged_is_refused(fs_hz):
    with pytest.raises(InputError, match="at least 500 Hz, got"):
        QualityMonitor(fs_hz, 8)


@pytest.mark.parametrize("shape", [(10, 7), (10,), (2, 10, 8)])
def test_another_number_of_channels_is_refused(shape):
    with pytest.raises(ValueError, match=r"\(n_samples, 8\) is required"):
        QualityMonitor(1000.0, 8).process(np.zeros(shape, dtype=np.float32))


@pytest.mark.parametrize(("n_channels", "most"), [(64, 0.02), (256, 0.06)])
def test_it_is_cheap(n_channels, most):
    # Processor time, several times below the limit: other programs do not disturb it.
    assert core_share(n_channels, 4000.0, seconds=2) <= most
