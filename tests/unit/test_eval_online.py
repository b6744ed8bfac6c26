"""Muscle onset in made signals whose onset is known, and what decisions did around it."""

import numpy as np
import pytest

from calibration.contraction import muscle_onset, teager_kaiser_envelope
from emg_acquisition.recording.session import Trial
from evaluation.decisions import Decided
from evaluation.online import Onset, online_behaviour

FS_HZ = 1000.0
TRIAL = Trial("fist", 1, 2, 5000, 10_000)
GESTURES = ("rest", "fist", "hand_open")


def _contraction(begins: int, before_uv: float = 4.0, seed: int = 0) -> np.ndarray:
    """16 electrodes of noise, of which ten grow tenfold at a known sample and two are broken by a spike before."""
    rng = np.random.default_rng(seed)
    level = np.full((10_000, 16), before_uv)
    level[begins:, :10] *= 10.0
    emg_uv = rng.normal(0.0, 1.0, level.shape) * level + 20_000.0
    emg_uv[4300, :2] += 500.0
    return emg_uv.astype(np.float32)


@pytest.mark.parametrize("begins", [4600, 4950, 5230, 5700])
@pytest.mark.parametrize("from_rest", [True, False])
def test_a_contraction_is_seen_where_it_begins_also_before_its_cue(begins, from_rest):
    envelope = teager_kaiser_envelope(_contraction(begins), FS_HZ)
    onset = muscle_onset(envelope, FS_HZ, TRIAL, from_rest=from_rest)
    assert onset == pytest.approx(begins, abs=15)


def test_no_contraction_is_no_onset():
    quiet = np.random.default_rng(1).normal(0.0, 4.0, (10_000, 16)).astype(np.float32)
    assert muscle_onset(teager_kaiser_envelope(quiet, FS_HZ), FS_HZ, TRIAL, from_rest=True) is None


def _decided(*runs: tuple[int, int]) -> Decided:
    """Decisions every 25 samples: from each run's first sample on, its gesture."""
    samples = np.arange(24, 20_000, 25)
    index = np.zeros(len(samples), dtype=np.int64)
    for first, gesture in runs:
        index[samples >= first] = gesture
    return Decided(samples, index)


CUED = (
    Trial("rest", 1, 1, 0, 5000),
    TRIAL,
    Trial("hand_open", 1, 3, 10_000, 15_000),
    Trial("rest", 1, 4, 15_000, 20_000),
)
ONSETS = [Onset(TRIAL, "rest", 4899), Onset(CUED[2], "fist", 10_299)]


def test_delays_run_from_the_onset_to_the_first_decision_for_the_gesture():
    found = online_behaviour(_decided((5000, 1), (10_400, 2), (15_300, 0)), GESTURES, CUED, ONSETS, FS_HZ)
    assert found.delays_from_rest_ms == (125.0,)
    assert found.delays_from_gesture_ms == (125.0,)
    # Rest counts from 1 s after its cue to the onset, which came before the cue; the last one to the end.
    assert found.rest_s == pytest.approx(3.899 + 4.0)
    assert (found.false_activations, found.through_third) == (0, 0)


def test_a_decision_before_the_onset_has_a_negative_delay_and_none_at_all_an_infinite_one():
    found = online_behaviour(_decided((4800, 1), (10_000, -1)), GESTURES, CUED, ONSETS, FS_HZ)
    assert found.delays_from_rest_ms == (-75.0,)
    assert found.delays_from_gesture_ms == (float("inf"),)


def test_runs_of_gestures_in_rest_are_counted_once_each():
    runs = (
        (500, 1),
        (900, 0),
        (2000, 2),
        (2100, 1),
        (2200, 0),
        (4000, 1),
        (4100, -1),
        (4990, 1),
        (15_900, 0),
    )
    found = online_behaviour(_decided(*runs), GESTURES, CUED, ONSETS[:0], FS_HZ)
    # Not the one in the first second; that at 4990 begins in rest, for no onset was seen that excuses it.
    assert found.false_activations == 3
    assert (found + found).false_activations_per_min == pytest.approx(3 / 8.0 * 60.0)
    excused = online_behaviour(_decided(*runs), GESTURES, CUED, ONSETS, FS_HZ)
    assert excused.false_activations == 2


def test_a_third_gesture_on_the_way_is_counted_once_a_beginning():
    runs = ((5000, 2), (5100, 1), (10_500, -1), (10_600, 1), (10_700, 2), (15_100, 0))
    found = online_behaviour(_decided(*runs), GESTURES, CUED, ONSETS, FS_HZ)
    assert found.through_third == 1
