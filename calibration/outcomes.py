"""What was decided against what was asked: the outcome of a trial, and confusion counts.

Training, evaluation, replay and the demo all judge trials by `judge_trial` and count confusions by `confusion_counts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import IntArray
from emg_acquisition.decision import NO_DECISION
from emg_acquisition.recording.session import Trial

UNDECIDED = "none"


@dataclass(frozen=True)
class TrialOutcome:
    """The most frequent decision of a trial, by index (-1 where every hop was rejected or none was made) and name."""

    trial: Trial
    index: int
    decided: str

    @property
    def correct(self) -> bool:
        """Whether the most frequent decision is the cued gesture."""
        return self.index != NO_DECISION and self.decided == self.trial.gesture


def judge_trial(trial: Trial, decided: IntArray, gestures: Sequence[str]) -> TrialOutcome:
    """Judge a trial by its decisions, away from the cue changes.

    Parameters
    ----------
    trial : Trial
        What was asked for.
    decided : ndarray, shape (n_decisions,)
        Gesture indices, -1 for no decision: these are not counted, but a trial of nothing else is undecided, and so
        wrong. Of equally frequent gestures the first by index is taken.
    gestures : sequence of str
        Names by index.
    """
    made = decided[decided >= 0]
    index = int(np.bincount(made).argmax()) if made.size else NO_DECISION
    return TrialOutcome(trial, index, gestures[index] if made.size else UNDECIDED)


def trial_accuracy(outcomes: Sequence[TrialOutcome]) -> float:
    """Share of trials decided right; NaN where there is no trial."""
    return float(np.mean([outcome.correct for outcome in outcomes])) if outcomes else float("nan")


def confusion_counts(truth: IntArray, decided: IntArray, n_gestures: int) -> IntArray:
    """Count decisions by what was asked.

    Parameters
    ----------
    truth : ndarray of int64, shape (n,)
        Gesture asked for, 0 to ``n_gestures - 1``.
    decided : ndarray of int64, shape (n,)
        Gesture decided; -1 for no decision.
    n_gestures : int
        Number of gestures.

    Returns
    -------
    ndarray of int64, shape (n_gestures, n_gestures + 1)
        Rows: asked; columns: decided, the last one no decision.
    """
    counts = np.zeros((n_gestures, n_gestures + 1), dtype=np.int64)
    np.add.at(counts, (truth, decided), 1)  # -1 is the last column
    return counts
