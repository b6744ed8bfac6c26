"""Whatever a file is in, to microvolts; and whether the outcome can be EMG at all."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from emg_acquisition.errors import InputError

UV_PER_UNIT = {"uV": 1.0, "mV": 1e3, "V": 1e6}
_SPELLINGS = {
    **dict.fromkeys(("uv", "µv", "μv", "microvolt", "microvolts"), "uV"),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), "mV"),
    **dict.fromkeys(("v", "volt", "volts"), "V"),
}
# From far below the noise of any amplifier to beyond the input range of most: a wrong unit is a factor of
# a thousand off and falls outside, real EMG with its noise and its bursts (some 2 to 3000 µV) does not.
LEAST_STD_UV = 0.05
MOST_STD_UV = 20_000.0


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
    if not LEAST_STD_UV <= std_uv <= MOST_STD_UV:
        msg = (
            f"{path}: taken as {unit}, half of the channels vary by less than {std_uv:.3g} uV (standard deviation), "
            f"which is no EMG; say the right unit with --unit {'|'.join(UV_PER_UNIT)}"
        )
        raise InputError(msg)
