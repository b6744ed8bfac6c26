"""Powers and correlations by Welch's method, against scipy's own."""

import numpy as np
import pytest
from scipy import signal

from decoding.feature_chain import FeatureChain
from decoding.features import WindowFeatures
from decoding.signal_settings import SignalSettings
from decoding.welch import CORRELATION_BANDS_HZ, POWER_BANDS_HZ
from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from tests.dec_support import noise_uv

FS_HZ = 2000.0
HOP, SEGMENT, WINDOW = 100, 200, 400
RING = rectangular_grid(6, 1, 10.0, "rows")
TAPER = np.sin(np.pi * (np.arange(SEGMENT) + 0.5) / SEGMENT)
POWERS = tuple(f"log_welch_{low}_{high}" for low, high in POWER_BANDS_HZ)


def _of(
    names: tuple[str, ...], samples: np.ndarray, grid: ElectrodeGrid = RING, hop_ms: float = 50.0
) -> np.ndarray:
    settings = SignalSettings.model_validate({"features": names, "rms_floor_uv": 1e-3, "hop_ms": hop_ms})
    return WindowFeatures(settings, FS_HZ, grid).process(samples)[-1][0]


def _common_noise() -> np.ndarray:
    rng = np.random.default_rng(5)
    shared = signal.lfilter([1.0], [1.0, -0.8], rng.normal(size=(3 * WINDOW, 1)), axis=0)
    return (20 * (rng.normal(size=(3 * WINDOW, 6)) + shared * np.arange(6))).astype(np.float32)


def _spectra(x: np.ndarray, y: np.ndarray, band: tuple[int, int], hop: int = HOP) -> float:
    frequency, cross = signal.csd(
        x, y, FS_HZ, window=TAPER, nperseg=SEGMENT, noverlap=SEGMENT - hop, detrend=False, scaling="density"
    )
    inside = (frequency >= band[0]) & (frequency < band[1])
    return float(cross[inside].real.sum() * FS_HZ / SEGMENT)


@pytest.mark.parametrize("hop", [50, 100])
def test_powers_are_those_of_scipy_welch(hop):
    samples = _common_noise()
    window = samples[-WINDOW:].astype(np.float64)
    found = _of(POWERS, samples, hop_ms=1000 * hop / FS_HZ)
    for at, band in enumerate(POWER_BANDS_HZ):
        expected = [np.log(_spectra(window[:, k], window[:, k], band, hop)) for k in range(6)]
        np.testing.assert_allclose(found[:, at], expected, atol=1e-4)


@pytest.mark.parametrize("places", [1, 2, 5])
def test_correlations_around_the_limb_are_those_of_scipy_csd(places):
    samples = _common_noise()
    window = samples[-WINDOW:].astype(np.float64)
    names = tuple(f"correlation_{places}_{low}_{high}" for low, high in CORRELATION_BANDS_HZ)
    found = _of(names, samples)
    for at, band in enumerate(CORRELATION_BANDS_HZ):
        for k in range(6):
            other = (k + places) % 6
            mine, its = (_spectra(window[:, c], window[:, c], band) for c in (k, other))
            expected = _spectra(window[:, k], window[:, other], band) / np.sqrt(mine * its)
            assert found[k, at] == pytest.approx(np.arctanh(np.clip(expected, -0.98, 0.98)), abs=1e-3)


def test_a_place_where_nothing_lies_has_no_correlation():
    strip = rectangular_grid(6, 1, 10.0, "none")
    found = _of(("correlation_2_20_80",), _common_noise(), strip)[:, 0]
    assert (found[4:] == 0.0).all()
    assert (found[:4] != 0.0).all()


def test_a_broken_partner_takes_its_neighbours_place():
    settings = SignalSettings.model_validate({"features": ("log_welch_60_110", "correlation_1_80_180")})
    emg_uv = noise_uv(4000, 6)
    emg_uv[:, 3] = 0.0
    block = FeatureChain(settings, FS_HZ, RING).process(emg_uv)
    assert np.isfinite(block.features).all()
    # Channel 2 has lost its partner: its correlation is the mean of its neighbours' that still have theirs.
    np.testing.assert_allclose(block.features[-1, 2, 1], block.features[-1, 1, 1], rtol=1e-6)


@pytest.mark.parametrize(
    ("changed", "fs_hz", "named"),
    [
        ({"window_ms": 50.0}, FS_HZ, "windows of 100 ms"),
        ({}, 600.0, "a stream of 800 Hz"),
    ],
)
def test_settings_that_cannot_be_kept_are_refused(changed, fs_hz, named):
    settings = SignalSettings.model_validate({"features": POWERS, **changed})
    with pytest.raises(InputError, match=named):
        WindowFeatures(settings, fs_hz, RING)
