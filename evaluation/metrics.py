"""Figures of a decoded session, by trial and by decision; never split inside a trial."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import IntArray
from emg_acquisition.recording.session import RecordedSession, Trial, trials

NO_DECISION = "none"
# Labels follow the cue, not the muscle: so much is left out on either side of a cue change.
CUE_MARGIN_S = 1.0


@dataclass(frozen=True)
class Decided:
    """What was decided at which EMG sample of a session.

    Parameters
    ----------
    sample_index, gesture_index : ndarray of int64, shape (n_decisions,)
        Newest EMG sample of each decision, and its gesture (-1 for no decision).
    """

    sample_index: IntArray
    gesture_index: IntArray


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
    cued: Sequence[Trial],
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
    cued : sequence of Trial
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
        One for each trial that is longer than the margins. A trial without a decision, because all were rejected
        or none was made, is decided ``"none"``, and so wrong.
    """
    outcomes = []
    for trial in cued:
        first, stop = trial.start + after_cue_samples, trial.stop - before_next_samples
        if stop <= first:
            continue
        indices = gesture_index[(sample_index >= first) & (sample_index < stop)]
        decided = indices[indices >= 0]
        name = gestures[int(np.bincount(decided).argmax())] if decided.size else NO_DECISION
        right = np.array([gestures[i] == trial.gesture for i in decided], dtype=bool)
        share = float(right.sum()) / max(1, indices.size)
        outcomes.append(TrialOutcome(trial, name, share, int(indices.size)))
    return tuple(outcomes)


def session_outcomes(
    session: RecordedSession,
    decided: Decided,
    gestures: Sequence[str],
    *,
    after_cue_s: float,
    before_next_s: float,
) -> tuple[TrialOutcome, ...]:
    """Judge every trial of a session by `decided`, with margins in seconds."""
    fs_hz = session.emg.info.fs_hz
    return trial_outcomes(
        trials(session),
        decided.sample_index,
        decided.gesture_index,
        gestures,
        after_cue_samples=round(after_cue_s * fs_hz),
        before_next_samples=round(before_next_s * fs_hz),
    )


def recorded_decisions(session: RecordedSession) -> Decided:
    """Return the decisions that were made live and recorded; none where the session holds no Gesture stream."""
    if session.gestures is None:
        return Decided(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    half_s = 0.5 * session.emg.info.sample_interval_s
    newest = np.searchsorted(session.emg.t_lsl_s, session.gestures.t_lsl_s - half_s)
    return Decided(newest.astype(np.int64), session.gestures.values[:, 0].astype(np.int64))


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
