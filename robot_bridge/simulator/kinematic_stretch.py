"""How the simulated Stretch moves: kinematics only.

There is NO inertia and no contact here: a joint follows its target at the robot's default profile velocity and
stops at once, a wheel turns as commanded. Trapezoidal profiles and physics come with the MuJoCo simulator.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import JOINT_DOF

# Joints that no DoF of ours moves: the head, in rad and rad/s.
HEAD_LIMITS = {"head_pan": (-4.04, 1.73), "head_tilt": (-1.53, 0.79)}
HEAD_VELOCITY_RAD_S = 3.0


@dataclass
class BaseState:
    """Pose on the floor, the integrated travel along the robot's own x, and the velocities."""

    x_m: float = 0.0
    y_m: float = 0.0
    heading_rad: float = 0.0
    travel_m: float = 0.0
    velocity_m_s: float = 0.0
    velocity_rad_s: float = 0.0


class KinematicStretch:
    """Positions, targets and velocities of the simulated robot.

    Parameters
    ----------
    model : RobotModel
        Limits and default profile velocities.
    positions : mapping of str to float
        Where the joint DoF start, m or rad.
    """

    def __init__(self, model: RobotModel, positions: Mapping[str, float]) -> None:
        self._model = model
        start = {dof: positions[dof] for dof in JOINT_DOF} | dict.fromkeys(HEAD_LIMITS, 0.0)
        self.positions = {joint: self._clamped(joint, value) for joint, value in start.items()}
        self.velocities = dict.fromkeys(self.positions, 0.0)
        self.base = BaseState()
        self._targets = dict(self.positions)
        self._base_command = (0.0, 0.0)
        self._base_left = (0.0, 0.0)
        self._let_go = False

    def limits_of(self, joint: str) -> tuple[float, float]:
        """Lower and upper position limit."""
        if joint in HEAD_LIMITS:
            return HEAD_LIMITS[joint]
        dof = self._model.dof[joint]
        return dof.position_lower, dof.position_upper

    def set_targets(self, targets: Mapping[str, float]) -> None:
        """Take absolute joint targets; clamped to the limits, one that is not finite is ignored."""
        for joint, target in targets.items():
            if math.isfinite(target):
                self._targets[joint] = self._clamped(joint, target)

    def set_base_velocity(self, translate_m_s: float, rotate_rad_s: float) -> None:
        """Take the base velocity; each wheel is clamped by itself, as the robot clamps it."""
        if not (math.isfinite(translate_m_s) and math.isfinite(rotate_rad_s)):
            return
        half_m, top_m_s = self._model.wheels.separation_m / 2, self._model.wheels.velocity_m_s
        left = max(-top_m_s, min(top_m_s, translate_m_s - rotate_rad_s * half_m))
        right = max(-top_m_s, min(top_m_s, translate_m_s + rotate_rad_s * half_m))
        self._base_command = ((left + right) / 2, (right - left) / (2 * half_m))
        self._base_left = (0.0, 0.0)

    def move_base_by(self, translate_m: float, rotate_rad: float) -> None:
        """Take a base increment (position mode), one of the two."""
        self._base_command = (0.0, 0.0)
        self._base_left = (translate_m, rotate_rad)

    def target_of(self, joint: str) -> float:
        """Target that a joint moves to or holds."""
        return self._targets[joint]

    def is_still(self) -> bool:
        """Tell whether nothing moved in the last step."""
        base = (self.base.velocity_m_s, self.base.velocity_rad_s)
        return not any(self.velocities.values()) and base == (0.0, 0.0)

    def halt(self) -> None:
        """Stop everything where it is."""
        self._targets = dict(self.positions)
        self._base_command = self._base_left = (0.0, 0.0)

    def set_runstopped(self, runstopped: bool) -> None:
        """Cut or restore the drives: wheels freewheel, the lift floats, the gripper lets go and opens."""
        self.halt()
        self._let_go = runstopped

    def step(self, dt_s: float) -> None:
        """Move on by a time."""
        if dt_s <= 0:
            return
        if self._let_go:
            self._targets["gripper"] = self.limits_of("gripper")[1]
        for joint, before in self.positions.items():
            reach = self._profile_velocity(joint) * dt_s
            moved = max(-reach, min(reach, self._targets[joint] - before))
            self.positions[joint] = before + moved
            self.velocities[joint] = moved / dt_s
        self._step_base(dt_s)

    def _step_base(self, dt_s: float) -> None:
        translate, rotate = self._base_command
        if self._base_left != (0.0, 0.0):
            translate = _towards(self._base_left[0], self._model.dof["base_translate"].coarse, dt_s)
            rotate = _towards(self._base_left[1], self._model.dof["base_rotate"].coarse, dt_s)
            self._base_left = (self._base_left[0] - translate * dt_s, self._base_left[1] - rotate * dt_s)
        base = self.base
        middle_rad = base.heading_rad + rotate * dt_s / 2
        base.x_m += translate * dt_s * math.cos(middle_rad)
        base.y_m += translate * dt_s * math.sin(middle_rad)
        base.heading_rad += rotate * dt_s
        base.travel_m += translate * dt_s
        base.velocity_m_s, base.velocity_rad_s = translate, rotate

    def _profile_velocity(self, joint: str) -> float:
        if joint in HEAD_LIMITS:
            return HEAD_VELOCITY_RAD_S
        dof = self._model.dof[joint]
        return dof.velocity if dof.profile_velocity is None else dof.profile_velocity

    def _clamped(self, joint: str, value: float) -> float:
        lower, upper = self.limits_of(joint)
        return max(lower, min(upper, value))


def _towards(left: float, top_speed: float, dt_s: float) -> float:
    return max(-top_speed, min(top_speed, left / dt_s))
