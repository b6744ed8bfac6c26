"""What was recorded around a fault -> when the robot was told to stop, when it stood, how far it went.

Pure: arrays in, figures out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array
from robot_bridge.stretch_interface import BASE_DOF, DOF_NAMES, JOINT_DOF

# A joint target or a position that changes by less than this has not changed.
SAME = 1e-6
# Motion after the stop that counts as none: 0.2 mm, 0.01 degree.
STILL = 2e-4
# One tick of the bridge sends the wheels' command and the joints' within this time.
TICK_S = 0.008
# A bridge that commands at all has done so within this time (it stops itself where it could not), and a moving target
# follows the driver's 30 Hz: it changes within four of the bridge's ticks.
FRESH_S = 0.15
LATEST_POSES = 5
# Of the arrays of `Recorded`.
RECORDED_COLUMNS = (3, 11, 4, 1 + len(JOINT_DOF))


@dataclass(frozen=True)
class Recorded:
    """What was heard; the first column of each is the sender's time (monotonic clock of this machine).

    Parameters
    ----------
    wheels : ndarray, shape (n, 3)
        Time, m/s, rad/s commanded by the bridge or its guard.
    poses : ndarray, shape (n, 11)
        Time and the ten values of joint_pose_cmd.
    base : ndarray, shape (n, 4)
        Time, x (m), y (m) and unwrapped heading (rad) of the robot.
    joints : ndarray, shape (n, 7)
        Time and positions of `JOINT_DOF`.
    """

    wheels: Float64Array
    poses: Float64Array
    base: Float64Array
    joints: Float64Array

    def between(self, begin_s: float, end_s: float) -> "Recorded":
        """Return what was heard in a span of time."""
        logs = (self.wheels, self.poses, self.base, self.joints)
        return Recorded(*(log[(log[:, 0] >= begin_s) & (log[:, 0] <= end_s)] for log in logs))


def was_moving(recorded: Recorded, t_s: float) -> bool:
    """Whether the newest commands of before a time moved something."""
    just_before = recorded.between(t_s - FRESH_S, t_s)
    if not len(just_before.wheels):
        return False
    targets = just_before.poses[-LATEST_POSES:, 1:9]
    return bool(np.any(just_before.wheels[-1, 1:] != 0.0)) or bool(
        np.any(np.abs(np.diff(targets, axis=0)) > SAME)
    )


def zero_command_s(recorded: Recorded, t_fault_s: float, end_s: float) -> float | None:
    """Seconds from a fault to the first command after which none moves anything; None if there was none.

    A command moves something if it turns the wheels, or sets another joint target than the one before. A joint is
    stopped by the first command that latches its target, or, where nothing is known of where it is, by the first
    tick that commands the wheels alone: its target then stands, within the stop bound.
    """
    after = recorded.between(t_fault_s, end_s)
    if not len(after.wheels):
        return None
    turning = np.flatnonzero(np.any(after.wheels[:, 1:] != 0.0, axis=1))
    first_zero = 0 if not len(turning) else int(turning[-1]) + 1
    if first_zero == len(after.wheels):
        return None
    wheels_s = float(after.wheels[first_zero, 0])
    joints_s = _joints_stop_s(recorded, after)
    return None if joints_s is None else max(wheels_s, joints_s) - t_fault_s


def _joints_stop_s(recorded: Recorded, after: Recorded) -> float | None:
    """When the joints were told to stand."""
    if not len(after.poses):
        return float(after.wheels[0, 0])
    before = recorded.poses[recorded.poses[:, 0] < after.poses[0, 0]][-1:]
    poses = np.concatenate([before, after.poses])
    changed = np.flatnonzero(np.any(np.abs(np.diff(poses[:, 1:9], axis=0)) > SAME, axis=1)) + 1
    if not len(changed):
        return float(after.poses[0, 0])
    last = int(changed[-1])
    if last < len(poses) - 1:
        return float(poses[last, 0])
    alone = after.wheels[after.wheels[:, 0] > poses[last, 0] + TICK_S, 0]
    return float(alone[0]) if len(alone) else None


def travel(recorded: Recorded, begin_s: float, end_s: float) -> dict[str, float]:
    """Return the largest distance of each DoF from where it was at `begin_s`, until `end_s`, in m or rad."""
    found = {}
    for names, log in ((BASE_DOF, recorded.base), (JOINT_DOF, recorded.joints)):
        spans = _spans(log, begin_s, end_s)
        if names == BASE_DOF and len(spans):
            spans = np.column_stack([np.hypot(spans[:, 0], spans[:, 1]), np.abs(spans[:, 2])])
        for column, name in enumerate(names):
            found[name] = float(np.abs(spans[:, column]).max()) if len(spans) else 0.0
    return {name: found[name] for name in DOF_NAMES}


def last_motion_s(recorded: Recorded, begin_s: float, end_s: float, let_go: Sequence[str] = ()) -> float:
    """Seconds from `begin_s` to the last state in which the robot had moved; joints in `let_go` are left out."""
    latest = 0.0
    kept = [0, *(1 + place for place, name in enumerate(JOINT_DOF) if name not in let_go)]
    for log in (recorded.base, recorded.joints[:, kept]):
        inside = log[(log[:, 0] >= begin_s) & (log[:, 0] <= end_s)]
        if len(inside) > 1:
            moved = np.flatnonzero(np.any(np.abs(np.diff(inside[:, 1:], axis=0)) > SAME, axis=1))
            if len(moved):
                latest = max(latest, float(inside[moved[-1] + 1, 0]) - begin_s)
    return latest


def _spans(log: Float64Array, begin_s: float, end_s: float) -> Float64Array:
    """Return positions, shape (n, columns), relative to where the robot was at `begin_s`."""
    if not len(log):
        return log[:, 1:]
    start = np.array([np.interp(begin_s, log[:, 0], log[:, column]) for column in range(1, log.shape[1])])
    inside = log[(log[:, 0] >= begin_s) & (log[:, 0] <= end_s), 1:]
    return np.asarray(inside - start)
