"""What importers read from other people's files: the files themselves, .mat variables, units and electrode grids."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.grid_library import GRID_NAMES, load_grid
from emg_acquisition.recording.damage import reading

UV_PER_UNIT = {"uV": 1.0, "mV": 1e3, "V": 1e6}
_SPELLINGS = {
    **dict.fromkeys(("uv", "µv", "μv", "microvolt", "microvolts"), "uV"),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), "mV"),
    **dict.fromkeys(("v", "volt", "volts"), "V"),
}
# From far below the noise of any amplifier to beyond the input range of most: a wrong unit is a factor of
# a thousand off and falls outside, real EMG with its noise and its bursts (some 2 to 3000 µV) does not.
MIN_STD_UV = 0.05
MAX_STD_UV = 20_000.0


def recording_files(src: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the file that `src` is, or those with one of the suffixes that it holds, by name.

    Raises
    ------
    InputError
        If there are none.
    """
    if src.is_file():
        return [src]
    if not src.is_dir():
        msg = f"{src} does not exist: name a {' or '.join(suffixes)} file, or a folder of them"
        raise InputError(msg)
    found = sorted(path for path in src.iterdir() if path.is_file() and path.suffix.lower() in suffixes)
    if not found:
        msg = f"{src} holds no {' or '.join(suffixes)} file"
        raise InputError(msg)
    return found


def session_code(path: Path) -> str:
    """Return the letters and digits of a file's name, which become its session's code.

    Raises
    ------
    InputError
        If it has none.
    """
    code = "".join(letter for letter in path.stem if letter.isascii() and letter.isalnum())[:64]
    if not code:
        msg = f"{path}: its name holds no letter or digit to name the session by; rename it"
        raise InputError(msg)
    return code


def load_mat(path: Path, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Load variables of a .mat file (version 5): all of them, or those named that it holds.

    Structures become objects, and dimensions of length one are dropped.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind.
    """
    if not path.is_file():
        msg = f"{path} is missing: name the folder of the data set as it was published"
        raise InputError(msg)
    with reading(path, "a .mat file"):
        return scipy.io.loadmat(  # type: ignore[no-any-return]
            path, variable_names=names, squeeze_me=True, struct_as_record=False
        )


def matrix(content: dict[str, Any], name: str, path: Path, columns: int | None = None) -> npt.NDArray[Any]:
    """Return a variable that must be a matrix of numbers: ndarray, shape (n, columns), n at least 1.

    Raises
    ------
    InputError
        If it is missing or of another shape or kind.
    """
    value = content.get(name)
    if value is None:
        msg = f"{path} lacks {name!r}; it holds {', '.join(k for k in content if k[:2] != '__') or 'nothing'}"
        raise InputError(msg)
    array = np.asarray(value)
    wrong_width = columns is not None and array.shape[1:] != (columns,)
    if array.ndim != 2 or wrong_width or 0 in array.shape or array.dtype.kind not in "iuf":  # noqa: PLR2004
        wanted = "columns" if columns is None else columns
        msg = (
            f"{path}: {name!r} has shape {array.shape} of {array.dtype}; numbers of shape (samples, {wanted}) "
            "are required"
        )
        raise InputError(msg)
    return array


def unit_named(text: str) -> str | None:
    """Return ``uV``, ``mV`` or ``V`` for what a file calls a unit; None if it is no voltage."""
    return _SPELLINGS.get(text.strip().lower())


def check_plausible(emg_uv: npt.NDArray[np.floating], path: Path, unit: str) -> None:
    """Refuse a recording whose values cannot be EMG in the unit that was taken for granted.

    Parameters
    ----------
    emg_uv : ndarray, shape (n_samples, n_channels)
        In µV, if the unit is right.
    path : Path
        Named in the error.
    unit : str
        What the values were taken to be in.

    Raises
    ------
    InputError
        If the median channel's standard deviation is below 0.05 µV or above 20 mV.
    """
    std_uv = float(np.median(np.std(emg_uv, axis=0, dtype=np.float64)))
    if not MIN_STD_UV <= std_uv <= MAX_STD_UV:
        msg = (
            f"{path}: taken as {unit}, half of the channels vary by less than {std_uv:.3g} uV (standard deviation), "
            f"which is no EMG; give the right unit with --unit {'|'.join(UV_PER_UNIT)}"
        )
        raise InputError(msg)


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
