"""Decisions on a session, recorded or replayed, and how its trials came out by them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.outcomes import TrialOutcome, judge_trial
from calibration.train_settings import Margins
from calibration.training_set import trial_spans
from emg_acquisition.arrays import IntArray
from emg_acquisition.recording.session import RecordedSession


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


def recorded_decisions(session: RecordedSession) -> Decided:
    """Return the decisions that were made live and recorded; none where the session holds no Gesture stream."""
    if session.gestures is None:
        return Decided(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    half_s = 0.5 * session.emg.info.sample_interval_s
    newest = np.searchsorted(session.emg.t_lsl_s, session.gestures.t_lsl_s - half_s)
    return Decided(newest.astype(np.int64), session.gestures.values[:, 0].astype(np.int64))


def session_outcomes(
    session: RecordedSession,
    decided: Decided,
    gestures: Sequence[str],
    window_samples: int,
    margins: Margins,
) -> tuple[TrialOutcome, ...]:
    """Judge the trials of a session by its decisions.

    Parameters
    ----------
    session : RecordedSession
        With cues.
    decided : Decided
        The decisions on it.
    gestures : sequence of str
        Names by index.
    window_samples : int
        Length of the decoder's window: a decision counts if the whole of it lies in the trial's steady part.
    margins : Margins
        What of a cued trial is not steady.

    Returns
    -------
    tuple of TrialOutcome
        One for each trial whose steady part is as long as a window. One without a decision, because all were
        rejected or none was made, is undecided, and so wrong.
    """
    return tuple(
        judge_trial(
            span.trial, decided.gesture_index[span.steady(decided.sample_index, window_samples)], gestures
        )
        for span in trial_spans(session, margins)
        if span.holds(window_samples)
    )
