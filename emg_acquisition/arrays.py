"""Array types and the one conversion from milliseconds to samples."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Float32Array: TypeAlias = npt.NDArray[np.float32]
Float64Array: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]


def samples_from_ms(duration_ms: float, fs_hz: float) -> int:
    """Return the number of samples in a duration, by rounding half up; at least one.

    Raises
    ------
    ValueError
        If the duration or the rate is not positive.
    """
    if not duration_ms > 0 or not fs_hz > 0:
        msg = f"duration_ms and fs_hz must be positive, got {duration_ms} ms at {fs_hz} Hz"
        raise ValueError(msg)
    return max(1, int(duration_ms * fs_hz / 1000.0 + 0.5))
