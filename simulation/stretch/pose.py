"""Where something is, for those who only look at it and need no physics."""

import math
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array


@dataclass(frozen=True)
class Pose:
    """Where something is: position in m, orientation as a unit quaternion w, x, y, z."""

    position_m: Float64Array
    quaternion: Float64Array

    @property
    def up(self) -> Float64Array:
        """Direction of its own z axis, shape (3,)."""
        w, x, y, z = self.quaternion
        return np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)])

    @property
    def tilt_rad(self) -> float:
        """Angle between its own z axis and the vertical."""
        return math.acos(max(-1.0, min(1.0, float(self.up[2]))))
