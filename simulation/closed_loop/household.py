"""Everyday tasks, step after step, with what went wrong where one was not completed."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from robot_bridge.gesture_map import GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.closed_loop.attempt import TIME_OUT, Attempt, Rig, Tally, why_slow
from simulation.closed_loop.goal import Aim, Goal
from simulation.closed_loop.hand import finger_rad, hand_of
from simulation.closed_loop.household_tasks import Step, Task, draw_tasks
from simulation.closed_loop.loop import STEPS_PER_S, path_lengths

TASK = "household"
TASK_NAMES = ("cup", "bottle", "door", "switch", "shelf", "wipe")
LIMIT_S = 300.0
HELD_S = 0.3
UNSEEN = "time-out: all was where it should be, yet it was not done"
# The person looks anew where things are, now and then.
LOOK_STEPS = STEPS_PER_S // 5
NEEDS = ("base_translate", "base_rotate", "lift", "arm", "wrist_yaw", "wrist_pitch", "wrist_roll", "gripper")
# Where the robot stands at first, hand a little askew; a tin in the hand needs closed fingers.
START = {"lift": 0.6, "arm": 0.1, "wrist_yaw": 0.5, "wrist_pitch": -0.3, "wrist_roll": 0.0}
START_GRIPPER = {"shelf": finger_rad(0.065), "wipe": finger_rad(0.02)}
GRIPPER = 0.15


def start_of(task_name: str) -> dict[str, float]:
    """Return the joints' positions that a task starts from, by DoF."""
    return START | {"gripper": START_GRIPPER.get(task_name, GRIPPER)}


def draw_task(name: str, seed: int, number: int) -> Task:
    """Return a task by rules of geometry, its scene the same for the same seed and number."""
    rng = np.random.default_rng((seed, number, 0x405E))
    return draw_tasks(rng)[TASK_NAMES.index(name)]()


def run_household(
    set_up: Callable[[str, int], tuple[Rig, Task]],
    gesture_map: GestureMap,
    trials: int,
    progress: Callable[[str, float], None],
) -> Iterator[Attempt]:
    """Do every task some times, each from a fresh start in a scene drawn anew; yields an attempt after the other.

    Parameters
    ----------
    set_up : callable
        ``set_up(task_name, number)`` makes the scene, and a loop with a fresh robot in it, ready and armed.
    gesture_map : GestureMap
        A task that needs a DoF that the map leaves out is not attempted: it fails as unreachable.
    trials : int
        Times of each task.
    progress : callable
        Told what happens and the share done.
    """
    missing = [dof for dof in NEEDS if dof not in gesture_map.covers]
    total = trials * len(TASK_NAMES)
    for number in range(total):
        trial, index = divmod(number, len(TASK_NAMES))
        progress(TASK_NAMES[index], number / total)
        if missing:
            yield _unreachable(TASK_NAMES[index], f"the map moves no {', '.join(missing)}")
            continue
        yield run_task(*set_up(TASK_NAMES[index], trial))
    progress("done", 1.0)


class _Run:
    """A task under way: the clock, the scene, and how far it has come."""

    def __init__(self, rig: Rig, task: Task) -> None:
        self._rig, self._task = rig, task
        self._began_s = rig.loop.t_s
        self._straight_s = 0.0
        self.step = ""

    @property
    def straight_s(self) -> float:
        """Straight ways of all steps so far, in seconds at coarse speed."""
        return self._straight_s

    def do(self, step: Step) -> str:
        """Do one step; returns why it failed, or nothing."""
        loop, user, model = self._rig.loop, self._rig.user, self._rig.model
        self.step = step.name
        start = loop.view.positions
        goal = self._goal(step)
        user.pursue(goal, loop.t_s)
        held = looked = 0
        while held < HELD_S * STEPS_PER_S:
            if loop.t_s - self._began_s > LIMIT_S:
                there = goal.reached(loop.view.positions)
                return UNSEEN if there else TIME_OUT
            if looked % LOOK_STEPS == 0:
                goal = self._goal(step)
                beyond = _out_of_reach(goal, model)
                if beyond:
                    return beyond
                user.correct(goal)
            looked += 1
            view = loop.step(user.act(loop.t_s, loop.seen))
            self._task.update(hand_of(view.positions, loop.base_pose()))
            if self._task.failure:
                return self._task.failure
            done = goal.reached(view.positions) if step.done is None else step.done()
            held = held + 1 if done else 0
        self._straight_s += _straight(start, loop.view.positions, model)
        return ""

    def _goal(self, step: Step) -> Goal:
        loop = self._rig.loop
        return Goal(step.aims(loop.view.positions, loop.base_pose()), ordered=True)


def run_task(rig: Rig, task: Task) -> Attempt:
    """Let the user do a task; what went wrong is named with the step in which it did."""
    loop, user = rig.loop, rig.user
    before, began_s = Tally.of(loop, user), loop.t_s
    run = _Run(rig, task)
    failure = ""
    for step in task.steps:
        failure = run.do(step)
        if failure:
            break
    user.pursue(None, loop.t_s)
    after = Tally.of(loop, user)
    counted = after.since(before)
    if failure == TIME_OUT:
        failure = f"{TIME_OUT} after {LIMIT_S:g} s: {why_slow(counted, 0)}"
    way_s = sum(path_lengths(after.way_since(before), rig.model).values())
    return Attempt(
        task=TASK,
        label=task.name,
        completed=not failure,
        reason=f"while trying to {run.step}: {failure}" if failure else "",
        time_s=loop.t_s - began_s,
        starts={},
        ends={},
        targets={},
        widths={},
        path_efficiency=min(1.0, run.straight_s / way_s) if way_s > 0 else 1.0,
        overshoots=0,
        **counted,
    )


def _straight(start: tuple[float, ...], end: tuple[float, ...], model: RobotModel) -> float:
    ways = {dof: abs(b - a) for dof, a, b in zip(DOF_NAMES, start, end, strict=True)}
    return sum(path_lengths(ways, model).values())


def _out_of_reach(goal: Goal, model: RobotModel) -> str:
    """Say which DoF could not come near enough to its aim, if any."""
    return next((text for dof, aim in goal.aims.items() if (text := _beyond(dof, aim, model))), "")


def _beyond(dof: str, aim: Aim, model: RobotModel) -> str:
    limits = model.dof[dof]
    if limits.position_lower - aim.tolerance <= aim.position <= limits.position_upper + aim.tolerance:
        return ""
    return f"out of reach: {dof} at {aim.position:.2f}, it goes from {limits.lower:g} to {limits.upper:g}"


def _unreachable(name: str, why: str) -> Attempt:
    nothing: Mapping[str, float] = {}
    counts = dict.fromkeys(
        (
            *("mode_switches", "speed_switches", "stops", "decisions", "wrong_decisions"),
            *("missing_decisions", "gestures", "wrong_gestures", "lapses", "unanswered", "surprises"),
        ),
        0,
    )
    return Attempt(
        task=TASK,
        label=name,
        completed=False,
        reason=f"unreachable: {why}",
        time_s=0.0,
        starts=nothing,
        ends=nothing,
        targets=nothing,
        widths=nothing,
        path_efficiency=0.0,
        overshoots=0,
        **counts,
    )
