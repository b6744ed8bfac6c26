"""One step under way: a tap's small motion, made to its end unless something else is asked for.

A joint ends on an exact target. The wheels have none: they take a velocity and ramp towards it by themselves, so the
step reckons how far they must have come, and sends zero when the way that is left is the way that they need to brake.
"""

import math
from collections.abc import Mapping

from robot_bridge.control import Step
from robot_bridge.motion import Goal, MotionShaper
from robot_bridge.stretch_interface import BASE_DOF, DOF_NAMES, JointReading

# Closer than this to its end, a step is done.
_NEAR = 1e-9
# A step that has not ended after so many times its nominal duration, and a second, is at a limit or blocked; so is one
# whose joint has come short by this part of it. A blocked joint must not go on pressing.
_PATIENCE, _PATIENCE_S = 2.0, 1.0
_SHORT = 0.25


class StepMotion:
    """At most one step at a time.

    Parameters
    ----------
    shaper : MotionShaper
        Whose targets and velocities it follows.
    """

    def __init__(self, shaper: MotionShaper) -> None:
        self._shaper = shaper
        self._step: Step | None = None
        self._size = 0.0
        self._left = self._wheels = 0.0
        self._t_mono_s = self._until_s = 0.0
        self.goal: Goal | None = None

    def begin(self, step: Step, t_mono_s: float) -> None:
        """Begin a step, in place of one that may be under way."""
        self._step, self._left, self._t_mono_s = step, abs(step.size), t_mono_s
        self._wheels, self._size = 0.0, abs(step.size)
        self._until_s = t_mono_s + _PATIENCE * abs(step.size) / step.speed + _PATIENCE_S
        self.goal = None
        if step.dof not in BASE_DOF:
            self.goal = Goal(step.dof, self._shaper.target_of(step.dof) + step.size)

    def cancel(self, reading: JointReading | None) -> None:
        """Forget the step; the joint stops as after a hold, and where something blocks it, it is held there."""
        self._step = None
        goal, self.goal = self.goal, None
        # What the gripper's target leads by is its grip.
        if goal is None or reading is None or goal.dof == "gripper":
            return
        if abs(goal.position - reading.positions[goal.dof]) > _SHORT * self._size:
            self._shaper.give_up(goal.dof, reading)

    def desired(self, t_mono_s: float, reading: JointReading) -> Mapping[str, float]:
        """Velocity of every DoF for this tick; all zero without a step."""
        velocity = dict.fromkeys(DOF_NAMES, 0.0)
        if t_mono_s > self._until_s:
            self.cancel(reading)
        if self._step is None:
            return velocity
        dof, dt_s = self._step.dof, t_mono_s - self._t_mono_s
        self._t_mono_s = t_mono_s
        if self.goal is not None:
            self._left = (self.goal.position - self._shaper.target_of(dof)) * math.copysign(
                1.0, self._step.size
            )
        else:
            commanded, change = abs(self._shaper.velocity[dof]), self._step.ramp * dt_s
            before = self._wheels
            self._wheels += max(-change, min(change, commanded - before))
            self._left -= (before + self._wheels) / 2 * dt_s
        braking = self._wheels * self._wheels / (2 * self._step.ramp)
        if self._left - braking <= _NEAR:
            # The goal stands until the joint has had its time to arrive.
            self._step = None
            return velocity
        speed = self._step.speed
        if self.goal is not None and dt_s > 0:
            speed = min(speed, self._left / dt_s)
        velocity[dof] = math.copysign(speed, self._step.size)
        return velocity
