import itertools

import pytest

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid, grid_from_settings, rectangular_grid


def test_positions_agree_with_the_declared_layout():
    grid = ElectrodeGrid("corner", ((-1, 2), (0, 3), (1, 4)), 8.0)
    assert (grid.rows, grid.columns, grid.n_channels) == (3, 2, 5)
    assert grid.positions.tolist() == [[1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]


@pytest.mark.parametrize(
    ("wraps", "edges"),
    [("none", 2 * 16 * 4 - 16 - 4), ("rows", 2 * 16 * 4 - 16), ("columns", 2 * 16 * 4 - 4)],
)
def test_neighbours_are_mutual_and_as_many_as_the_lattice_has_edges(wraps, edges):
    grid = rectangular_grid(16, 4, 10.0, wraps)
    pairs = {(a, b) for a, found in enumerate(grid.neighbours) for b in found}
    assert all((b, a) in pairs for a, b in pairs)
    assert len(pairs) == 2 * edges


def test_wrapped_rows_touch_only_across_the_seam():
    plain, ring = rectangular_grid(5, 3, 1.0), rectangular_grid(5, 3, 1.0, "rows")
    for a, b in itertools.combinations(range(15), 2):
        seam = {a // 3, b // 3} == {0, 4} and a % 3 == b % 3
        assert (b in ring.neighbours[a]) == ((b in plain.neighbours[a]) or seam)


def test_a_short_ring_names_a_neighbour_once_and_never_itself():
    assert rectangular_grid(2, 1, 1.0, "rows").neighbours == ((1,), (0,))
    assert rectangular_grid(1, 1, 1.0, "rows").neighbours == ((),)


@pytest.mark.parametrize(
    ("layout", "pitch", "said"),
    [
        (((0, 1), (2,)), 1.0, "same number of columns"),
        (((0, 1), (1, 2)), 1.0, "each once"),
        (((0, 1), (2, 4)), 1.0, "each once"),
        (((-1, -1),), 1.0, "each once"),
        (((0, 1),), 0.0, "pitch_mm must be positive"),
        (((0, 1),), float("nan"), "pitch_mm must be positive"),
    ],
)
def test_a_wrong_layout_is_refused_by_name(layout, pitch, said):
    with pytest.raises(InputError, match=said) as caught:
        ElectrodeGrid("wrong", layout, pitch)
    assert "'wrong'" in str(caught.value)


def test_settings_survive_a_round_trip_and_errors_name_the_key():
    grid = rectangular_grid(4, 2, 8.0, "columns")
    assert grid_from_settings(grid.to_settings()) == grid
    with pytest.raises(InputError, match=r"a\.yaml: wraps: "):
        grid_from_settings({**grid.to_settings(), "wraps": "sideways"}, "a.yaml")
    with pytest.raises(InputError, match=r"a\.yaml: pich: "):
        grid_from_settings({**grid.to_settings(), "pich": 1}, "a.yaml")


def test_a_missing_electrode_is_nobodys_partner():
    grid = ElectrodeGrid("gap", ((0, -1), (1, 2)), 8.0)
    assert grid.shifted(1, 0).tolist() == [1, 1, 2]
    assert grid.shifted(0, 1).tolist() == [0, 2, 2]
