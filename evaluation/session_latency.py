"""How long it took in a recorded session from an EMG sample to the decision, to the robot's command and to its motion.

Everything is read from the bridge's journal: when a decision came in and how old its newest EMG sample was then, when a
command was computed, and when joint states came that show motion. One machine's LSL and monotonic clocks are the same.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emg_acquisition.arrays import Float64Array
from emg_acquisition.decision import Decision
from evaluation.bridge_replay import read_journal
from robot_bridge.inputs import DecisionInput, JointStatesInput, TickInput
from robot_bridge.journal import Beginning, Entry, OlderJournalError
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import JOINT_DOF, read_joint_states

# A motion begins where a joint's target moves after it had stood for so long.
STOOD_S = 0.5
# Seen once the joint is so far from where it stood, within so long.
SEEN_M, SEEN_RAD = 0.0005, 0.002
MAX_WAIT_S = 1.5
SMALLEST_STEP = 1e-6


@dataclass(frozen=True)
class SessionLatency:
    """Milliseconds since the newest EMG sample of the decision that it was about.

    Parameters
    ----------
    decision_ms : ndarray, shape (n_decisions,)
        Until the decision had come in at the bridge.
    command_ms : ndarray, shape (n_commanded,)
        Until the first command that was computed from it, which is published at once; only of an armed robot.
    motion_ms : ndarray, shape (n_motions,)
        Until a joint that had stood was seen to move, in the joint states that the bridge gets; not the wheels.
    """

    decision_ms: Float64Array
    command_ms: Float64Array
    motion_ms: Float64Array


@dataclass
class _Beginning:
    """A joint that was commanded to move and has not been seen to."""

    sample_s: float
    commanded_s: float
    from_position: float
    direction: float


@dataclass
class _Follower:
    """What has been read of a journal so far."""

    units: dict[str, str]
    decision_ms: list[float] = field(default_factory=list)
    command_ms: list[float] = field(default_factory=list)
    motion_ms: list[float] = field(default_factory=list)
    sample_s: float = math.nan
    answered: bool = True
    targets: dict[str, tuple[float, float]] = field(default_factory=dict)
    positions: dict[str, float] = field(default_factory=dict)
    beginnings: dict[str, _Beginning] = field(default_factory=dict)

    def on_decision(self, decision: Decision, t_s: float) -> None:
        self.decision_ms.append(1000.0 * decision.age_s)
        self.sample_s, self.answered = t_s - decision.age_s, False

    def on_command(self, targets: dict[str, float], t_s: float) -> None:
        if not self.answered:
            self.command_ms.append(1000.0 * (t_s - self.sample_s))
            self.answered = True
        for dof, target in targets.items():
            before, since_s = self.targets.get(dof, (target, t_s))
            if abs(target - before) < SMALLEST_STEP:
                self.targets[dof] = (before, since_s)
                continue
            if t_s - since_s >= STOOD_S and dof in self.positions:
                direction = float(np.sign(target - before))
                self.beginnings[dof] = _Beginning(self.sample_s, t_s, self.positions[dof], direction)
            self.targets[dof] = (target, t_s)

    def on_joints(self, positions: dict[str, float], t_s: float) -> None:
        self.positions = positions
        for dof, begun in list(self.beginnings.items()):
            smallest = SEEN_M if self.units[dof] == "m" else SEEN_RAD
            if (positions[dof] - begun.from_position) * begun.direction >= smallest:
                self.motion_ms.append(1000.0 * (t_s - begun.sample_s))
                del self.beginnings[dof]
            elif t_s - begun.commanded_s > MAX_WAIT_S:
                del self.beginnings[dof]

    def on_break(self) -> None:
        """Forget what is under way: nothing is commanded, or the bridge has restarted."""
        self.answered = True
        self.targets.clear()
        self.beginnings.clear()


def journal_latency(journal: Iterable[tuple[float, Entry]], model: RobotModel) -> SessionLatency:
    """Follow a journal: entries with the LSL times at which they were noted."""
    following = _Follower({dof: model.dof[dof].unit for dof in JOINT_DOF})
    for t_s, entry in journal:
        what = entry.what
        if isinstance(what, DecisionInput):
            following.on_decision(what.decision, what.t_mono_s)
        elif isinstance(what, TickInput) and entry.answer is not None:
            following.on_command(dict(entry.answer.targets), t_s)
        elif isinstance(what, (TickInput, Beginning)):
            following.on_break()
        elif isinstance(what, JointStatesInput):
            reading = read_joint_states(what.names, what.positions)
            if reading is not None:
                following.on_joints(dict(reading.positions), t_s)
    return SessionLatency(
        np.array(following.decision_ms), np.array(following.command_ms), np.array(following.motion_ms)
    )


def session_latency(folder: Path, model: RobotModel) -> SessionLatency | None:
    """Follow a recorded session; None where no bridge was recorded, or in a journal of an older format.

    Raises
    ------
    InputError
        If the journal is damaged.
    """
    try:
        journal = read_journal(folder)
    except OlderJournalError:
        return None
    return journal_latency(journal, model) if journal else None


def latency_lines(latency: SessionLatency) -> Iterator[str]:
    """Say each distribution in a line."""
    for words, values_ms in (
        ("to the decision at the bridge", latency.decision_ms),
        ("to the command", latency.command_ms),
        ("to a joint seen to move", latency.motion_ms),
    ):
        if len(values_ms):
            median, p95, p99 = np.percentile(values_ms, (50, 95, 99))
            yield (
                f"from EMG sample {words}: median {median:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms,"
                f" most {values_ms.max():.1f} ms ({len(values_ms)} times)"
            )


def latency_figures(latency: SessionLatency | None) -> dict[str, dict[str, float | int] | None]:
    """Return median, p99 and number of each distribution, for JSON; None where there is none."""
    every = {} if latency is None else vars(latency)
    return {
        name: (
            {
                "median": round(float(np.median(every[f"{name}_ms"])), 3),
                "p99": round(float(np.percentile(every[f"{name}_ms"], 99)), 3),
                "n": len(every[f"{name}_ms"]),
            }
            if len(every.get(f"{name}_ms", ()))
            else None
        )
        for name in ("decision", "command", "motion")
    }
