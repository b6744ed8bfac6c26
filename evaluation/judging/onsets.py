"""Where each trial's muscle begins, and what came before it; read trial by trial, so that no recording is too long."""

import itertools

import numpy as np

from calibration.muscle_onset import SEARCH_UNTIL_S, muscle_onset, teager_kaiser_envelope
from emg_acquisition.events import REST
from emg_acquisition.recording.session import RecordedSession, Trial, trials
from emg_acquisition.streams.chunks import gaps
from evaluation.online import Onset

# Shorter trials leave no second of holding to find the strongest electrodes by.
LEAST_TRIAL_S = 1.5
# Of what came before, the baseline may reach back to here: after its own beginning.
SETTLED_S = 0.5
LONGEST_BEFORE_S = 3.0


def onsets_of(session: RecordedSession) -> list[Onset]:
    """Find the onsets of the gestures' trials; those cut out of a recording, or too short, show none."""
    fs_hz = session.emg.info.fs_hz
    cued = trials(session)
    breaks = np.array(sorted(gaps(session.emg.t_lsl_s, session.emg.info, None)), dtype=np.int64)
    found = []
    for before, trial in itertools.pairwise(cued):
        if trial.gesture == REST or trial.stop - trial.start < LEAST_TRIAL_S * fs_hz:
            continue
        first = max(before.start + round(SETTLED_S * fs_hz), trial.start - round(LONGEST_BEFORE_S * fs_hz))
        last = min(trial.stop, trial.start + round((SEARCH_UNTIL_S + 1.0) * fs_hz))
        whole = not np.any((breaks > first) & (breaks < last))
        if before.stop == trial.start and first < trial.start and whole:
            envelope = teager_kaiser_envelope(session.emg.rows(first, last), fs_hz)
            here = Trial(trial.gesture, trial.repetition, trial.trial, trial.start - first, last - first)
            sample = muscle_onset(envelope, fs_hz, here, from_rest=before.gesture == REST)
            if sample is not None:
                found.append(Onset(trial, before.gesture, sample + first))
    return found
