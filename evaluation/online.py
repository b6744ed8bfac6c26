"""How a decoder behaves in time: delay from the muscle to the decision, false activations."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.contraction import SEARCH_UNTIL_S, muscle_onset, teager_kaiser_envelope
from calibration.train_settings import CUE_MARGIN_S
from emg_acquisition.arrays import IntArray
from emg_acquisition.events import REST
from emg_acquisition.recording.session import RecordedSession, Trial, trials
from emg_acquisition.streams.chunks import gaps
from evaluation.decisions import Decided

# A decision may come before the onset that was seen in the signal, but hardly half a second before.
EARLIEST_S = 0.5
# Shorter trials leave no second of holding to find the strongest electrodes by.
MIN_TRIAL_S = 1.5
# How far the baseline may reach back into what came before: after that has settled.
SETTLED_S = 0.5
MAX_BASELINE_S = 3.0


@dataclass(frozen=True)
class Onset:
    """A trial of a gesture, what came before it, and the sample at which its muscle began."""

    trial: Trial
    before: str
    sample: int


def onsets_of(session: RecordedSession) -> list[Onset]:
    """Find the onsets of the gestures' trials; those cut out of a recording, or too short, show none.

    The recording is read trial by trial, so that none is too long.
    """
    fs_hz = session.emg.info.fs_hz
    cued = trials(session)
    breaks = np.array(sorted(gaps(session.emg.t_lsl_s, session.emg.info, None)), dtype=np.int64)
    found = []
    for before, trial in itertools.pairwise(cued):
        if trial.gesture == REST or trial.stop - trial.start < MIN_TRIAL_S * fs_hz:
            continue
        first = max(before.start + round(SETTLED_S * fs_hz), trial.start - round(MAX_BASELINE_S * fs_hz))
        last = min(trial.stop, trial.start + round((SEARCH_UNTIL_S + 1.0) * fs_hz))
        whole = not np.any((breaks > first) & (breaks < last))
        if before.stop == trial.start and first < trial.start and whole:
            envelope = teager_kaiser_envelope(session.emg.rows(first, last), fs_hz)
            here = Trial(trial.gesture, trial.repetition, trial.trial, trial.start - first, last - first)
            sample = muscle_onset(envelope, fs_hz, here, from_rest=before.gesture == REST)
            if sample is not None:
                found.append(Onset(trial, before.gesture, sample + first))
    return found


@dataclass(frozen=True)
class OnlineBehaviour:
    """What decisions did in time; those of several recordings add up.

    Parameters
    ----------
    delays_from_rest_ms, delays_from_gesture_ms : tuple of float
        From muscle onset to the first decision for the gesture; infinite where it never came.
    false_activations : int
        Runs of any gesture during rest, from 1 s after its cue to the next muscle onset (or cue, if earlier).
    rest_s : float
        How long that was.
    through_third : int
        Beginnings in which a gesture was decided that was neither there before nor asked for.
    """

    delays_from_rest_ms: tuple[float, ...]
    delays_from_gesture_ms: tuple[float, ...]
    false_activations: int
    rest_s: float
    through_third: int

    def __add__(self, other: "OnlineBehaviour") -> "OnlineBehaviour":
        """Put two recordings together."""
        return OnlineBehaviour(
            self.delays_from_rest_ms + other.delays_from_rest_ms,
            self.delays_from_gesture_ms + other.delays_from_gesture_ms,
            self.false_activations + other.false_activations,
            self.rest_s + other.rest_s,
            self.through_third + other.through_third,
        )

    @property
    def false_activations_per_min(self) -> float:
        """Activations in a minute of rest."""
        return self.false_activations / self.rest_s * 60.0 if self.rest_s else float("nan")


def online_behaviour(
    decided: Decided, gestures: Sequence[str], cued: Sequence[Trial], onsets: Sequence[Onset], fs_hz: float
) -> OnlineBehaviour:
    """Judge the decisions on a recording.

    Parameters
    ----------
    decided : Decided
        In order of time.
    gestures : sequence of str
        Names by index.
    cued : sequence of Trial
        Every trial of the recording.
    onsets : sequence of Onset
        Of those trials whose onset could be seen.
    fs_hz : float
        Sampling rate.
    """
    delays: dict[bool, list[float]] = {True: [], False: []}
    through_third = 0
    for onset in onsets:
        wanted = gestures.index(onset.trial.gesture)
        delays[onset.before == REST].append(_delay_ms(decided, wanted, onset, fs_hz))
        known = {-1, wanted, gestures.index(REST), gestures.index(onset.before)}
        inside = (decided.sample_index >= onset.sample) & (decided.sample_index < onset.trial.stop)
        through_third += bool(set(decided.gesture_index[inside].tolist()) - known)
    begins = {onset.trial.start: onset.sample for onset in onsets}
    activations, rest_samples = 0, 0
    for trial in cued:
        if trial.gesture == REST:
            first = trial.start + round(CUE_MARGIN_S * fs_hz)
            stop = min(trial.stop, begins.get(trial.stop, trial.stop))
            activations += _activations(decided, first, stop, gestures.index(REST))
            rest_samples += max(0, stop - first)
    return OnlineBehaviour(
        tuple(delays[True]), tuple(delays[False]), activations, rest_samples / fs_hz, through_third
    )


def _delay_ms(decided: Decided, wanted: int, onset: Onset, fs_hz: float) -> float:
    earliest = onset.sample - round(EARLIEST_S * fs_hz)
    inside = (decided.sample_index >= earliest) & (decided.sample_index < onset.trial.stop)
    hits: IntArray = decided.sample_index[inside & (decided.gesture_index == wanted)]
    return (int(hits[0]) - onset.sample) / fs_hz * 1000.0 if len(hits) else float("inf")


def _activations(decided: Decided, first: int, stop: int, rest_index: int) -> int:
    inside = (decided.sample_index >= first) & (decided.sample_index < stop)
    index = decided.gesture_index[inside]
    active = np.concatenate([[False], (index >= 0) & (index != rest_index)])
    return int(np.count_nonzero(active[1:] & ~active[:-1]))
