"""What is to be reached: positions of some DoF, each with a tolerance."""

from collections.abc import Mapping
from dataclasses import dataclass

from robot_bridge.stretch_interface import DOF_NAMES


@dataclass(frozen=True)
class Aim:
    """A DoF's position and how far from it is near enough, in m or rad."""

    position: float
    tolerance: float


@dataclass(frozen=True)
class Goal:
    """Aims by DoF; a DoF without one may be anywhere. ``ordered`` ones are gone for one after the other."""

    aims: Mapping[str, Aim]
    ordered: bool = False

    def errors(self, positions: tuple[float, ...]) -> dict[str, float]:
        """Return how far each DoF has to go, with its sign."""
        return {dof: aim.position - positions[DOF_NAMES.index(dof)] for dof, aim in self.aims.items()}

    def open_aims(self, positions: tuple[float, ...]) -> list[str]:
        """Return the DoF that are not near enough; of ordered aims in their order, else the farthest first."""
        errors = self.errors(positions)
        beyond = {
            dof: abs(error) / self.aims[dof].tolerance
            for dof, error in errors.items()
            if abs(error) > self.aims[dof].tolerance
        }
        return list(beyond) if self.ordered else sorted(beyond, key=lambda dof: -beyond[dof])

    def reached(self, positions: tuple[float, ...]) -> bool:
        """Whether every DoF is near enough."""
        return not self.open_aims(positions)
