"""Named grids against layouts written out by hand from the vendor's drawings, and grids from YAML files."""

import numpy as np
import pytest
import yaml

from emg_acquisition.errors import InputError
from emg_acquisition.grid_library import GRID_NAMES, load_grid

OT_CODES = [
    f"{kind}{rest}" for kind in ("GR", "HD") for rest in ("04MM1305", "08MM1305", "10MM0808", "10MM0804")
]

# 1-based, as printed on the matrices; 0 is the place without an electrode.
GR_13X5 = [
    [0, 25, 26, 51, 52],
    [1, 24, 27, 50, 53],
    [2, 23, 28, 49, 54],
    [3, 22, 29, 48, 55],
    [4, 21, 30, 47, 56],
    [5, 20, 31, 46, 57],
    [6, 19, 32, 45, 58],
    [7, 18, 33, 44, 59],
    [8, 17, 34, 43, 60],
    [9, 16, 35, 42, 61],
    [10, 15, 36, 41, 62],
    [11, 14, 37, 40, 63],
    [12, 13, 38, 39, 64],
]
GR_8X4 = [
    [32, 24, 16, 8],
    [31, 23, 15, 7],
    [30, 22, 14, 6],
    [29, 21, 13, 5],
    [28, 20, 12, 4],
    [27, 19, 11, 3],
    [26, 18, 10, 2],
    [25, 17, 9, 1],
]


def one_based(name):
    return np.array(load_grid(name).channel_at) + 1


@pytest.mark.parametrize("name", ["GR04MM1305", "GR08MM1305"])
def test_gr_13x5_snakes_down_and_up_and_lacks_its_first_corner(name):
    np.testing.assert_array_equal(one_based(name), GR_13X5)


@pytest.mark.parametrize("name", ["HD04MM1305", "HD08MM1305"])
def test_hd_13x5_runs_down_every_column_and_lacks_its_last_corner(name):
    layout = one_based(name)
    np.testing.assert_array_equal(layout[0], [52, 39, 26, 13, 0])
    np.testing.assert_array_equal(layout[-1], [64, 51, 38, 25, 12])
    np.testing.assert_array_equal(np.diff(layout, axis=0), 1)


def test_gr_8x8_runs_up_every_column():
    layout = one_based("GR10MM0808")
    np.testing.assert_array_equal(layout[0], [8, 16, 24, 32, 40, 48, 56, 64])
    np.testing.assert_array_equal(layout[-1], [1, 9, 17, 25, 33, 41, 49, 57])
    np.testing.assert_array_equal(np.diff(layout, axis=0), -1)


def test_hd_8x8_is_gr_flipped_left_to_right():
    np.testing.assert_array_equal(one_based("HD10MM0808"), np.fliplr(one_based("GR10MM0808")))
    assert one_based("HD10MM0808")[0, 0] == 64


def test_8x4_and_its_half_turn():
    np.testing.assert_array_equal(one_based("GR10MM0804"), GR_8X4)
    np.testing.assert_array_equal(one_based("HD10MM0804"), np.rot90(GR_8X4, 2))
    assert one_based("HD10MM0804")[0, 0] == 1


@pytest.mark.parametrize("name", GRID_NAMES)
def test_every_grid_holds_each_channel_once_under_its_own_name(name):
    grid = load_grid(name)
    present = sorted(c for row in grid.channel_at for c in row if c >= 0)
    empty = sum(c < 0 for row in grid.channel_at for c in row)
    assert grid.name == name
    assert present == list(range(grid.n_channels))
    assert grid.rows * grid.columns == grid.n_channels + empty
    assert empty == (1 if name.endswith("1305") else 0)


@pytest.mark.parametrize("name", OT_CODES)
def test_the_code_tells_pitch_and_size(name):
    grid = load_grid(name)
    assert (grid.pitch_mm, grid.rows, grid.columns) == (int(name[2:4]), int(name[6:8]), int(name[8:10]))
    assert grid.wraps == "none"


@pytest.mark.parametrize(
    ("name", "wraps", "first_row", "first_meets"),
    [
        ("sleeve-4x16", "columns", range(16), 15),
        ("sleeve-16x4", "rows", range(4), 60),
        ("sleeve-8x16", "columns", range(16), 15),
    ],
)
def test_sleeves_close_along_their_axis_of_sixteen(name, wraps, first_row, first_meets):
    grid = load_grid(name)
    assert grid.wraps == wraps
    assert grid.channel_at[0] == tuple(first_row)
    assert first_meets in grid.neighbours[0]
    assert all(len(near) >= 3 for near in grid.neighbours)


OWN = {"name": "mine", "channel_at": [[0, 1, -1], [3, 2, 4]], "pitch_mm": 12.5, "wraps": "columns"}


def write(tmp_path, values):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    return str(path)


def test_a_yaml_file_gives_missing_electrodes_wrap_and_pitch(tmp_path):
    grid = load_grid(write(tmp_path, OWN))
    assert grid.to_settings() == OWN
    assert set(grid.neighbours[3]) == {0, 2, 4}  # across the seam to 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"wraps": "sideways"}, "wraps: Input should be 'none', 'rows' or 'columns'"),
        ({"pitch": 3}, "pitch: Extra inputs"),
        ({"pitch_mm": 0}, "pitch_mm must be positive"),
        ({"pitch_mm": float("inf")}, "pitch_mm must be positive and finite"),
        ({"channel_at": [[1, 2], [3, 4]]}, "channels must be 0..3, each once .* 0 is missing, 4 is none"),
        ({"channel_at": [[0, 1], [1, 3]]}, "1 stands 2 times, 2 is missing"),
        ({"channel_at": [[0, "a"]]}, "channel_at.0.1: "),
        ({"channel_at": [[0, 1], [2]]}, "same number of columns"),
        ({"channel_at": []}, "same number of columns"),
        ({"channel_at": [[-1]]}, "0 is missing"),
    ],
)
def test_an_unusable_file_is_refused_by_file_and_key(tmp_path, change, said):
    path = write(tmp_path, OWN | change)
    with pytest.raises(InputError, match=said) as caught:
        load_grid(path)
    assert str(caught.value).startswith(path)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(tmp_path):
    with pytest.raises(InputError, match=r"mine\.yaml: pitch_mm: Field required"):
        load_grid(write(tmp_path, {key: value for key, value in OWN.items() if key != "pitch_mm"}))


def test_an_unknown_name_lists_the_names_and_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"'GR08MM1306' is not known: one of GR04MM1305, .*sleeve-8x16"):
        load_grid("GR08MM1306")
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read: No such file"):
        load_grid(str(tmp_path / "none.yaml"))
    with pytest.raises(InputError, match="is not known"):
        load_grid("")
