"""Whether a trial counts, and the label that records it: an event of the recording, which training goes by.

A trial is judged by its signal, its muscle, and whether it is like its siblings, the accepted trials of the same
gesture. It is taken for another gesture only if that other's trials are much nearer to it than its own siblings are:
people vary, and a person who cannot do a gesture twice alike must not be asked for ever. After `MAX_ATTEMPTS` a trial
without activity is left out, and an outlier is accepted.

A ``label`` event belongs to a ``cue`` event by its trial number. Of several for one trial the last counts, so that a
trial can be withdrawn; nothing that was recorded is ever changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from calibration.contraction import Contraction, CuedSpan, find_contraction
from calibration.protocol import Level, PlannedTrial
from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST, Event

LABEL = "label"
MIN_GOOD_SHARE = 0.7
MAX_ATTEMPTS = 3
# How much nearer the other gesture has to be, of two distances between patterns.
NEARER = 0.6
MIN_SIBLINGS = 1


class Verdict(Enum):
    """What became of a trial; only `GOOD` is trained on, and only `GOOD` and `SKIPPED` are not offered again."""

    GOOD = "good"
    NO_ACTIVITY = "no_activity"
    OUTLIER = "outlier"
    BAD_SIGNAL = "bad_signal"
    STREAM_LOST = "stream_lost"
    PAUSED = "paused"
    REPEATED = "repeated"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class TrialLabel:
    """A verdict on a trial and, where it is good, the times between which its gesture is steady.

    Parameters
    ----------
    trial, gesture, repetition, level
        As its cue has them.
    verdict : Verdict
        What became of it.
    from_lsl_s, until_lsl_s : float
        Steady between these; what lies outside, up to onset and offset, is transition.
    onset_lsl_s, offset_lsl_s : float
        Where the muscle begins and ends; of a rest, the same as the above.
    log_rms : tuple of float
        By channel, of the steady part, in log µV: what siblings are compared by. Empty for rest.
    """

    trial: int
    gesture: str
    repetition: int
    level: Level
    verdict: Verdict
    from_lsl_s: float = 0.0
    until_lsl_s: float = 0.0
    onset_lsl_s: float = 0.0
    offset_lsl_s: float = 0.0
    log_rms: tuple[float, ...] = ()

    def to_event(self, t_lsl_s: float) -> Event:
        """Return the event that records it, at the time when it was found."""
        fields: dict[str, object] = {
            "trial": self.trial,
            "gesture": self.gesture,
            "repetition": self.repetition,
            "level": self.level,
            "verdict": self.verdict.value,
        }
        if self.verdict is Verdict.GOOD:
            fields |= {
                "from_lsl_s": self.from_lsl_s,
                "until_lsl_s": self.until_lsl_s,
                "onset_lsl_s": self.onset_lsl_s,
                "offset_lsl_s": self.offset_lsl_s,
                "log_rms": [round(value, 4) for value in self.log_rms],
            }
        return Event(t_lsl_s, LABEL, fields)


def label_from_event(event: Event) -> TrialLabel:
    """Read a label.

    Raises
    ------
    InputError
        If it lacks something.
    """
    fields = dict(event.fields)
    try:
        verdict = Verdict(fields.pop("verdict"))
        log_rms = tuple(float(value) for value in fields.pop("log_rms", ()))
        return TrialLabel(verdict=verdict, log_rms=log_rms, **fields)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"label {event.to_json()[:80]} is not one of this program's ({error}); the recording cannot be used"
        raise InputError(msg) from error


def labels_of(events: Iterable[Event]) -> dict[int, TrialLabel]:
    """Return the last label of each trial, by trial number; empty where the muscle was never looked at."""
    return {
        label.trial: label for label in (label_from_event(event) for event in events if event.kind == LABEL)
    }


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
        The mean share of good channels during it.
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
class TrialCheck:
    """What was found: labels of the trial and, if there is any, of the rest before it; and why, in one line."""

    label: TrialLabel
    rest: TrialLabel | None
    why: str = ""


def check_trial(trial: RecordedTrial, accepted: Sequence[TrialLabel], fs_hz: float) -> TrialCheck:
    """Check whether a trial counts.

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
        return TrialCheck(
            _label(trial, Verdict.STREAM_LOST), None, f"{gesture}: part of the signal was missing"
        )
    if trial.share_good < MIN_GOOD_SHARE:
        why = f"{gesture}: only {trial.share_good:.0%} of the electrodes were good"
        return TrialCheck(_label(trial, Verdict.BAD_SIGNAL), None, why)
    cue, hold, end = np.searchsorted(
        trial.t_lsl_s, (trial.cue_lsl_s, trial.hold_lsl_s, trial.end_lsl_s)
    ).tolist()
    found = find_contraction(trial.emg_uv, fs_hz, CuedSpan(cue, hold, end))
    rest = _rest(trial, found)
    if not found.active:
        verdict = Verdict.NO_ACTIVITY if trial.attempt < MAX_ATTEMPTS else Verdict.SKIPPED
        return TrialCheck(_label(trial, verdict), rest, f"{gesture}: no muscle activity was found")
    other = _looks_like(trial.planned, found.log_rms, accepted)
    if other and trial.attempt < MAX_ATTEMPTS:
        why = f"{gesture}: this looked more like {other} than like {gesture} before"
        return TrialCheck(_label(trial, Verdict.OUTLIER), rest, why)
    return TrialCheck(_good(trial, found), rest)


def _label(trial: RecordedTrial, verdict: Verdict) -> TrialLabel:
    planned = trial.planned
    return TrialLabel(trial.trial, planned.gesture, planned.repetition, planned.level, verdict)


def _good(trial: RecordedTrial, found: Contraction) -> TrialLabel:
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


def _rest(trial: RecordedTrial, found: Contraction) -> TrialLabel | None:
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
    if len(patterns.get(planned.gesture, ())) < MIN_SIBLINGS:
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
