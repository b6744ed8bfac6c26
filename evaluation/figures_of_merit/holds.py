"""What a hold is worth to the person who holds: whether the robot gets the command, another one, or a stutter.

Definitions of this project, by hops of decisions within the steady part of trials.
"""

from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import IntArray


@dataclass(frozen=True)
class Hold:
    """Decisions within one trial of a gesture that is not rest.

    Parameters
    ----------
    hops, right, wrong, silent : int
        All decisions; those for the gesture; those for another one that would move the robot; rest or none.
    after_first, right_after_first : int
        From the first right decision on: all decisions, and those that are right.
    interruptions : int
        How often a right decision was followed by another one.
    """

    hops: int
    right: int
    wrong: int
    silent: int
    after_first: int
    right_after_first: int
    interruptions: int


@dataclass(frozen=True)
class HoldFigures:
    """Figures of many holds; NaN where there is none.

    Parameters
    ----------
    usable_commands : float
        Share of hops in which a gesture was asked for and decided.
    wrong_commands : float
        Share of hops in which another gesture was decided that would move the robot.
    stability : float
        Share of the hops from the first right one on that are right too.
    interruptions_per_hold : float
        How often a hold breaks off.
    """

    usable_commands: float
    wrong_commands: float
    stability: float
    interruptions_per_hold: float


def judge_hold(decided: IntArray, wanted: int, rest_index: int) -> Hold:
    """Judge the decisions of one trial, shape (n_hops,), -1 for none; `rest_index` is -1 where there is no rest."""
    right = decided == wanted
    silent = (decided == rest_index) | (decided < 0)
    first = int(right.argmax()) if right.any() else len(decided)
    tail = right[first:]
    return Hold(
        hops=len(decided),
        right=int(right.sum()),
        wrong=int((~right & ~silent).sum()),
        silent=int((~right & silent).sum()),
        after_first=len(tail),
        right_after_first=int(tail.sum()),
        interruptions=int(np.count_nonzero(tail[:-1] & ~tail[1:])),
    )


def hold_figures(holds: list[Hold]) -> HoldFigures:
    """Add up holds, hop by hop."""
    hops = sum(one.hops for one in holds)
    after = sum(one.after_first for one in holds)
    return HoldFigures(
        _share(sum(one.right for one in holds), hops),
        _share(sum(one.wrong for one in holds), hops),
        _share(sum(one.right_after_first for one in holds), after),
        _share(sum(one.interruptions for one in holds), len(holds)),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
