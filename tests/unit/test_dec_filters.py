import numpy as np
import pytest
from scipy import signal

from decoding.filters import BandpassFilter, block_length, design_filter
from decoding.signal_settings import SignalSettings
from emg_acquisition.errors import InputError
from tests.dec_support import noise_uv

FS_HZ = 2000.0


def _sine_gain(settings: SignalSettings, frequency_hz: float) -> float:
    """Gain of a settled sine, measured on the output."""
    t_s = np.arange(int(4 * FS_HZ)) / FS_HZ
    sine = (100.0 * np.sin(2 * np.pi * frequency_hz * t_s)).astype(np.float32)[:, np.newaxis]
    settled = BandpassFilter(design_filter(settings, FS_HZ)).process(sine)[int(2 * FS_HZ) :, 0]
    return float(np.sqrt(2.0 * np.mean(settled.astype(np.float64) ** 2)) / 100.0)


def _butterworth_gain(frequency_hz: float, low_hz: float, high_hz: float, order: int) -> float:
    """Textbook magnitude of the band-pass after the bilinear transform, from the formula and not from scipy."""
    warped = [2 * FS_HZ * np.tan(np.pi * f / FS_HZ) for f in (frequency_hz, low_hz, high_hz)]
    omega, low, high = warped
    prototype = (omega**2 - low * high) / (omega * (high - low))
    return float(1.0 / np.sqrt(1.0 + prototype ** (2 * order)))


@pytest.mark.parametrize("frequency_hz", [10, 20, 35, 90, 250, 400, 600])
def test_gain_is_that_of_the_butterworth_formula(frequency_hz):
    expected = _butterworth_gain(frequency_hz, 20.0, 400.0, 4)
    assert _sine_gain(SignalSettings(), frequency_hz) == pytest.approx(expected, abs=1e-4)


def test_each_channel_equals_scipy_on_that_channel_alone():
    emg_uv = noise_uv(1000, 5)
    sos = signal.butter(4, [20, 400], "bandpass", fs=FS_HZ, output="sos")
    filtered = BandpassFilter(design_filter(SignalSettings(), FS_HZ)).process(emg_uv)
    for channel in range(5):
        samples = emg_uv[:, channel].astype(np.float64)
        expected, _ = signal.sosfilt(sos, samples, zi=signal.sosfilt_zi(sos) * samples[0])
        np.testing.assert_allclose(filtered[:, channel], expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("block_samples", [1, 7, 25, 101])
@pytest.mark.parametrize("fs_hz", [1000.0, 8000.0])
def test_blocks_of_any_length_are_the_recursion_of_scipy(block_samples, fs_hz):
    emg_uv = noise_uv(101 * 25, 3)
    design = design_filter(SignalSettings(powerline_hz=50, powerline_harmonics=3), fs_hz)
    filtered = BandpassFilter(design, block_samples).process(emg_uv)
    sos = design.sections()
    zi = signal.sosfilt_zi(sos)[:, :, np.newaxis] * emg_uv[0].astype(np.float64)
    expected, _ = signal.sosfilt(sos, emg_uv.astype(np.float64), axis=0, zi=zi)
    assert len(filtered) == len(emg_uv) // block_samples * block_samples
    np.testing.assert_allclose(filtered, expected[: len(filtered)], rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(
    ("hop_samples", "block_samples"),
    [(25, 25), (50, 25), (100, 25), (200, 40), (51, 51), (102, 34), (53, 53), (1, 1)],
)
def test_a_hop_is_a_whole_number_of_blocks(hop_samples, block_samples):
    assert block_length(hop_samples) == block_samples


def test_an_offset_makes_no_transient():
    emg_uv = np.full((500, 3), [3e4, -2e4, 0.0], dtype=np.float32)
    filtered = BandpassFilter(design_filter(SignalSettings(), FS_HZ)).process(emg_uv)
    assert np.abs(filtered).max() < 1e-3


def test_harmonics_of_the_mains_go_as_far_as_the_band():
    settings = SignalSettings(powerline_hz=60, powerline_harmonics=10)
    assert design_filter(settings, FS_HZ).powerline_harmonics == 6
    for harmonic in (1, 2, 6):
        assert _sine_gain(settings, 60.0 * harmonic) < 0.01
    assert _sine_gain(settings, 210.0) > 0.98


@pytest.mark.parametrize("powerline_hz", [50, 60])
def test_the_notch_removes_the_mains_and_little_else(powerline_hz):
    settings = SignalSettings(powerline_hz=powerline_hz)
    assert _sine_gain(settings, powerline_hz) < 0.01
    assert _sine_gain(settings, powerline_hz * 1.5) > 0.98


def test_the_upper_edge_is_clamped_to_the_rate_and_the_design_says_so():
    assert design_filter(SignalSettings(), 4000.0).high_hz == 400.0
    assert design_filter(SignalSettings(), 500.0).high_hz == pytest.approx(225.0)


@pytest.mark.parametrize(
    ("fs_hz", "settings"), [(40.0, SignalSettings()), (100.0, SignalSettings(powerline_hz=50))]
)
def test_a_rate_too_low_is_refused_by_name(fs_hz, settings):
    with pytest.raises(InputError, match=f"{fs_hz:g} Hz"):
        design_filter(settings, fs_hz)


def test_a_sample_that_is_not_finite_is_refused_and_leaves_no_trace():
    emg_uv = noise_uv(300, 4)
    broken = emg_uv.copy()
    broken[120, 2] = np.nan
    stage = BandpassFilter(design_filter(SignalSettings(), FS_HZ))
    first = stage.process(emg_uv[:100])
    with pytest.raises(InputError, match="not finite"):
        stage.process(broken[100:200])
    rest_of_it = stage.process(emg_uv[100:])
    expected = BandpassFilter(design_filter(SignalSettings(), FS_HZ)).process(emg_uv)
    np.testing.assert_array_equal(np.concatenate([first, rest_of_it]), expected)
