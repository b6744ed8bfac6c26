"""Targets after Fitts on each DoF: two places to go to in turn, at several distances and widths.

The index of difficulty is that of ISO 9241-411, log2(D / W + 1). A target counts once the robot has stayed in it for
the dwell time, as in tests of myoelectric control (Scheme, Englehart, *Validation of a selective ensemble-based
classification scheme for myoelectric control using a three-dimensional Fitts' law test*, IEEE Trans. Neural Syst.
Rehabil. Eng. 21, 2013); movement time ends when the target is entered for good and includes the user's reaction.
The user is brought into the DoF's mode before the first target: how long modes take is for the test over several DoF.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.closed_loop.attempt import Attempt, Rig, Rules, attempt
from simulation.closed_loop.goal import Aim, Goal

TASK = "fitts"
RULES = Rules(dwell_s=1.0, limit_s=30.0)
# Distances in seconds at coarse speed, and widths as shares of them; a joint's reach sets the farthest.
DISTANCES_S = (1.0, 2.0)
WIDTH_SHARES = (0.5, 0.25, 0.125)
# Of a joint's range, the most that two targets and half their widths may take.
MAX_PART_OF_RANGE = 0.8


@dataclass(frozen=True)
class Condition:
    """A DoF, the distance between its two targets, and their width; m or rad."""

    dof: str
    distance: float
    width: float

    @property
    def label(self) -> str:
        """Name of the condition."""
        return f"{self.dof} D={self.distance:.3g} W={self.width:.3g}"


def conditions(dof: str, model: RobotModel) -> list[Condition]:
    """Return a DoF's conditions, the easiest first."""
    limits = model.dof[dof]
    reach = MAX_PART_OF_RANGE * (limits.position_upper - limits.position_lower)
    found = []
    for seconds in DISTANCES_S:
        distance = min(seconds * limits.speed(fine=False), reach / (1 + WIDTH_SHARES[0]))
        for share in WIDTH_SHARES:
            condition = Condition(dof, distance, share * distance)
            if condition not in found:
                found.append(condition)
    return found


def run_fitts(
    rig: Rig,
    dof_names: tuple[str, ...],
    trials: int,
    progress: Callable[[str, float], None],
) -> Iterator[Attempt]:
    """Go to each condition's two targets in turn; yields an attempt after the other.

    Parameters
    ----------
    rig : Rig
        Who drives what.
    dof_names : tuple of str
        The DoF, in this order.
    trials : int
        Targets a condition.
    progress : callable
        Told what happens and the share done.
    """
    planned = [condition for dof in dof_names for condition in conditions(dof, rig.model)]
    for number, condition in enumerate(planned):
        progress(condition.label, number / len(planned))
        index = DOF_NAMES.index(condition.dof)
        middle = _middle(condition, rig.model, rig.loop.view.positions[index])
        aim = Aim(middle - condition.distance / 2, condition.width / 2)
        attempt(rig, Goal({condition.dof: aim}), RULES, TASK, "approach")
        for trial in range(trials):
            side = 1 if trial % 2 == 0 else -1
            aim = Aim(middle + side * condition.distance / 2, condition.width / 2)
            yield attempt(rig, Goal({condition.dof: aim}), RULES, TASK, condition.label)
    progress("done", 1.0)


def _middle(condition: Condition, model: RobotModel, now: float) -> float:
    """Middle between the targets: of a joint's range, or for the wheels where the robot stands."""
    limits = model.dof[condition.dof]
    if limits.lower is None or limits.upper is None:
        return now
    return (limits.lower + limits.upper) / 2
