"""The amplifier: a DC-coupled converter of limited range and step."""

import numpy as np

from emg_acquisition.arrays import Float32Array

RANGE_UV = 50_000.0
STEP_UV = 0.25


def measured(emg_uv: Float32Array) -> Float32Array:
    """Return what the amplifier makes of potentials, any shape, µV: clipped and in steps of `STEP_UV`."""
    steps = np.rint(np.clip(emg_uv, -RANGE_UV, RANGE_UV) * np.float32(1.0 / STEP_UV))
    values: Float32Array = steps * np.float32(STEP_UV)
    return values
