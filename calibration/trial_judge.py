"""Whether a trial counts: its signal, its muscle, and whether it is like its siblings.

A sibling is an accepted trial of the same gesture. A trial is taken for another gesture only if that other's trials
are much nearer to it than its own siblings are: people vary, and whoever cannot do a gesture twice alike must not be
asked for ever. After `MOST_ATTEMPTS` a trial without activity is left out, and an outlier is believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.muscle_labels import CuedSpan, MuscleLabels, find_muscle
from calibration.protocol import PlannedTrial
from calibration.trial_labels import TrialLabel, Verdict
from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.events import REST

LEAST_GOOD_SHARE = 0.7
MOST_ATTEMPTS = 3
# How much nearer the other gesture has to be, of two distances between patterns.
NEARER = 0.6
LEAST_SIBLINGS = 1


@dataclass(frozen=True)
class RecordedTrial:
    """A trial that is over, with the EMG from its rest on.

    Parameters
    ----------
    planned : PlannedTrial
        What was asked for.
    trial : int
        Number of its cue; the rest before it has the one before.
    attempt : int
        From 1.
    emg_uv : ndarray, shape (n_samples, n_channels)
        From the cue for rest on, to some time after the end.
    t_lsl_s : ndarray, shape (n_samples,)
        Their times.
    cue_lsl_s, hold_lsl_s, end_lsl_s : float
        When it was asked for, was to be reached, and rest was asked for again.
    share_good : float
        The least share of good channels during it.
    whole : bool
        Whether no sample is missing.
    """

    planned: PlannedTrial
    trial: int
    attempt: int
    emg_uv: Float32Array
    t_lsl_s: Float64Array
    cue_lsl_s: float
    hold_lsl_s: float
    end_lsl_s: float
    share_good: float
    whole: bool


@dataclass(frozen=True)
class Judgement:
    """What was found: labels of the trial and, if there is any, of the rest before it; and why, in one line."""

    label: TrialLabel
    rest: TrialLabel | None
    why: str = ""


def judge_trial(trial: RecordedTrial, accepted: Sequence[TrialLabel], fs_hz: float) -> Judgement:
    """Judge a trial.

    Parameters
    ----------
    trial : RecordedTrial
        The trial.
    accepted : sequence of TrialLabel
        The good ones before it, of all gestures.
    fs_hz : float
        Sampling rate.
    """
    gesture = trial.planned.gesture
    if not trial.whole or len(trial.t_lsl_s) == 0:
        return Judgement(
            _label(trial, Verdict.STREAM_LOST), None, f"{gesture}: part of the signal was missing"
        )
    if trial.share_good < LEAST_GOOD_SHARE:
        why = f"{gesture}: only {trial.share_good:.0%} of the electrodes were good"
        return Judgement(_label(trial, Verdict.BAD_SIGNAL), None, why)
    cue, hold, end = np.searchsorted(
        trial.t_lsl_s, (trial.cue_lsl_s, trial.hold_lsl_s, trial.end_lsl_s)
    ).tolist()
    found = find_muscle(trial.emg_uv, fs_hz, CuedSpan(cue, hold, end))
    rest = _rest(trial, found)
    if not found.active:
        verdict = Verdict.NO_ACTIVITY if trial.attempt < MOST_ATTEMPTS else Verdict.SKIPPED
        return Judgement(_label(trial, verdict), rest, f"{gesture}: no muscle activity was found")
    other = _looks_like(trial.planned, found.log_rms, accepted)
    if other and trial.attempt < MOST_ATTEMPTS:
        why = f"{gesture}: this looked more like {other} than like {gesture} before"
        return Judgement(_label(trial, Verdict.OUTLIER), rest, why)
    return Judgement(_good(trial, found), rest)


def _label(trial: RecordedTrial, verdict: Verdict) -> TrialLabel:
    planned = trial.planned
    return TrialLabel(trial.trial, planned.gesture, planned.repetition, planned.level, verdict)


def _good(trial: RecordedTrial, found: MuscleLabels) -> TrialLabel:
    planned = trial.planned
    return TrialLabel(
        trial=trial.trial,
        gesture=planned.gesture,
        repetition=planned.repetition,
        level=planned.level,
        verdict=Verdict.GOOD,
        from_lsl_s=_time(trial, found.steady_from),
        until_lsl_s=_time(trial, found.steady_until),
        onset_lsl_s=_time(trial, found.onset),
        offset_lsl_s=_time(trial, found.offset),
        log_rms=tuple(found.log_rms.tolist()),
    )


def _rest(trial: RecordedTrial, found: MuscleLabels) -> TrialLabel | None:
    if found.rest_until <= found.rest_from:
        return None
    begin, end = _time(trial, found.rest_from), _time(trial, found.rest_until)
    return TrialLabel(
        trial.trial - 1, REST, trial.planned.repetition, "", Verdict.GOOD, begin, end, begin, end
    )


def _time(trial: RecordedTrial, sample: int) -> float:
    return float(trial.t_lsl_s[min(sample, len(trial.t_lsl_s) - 1)])


def _looks_like(planned: PlannedTrial, log_rms: Float64Array, accepted: Sequence[TrialLabel]) -> str:
    """Return the gesture that a pattern is much nearer to than to its siblings; empty if there is none."""
    patterns: dict[str, list[Float64Array]] = {}
    for label in accepted:
        if label.gesture != REST and label.log_rms:
            patterns.setdefault(label.gesture, []).append(_shape(np.array(label.log_rms)))
    if len(patterns.get(planned.gesture, ())) < LEAST_SIBLINGS:
        return ""
    here = _shape(log_rms)
    distance = {
        gesture: float(np.linalg.norm(here - np.mean(shapes, axis=0))) for gesture, shapes in patterns.items()
    }
    nearest = min(distance, key=lambda gesture: distance[gesture])
    return nearest if distance[nearest] < NEARER * distance[planned.gesture] else ""


def _shape(log_rms: Float64Array) -> Float64Array:
    """Where on the sleeve it is, whatever the strength."""
    return np.asarray(log_rms - log_rms.mean())
