"""One step under way: a tap's small motion, made to its end unless something else is asked for.

A joint ends on an exact target. The wheels have none: they take a velocity and ramp towards it by themselves, so the
step reckons how far they must have come, and sends zero when the way that is left is the way that they need to brake.
"""

import math
from collections.abc import Mapping

from robot_bridge.control import Step
from robot_bridge.motion import Goal, MotionShaper
from robot_bridge.stretch_interface import BASE_DOF, DOF_NAMES

# Closer than this to its end, a step is done.
_NEAR = 1e-9
# A step that has not ended after so many times its nominal duration, and a second, is at a limit or blocked.
_PATIENCE, _PATIENCE_S = 2.0, 1.0


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
        self._left = self._wheels = 0.0
        self._t_mono_s = self._until_s = 0.0
        self.goal: Goal | None = None

    def begin(self, step: Step, t_mono_s: float) -> None:
        """Begin a step, in place of one that may be under way."""
        self._step, self._left, self._t_mono_s = step, abs(step.size), t_mono_s
        self._wheels = 0.0
        self._until_s = t_mono_s + _PATIENCE * abs(step.size) / step.speed + _PATIENCE_S
        self.goal = None
        if step.dof not in BASE_DOF:
            self.goal = Goal(step.dof, self._shaper.target_of(step.dof) + step.size)

    def cancel(self) -> None:
        """Forget the step; the joint stops as after a hold."""
        self._step, self.goal = None, None

    def desired(self, t_mono_s: float) -> Mapping[str, float]:
        """Velocity of every DoF for this tick; all zero without a step."""
        velocity = dict.fromkeys(DOF_NAMES, 0.0)
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
        if self._left - braking <= _NEAR or t_mono_s > self._until_s:
            # The goal stands for this one more tick, so that the joint is held on it.
            self._step = None
            return velocity
        speed = self._step.speed
        if self.goal is not None and dt_s > 0:
            speed = min(speed, self._left / dt_s)
        velocity[dof] = math.copysign(speed, self._step.size)
        return velocity
