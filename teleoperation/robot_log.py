"""Where the robot was, when: sampled from the operator's link while a chain runs, and what moved in between."""

import threading
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array
from emg_acquisition.streams.outlet import lsl_clock_s
from robot_bridge.operator_link import OperatorLink
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES

SAMPLE_INTERVAL_S = 0.02
# Less than this is the rest of a stop or a rounding, not a motion that anybody sees.
MOVED_M = 0.002
MOVED_RAD = 0.01


@dataclass(frozen=True)
class RobotTrack:
    """Positions over time.

    Parameters
    ----------
    t_lsl_s : ndarray, shape (n,)
        LSL time of each look.
    positions : ndarray, shape (n, 8)
        In the order of ``DOF_NAMES``; metres and radians.
    modes : tuple of str
        Mode of the gesture map at each look.
    stops : tuple of int
        How often the bridge had stopped by then.
    """

    t_lsl_s: Float64Array
    positions: Float64Array
    modes: tuple[str, ...]
    stops: tuple[int, ...]

    def at(self, t_lsl_s: float) -> int:
        """Index of the last look at or before a time."""
        return max(0, int(np.searchsorted(self.t_lsl_s, t_lsl_s, side="right")) - 1)

    def displacement(self, begin_t_lsl_s: float, end_t_lsl_s: float) -> Float64Array:
        """Net motion of each DoF between two times: ndarray, shape (8,)."""
        return np.asarray(self.positions[self.at(end_t_lsl_s)] - self.positions[self.at(begin_t_lsl_s)])


def moved_dof(displacement: Float64Array, model: RobotModel) -> dict[str, int]:
    """Name the DoF that moved, each with the sign of its motion."""
    thresholds = [MOVED_M if model.dof[name].unit == "m" else MOVED_RAD for name in DOF_NAMES]
    return {
        name: int(np.sign(moved))
        for name, moved, threshold in zip(DOF_NAMES, displacement, thresholds, strict=True)
        if abs(moved) > threshold
    }


class RobotLog:
    """Sample the link in a thread of its own until `stop`."""

    def __init__(self, link: OperatorLink) -> None:
        self._link = link
        self._stop = threading.Event()
        self._looks: list[tuple[float, tuple[float, ...], str, int]] = []
        self._thread = threading.Thread(target=self._run, name="robot-log", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_INTERVAL_S):
            snapshot = self._link.snapshot()
            if snapshot.positions is not None:
                self._looks.append((lsl_clock_s(), tuple(snapshot.positions), snapshot.mode, snapshot.stops))

    def stop(self) -> RobotTrack:
        """End sampling and return what was seen."""
        self._stop.set()
        self._thread.join()
        looks = list(self._looks)
        return RobotTrack(
            np.array([look[0] for look in looks]),
            np.array([look[1] for look in looks]).reshape(-1, len(DOF_NAMES)),
            tuple(look[2] for look in looks),
            tuple(look[3] for look in looks),
        )
