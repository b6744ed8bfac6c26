import numpy as np
import pytest

from decoding.feature_chain import FeatureChain
from decoding.repair import FaultMonitor, FiniteGuard, repair_features
from decoding.signal_settings import SignalSettings
from decoding.windows import window_spec
from emg_acquisition.errors import InputError
from emg_acquisition.grid import rectangular_grid
from tests.dec_support import FS_HZ, GRID, noise_uv

SETTINGS = SignalSettings(saturation_uv=1e5, hop_ms=50.0)
SPEC = window_spec(SETTINGS, FS_HZ)
# A fault of one hop: while it lies in the window (4 hops), and while the filter settles (250 ms: 5 hops).
UNFIT_HOPS = 9


def _fit(emg_uv: np.ndarray) -> np.ndarray:
    return np.array([hop.in_window for hop in FaultMonitor(SETTINGS, SPEC, FS_HZ, 8).process(emg_uv)])


def test_broken_samples_are_held_at_the_last_good_one():
    emg_uv = np.array(
        [[1.0, np.nan], [np.nan, 5.0], [np.inf, 6.0], [2.0, -np.inf], [np.nan, 1e9]], np.float32
    )
    held = FiniteGuard(2).process(emg_uv)
    assert held.tolist() == [[1.0, 0.0], [1.0, 5.0], [1.0, 6.0], [2.0, 6.0], [2.0, 6.0]]


@pytest.mark.parametrize("fault", ["nonfinite", "flat", "saturated", "saturated below"])
def test_each_fault_makes_its_channel_unfit_until_the_filter_has_settled(fault):
    emg_uv = noise_uv(2000)
    hop = slice(400, 450)
    if fault == "nonfinite":
        emg_uv[410, 5] = np.nan
    elif fault == "flat":
        emg_uv[hop, 5] = 123.0
    else:
        emg_uv[430, 5] = 1e5 if fault == "saturated" else -1e5
    expected = np.ones((40, 8), dtype=bool)
    expected[8 : 8 + UNFIT_HOPS, 5] = False
    np.testing.assert_array_equal(_fit(emg_uv), expected)
    # A hop by itself can be used as soon as it is settled; the window only when its oldest hop is.
    in_hop = [hop.in_hop for hop in FaultMonitor(SETTINGS, SPEC, FS_HZ, 8).process(emg_uv)]
    expected[8 + UNFIT_HOPS - (SPEC.hops_per_window - 1) :, 5] = True
    np.testing.assert_array_equal(in_hop, expected)


def test_a_lasting_fault_lasts():
    emg_uv = noise_uv(2000)
    emg_uv[300:900, 2] = np.nan
    unfit = ~_fit(emg_uv)[:, 2]
    np.testing.assert_array_equal(np.flatnonzero(unfit), np.arange(6, 17 + UNFIT_HOPS))


def test_features_come_from_good_neighbours_alone():
    # 0 1 2 3 over 4 5 6 7: channel 1 neighbours 0, 2 and 5.
    features = np.arange(8, dtype=np.float32)[:, np.newaxis] * np.array([[1.0, 10.0]], dtype=np.float32)
    fit = np.ones(8, dtype=bool)
    fit[[1, 2]] = False
    repaired = repair_features(features, fit, GRID)
    assert repaired[1].tolist() == [2.5, 25.0]  # 0 and 5
    assert repaired[2].tolist() == [4.5, 45.0]  # 3 and 6
    np.testing.assert_array_equal(repaired[fit], features[fit])
    np.testing.assert_array_equal(features[:, 0], np.arange(8))


def test_a_neighbour_across_the_seam_counts_on_a_closed_sleeve():
    features = np.array([[1.0], [2.0], [3.0], [4.0]], dtype=np.float32)
    fit = np.array([False, True, True, True])
    assert repair_features(features, fit, rectangular_grid(4, 1, 8.0))[0, 0] == 2.0
    assert repair_features(features, fit, rectangular_grid(4, 1, 8.0, "rows"))[0, 0] == 3.0


def test_without_a_good_neighbour_all_good_channels_serve_and_with_none_nothing_changes():
    features = np.arange(8, dtype=np.float32)[:, np.newaxis]
    fit = np.ones(8, dtype=bool)
    fit[[0, 1, 4]] = False
    assert repair_features(features, fit, GRID)[0, 0] == pytest.approx(np.mean([2, 3, 5, 6, 7]))
    none = np.zeros(8, dtype=bool)
    np.testing.assert_array_equal(repair_features(features, none, GRID), features)


@pytest.mark.parametrize("value", [np.nan, 1e5, 0.0])
def test_a_dead_channel_looks_like_its_neighbours_and_lowers_the_quality(value):
    rng = np.random.default_rng(1)
    amplitude = np.array([10.0, 40, 40, 40, 10, 10, 40, 40])
    emg_uv = (2e4 + rng.normal(0.0, 1.0, (2000, 8)) * amplitude).astype(np.float32)
    dead = emg_uv.copy()
    dead[:, 2] = value
    clean = FeatureChain(SETTINGS, FS_HZ, GRID).process(emg_uv)
    mended = FeatureChain(SETTINGS, FS_HZ, GRID).process(dead)
    assert set(mended.quality.tolist()) == {0.875}
    np.testing.assert_array_equal(np.delete(mended.features, 2, 1), np.delete(clean.features, 2, 1))
    expected = clean.features[:, [1, 3, 6]].mean(axis=1)
    np.testing.assert_allclose(mended.features[:, 2], expected, rtol=1e-6)
    np.testing.assert_allclose(mended.log_amplitude, mended.features[:, :, 0].mean(axis=1), rtol=1e-6)


@pytest.mark.parametrize(
    "wrong", [np.zeros((10, 7), np.float32), np.zeros(8, np.float32), np.zeros((10, 8), np.float64)]
)
def test_another_shape_or_type_is_refused_by_name(wrong):
    with pytest.raises(InputError, match=r"float32 of shape \(n_samples, 8\)"):
        FeatureChain(SETTINGS, FS_HZ, GRID).process(wrong)


def test_windows_are_numbered_by_their_newest_sample():
    block = FeatureChain(SETTINGS, FS_HZ, GRID).process(noise_uv(420))
    assert block.last_sample.tolist() == [199, 249, 299, 349, 399]
