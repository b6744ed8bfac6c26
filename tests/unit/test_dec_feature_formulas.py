"""Features that are more than a sum, against numpy's and scipy's own functions on each window's samples."""

import numpy as np
import pytest
from scipy import linalg, signal, stats

from decoding.autoregression import autoregression, cepstrum
from decoding.feature_chain import FeatureChain
from decoding.features import WindowFeatures
from decoding.heat_map import HeatMap
from decoding.signal_settings import SignalSettings
from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from tests.dec_support import noise_uv

FS_HZ = 2000.0
FLOOR_UV = 4.0
GRID = rectangular_grid(3, 2, 10.0, "rows")
BANDS = ((20, 100), (100, 200), (200, 300), (300, 400))
SETTINGS = {"window_ms": 200.0, "hop_ms": 50.0, "rms_floor_uv": FLOOR_UV}


def _muscles(n_samples: int = 900) -> np.ndarray:
    """Six channels of coloured noise that share a part with each other; one is silent, one below the floor."""
    rng = np.random.default_rng(5)
    white = rng.normal(0.0, 30.0, (n_samples, 7))
    mixed = white[:, :6] + 0.8 * white[:, 1:]
    coloured = signal.lfilter([1.0, 0.5], [1.0, -0.9, 0.3], mixed, axis=0)
    return (coloured * [1.0, 3.0, 0.02, 1.0, 0.0, 0.5]).astype(np.float32)


def _windows(names, emg_uv, grid=GRID, **settings):
    chosen = SignalSettings(features=names, **(SETTINGS | settings))
    ended = WindowFeatures(chosen, FS_HZ, grid).process(emg_uv)
    hop, window = int(chosen.hop_ms * 2), int(chosen.window_ms * 2)
    assert len(ended) == (len(emg_uv) - window) // hop + 1
    for k, (features, _) in enumerate(ended):
        yield features, emg_uv[k * hop : k * hop + window].astype(np.float64)


@pytest.mark.parametrize(("window_ms", "hop_ms"), [(200.0, 50.0), (200.0, 25.0), (100.0, 100.0), (60.0, 2.0)])
def test_log_variance_and_hjorth_are_those_of_numpy_variances(window_ms, hop_ms):
    names = ("mobility", "log_variance", "complexity")
    for features, x in _windows(names, _muscles(), window_ms=window_ms, hop_ms=hop_ms):
        live = x[:, [0, 1, 2, 3, 5]]
        of_x, of_dx, of_ddx = (np.var(np.diff(live, n, axis=0), axis=0) for n in range(3))
        mobility = np.sqrt(of_dx / of_x)
        expected = [
            mobility,
            np.log(np.maximum(np.var(live, axis=0, ddof=1), FLOOR_UV**2)),
            np.sqrt(of_ddx / of_dx) / mobility,
        ]
        np.testing.assert_allclose(features[[0, 1, 2, 3, 5]].T, expected, rtol=2e-5)
        assert features[4].tolist() == [0.0, pytest.approx(2 * np.log(FLOOR_UV)), 0.0]


def test_a_sine_has_its_frequency_as_mobility_and_a_complexity_of_one():
    """Hjorth 1970: of a pure sine wave, complexity is 1; its differences give mobility 2 sin(w / 2)."""
    sine = 50.0 * np.sin(2 * np.pi * 80.0 / FS_HZ * np.arange(1000))
    emg_uv = np.repeat(sine.astype(np.float32)[:, np.newaxis], 6, axis=1)
    for features, _ in _windows(("mobility", "complexity"), emg_uv):
        np.testing.assert_allclose(features[:, 0], 2 * np.sin(np.pi * 80.0 / FS_HZ), rtol=2e-3)
        np.testing.assert_allclose(features[:, 1], 1.0, rtol=1e-2)


@pytest.mark.parametrize("hop_ms", [50.0, 25.0, 2.0])
def test_autoregression_solves_the_yule_walker_equations_of_the_window(hop_ms):
    names = tuple(f"ar_{k}" for k in range(1, 5))
    for features, x in _windows(names, _muscles(), hop_ms=hop_ms):
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


def test_the_cepstrum_is_that_of_the_models_spectrum():
    names = (*(f"ar_{k}" for k in range(1, 5)), *(f"cepstrum_{k}" for k in range(1, 5)))
    features, _ = next(_windows(names, _muscles()))
    for c in (0, 1, 3, 5):
        power = -2 * np.log(np.abs(np.fft.fft(np.concatenate([[1.0], -features[c, :4].astype(float)]), 4096)))
        np.testing.assert_allclose(features[c, 4:], np.fft.ifft(power).real[1:5], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(cepstrum(np.array([[0.5], [0.0], [0.0]]))[:, 0], [0.5, 0.5**2 / 2, 0.5**3 / 3])


@pytest.mark.parametrize("hop_ms", [50.0, 25.0, 20.0])
def test_band_powers_are_those_of_scipys_averaged_periodograms(hop_ms):
    names = tuple(f"log_power_{low}_{high}" for low, high in BANDS)
    for features, x in _windows(names, _muscles(), hop_ms=hop_ms):
        at_hz, power = signal.welch(
            x,
            FS_HZ,
            "boxcar",
            nperseg=int(hop_ms * 2),
            noverlap=0,
            detrend=False,
            scaling="spectrum",
            axis=0,
        )
        for k, (low, high) in enumerate(BANDS):
            in_band = power[(at_hz >= low) & (at_hz < high)].sum(axis=0)
            floor = FLOOR_UV**2 * (high - low) / 380.0
            np.testing.assert_allclose(features[:, k], np.log(np.maximum(in_band, floor)), rtol=1e-5)


def test_correlations_are_numpys_with_the_next_electrode_and_across_the_seam():
    for features, x in _windows(("correlation_next_row", "correlation_next_column"), _muscles()):
        with np.errstate(invalid="ignore", divide="ignore"):
            expected = np.nan_to_num(np.corrcoef(x.T))
        # 3 rows of 2 that close around the limb: 0 1 / 2 3 / 4 5.
        down = [
            expected[0, 2],
            expected[1, 3],
            expected[2, 4],
            expected[3, 5],
            expected[4, 0],
            expected[5, 1],
        ]
        right = [expected[0, 1], 0.0, expected[2, 3], 0.0, expected[4, 5], 0.0]
        np.testing.assert_allclose(features.T, [down, right], atol=2e-6)


def test_a_missing_electrode_is_nobodys_partner():
    grid = ElectrodeGrid("gap", ((0, -1), (1, 2)), 8.0)
    assert grid.next_along_rows.tolist() == [1, 1, 2]
    assert grid.next_along_columns.tolist() == [0, 2, 2]


def test_heat_map_moments_are_scipys_circular_and_plain_statistics():
    grid = rectangular_grid(8, 4, 10.0, "rows")
    counts = np.random.default_rng(1).integers(1, 30, 32)
    found = HeatMap(
        grid, ("share", "centroid_row", "centroid_column", "spread_row", "spread_column")
    ).features(counts.astype(np.float32))
    rows, columns = np.repeat(grid.positions, counts, axis=0).T
    np.testing.assert_allclose(found[:, 0], counts / counts.sum(), rtol=1e-6)
    expected = [
        stats.circmean(rows - 3.5, high=4.0, low=-4.0),
        columns.mean() - 1.5,
        stats.circstd(rows, high=8.0, low=0.0),
        columns.std(),
    ]
    np.testing.assert_allclose(found[:, 1:], np.tile(expected, (32, 1)), rtol=1e-6)


def test_a_turn_of_the_sleeve_turns_the_centroid_and_leaves_the_spread():
    grid = rectangular_grid(16, 4, 10.0, "rows")
    amplitude = np.random.default_rng(2).uniform(5.0, 60.0, (16, 4)).astype(np.float32)
    describe = HeatMap(grid, ("centroid_row", "spread_row")).features
    before, after = (describe(np.roll(amplitude, turn, axis=0).ravel())[0] for turn in (0, 5))
    turned = (after[0] - before[0] - 5.0 + 8.0) % 16.0 - 8.0
    assert turned == pytest.approx(0.0, abs=1e-4)
    assert after[1] == pytest.approx(before[1], abs=1e-4)


def test_activity_alike_all_around_has_a_finite_spread():
    grid = rectangular_grid(4, 1, 10.0, "rows")
    assert np.isfinite(HeatMap(grid, ("spread_row",)).features(np.ones(4, np.float32))).all()


def test_a_broken_electrode_moves_no_centroid_and_spoils_no_neighbours_correlation():
    grid = rectangular_grid(4, 4, 10.0)
    names = ("correlation_next_row", "centroid_row", "centroid_column", "log_rms")
    emg_uv = noise_uv(2000, 16, seed=3)
    broken = emg_uv.copy()
    broken[:, 5] = 1e5
    clean, mended = (
        FeatureChain(SignalSettings(features=names), 1000.0, grid).process(one) for one in (emg_uv, broken)
    )
    assert (mended.quality == 15 / 16).all()
    np.testing.assert_allclose(mended.features[:, :, 1:3], clean.features[:, :, 1:3], atol=0.02)
    # Channel 1 has the broken one below it: its correlation is its neighbours' mean, channels 0 and 2.
    np.testing.assert_allclose(
        mended.features[:, 1, 0], mended.features[:, [0, 2], 0].mean(axis=1), rtol=1e-6
    )
    np.testing.assert_array_equal(
        mended.features[:, 0],
        clean.features[:, 0][:, [0]] * [1, 0, 0, 0] + mended.features[:, 0] * [0, 1, 1, 1],
    )


@pytest.mark.parametrize(
    ("names", "fs_hz", "hop_ms", "named"),
    [
        (("ar_2",), 1000.0, 2.0, "4 samples at least, got 2"),
        (("log_power_20_100",), 1000.0, 10.0, "hops of 10 ms at 1000 Hz"),
        (("log_power_300_400",), 500.0, 50.0, "stream of 800 Hz at least"),
    ],
)
def test_a_hop_or_rate_that_a_feature_cannot_do_with_is_refused(names, fs_hz, hop_ms, named):
    with pytest.raises(InputError, match=named):
        WindowFeatures(SignalSettings(features=names, hop_ms=hop_ms, band_hz=(20.0, 200.0)), fs_hz, GRID)
