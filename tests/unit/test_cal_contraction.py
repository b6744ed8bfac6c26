"""Where the muscle works, against contractions whose moments are known because they were put there."""

import numpy as np
import pytest

from calibration.contraction import CuedSpan, find_contraction
from calibration.protocol import PlannedTrial
from calibration.trial_verdict import (
    MAX_ATTEMPTS,
    RecordedTrial,
    TrialLabel,
    Verdict,
    check_trial,
    label_from_event,
    labels_of,
)
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event

FS_HZ = 2000.0
CUE_S, HOLD_S, END_S, LENGTH_S = 2.0, 2.5, 4.5, 5.1
SPAN = CuedSpan(*(round(s * FS_HZ) for s in (CUE_S, HOLD_S, END_S)))
FIST = np.array([8.0, 8.0, 1.0, 1.0, 6.0, 1.0, 1.0, 1.0])
OPEN = FIST[::-1]


def contraction(begin_s, end_s, gain=FIST, *, seed=0, before_s=0.0):
    """EMG of eight electrodes at rest, µV; `gain` times as much between the two; something else until `before_s`."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(LENGTH_S * FS_HZ)) / FS_HZ
    inside = (t >= begin_s) & (t < end_s)
    amplitude = np.where(inside[:, None], gain, 1.0)
    amplitude = np.where((t < before_s)[:, None], OPEN, amplitude)
    return (5.0 * amplitude * rng.normal(size=(len(t), 8))).astype(np.float32)


@pytest.mark.parametrize(("begin_s", "end_s"), [(2.0, 4.5), (2.4, 4.8), (1.8, 4.2), (2.7, 4.4)])
def test_onset_and_offset_are_where_the_muscle_is(begin_s, end_s):
    found = find_contraction(contraction(begin_s, end_s), FS_HZ, SPAN)
    assert found.active
    assert found.onset / FS_HZ == pytest.approx(begin_s, abs=0.08)
    assert found.offset / FS_HZ == pytest.approx(end_s, abs=0.08)
    assert found.onset <= found.steady_from < found.steady_until <= found.offset
    assert found.rest_until / FS_HZ <= begin_s - 0.05


def test_a_ramp_is_transition_and_not_steady():
    emg_uv = contraction(2.0, 4.5)
    t = np.arange(len(emg_uv)) / FS_HZ
    share = np.clip((t - 2.0) / 1.0, 0.0, 1.0)[:, None]
    quiet = contraction(9.0, 9.0, seed=1)
    found = find_contraction(((1 - share) * quiet + share * emg_uv).astype(np.float32), FS_HZ, SPAN)
    assert 2.0 <= found.onset / FS_HZ < 2.5
    assert 2.45 < found.steady_from / FS_HZ < 3.1


def test_what_the_gesture_before_leaves_in_the_rest_is_neither_rest_nor_this_gesture():
    found = find_contraction(contraction(2.3, 4.5, before_s=0.4), FS_HZ, SPAN)
    assert found.onset / FS_HZ == pytest.approx(2.3, abs=0.08)
    assert found.rest_from / FS_HZ >= 0.4


@pytest.mark.parametrize(("begin_s", "end_s"), [(9.0, 9.0), (2.6, 2.9)])
def test_no_contraction_and_a_twitch_are_no_activity(begin_s, end_s):
    assert not find_contraction(contraction(begin_s, end_s), FS_HZ, SPAN).active


def test_the_amplifiers_unit_does_not_matter():
    weak = find_contraction(contraction(2.3, 4.5) * np.float32(0.1), FS_HZ, SPAN)
    strong = find_contraction(contraction(2.3, 4.5) * np.float32(30.0), FS_HZ, SPAN)
    assert (weak.onset, weak.offset) == (strong.onset, strong.offset)


def recorded(emg_uv, *, gesture="fist", attempt=1, share_good=1.0, whole=True):
    t = 50.0 + np.arange(len(emg_uv)) / FS_HZ
    return RecordedTrial(
        planned=PlannedTrial(gesture, 1),
        trial=2,
        attempt=attempt,
        emg_uv=emg_uv,
        t_lsl_s=t,
        cue_lsl_s=50.0 + CUE_S,
        hold_lsl_s=50.0 + HOLD_S,
        end_lsl_s=50.0 + END_S,
        share_good=share_good,
        whole=whole,
    )


def siblings():
    fist = check_trial(recorded(contraction(2.2, 4.5, seed=3)), (), FS_HZ).label
    hand_open = check_trial(
        recorded(contraction(2.2, 4.5, OPEN, seed=4), gesture="hand_open"), (), FS_HZ
    ).label
    return (fist, hand_open)


@pytest.mark.parametrize(
    ("trial", "verdict"),
    [
        (recorded(contraction(2.2, 4.5)), Verdict.GOOD),
        (recorded(contraction(2.2, 4.5, OPEN)), Verdict.OUTLIER),
        (recorded(contraction(2.2, 4.5, OPEN), attempt=MAX_ATTEMPTS), Verdict.GOOD),
        (recorded(contraction(9.0, 9.0)), Verdict.NO_ACTIVITY),
        (recorded(contraction(9.0, 9.0), attempt=MAX_ATTEMPTS), Verdict.SKIPPED),
        (recorded(contraction(2.2, 4.5), share_good=0.5), Verdict.BAD_SIGNAL),
        (recorded(contraction(2.2, 4.5), whole=False), Verdict.STREAM_LOST),
    ],
)
def test_a_trial_counts_only_if_it_is_like_its_siblings(trial, verdict):
    judgement = check_trial(trial, siblings(), FS_HZ)
    assert judgement.label.verdict is verdict
    assert bool(judgement.why) == (verdict is not Verdict.GOOD)


def test_labels_survive_the_recording_and_the_last_one_counts():
    label = check_trial(recorded(contraction(2.2, 4.5)), (), FS_HZ).label
    event = label.to_event(60.0)
    withdrawn = TrialLabel(2, "fist", 1, "", Verdict.REPEATED).to_event(61.0)
    read = label_from_event(event)
    assert (read.from_lsl_s, read.until_lsl_s) == (label.from_lsl_s, label.until_lsl_s)
    assert read.log_rms == pytest.approx(label.log_rms, abs=1e-4)
    assert labels_of([event, withdrawn])[2].verdict is Verdict.REPEATED


def test_a_label_of_another_program_is_refused_in_words():
    with pytest.raises(InputError, match="not one of this program's"):
        label_from_event(Event(1.0, "label", {"trial": 1, "verdict": "splendid"}))
