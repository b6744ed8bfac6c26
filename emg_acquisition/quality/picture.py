"""Signal quality for people: the grid as letters, the fault of each electrode and what to do about it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emg_acquisition.errors import InputError
from emg_acquisition.grid import NO_ELECTRODE, ElectrodeGrid
from emg_acquisition.quality.monitor import ChannelState

SYMBOLS: dict[ChannelState, str] = {
    ChannelState.GOOD: ".",
    ChannelState.FLAT: "F",
    ChannelState.SATURATED: "S",
    ChannelState.DETACHED: "D",
    ChannelState.NOISY: "N",
    ChannelState.POWERLINE: "P",
    ChannelState.INVALID: "!",
}
ADVICE: dict[ChannelState, str] = {
    ChannelState.FLAT: "does not change: check its lead and plug, and that the amplifier has the channel on",
    ChannelState.SATURATED: "is at the amplifier's limit: check the reference electrode, press it down, lower the gain",
    ChannelState.DETACHED: "has lost the skin or moves on it: press it down, tighten the sleeve, renew the gel",
    ChannelState.NOISY: "has a poor contact: moisten or gel it, clean the skin",
    ChannelState.POWERLINE: "picks up the mains: check the ground electrode, move cables and chargers away",
    ChannelState.INVALID: "sends values that are no voltages: restart the source",
}
_CELL = 3
_MARGIN = 4


def grid_picture(grid: ElectrodeGrid, states: npt.NDArray[np.int8]) -> str:
    """Draw the grid, one symbol of `SYMBOLS` an electrode and a space where none lies.

    Parameters
    ----------
    grid : ElectrodeGrid
        Rows and columns are numbered from 1, as the grid lies.
    states : ndarray of int, shape (n_channels,)
        Values of `ChannelState`.

    Returns
    -------
    str
        One line of column numbers, then one line a row, and one more where the grid closes around the limb.

    Raises
    ------
    InputError
        If the grid has another number of channels.
    """
    if len(states) != grid.n_channels:
        msg = f"grid {grid.name!r} has {grid.n_channels} channels, got the states of {len(states)}"
        raise InputError(msg)
    lines = [" " * _MARGIN + "".join(f"{c:>{_CELL}}" for c in range(1, grid.columns + 1))]
    for number, row in enumerate(grid.channel_at, start=1):
        cells = (" " if c == NO_ELECTRODE else SYMBOLS[ChannelState(int(states[c]))] for c in row)
        lines.append((f"{number:>{_MARGIN}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)).rstrip())
    if grid.wraps != "none":
        lines.append(" " * _MARGIN + f"  (the last of the {grid.wraps} is next to the first)")
    return "\n".join(lines)


def bad_electrodes(
    labels: Sequence[str], states: npt.NDArray[np.int8]
) -> dict[ChannelState, tuple[str, ...]]:
    """Return the labels of the electrodes in each bad state that occurs, in channel order."""
    return {
        state: tuple(labels[int(k)] for k in np.flatnonzero(states == state))
        for state in ChannelState
        if state is not ChannelState.GOOD and bool((states == state).any())
    }


def advice_lines(labels: Sequence[str], states: npt.NDArray[np.int8], max_named: int = 12) -> list[str]:
    """Return a line for each bad state that occurs: its symbol, the electrodes (``max_named`` by name), what to do."""
    lines = []
    for state, found in bad_electrodes(labels, states).items():
        named = ", ".join(found[:max_named]) + (
            f" and {len(found) - max_named} more" if len(found) > max_named else ""
        )
        lines.append(f"{SYMBOLS[state]} {state.name.lower()} ({len(found)}): {named}: {ADVICE[state]}")
    return lines
