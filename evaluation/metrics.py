"""Figures of a decoded session, by trial and by decision; never split inside a trial."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import IntArray
from emg_acquisition.recording.session import Trial

NO_DECISION = "none"


@dataclass(frozen=True)
class TrialOutcome:
    """What was decided in a trial: the most frequent gesture and the share of decisions that were right."""

    trial: Trial
    decided: str
    share_correct: float
    n_decisions: int

    @property
    def correct(self) -> bool:
        """Whether the most frequent decision is the cued gesture."""
        return self.decided == self.trial.gesture


def trial_outcomes(
    trials: Sequence[Trial],
    sample_index: IntArray,
    gesture_index: IntArray,
    gestures: Sequence[str],
    *,
    after_cue_samples: int,
    before_next_samples: int,
) -> tuple[TrialOutcome, ...]:
    """Judge each trial by its decisions, away from the cue changes.

    Parameters
    ----------
    trials : sequence of Trial
        Cued stretches of the recording.
    sample_index, gesture_index : ndarray, shape (n_decisions,)
        Newest EMG sample of each decision, and what was decided (-1 for no decision).
    gestures : sequence of str
        Names by index.
    after_cue_samples, before_next_samples : int
        Left out after the trial's cue and before the next one: labels follow the cue, not the muscle.

    Returns
    -------
    tuple of TrialOutcome
        One for each trial that holds any decision; a trial of nothing but rejections is decided ``"none"``.
    """
    outcomes = []
    for trial in trials:
        first, stop = trial.start + after_cue_samples, trial.stop - before_next_samples
        indices = gesture_index[(sample_index >= first) & (sample_index < stop)]
        if not indices.size:
            continue
        decided = indices[indices >= 0]
        name = gestures[int(np.bincount(decided).argmax())] if decided.size else NO_DECISION
        right = np.array([gestures[i] == trial.gesture for i in decided], dtype=bool)
        outcomes.append(TrialOutcome(trial, name, float(right.sum()) / indices.size, int(indices.size)))
    return tuple(outcomes)


def trial_accuracy(outcomes: Sequence[TrialOutcome]) -> float:
    """Share of trials decided right; NaN where there is no trial."""
    return float(np.mean([outcome.correct for outcome in outcomes])) if outcomes else float("nan")


def confusion(outcomes: Sequence[TrialOutcome], gestures: Sequence[str]) -> IntArray:
    """Trials by cued (row) and decided (column) gesture, shape (n_gestures, n_gestures + 1); last: no decision."""
    columns = {name: k for k, name in enumerate((*gestures, NO_DECISION))}
    rows = {name: k for k, name in enumerate(gestures)}
    counts = np.zeros((len(gestures), len(columns)), dtype=np.int64)
    for outcome in outcomes:
        if outcome.trial.gesture in rows:
            counts[rows[outcome.trial.gesture], columns[outcome.decided]] += 1
    return counts
