"""Which electrode grid a recording gets: its format's own, or one that the person names."""

from pathlib import Path

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.grid_library import GRID_NAMES, load_grid


def chosen_grid(
    named: str | None, default: ElectrodeGrid | None, n_channels: int, where: Path
) -> ElectrodeGrid:
    """Return the grid named, or the default where none is.

    Parameters
    ----------
    named : str or None
        A name of the grid library, or a YAML file.
    default : ElectrodeGrid or None
        What the format itself says; None where it says nothing.
    n_channels : int
        EMG channels that the recording has.
    where : Path
        Named in errors.

    Raises
    ------
    InputError
        If there is neither, or the grid has another number of electrodes.
    """
    grid = load_grid(named) if named is not None else default
    if grid is None:
        msg = (
            f"{where} does not say where its {n_channels} electrodes lie: name the grid with --grid "
            f"({', '.join(GRID_NAMES)}, or a YAML file)"
        )
        raise InputError(msg)
    if grid.n_channels != n_channels:
        msg = (
            f"{where} has {n_channels} EMG channels, but grid {grid.name!r} has {grid.n_channels} electrodes"
        )
        raise InputError(msg)
    return grid
