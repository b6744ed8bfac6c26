"""What the driver needs of a robot's body, whether it is moved by kinematics or by physics."""

from collections.abc import Mapping
from typing import Protocol

from simulation.stretch.motors import BaseState


class StretchBody(Protocol):
    """A robot that follows its motors. Joints are the DoF names but the base's, and ``head_pan``, ``head_tilt``."""

    @property
    def positions(self) -> Mapping[str, float]:
        """Measured joint positions, m or rad."""

    @property
    def velocities(self) -> Mapping[str, float]:
        """Measured joint velocities, m/s or rad/s."""

    @property
    def base(self) -> BaseState:
        """Odometry."""

    def limits_of(self, joint: str) -> tuple[float, float]:
        """Lower and upper position limit of a joint."""

    def set_targets(self, targets: Mapping[str, float]) -> None:
        """Take absolute joint targets; they are run to without a watchdog."""

    def target_of(self, joint: str) -> float:
        """Target that a joint moves to or holds."""

    def set_base_velocity(self, translate_m_s: float, rotate_rad_s: float) -> None:
        """Take a base velocity, kept until the next."""

    def move_base_by(self, translate_m: float, rotate_rad: float) -> None:
        """Take a base increment, one of the two."""

    def halt(self) -> None:
        """Stop every motor where it is."""

    def set_runstopped(self, runstopped: bool) -> None:
        """Cut or restore the drives."""

    def is_still(self) -> bool:
        """Tell whether no motor is moving."""

    def step(self, dt_s: float) -> None:
        """Move on by a time."""
