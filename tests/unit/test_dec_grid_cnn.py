"""The network over the grid: where channels lie on its map, what augmentation does, and that its file says the same."""

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from decoding.models.grid_cnn import CnnTraining, GridCnn, GridTables, fit_grid_cnn
from decoding.onnx_classifier import OnnxClassifier
from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid

RING = rectangular_grid(6, 3, 10.0, "rows")
HOLED = ElectrodeGrid("holed", ((0, 1, -1), (2, 3, 4), (5, -1, 6)), 10.0)
SHORT = CnnTraining(steps=60, batch=64)


def _windows(grid: ElectrodeGrid, n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three gestures, each a bump at another place of the map, and noise."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(2.0, 0.7, (3, grid.n_channels, 2))
    labels = np.arange(n) % 3
    return (centres[labels] + rng.normal(0.0, 0.3, (n, grid.n_channels, 2))).astype(np.float32), labels


def _file_of(network: GridCnn) -> OnnxClassifier:
    model = helper.make_model(network.to_graph(), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return OnnxClassifier(model.SerializeToString(), "test")


def test_the_padded_map_closes_around_the_limb_and_is_empty_elsewhere():
    tables = GridTables.of(RING)
    values = np.arange(18).reshape(6, 3)
    expected = np.pad(np.pad(values, ((1, 1), (0, 0)), mode="wrap"), ((0, 0), (1, 1)), constant_values=18)
    np.testing.assert_array_equal(tables.from_channels.numpy().reshape(8, 5), expected)
    holed = GridTables.of(HOLED).from_channels.numpy().reshape(5, 5)
    np.testing.assert_array_equal(holed[1:4, 1:4], [[0, 1, 7], [2, 3, 4], [5, 7, 6]])
    assert (np.delete(holed.ravel(), [6, 7, 8, 11, 12, 13, 16, 17, 18]) == 7).all()


def test_a_map_moves_between_an_electrode_and_the_next(monkeypatch):
    tables = GridTables.of(RING)
    maps = torch.arange(18.0).reshape(1, 18, 1).expand(2, 18, 1)
    # Draws of 1 and 0.5 are a whole electrode along rows and none along columns; 0.75 of one, half of one.
    draws = iter([torch.tensor([[1.0, 0.75], [0.5, 0.5]]), torch.ones(2, 18)])
    monkeypatch.setattr(torch, "rand", lambda *_size: next(draws))
    moved = tables.moved(maps, 1.0, 0.0).numpy().reshape(2, 6, 3)
    whole = np.roll(np.arange(18.0).reshape(6, 3), -1, axis=0)
    np.testing.assert_allclose(moved[0], whole)
    np.testing.assert_allclose(moved[1], (whole + np.arange(18.0).reshape(6, 3)) / 2)


def test_a_dead_electrode_is_the_mean_of_its_neighbours(monkeypatch):
    tables = GridTables.of(RING)
    alive = torch.ones(1, 18)
    alive[0, 4] = 0.0
    draws = iter([torch.full((2, 1), 0.5), alive])
    monkeypatch.setattr(torch, "rand", lambda *_size: next(draws))
    found = tables.moved(torch.arange(18.0).reshape(1, 18, 1) ** 2, 1.0, 0.5).numpy().ravel()
    expected = np.arange(18.0) ** 2
    expected[4] = (7**2 + 1**2 + 5**2 + 3**2) / 4
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("grid", [RING, HOLED])
def test_it_learns_and_its_file_says_the_same(grid):
    features, labels = _windows(grid)
    network = fit_grid_cnn(features, labels, 3, grid, logarithmic=(True, False), training=SHORT)
    assert (network.logits(features).argmax(axis=1) == labels).mean() > 0.97
    warm = network.with_temperature(2.5)
    file = _file_of(warm)
    with torch.no_grad():
        expected = warm(torch.from_numpy(features[:20])).numpy()
    logits = network.logits(features[:20]) / 2.5
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = np.stack([file.probabilities(window) for window in features[:20]])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found, softmax, atol=1e-5)


def test_the_same_seed_gives_the_same_network_and_leaves_the_process_alone():
    features, labels = _windows(RING)
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    networks = [
        fit_grid_cnn(
            features, labels, 3, RING, logarithmic=(True, True), training=CnnTraining(steps=5, seed=seed)
        )
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(torch.rand(3).numpy(), expected.numpy())
    first, again, other = (network.logits(features) for network in networks)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_windows_that_cannot_be_trained_on_are_refused():
    features, labels = _windows(RING)
    with pytest.raises(InputError, match="gesture number 3 of 4 has no window"):
        fit_grid_cnn(features, labels, 4, RING, logarithmic=(True, True))
    features[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="non-finite"):
        fit_grid_cnn(features, labels, 3, RING, logarithmic=(True, True))
