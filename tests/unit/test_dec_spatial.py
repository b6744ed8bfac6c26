"""Spatial filters against their definition written out on the map."""

import numpy as np
import pytest

from decoding.feature_chain import FeatureChain
from decoding.signal_settings import SignalSettings
from decoding.spatial import SpatialFilter
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from tests.dec_support import noise_uv

X = np.random.default_rng(0).normal(0.0, 30.0, (50, 12)).astype(np.float32)
USABLE = np.array([True] * 5 + [False] + [True] * 6)


def test_the_average_of_usable_channels_is_taken_away():
    np.testing.assert_allclose(
        SpatialFilter("average", rectangular_grid(3, 4, 8.0)).process(X),
        X - X.mean(axis=1, keepdims=True),
        atol=1e-4,
    )
    np.testing.assert_allclose(
        SpatialFilter("average", rectangular_grid(3, 4, 8.0)).process(X, USABLE),
        X - X[:, USABLE].mean(axis=1, keepdims=True),
        atol=1e-4,
    )


@pytest.mark.parametrize("wraps", ["none", "rows", "columns"])
@pytest.mark.parametrize("usable", [None, USABLE])
def test_the_laplacian_is_that_of_the_map_with_its_borders_and_seam(wraps, usable):
    grid = rectangular_grid(3, 4, 8.0, wraps)
    padded = np.full((50, 5, 6), np.nan)
    maps = np.where(USABLE if usable is not None else True, X, np.nan).reshape(50, 3, 4)
    padded[:, 1:-1, 1:-1] = maps
    if wraps == "rows":
        padded[:, 0, 1:-1], padded[:, -1, 1:-1] = maps[:, -1], maps[:, 0]
    if wraps == "columns":
        padded[:, 1:-1, 0], padded[:, 1:-1, -1] = maps[:, :, -1], maps[:, :, 0]
    around = [padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]]
    expected = X - np.nanmean(around, axis=0).reshape(50, 12)
    np.testing.assert_allclose(SpatialFilter("laplacian", grid).process(X, usable), expected, atol=1e-4)


def test_an_electrode_without_usable_neighbours_stays_as_it_is():
    grid = ElectrodeGrid("apart", ((0, -1, 1, 2),), 8.0)
    filtered = SpatialFilter("laplacian", grid).process(X[:, :3], np.array([True, True, False]))
    np.testing.assert_array_equal(filtered[:, :2], X[:, :2])
    none_usable = SpatialFilter("average", grid).process(X[:, :3], np.zeros(3, dtype=bool))
    np.testing.assert_array_equal(none_usable, X[:, :3])


@pytest.mark.parametrize("kind", ["average", "laplacian"])
def test_interference_that_all_electrodes_share_is_gone_from_the_features(kind):
    grid = rectangular_grid(4, 4, 8.0, "rows")
    emg_uv = noise_uv(3000, 16, seed=1)
    mains = 200.0 * np.sin(2 * np.pi * 50.0 * np.arange(3000) / 1000.0).astype(np.float32)
    clean, disturbed = (
        FeatureChain(SignalSettings(spatial=kind), 1000.0, grid).process(one)
        for one in (emg_uv, emg_uv + mains[:, np.newaxis])
    )
    np.testing.assert_allclose(disturbed.features, clean.features, atol=2e-3)


@pytest.mark.parametrize("kind", ["average", "laplacian"])
def test_a_broken_electrode_reaches_none_of_the_others(kind):
    """Its neighbours' features are those of a grid that lacks it."""
    layout = ((0, 1, 2), (3, 15, 4), (5, 6, 7), (8, 9, 10), (11, 12, 13), (14, 16, 17))
    full = ElectrodeGrid("full", layout, 8.0)
    without = tuple(tuple(c if c < 15 else -1 if c == 15 else c - 1 for c in row) for row in layout)
    lacking = ElectrodeGrid("lacking", without, 8.0)
    emg_uv = noise_uv(2000, 18, seed=2)
    emg_uv[:, 15] = 1e5
    settings = SignalSettings(spatial=kind)
    others = [*range(15), 16, 17]
    broken = FeatureChain(settings, 1000.0, full).process(emg_uv)
    absent = FeatureChain(settings, 1000.0, lacking).process(emg_uv[:, others])
    np.testing.assert_allclose(broken.features[:, others], absent.features, atol=1e-5)
