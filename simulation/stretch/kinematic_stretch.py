"""The simulated Stretch without physics: every joint and the base are exactly where their motors are.

For the many tests of the chain, and where MuJoCo is not installed. No inertia, no gravity, no contact: nothing
can be grasped. At a run-stop wheels and arm roll out, the gripper lets go, and everything else stays in its place.
"""

import math
from collections.abc import Collection, Mapping

from robot_bridge.robot_model import RobotModel
from simulation.stretch.motors import ROLL_OUT, BaseState, Motors
from simulation.stretch.stretch_body import FRICTION_PCT, REST_EFFORT_PCT
from simulation.stretch.variants import STRETCH_3, Variant

# How fast a motor's effort rises that presses against something, % a second.
PRESSING_PCT_S = 300.0


class KinematicStretch:
    """`StretchBody` that follows its motors exactly.

    Parameters
    ----------
    model : RobotModel
        Limits and wheels.
    positions : mapping of str to float
        Where the joint DoF start, m or rad.
    variant : Variant
        Whose gripper it has.
    base_ramps : bool
        Whether the wheels ramp to a commanded velocity.
    """

    def __init__(
        self,
        model: RobotModel,
        positions: Mapping[str, float],
        variant: Variant = STRETCH_3,
        *,
        base_ramps: bool = True,
    ) -> None:
        self._motors = Motors(model, positions, variant, base_ramps=base_ramps)
        self.limits_of = self._motors.limits_of
        self.set_targets = self._motors.set_targets
        self.set_base_velocity = self._motors.set_base_velocity
        self.move_base_by = self._motors.wheels.move_by
        self.base = BaseState()
        self._let_go = False
        self._blocked: frozenset[str] = frozenset()
        self._pushed: Mapping[str, float] = {}
        # How hard each motor presses against what holds its joint: % of its effort, with the sign of its motion.
        self._pressing = dict.fromkeys(self._motors.joints, 0.0)

    @property
    def positions(self) -> Mapping[str, float]:
        """Joint positions, m or rad."""
        return {joint: profile.position for joint, profile in self._motors.joints.items()}

    @property
    def velocities(self) -> Mapping[str, float]:
        """Joint velocities, m/s or rad/s."""
        joints = self._motors.joints.items()
        return {joint: self._pushed.get(joint, profile.velocity) for joint, profile in joints}

    @property
    def efforts(self) -> Mapping[str, float]:
        """Motor efforts, %: the lift's weight, friction, and what the motor of a held joint presses with."""
        efforts = {}
        for joint, profile in self._motors.joints.items():
            moving = math.copysign(FRICTION_PCT, profile.velocity) if profile.velocity else 0.0
            drive = 0.0 if self._let_go else moving + self._pressing[joint]
            efforts[joint] = max(-100.0, min(100.0, REST_EFFORT_PCT.get(joint, 0.0) + drive))
        return efforts

    def target_of(self, joint: str) -> float:
        """Target that a joint moves to or holds."""
        return self._motors.joints[joint].target

    def is_still(self) -> bool:
        """Tell whether nothing moved in the last step."""
        return not any((*self.velocities.values(), self.base.velocity_m_s, self.base.velocity_rad_s))

    def halt(self) -> None:
        """Stop everything where it is."""
        for profile in self._motors.joints.values():
            profile.stop_at(profile.position)
        self._motors.wheels.stop()

    def set_runstopped(self, runstopped: bool) -> None:
        """Cut or restore the drives: wheels and arm roll out, the gripper lets go and opens, all else stands."""
        rolling = self._motors.joints["arm"].velocity
        for profile in self._motors.joints.values():
            profile.stop_at(profile.position)
        self._motors.joints["arm"].velocity = rolling if runstopped else 0.0
        self._motors.wheels.roll_out()
        self._motors.wheels.free = self._let_go = runstopped

    def disturb(
        self,
        blocked: Collection[str],
        pushed: Mapping[str, float],
        runaway: tuple[float, float] | None,
    ) -> None:
        """Hold joints or the base where they are, push joints at a speed, let the wheels run away; until told again."""
        self._blocked, self._pushed = frozenset(blocked), dict(pushed)
        self._motors.wheels.blocked = "base" in self._blocked
        self._motors.wheels.runaway = runaway

    def step(self, dt_s: float) -> None:
        """Move on by a time."""
        if dt_s <= 0:
            return
        if self._let_go:
            self.set_targets({"gripper": self.limits_of("gripper")[1]})
        before, arm_m_s = self.positions, self._motors.joints["arm"].velocity
        self._motors.step(dt_s)
        if self._let_go:
            self._roll_arm_out(before["arm"], arm_m_s, dt_s)
        for joint, was in before.items():
            self._hold_or_push(joint, was, dt_s)
        self.base.move(self._motors.wheels.velocity_m_s, self._motors.wheels.velocity_rad_s, dt_s)

    def _roll_arm_out(self, at_m: float, velocity_m_s: float, dt_s: float) -> None:
        slower = math.copysign(max(0.0, abs(velocity_m_s) - ROLL_OUT * dt_s), velocity_m_s)
        arm, limits = self._motors.joints["arm"], self.limits_of("arm")
        arm.stop_at(max(limits[0], min(limits[1], at_m + (velocity_m_s + slower) / 2 * dt_s)))
        arm.velocity = slower if limits[0] < arm.position < limits[1] else 0.0

    def _hold_or_push(self, joint: str, was: float, dt_s: float) -> None:
        """Put a joint where something holds it, or where it is pushed to; its motor presses towards its target."""
        profile, push = self._motors.joints[joint], self._pushed.get(joint)
        if push is None and joint not in self._blocked:
            self._pressing[joint] = 0.0
            return
        lower, upper = self.limits_of(joint)
        at = was if joint in self._blocked else max(lower, min(upper, was + (push or 0.0) * dt_s))
        if self._let_go:
            profile.stop_at(at)
        else:
            profile.stall_at(at)
        way = profile.target - at
        if abs(way) < 1e-9:  # noqa: PLR2004 - there
            self._pressing[joint] = 0.0
            return
        more = self._pressing[joint] + math.copysign(PRESSING_PCT_S * dt_s, way)
        self._pressing[joint] = max(-100.0, min(100.0, more))
