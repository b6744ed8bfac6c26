"""Windowed features against the textbook definitions, written out sample by sample, and scipy's own solver."""

import math

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import linalg, signal

from decoding.features import WindowFeatures, autoregression
from decoding.signal_settings import SignalSettings
from decoding.windows import HopSlicer, window_spec
from emg_acquisition.errors import InputError
from emg_acquisition.grid import rectangular_grid

THRESHOLD_UV = 4.0
NAMES = ("log_rms", "mav", "waveform_length", "zero_crossings", "slope_sign_changes")


def _textbook(x: list[float]) -> list[float]:
    """Hudgins 1993 and Phinyomark 2012 on one window of one channel, with its own samples only."""
    n = len(x)
    rms = math.sqrt(sum(v * v for v in x) / n)
    mav = sum(abs(v) for v in x) / n
    length = sum(abs(x[i + 1] - x[i]) for i in range(n - 1))
    crossings = 0
    for i in range(n - 1):
        opposite = (x[i] > 0 and x[i + 1] < 0) or (x[i] < 0 and x[i + 1] > 0)
        crossings += opposite and abs(x[i] - x[i + 1]) >= THRESHOLD_UV
    slopes = 0
    for i in range(1, n - 1):
        peak = x[i] > x[i - 1] and x[i] > x[i + 1]
        valley = x[i] < x[i - 1] and x[i] < x[i + 1]
        high_enough = abs(x[i] - x[i + 1]) >= THRESHOLD_UV or abs(x[i] - x[i - 1]) >= THRESHOLD_UV
        slopes += (peak or valley) and high_enough
    return [math.log(max(rms, 5.0)), mav, length, float(crossings), float(slopes)]


@pytest.mark.parametrize(("window_ms", "hop_ms"), [(200.0, 50.0), (100.0, 100.0), (60.0, 20.0), (40.0, 2.0)])
def test_every_window_has_the_textbook_features_of_its_own_samples(window_ms, hop_ms):
    fs_hz = 1000.0
    settings = SignalSettings(
        features=NAMES, window_ms=window_ms, hop_ms=hop_ms, slope_threshold_uv=THRESHOLD_UV
    )
    spec = window_spec(settings, fs_hz)
    rng = np.random.default_rng(3)
    emg_uv = rng.normal(0.0, [3.0, 8.0, 40.0], (500, 3)).astype(np.float32)
    ended = WindowFeatures(settings, fs_hz, rectangular_grid(1, 3, 10.0)).process(emg_uv)
    assert len(ended) == (500 - spec.window_samples) // spec.hop_samples + 1
    for k, (features, log_rms) in enumerate(ended):
        window = emg_uv[k * spec.hop_samples : k * spec.hop_samples + spec.window_samples]
        expected = np.array([_textbook(window[:, c].astype(float).tolist()) for c in range(3)])
        np.testing.assert_allclose(features, expected, rtol=2e-6)
        np.testing.assert_array_equal(features[:, 3:], expected[:, 3:])
        np.testing.assert_allclose(log_rms, expected[:, 0], rtol=2e-6)


def test_a_long_hop_counts_beyond_a_byte():
    settings = SignalSettings(
        features=("zero_crossings", "slope_sign_changes"),
        window_ms=700.0,
        hop_ms=700.0,
        slope_threshold_uv=1.0,
    )
    zigzag = (10.0 * (-1.0) ** np.arange(700)).astype(np.float32)[:, np.newaxis]
    ((features, _),) = WindowFeatures(settings, 1000.0, rectangular_grid(1, 1, 10.0)).process(zigzag)
    assert features.tolist() == [[699.0, 698.0]]


def _muscles(n_samples: int = 900) -> np.ndarray:
    """Six channels of coloured noise that share a part with each other; one is silent, one below the floor."""
    rng = np.random.default_rng(5)
    white = rng.normal(0.0, 30.0, (n_samples, 7))
    mixed = white[:, :6] + 0.8 * white[:, 1:]
    coloured = signal.lfilter([1.0, 0.5], [1.0, -0.9, 0.3], mixed, axis=0)
    return (coloured * [1.0, 3.0, 0.02, 1.0, 0.0, 0.5]).astype(np.float32)


@pytest.mark.parametrize("hop_ms", [50.0, 25.0, 2.0])
def test_autoregression_solves_the_yule_walker_equations_of_the_window(hop_ms):
    settings = SignalSettings(features=("ar_1", "ar_2", "ar_3", "ar_4"), hop_ms=hop_ms)
    emg_uv, hop = _muscles(), round(2 * hop_ms)
    ended = WindowFeatures(settings, 2000.0, rectangular_grid(3, 2, 10.0)).process(emg_uv)
    for k, (features, _) in enumerate(ended):
        x = emg_uv[k * hop : k * hop + 400].astype(np.float64)
        for c in (0, 1, 2, 3, 5):
            lags = np.correlate(x[:, c], x[:, c], "full")[len(x) - 1 :][:5]
            expected = linalg.solve_toeplitz(lags[:4], lags[1:])
            np.testing.assert_allclose(features[c], expected, rtol=2e-4, atol=2e-5)
        assert features[4].tolist() == [0.0] * 4


def test_autoregression_finds_the_process_that_made_the_signal():
    rng = np.random.default_rng(0)
    a = np.array([1.6, -1.1, 0.5, -0.2])
    x = signal.lfilter([1.0], np.concatenate([[1.0], -a]), rng.normal(size=400_000))
    products = np.array([[x[k:] @ x[: len(x) - k]] for k in range(5)])
    np.testing.assert_allclose(autoregression(products)[:, 0], a, atol=0.01)


def test_a_signal_that_is_predicted_completely_leaves_finite_coefficients():
    assert np.isfinite(autoregression(np.array([[4.0, 1.0], [-4.0, 1.0], [4.0, 1.0], [-4.0, 1.0]]))).all()


def test_autoregression_in_hops_shorter_than_its_lags_is_refused():
    settings = SignalSettings(features=("ar_2",), hop_ms=2.0)
    with pytest.raises(InputError, match="4 samples at least, got 2"):
        WindowFeatures(settings, 1000.0, rectangular_grid(1, 1, 10.0))


def test_a_silent_channel_stays_at_the_floor():
    settings = SignalSettings(rms_floor_uv=5.0)
    ended = WindowFeatures(settings, 1000.0, rectangular_grid(1, 1, 10.0)).process(
        np.zeros((200, 1), np.float32)
    )
    assert ended[0][0][0, 0] == pytest.approx(math.log(5.0))


def test_hops_are_cut_at_fixed_samples_and_carry_the_two_before():
    ramp = np.arange(1, 26, dtype=np.float32)[:, np.newaxis]
    hops = HopSlicer(10, 1).process(ramp)
    assert [hop[:, 0].tolist() for hop in hops] == [
        [0.0, 0.0, *range(1, 11)],
        [9.0, 10.0, *range(11, 21)],
    ]


@pytest.mark.parametrize(
    ("fs_hz", "hop_samples", "window_samples"),
    [(1000.0, 50, 200), (2000.0, 100, 400), (2048.0, 102, 408), (4000.0, 200, 800)],
)
def test_windows_are_whole_hops_at_every_rate(fs_hz, hop_samples, window_samples):
    spec = window_spec(SignalSettings(hop_ms=50.0), fs_hz)
    assert (spec.hop_samples, spec.window_samples) == (hop_samples, window_samples)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"window_ms": 120.0, "hop_ms": 50.0}, "whole number of hops"),
        ({"window_ms": 20.0, "hop_ms": 50.0}, "whole number of hops"),
        ({"band_hz": (400.0, 20.0)}, "band_hz must rise"),
        ({"features": ("mav", "mav")}, "must differ"),
        ({"features": ()}, "features"),
        ({"features": ("entropy",)}, "features"),
        ({"hops": 3}, "hops"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(wrong, named):
    with pytest.raises(ValidationError, match=named):
        SignalSettings(**wrong)


def test_tenths_of_a_millisecond_make_whole_hops():
    assert SignalSettings(window_ms=0.3, hop_ms=0.1).hops_per_window == 3
