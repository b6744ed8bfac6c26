"""Target achievement: postures of several DoF at once, held for two seconds.

After Simon, Hargrove, Lock, Kuiken, *Target Achievement Control Test: evaluating real-time myoelectric
pattern-recognition control of multifunctional upper-limb prostheses*, J. Rehabil. Res. Dev. 48, 2011: a posture away
from the present one, a tolerance, a dwell of two seconds, and a time limit. A mobile manipulator moves one DoF at a
time, through modes; so the limit is longer than for a prosthesis, and a DoF that moves by mistake must be brought back
only if the posture names it.
"""

from collections.abc import Callable, Iterator

import numpy as np

from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.closed_loop.attempt import Attempt, Rig, Rules, attempt
from simulation.closed_loop.goal import Aim, Goal

TASK = "tac"
DWELL_S = 2.0
LIMIT_S_PER_DOF = 30.0
N_DOF = (2, 3)
# How far away a posture lies, and how wide it is, in seconds at coarse speed.
DISTANCE_S = (0.8, 1.6)
TOLERANCE_S = 0.2
# So much of a joint's range is kept free at either end.
MARGIN = 0.1


def run_achievement(
    rig: Rig,
    dof_names: tuple[str, ...],
    trials: int,
    seed: int,
    progress: Callable[[str, float], None],
) -> Iterator[Attempt]:
    """Go to posture after posture, each drawn from where the robot stands; yields an attempt after the other.

    Parameters
    ----------
    rig : Rig
        Who drives what.
    dof_names : tuple of str
        From which the DoF of a posture are drawn.
    trials : int
        Postures for each number of DoF.
    seed : int
        Seed of the postures.
    progress : callable
        Told what happens and the share done.
    """
    rng = np.random.default_rng((seed, 0x7AC))
    planned = [n for n in N_DOF if n <= len(dof_names) for _ in range(trials)]
    for number, n_dof in enumerate(planned):
        progress(f"{n_dof} DoF", number / len(planned))
        chosen = [str(dof) for dof in rng.choice(dof_names, n_dof, replace=False)]
        goal = Goal({dof: _aim(dof, rig.model, rig.loop.view.positions, rng) for dof in chosen})
        rules = Rules(DWELL_S, LIMIT_S_PER_DOF * n_dof)
        yield attempt(rig, goal, rules, TASK, f"{n_dof} DoF")
    progress("done", 1.0)


def _aim(dof: str, model: RobotModel, positions: tuple[float, ...], rng: np.random.Generator) -> Aim:
    limits, now = model.dof[dof], positions[DOF_NAMES.index(dof)]
    coarse = limits.speed(fine=False)
    away = float(rng.uniform(*DISTANCE_S)) * coarse
    sign = 1 if rng.random() < 0.5 else -1  # noqa: PLR2004 - a fair coin
    lower, upper = limits.position_lower, limits.position_upper
    margin = MARGIN * (upper - lower) if np.isfinite(upper - lower) else 0.0
    if not lower + margin <= now + sign * away <= upper - margin:
        sign = -sign
    return Aim(min(max(now + sign * away, lower + margin), upper - margin), TOLERANCE_S * coarse)
