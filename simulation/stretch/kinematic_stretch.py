"""The simulated Stretch without physics: every joint and the base are exactly where their motors are.

For the many tests of the chain, and where MuJoCo is not installed. No inertia, no gravity, no contact: nothing
can be grasped, and a run-stop leaves everything but the gripper in its place.
"""

from collections.abc import Mapping

from robot_bridge.robot_model import RobotModel
from simulation.stretch.motors import BaseState, Motors


class KinematicStretch:
    """`StretchBody` that follows its motors exactly.

    Parameters
    ----------
    model : RobotModel
        Limits and wheels.
    positions : mapping of str to float
        Where the joint DoF start, m or rad.
    """

    def __init__(self, model: RobotModel, positions: Mapping[str, float]) -> None:
        self._motors = Motors(model, positions)
        self.limits_of = self._motors.limits_of
        self.set_targets = self._motors.set_targets
        self.set_base_velocity = self._motors.set_base_velocity
        self.move_base_by = self._motors.wheels.move_by
        self.base = BaseState()
        self._let_go = False

    @property
    def positions(self) -> Mapping[str, float]:
        """Joint positions, m or rad."""
        return {joint: profile.position for joint, profile in self._motors.joints.items()}

    @property
    def velocities(self) -> Mapping[str, float]:
        """Joint velocities, m/s or rad/s."""
        return {joint: profile.velocity for joint, profile in self._motors.joints.items()}

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
        """Cut or restore the drives: all stands where it is, and the gripper lets go and opens."""
        self.halt()
        self._let_go = runstopped

    def step(self, dt_s: float) -> None:
        """Move on by a time."""
        if dt_s <= 0:
            return
        if self._let_go:
            self.set_targets({"gripper": self.limits_of("gripper")[1]})
        self._motors.step(dt_s)
        self.base.move(self._motors.wheels.velocity_m_s, self._motors.wheels.velocity_rad_s, dt_s)
