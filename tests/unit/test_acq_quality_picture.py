"""The picture of states: right places, readable without colour, and advice that names the electrode."""

import numpy as np
import pytest

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.grid_library import load_grid
from emg_acquisition.quality.monitor import ChannelState
from emg_acquisition.quality.picture import ADVICE, SYMBOLS, advice_lines, bad_electrodes, grid_picture

STATES = np.array([0, 1, 2, 3, 4], dtype=np.int8)
LABELS = ("A1", "A2", "A3", "A4", "A5")


def test_symbols_stand_where_the_electrodes_lie():
    grid = ElectrodeGrid("corner", ((-1, 2), (0, 3), (1, 4)), 8.0, "rows")
    assert grid_picture(grid, STATES).splitlines() == [
        "      1  2",
        "   1     S",
        "   2  .  D",
        "   3  F  N",
        "      (the last of the rows is next to the first)",
    ]


def test_a_wide_grid_keeps_its_columns():
    lines = grid_picture(load_grid("sleeve-4x16"), np.full(64, ChannelState.POWERLINE)).splitlines()
    assert lines[0].split() == [str(c) for c in range(1, 17)]
    assert all(line.split()[1:] == ["P"] * 16 for line in lines[1:5])
    assert len({len(line) for line in lines[:5]}) == 1


def test_every_state_has_its_own_symbol_and_every_bad_one_advice():
    assert len(set(SYMBOLS.values())) == len(ChannelState)
    assert set(SYMBOLS) == set(ChannelState)
    assert set(ADVICE) == set(ChannelState) - {ChannelState.GOOD}


def test_bad_electrodes_are_named_by_label_with_what_to_do():
    assert bad_electrodes(LABELS, STATES)[ChannelState.DETACHED] == ("A4",)
    lines = advice_lines(LABELS, STATES)
    assert lines[0].startswith("F flat (1): A2: does not change: check its lead")
    assert [line.split()[1] for line in lines] == ["flat", "saturated", "detached", "noisy"]
    assert advice_lines(LABELS, np.zeros(5, dtype=np.int8)) == []


def test_many_are_counted():
    labels = tuple(f"E{k}" for k in range(64))
    (line,) = advice_lines(labels, np.full(64, ChannelState.FLAT), max_named=3)
    assert "(64): E0, E1, E2 and 61 more: " in line


def test_states_of_another_grid_are_refused():
    with pytest.raises(InputError, match="64 channels, got the states of 5"):
        grid_picture(load_grid("sleeve-4x16"), STATES)
