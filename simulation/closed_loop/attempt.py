"""One attempt at a goal: the loop runs until the goal is held or the time is over, and what it took is noted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.closed_loop.goal import Goal
from simulation.closed_loop.loop import ClosedLoop, path_lengths
from simulation.closed_loop.virtual_user import VirtualUser

TIME_OUT = "time-out"


@dataclass(frozen=True)
class Attempt:
    """What one attempt took.

    Parameters
    ----------
    task, label : str
        Which test, and which target or step of it.
    completed : bool
        Whether the goal was reached and held.
    reason : str
        Why not; empty where it was.
    time_s : float
        From the goal's appearance to the moment from which on it was held; the whole time where it was not.
    starts, ends : mapping of str to float
        Where each DoF of the goal began and ended, m or rad.
    targets, widths : mapping of str to float
        The goal's positions and their whole widths.
    path_efficiency : float
        Straight way over way travelled, all DoF in seconds at coarse speed, added up: one DoF moves at a time.
    overshoots : int
        How often the goal was left again before it had been held long enough.
    mode_switches, speed_switches, stops : int
        What the bridge did meanwhile.
    decisions, wrong_decisions, missing_decisions : int
        The decoder's, once an intention was half a second old: in all, for another gesture, and for none.
    gestures, wrong_gestures, lapses, unanswered, surprises : int
        What the user did: gestures made, made wrongly, let go for no reason, short or long ones without effect, and
        how often one was let go because the robot did something else.
    """

    task: str
    label: str
    completed: bool
    reason: str
    time_s: float
    starts: Mapping[str, float]
    ends: Mapping[str, float]
    targets: Mapping[str, float]
    widths: Mapping[str, float]
    path_efficiency: float
    overshoots: int
    mode_switches: int
    speed_switches: int
    stops: int
    decisions: int
    wrong_decisions: int
    missing_decisions: int
    gestures: int
    wrong_gestures: int
    lapses: int
    unanswered: int
    surprises: int


@dataclass(frozen=True)
class Tally:
    """Counts of loop and user at a moment, to be subtracted from those of a later one."""

    values: Mapping[str, int]
    path: Mapping[str, float]

    @classmethod
    def of(cls, loop: ClosedLoop, user: VirtualUser) -> "Tally":
        """Read them now."""
        counts = {
            name: getattr(loop.counts, name)
            for name in (
                *("mode_switches", "speed_switches", "stops"),
                *("decisions", "wrong_decisions", "missing_decisions"),
            )
        }
        counts |= {
            name: getattr(user.counts, name)
            for name in ("gestures", "wrong_gestures", "lapses", "unanswered", "surprises")
        }
        return cls(counts, dict(loop.path))

    def since(self, earlier: "Tally") -> dict[str, int]:
        """Return what was counted in between."""
        return {name: value - earlier.values[name] for name, value in self.values.items()}

    def way_since(self, earlier: "Tally") -> dict[str, float]:
        """Return the way that each DoF has travelled in between, m or rad."""
        return {dof: way - earlier.path[dof] for dof, way in self.path.items()}


@dataclass(frozen=True)
class Rig:
    """Who drives what; the model's coarse speeds make metres and radians comparable."""

    loop: ClosedLoop
    user: VirtualUser
    model: RobotModel


@dataclass(frozen=True)
class Rules:
    """How long a goal must be held, and how long an attempt may take."""

    dwell_s: float
    limit_s: float


def attempt(rig: Rig, goal: Goal, rules: Rules, task: str, label: str) -> Attempt:
    """Let the user try to reach a goal.

    Parameters
    ----------
    rig : Rig
        As the attempts before have left it.
    goal : Goal
        What is to be reached.
    rules : Rules
        Dwell and time limit.
    task, label : str
        For the record.
    """
    loop, user = rig.loop, rig.user
    before, began_s = Tally.of(loop, user), loop.t_s
    starts = loop.view.positions
    user.pursue(goal, began_s)
    held_since_s, overshoots = run_until_held(rig, lambda: goal.reached(loop.view.positions), rules)
    user.pursue(None, loop.t_s)
    after = Tally.of(loop, user)
    counted = after.since(before)
    completed = held_since_s is not None
    return Attempt(
        task=task,
        label=label,
        completed=completed,
        reason="" if completed else f"{TIME_OUT}: {why_slow(counted, overshoots)}",
        time_s=(held_since_s if held_since_s is not None else loop.t_s) - began_s,
        starts=_of(goal, starts),
        ends=_of(goal, loop.view.positions),
        targets={dof: aim.position for dof, aim in goal.aims.items()},
        widths={dof: 2 * aim.tolerance for dof, aim in goal.aims.items()},
        path_efficiency=_efficiency(goal, starts, loop.view.positions, after.way_since(before), rig.model),
        overshoots=overshoots,
        **counted,
    )


def run_until_held(rig: Rig, reached: Callable[[], bool], rules: Rules) -> tuple[float | None, int]:
    """Run until something has been true for the dwell.

    Returns
    -------
    float or None, int
        Since when it has been; None for a time-out. How often it was lost before.
    """
    loop, user = rig.loop, rig.user
    began_s, since_s, lost = loop.t_s, None, 0
    while loop.t_s - began_s < rules.limit_s:
        loop.step(user.act(loop.t_s, loop.seen))
        if reached():
            since_s = loop.t_s if since_s is None else since_s
            if loop.t_s - since_s >= rules.dwell_s:
                return since_s, lost
        elif since_s is not None:
            since_s, lost = None, lost + 1
    return None, lost


def why_slow(counted: Mapping[str, int], overshoots: int) -> str:
    """Say in words what took the time of an attempt that was not completed."""
    settled = max(1, counted["decisions"])
    wrong, missing = counted["wrong_decisions"] / settled, counted["missing_decisions"] / settled
    words = []
    if counted["stops"]:
        words.append(f"the bridge stopped {counted['stops']} times")
    if max(wrong, missing) > 0.1:  # noqa: PLR2004 - a tenth of the decisions is felt
        words.append(f"the decoder took {wrong:.0%} of held gestures for others and {missing:.0%} for none")
    if counted["surprises"] > 1:
        words.append(f"{counted['surprises']} times the robot did something else than the gesture says")
    if counted["unanswered"] > 1:
        words.append(f"{counted['unanswered']} gestures that switch had no effect")
    if overshoots > 1:
        words.append(f"the goal was passed {overshoots} times")
    return "; ".join(words) or "the way was too long for the time"


def _of(goal: Goal, positions: tuple[float, ...]) -> dict[str, float]:
    return {dof: positions[DOF_NAMES.index(dof)] for dof in goal.aims}


def _efficiency(
    goal: Goal,
    starts: tuple[float, ...],
    ends: tuple[float, ...],
    travelled: dict[str, float],
    model: RobotModel,
) -> float:
    """Way from start to end, of the goal's DoF, over the way that all DoF have travelled."""
    straight = {dof: abs(_of(goal, ends)[dof] - start) for dof, start in _of(goal, starts).items()}
    way = sum(path_lengths(travelled, model).values())
    return min(1.0, sum(path_lengths(straight, model).values()) / way) if way > 0 else 1.0
