"""Training by labels from the muscle, and with gestures dropped or merged; progress read from what was recorded."""

from dataclasses import replace

import numpy as np
import pytest

from calibration.parts import about, find_calibration, trained_on
from calibration.protocol import CueSchedule
from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from calibration.training_set import TrainingSet
from calibration.trial_verdict import TrialLabel, Verdict
from decoding.decoder_file import load_decoder
from decoding.signal_settings import SignalSettings
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.recording.session_writer import SessionWriter, session_folder
from tests.dec_support import noise_uv, session, stream_info

CUES = [
    (gesture, repetition) for repetition in (1, 2, 3) for gesture in ("rest", "fist", "rest", "hand_open")
]
HOLD_S = 2.0
SIGNAL = SignalSettings(features=("log_rms",))


def labelled(verdicts=None, level=""):
    """A session whose muscles follow at once, with labels half a second inside each cue."""
    bare = session(CUES, hold_s=HOLD_S)
    labels = [
        TrialLabel(
            trial=k + 1,
            gesture=gesture,
            repetition=repetition,
            level=level if gesture != "rest" and repetition == 1 else "",
            verdict=(verdicts or {}).get(k + 1, Verdict.GOOD),
            from_lsl_s=k * HOLD_S + 0.5,
            until_lsl_s=(k + 1) * HOLD_S - 0.25,
        )
        for k, (gesture, repetition) in enumerate(CUES)
    ]
    events = (*bare.events, *(label.to_event(100.0 + label.trial) for label in labels))
    return replace(bare, events=events)


def cut(one, settings=None):
    return TrainingSet([one], settings or TrainSettings()).windows(SIGNAL)


def test_windows_lie_within_the_labels_whatever_the_margins_are():
    for margins in ({}, {"after_cue_s": 0.0, "before_next_s": 0.0}):
        found = cut(labelled(), TrainSettings(**margins))
        assert len(found) == len(CUES)
        for one in found:
            ends = one.block.last_sample[one.steady]
            begin = (one.trial.trial - 1) * HOLD_S
            window = round(SIGNAL.window_ms)  # at 1 kHz
            assert ends.min() - window + 1 >= 1000 * (begin + 0.5) - 1
            assert ends.max() < 1000 * (begin + HOLD_S - 0.25) + 1


def test_trials_that_were_not_found_good_are_left_out():
    found = cut(labelled({2: Verdict.OUTLIER, 8: Verdict.REPEATED}))
    assert {one.trial.trial for one in found} == set(range(1, 13)) - {2, 8}


def test_a_session_without_labels_goes_by_its_margins_as_before():
    bare = session(CUES, hold_s=3.0)
    assert len(cut(bare)) == len(CUES)


def trained(one, tmp_path, **settings):
    out = tmp_path / "decoder.onnx"
    report = train_decoder([one], out, TrainSettings(model="lda", **settings), lambda _s, _d: None)
    return report, load_decoder(out)


def test_confusion_counts_the_held_out_windows_by_gesture(tmp_path):
    report, _ = trained(labelled(), tmp_path)
    counts = np.array(report.confusion)
    assert counts.sum() == report.n_windows
    assert np.trace(counts) / counts.sum() == pytest.approx(report.window_accuracy)


def test_a_dropped_gesture_is_unknown_to_the_decoder(tmp_path):
    report, decoder = trained(labelled(), tmp_path, drop=("hand_open",))
    assert report.gestures == decoder.metadata.gestures == ("rest", "fist")


def test_merged_gestures_are_one(tmp_path):
    whole, _ = trained(labelled(), tmp_path)
    merged, decoder = trained(labelled(), tmp_path, merge=(("fist", "hand_open"),))
    assert decoder.metadata.gestures == ("rest", "fist")
    assert merged.n_windows == whole.n_windows


@pytest.mark.parametrize(
    "settings", [{"drop": ("pinch",)}, {"drop": ("rest",)}, {"merge": (("fist", "pinch"),)}]
)
def test_what_is_not_there_or_is_rest_cannot_be_dropped_or_merged(tmp_path, settings):
    with pytest.raises(InputError, match="cannot be chosen; there are fist, hand_open"):
        trained(labelled(), tmp_path, **settings)


def test_strong_contractions_teach_the_decoder_but_not_what_effort_is(tmp_path):
    _, plain = trained(labelled(), tmp_path)
    strong = labelled(level="strong")
    loud = strong.emg.emg_uv.copy()
    loud[2000:4000] = loud[2000:4000].mean(axis=0) + 3.0 * (loud[2000:4000] - loud[2000:4000].mean(axis=0))
    _, decoder = trained(replace(strong, emg=replace(strong.emg, emg_uv=loud)), tmp_path)
    assert decoder.metadata.effort.contraction_log_uv[1] == pytest.approx(
        plain.metadata.effort.contraction_log_uv[1], abs=0.1
    )


PROTOCOL = CueSchedule(gestures=("fist", "hand_open"), repetitions=2, rest_s=1.0, hold_s=1.0)


def part(root, code, labels, *, told=True):
    folder = session_folder(root, "P01", code)
    writer = SessionWriter(folder, participant="P01", session=code, emg=stream_info())
    if told:
        writer.write_events([Event(0.0, "calibration", about(PROTOCOL, "test-0001", ""))])
    writer.write_emg(noise_uv(1000), np.arange(1000) / 1000.0)
    for k, label in enumerate(labels):
        fields = {"gesture": label.gesture, "repetition": label.repetition, "trial": label.trial}
        writer.write_events([Event(0.1 * k, "cue", fields), label.to_event(0.1 * k + 0.05)])
    return folder


def test_progress_is_what_the_parts_of_the_newest_calibration_say(tmp_path):
    part(tmp_path, "20260101T000000", [])
    good = TrialLabel(1, "fist", 1, "", Verdict.GOOD)
    first = part(tmp_path, "20260102T000000", [good, TrialLabel(2, "hand_open", 1, "", Verdict.OUTLIER)])
    second = part(tmp_path, "20260102T000000p2", [TrialLabel(1, "hand_open", 1, "", Verdict.GOOD)])
    part(tmp_path, "20260102T000000t1", [], told=False)
    third = session_folder(tmp_path, "P01", "20260102T000000p3")
    third.mkdir()
    (third / "recording.xdf").write_bytes(b"XDF:")  # killed before anything was written
    found = find_calibration(tmp_path, "P01", None)
    assert (found.session, found.protocol) == ("20260102T000000", PROTOCOL)
    assert found.parts == (first, second) == trained_on(found.parts)
    assert (found.next_part, found.next_try_out) == (4, 2)
    settled = [(one.gesture, one.repetition) for one in found.labels if one.verdict is Verdict.GOOD]
    assert settled == [("fist", 1), ("hand_open", 1)]
    assert find_calibration(tmp_path, "P01", "20260101T000000").session == "20260101T000000"


def test_nothing_to_resume_is_said(tmp_path):
    with pytest.raises(InputError, match="holds no calibration to resume"):
        find_calibration(tmp_path, "P01", None)
