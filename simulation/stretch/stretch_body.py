"""What the driver needs of a robot's body, whether it is moved by kinematics or by physics."""

from collections.abc import Collection, Mapping
from typing import Protocol

from simulation.stretch.motors import WHEEL_PROFILE, BaseState

# Effort of a motor that only holds its joint, and what friction adds against a motion; % of the motor's.
REST_EFFORT_PCT: Mapping[str, float] = {"lift": 25.0}
FRICTION_PCT = 8.0


class StretchBody(Protocol):
    """A robot that follows its motors. Joints are the DoF names but the base's, and ``head_pan``, ``head_tilt``."""

    @property
    def positions(self) -> Mapping[str, float]:
        """Measured joint positions, m or rad."""

    @property
    def velocities(self) -> Mapping[str, float]:
        """Measured joint velocities, m/s or rad/s."""

    @property
    def efforts(self) -> Mapping[str, float]:
        """Motor efforts, % of the motor's: positive drives towards the upper limit."""

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

    def move_base_by(
        self, translate_m: float, rotate_rad: float, velocity_max_m_s: float = WHEEL_PROFILE[0]
    ) -> None:
        """Take a base increment from where the wheels are now."""

    def halt(self) -> None:
        """Stop every motor where it is."""

    def set_runstopped(self, runstopped: bool) -> None:
        """Cut or restore the drives."""

    def disturb(
        self,
        blocked: Collection[str],
        pushed: Mapping[str, float],
        runaway: tuple[float, float] | None,
    ) -> None:
        """Hold joints or the base where they are, push joints at a speed, let the wheels run away; until told again."""

    def is_still(self) -> bool:
        """Tell whether no motor is moving."""

    def step(self, dt_s: float) -> None:
        """Move on by a time."""
