"""Reading a .mat file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io

from emg_acquisition.errors import InputError
from emg_acquisition.recording.damage import reading


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
