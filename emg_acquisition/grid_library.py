"""Electrode grids by name: OT Bioelettronica's codes, sleeves around the forearm, or a YAML file for any other."""

from collections.abc import Callable
from pathlib import Path

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid, GridSettings, Wrap
from emg_acquisition.settings_file import load_settings

# A forearm measures some 25-27 cm around its thickest third in adults; 16 columns share that. Only drawings
# and distances depend on it; a sleeve with another pitch is a YAML file.
SLEEVE_PITCH_MM = 16.0

ChannelAt = Callable[[int, int], int]


def _layout(rows: int, columns: int, one_based: ChannelAt) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(one_based(r, c) - 1 for c in range(columns)) for r in range(rows))


def _gr_13x5(r: int, c: int) -> int:
    # Down the first column, up the second, and so on. Row 0 of column 0 gives 0, and so no electrode.
    return (r, 25 - r, 26 + r, 51 - r, 52 + r)[c]


def _hd_13x5(r: int, c: int) -> int:
    # Down every column, the last one first. Row 0 of column 4 gives 0, and so no electrode.
    return (52 + r, 39 + r, 26 + r, 13 + r, r)[c]


def _gr_8x8(r: int, c: int) -> int:
    return 8 * (c + 1) - r


def _hd_8x8(r: int, c: int) -> int:
    return _gr_8x8(r, 7 - c)


def _gr_8x4(r: int, c: int) -> int:
    return 32 - r - 8 * c


def _hd_8x4(r: int, c: int) -> int:
    return _gr_8x4(7 - r, 3 - c)


def _ot(name: str, pitch_mm: float, rows: int, columns: int, one_based: ChannelAt) -> ElectrodeGrid:
    return ElectrodeGrid(name, _layout(rows, columns, one_based), pitch_mm)


def _sleeve(rows: int, columns: int, wraps: Wrap) -> ElectrodeGrid:
    layout = _layout(rows, columns, lambda r, c: r * columns + c + 1)
    return ElectrodeGrid(f"sleeve-{rows}x{columns}", layout, SLEEVE_PITCH_MM, wraps)


# Formulas: OT Bioelettronica's documentation of its matrices. The figures in a code are the pitch in
# millimetres, the rows and the columns.
_GRIDS = (
    _ot("GR04MM1305", 4.0, 13, 5, _gr_13x5),
    _ot("GR08MM1305", 8.0, 13, 5, _gr_13x5),
    _ot("GR10MM0808", 10.0, 8, 8, _gr_8x8),
    _ot("GR10MM0804", 10.0, 8, 4, _gr_8x4),
    _ot("HD04MM1305", 4.0, 13, 5, _hd_13x5),
    _ot("HD08MM1305", 8.0, 13, 5, _hd_13x5),
    _ot("HD10MM0808", 10.0, 8, 8, _hd_8x8),
    _ot("HD10MM0804", 10.0, 8, 4, _hd_8x4),
    _sleeve(4, 16, "columns"),
    _sleeve(16, 4, "rows"),
    _sleeve(8, 16, "columns"),
)
_GRID_OF_NAME = {grid.name: grid for grid in _GRIDS}
GRID_NAMES: tuple[str, ...] = tuple(_GRID_OF_NAME)


def load_grid(name_or_file: str) -> ElectrodeGrid:
    """Return the electrode grid that a name or a YAML file stands for.

    Sleeves are numbered row after row; of ``sleeve-4x16`` and ``sleeve-8x16`` the 16 columns run around the
    arm, of ``sleeve-16x4`` the 16 rows. A file holds ``name``, ``channel_at`` (a list of rows; 0-based
    channels, -1 where no electrode lies), ``pitch_mm`` and, if the grid closes around the limb, ``wraps``
    (``rows`` or ``columns``: the axis that runs around it).

    Parameters
    ----------
    name_or_file : str
        One of `GRID_NAMES`, or the path of a YAML file.

    Raises
    ------
    InputError
        If it is neither, or the file is no grid; the message names the file and the key.
    """
    known = _GRID_OF_NAME.get(name_or_file)
    if known is not None:
        return known
    path = Path(name_or_file)
    if path.suffix not in {".yaml", ".yml"} and not path.is_file():
        msg = (
            f"grid {name_or_file!r} is not known: one of {', '.join(GRID_NAMES)} is required, or a YAML file "
            "with name, channel_at, pitch_mm and wraps"
        )
        raise InputError(msg)
    settings = load_settings(path, GridSettings)
    try:
        return ElectrodeGrid(settings.name, settings.channel_at, settings.pitch_mm, settings.wraps)
    except InputError as error:
        msg = f"{path}: {error}"
        raise InputError(msg) from error
