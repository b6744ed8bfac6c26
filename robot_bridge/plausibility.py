"""Which joint states a robot can have reached: positions against the fastest that each joint can go.

A reading that is not plausible is never a target and never a place to hold. What has been read since goes on from the
last plausible one; a robot that really is elsewhere (its driver was started again, it was homed) is believed once its
readings agree with each other for a second, and only while nothing is commanded.
"""

from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import JOINT_DOF, JointReading

# Above the joint's own top speed: time stamps jitter, and a joint that is pushed moves faster.
SPEED_FACTOR = 1.5
# What a reading may differ by in no time at all: resolution, sag, a stamp that is a little off.
SLACK = {"m": 0.010, "rad": 0.10}
# How long a new place must be told of before it is believed.
AGREE_S = 1.0
# Longer silences do not excuse larger jumps.
MAX_GAP_S = 0.5


class PlausibleJoints:
    """The last plausible reading, and whether the next one can follow it.

    Parameters
    ----------
    model : RobotModel
        How fast each joint can go.
    """

    def __init__(self, model: RobotModel) -> None:
        self._reach = {
            dof: (SPEED_FACTOR * model.dof[dof].velocity, SLACK[model.dof[dof].unit]) for dof in JOINT_DOF
        }
        self._last: JointReading | None = None
        self._last_s = 0.0
        self._other: JointReading | None = None
        self._other_s = self._other_since_s = 0.0

    def problem(self, reading: JointReading, t_s: float, *, live: bool) -> str | None:
        """Take a reading; returns what is not plausible in it, or None where it is the new last one.

        Parameters
        ----------
        reading : JointReading
            Finite.
        t_s : float
            When it was taken, on any steady clock.
        live : bool
            Whether the robot is commanded: then no other place is ever believed.
        """
        jump = None if self._last is None else self._jump(self._last, self._last_s, reading, t_s)
        if jump is None:
            self._last, self._last_s, self._other = reading, t_s, None
            return None
        if live:
            return jump
        if self._other is None or self._jump(self._other, self._other_s, reading, t_s) is not None:
            self._other_since_s = t_s
        self._other, self._other_s = reading, t_s
        if t_s - self._other_since_s < AGREE_S:
            return jump
        self._last, self._last_s, self._other = reading, t_s, None
        return None

    def _jump(self, before: JointReading, before_s: float, reading: JointReading, t_s: float) -> str | None:
        dt_s = min(MAX_GAP_S, max(0.0, t_s - before_s))
        for dof, (speed, slack) in self._reach.items():
            moved = abs(reading.positions[dof] - before.positions[dof])
            if moved > speed * dt_s + slack:
                return f"joint_states moves the {dof} by {moved:.3f} in {dt_s:.2f} s, which it cannot do"
        return None
