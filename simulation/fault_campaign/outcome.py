"""What one injected fault did, and whether every promise was kept."""

from dataclasses import asdict, dataclass, field
from typing import Any

from simulation.fault_campaign.bounds import ZERO_LIMIT_S


@dataclass(frozen=True)
class Outcome:
    """What one injected fault did.

    Parameters
    ----------
    index, kind : int, str
        Which injection of the plan, and its kind.
    dof, fine : str, bool
        What was moving, and in which speed tier.
    reason : str
        What the bridge said; empty where its guard had to act.
    noticed : bool
        Whether the robot was stopped, the stop latched, and the reason was the right one.
    zero_ms, still_ms : float or None, float
        From the fault to the first command after which none moves anything, and to the robot's last motion.
    travel, bound : mapping, mapping
        Distance of each DoF after the fault, and what was allowed for the one that was moving; m or rad.
    moved_before_rearm : bool
        Whether anything moved later, with gestures still being made, or arming was accepted with a gesture held.
    attempts : int
        More than 1 where the robot had stopped by itself just before the fault, which then did not count.
    seconds : float
        What the injection took.
    moved_later : mapping
        What moved after the robot had come to a stand and before it was armed again; m or rad.
    armed_in_gesture : bool
        Whether the bridge let itself be armed while a gesture was made.
    """

    index: int
    kind: str
    dof: str
    fine: bool
    reason: str
    noticed: bool
    zero_ms: float | None
    still_ms: float
    travel: dict[str, float]
    bound: dict[str, float]
    moved_before_rearm: bool
    attempts: int
    seconds: float
    moved_later: dict[str, float] = field(default_factory=dict)
    armed_in_gesture: bool = False

    @property
    def missed(self) -> bool:
        """Neither noticed nor answered by a zero command."""
        return not self.noticed or self.zero_ms is None

    @property
    def in_bounds(self) -> bool:
        """Whether everything that is promised was kept."""
        zero = self.zero_ms is not None and self.zero_ms <= 1e3 * ZERO_LIMIT_S
        near = all(distance <= self.bound[dof] for dof, distance in self.travel.items())
        return zero and near and not self.missed and not self.moved_before_rearm

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)
