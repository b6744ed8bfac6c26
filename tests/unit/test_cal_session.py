"""The calibration's state machine in virtual time: every step, and everything that a person or the world may do."""

import itertools
from collections import Counter
from pathlib import Path

import pytest

from calibration.protocol import CueSchedule
from calibration.session import SessionSetup
from calibration.session_ports import TrainJob, TrainOutcome
from calibration.session_view import ActionKind, Severity, Step
from calibration.signal_options import SignalOptions
from calibration.trial_verdict import TrialLabel, Verdict, label_from_event
from emg_acquisition.events import Event
from tests.calibration_support import PINCH, PROTOCOL, VirtualCalibration


@pytest.fixture
def calibration(tmp_path):
    return VirtualCalibration(tmp_path)


def step_is(step):
    return lambda view: view.step is step


def good(calibration):
    return [one for one in calibration.labels if one["verdict"] == "good" and one["gesture"] != "rest"]


def test_a_calibration_from_the_signal_check_to_the_accepted_decoder(calibration):
    calibration.to_cues().run_until(step_is(Step.TRAINING))
    asked = [one for one in calibration.recordings[0].of("cue") if one["gesture"] != "rest"]
    assert [one["gesture"] for one in asked] == [one.gesture for one in PROTOCOL.trials()]
    assert [one["trial"] for one in good(calibration)] == [one["trial"] for one in asked]
    view = calibration.run_until(step_is(Step.RESULT))
    assert view.result.window_accuracy == 0.9
    assert (view.result.weakest.gesture, view.result.weakest.other) == ("fist", "hand_open")
    assert view.result.confusion[1] == pytest.approx((0.0, 70 / 90, 20 / 90))
    calibration.press(ActionKind.NEXT)
    assert calibration.run_until(step_is(Step.TRY_OUT)).try_out.gestures == view.result.gestures
    assert calibration.feed.decoder.name == "decoder-candidate.onnx"
    calibration.press(ActionKind.ACCEPT)
    assert calibration.view.step is Step.DONE
    assert calibration.session.decoder.read_bytes() == b"decoder"


def test_each_cue_is_dated_when_its_phase_begins(calibration):
    calibration.to_cues().run_until(step_is(Step.TRAINING))
    cues = [(t, fields) for t, kind, fields in calibration.recordings[0].events if kind == "cue"]
    spans = [(b[0] - a[0], a[1]["gesture"]) for a, b in itertools.pairwise(cues)]
    assert {gesture for _, gesture in spans} == {"rest", *PROTOCOL.gestures}
    for seconds, gesture in spans:
        assert seconds == pytest.approx(1.7 if gesture == "rest" else 1.4, abs=0.1)


def test_labels_lie_where_the_muscle_is_and_not_where_the_cue_was(calibration):
    late = {}

    def does(view):
        if view.cue and view.cue.gesture != "rest":
            late.setdefault(view.cue.trial, calibration.now_s)
            return view.cue.gesture if calibration.now_s - late[view.cue.trial] > 0.4 else "rest"
        return "rest"

    calibration.does = does
    calibration.to_cues().run_until(step_is(Step.TRAINING))
    cue_of = {fields["trial"]: t for t, kind, fields in calibration.recordings[0].events if kind == "cue"}
    for label in good(calibration):
        assert label["onset_lsl_s"] - cue_of[label["trial"]] == pytest.approx(0.4, abs=0.15)
        assert label["onset_lsl_s"] <= label["from_lsl_s"] < label["until_lsl_s"] <= label["offset_lsl_s"]
        rest = next(one for one in calibration.labels if one["trial"] == label["trial"] - 1)
        assert rest["until_lsl_s"] < label["onset_lsl_s"]


def test_pause_and_resume_offer_the_trial_again(calibration):
    calibration.to_cues().to_hold(1)
    first = calibration.view.cue.gesture
    calibration.press(ActionKind.PAUSE)
    assert calibration.view.step is Step.PAUSED
    calibration.run_until(lambda _: calibration.now_s > 130.0)
    assert calibration.view.step is Step.PAUSED
    calibration.press(ActionKind.RESUME)
    again = calibration.to_hold(1)
    assert (again.cue.gesture, again.cue.attempt) == (first, 2)
    calibration.run_until(step_is(Step.TRAINING))
    assert len(good(calibration)) == 4
    assert [one["verdict"] for one in calibration.labels if one["verdict"] != "good"] == ["paused"]


def test_the_last_trial_is_repeated_between_two(calibration):
    calibration.to_cues()
    calibration.run_until(lambda _: len(good(calibration)) == 1)
    calibration.press(ActionKind.REPEAT)
    calibration.run_until(step_is(Step.TRAINING))
    last = {one["trial"]: one for one in calibration.labels}.values()
    assert Counter(
        one["gesture"] for one in last if one["verdict"] == "good" and one["gesture"] != "rest"
    ) == {
        "fist": 2,
        "hand_open": 2,
    }
    assert sum(one["verdict"] == "repeated" for one in last) == 2  # the trial and the rest before it


def test_the_trial_that_runs_is_repeated(calibration):
    calibration.to_cues().to_hold(1)
    calibration.press(ActionKind.REPEAT)
    assert calibration.to_hold(1).cue.attempt == 2


def test_a_trial_that_is_skipped_does_not_come_again(calibration):
    calibration.to_cues().to_hold(1)
    calibration.press(ActionKind.SKIP)
    calibration.run_until(step_is(Step.TRAINING))
    assert len(good(calibration)) == 3


def test_stop_trains_on_what_there_is(calibration):
    calibration.to_cues().to_hold(3)
    calibration.press(ActionKind.STOP)
    calibration.run_until(step_is(Step.RESULT))
    assert len(good(calibration)) == 2
    assert len(calibration.trainer.jobs) == 1


def test_a_trial_without_activity_is_offered_again_and_at_last_left_out(calibration):
    calibration.does = lambda view: (
        "rest" if view.cue and view.cue.trial == 1 else view.cue.gesture if view.cue else "rest"
    )
    calibration.to_cues()
    view = calibration.run_until(lambda view: "once more" in view.message)
    assert "no muscle activity" in view.message
    calibration.run_until(step_is(Step.TRAINING))
    first = [one for one in calibration.labels if one["gesture"] != "rest"][:3]
    assert [one["verdict"] for one in first] == ["no_activity", "no_activity", "skipped"]
    assert len(good(calibration)) == 3


def test_the_wrong_gesture_is_offered_again(calibration):
    other = {"fist": "hand_open", "hand_open": "fist", "rest": "rest"}
    wrong = []

    def does(view):
        asked = view.cue.gesture if view.cue else "rest"
        if asked != "rest" and view.cue.trial == 4 and view.cue.attempt == 1:
            wrong.append(asked)
            return other[asked]
        return asked

    calibration.does = does
    calibration.to_cues()
    view = calibration.run_until(lambda view: "once more" in view.message)
    assert f"more like {other[wrong[0]]} than like {wrong[0]}" in view.message
    calibration.run_until(step_is(Step.TRAINING))
    assert len(good(calibration)) == 4


def test_whoever_makes_a_gesture_differently_every_time_is_not_asked_for_ever(calibration):
    calibration.feed.amplitude = lambda gesture: PINCH if gesture == "odd" else session_amplitude(gesture)
    calibration.does = lambda view: (
        "odd"
        if view.cue and view.cue.gesture == "fist" and view.cue.trial > 2
        else view.cue.gesture
        if view.cue
        else "rest"
    )
    calibration.to_cues().run_until(step_is(Step.TRAINING))
    assert len(good(calibration)) == 4


def session_amplitude(gesture):
    from tests.dec_support import amplitude_of

    return amplitude_of(gesture)


def test_a_bad_signal_in_a_trial_offers_it_again(calibration):
    calibration.to_cues().to_hold(1)
    calibration.feed.states = ("detached",) * 4 + ("good",) * 4
    view = calibration.run_until(lambda view: "once more" in view.message)
    assert "of the electrodes were good" in view.message
    assert any("E1, E2, E3, E4: detached" in problem.what for problem in view.problems)
    calibration.feed.states = ("good",) * 8
    calibration.run_until(step_is(Step.TRAINING))
    assert len(good(calibration)) == 4


def test_the_stream_is_lost_in_mid_trial_and_comes_back(calibration):
    view = calibration.to_cues().to_hold(2)
    lost = view.cue.gesture
    calibration.feed.connected = False
    view = calibration.run_until(step_is(Step.STREAM_LOST))
    assert view.problems[0].severity is Severity.ERROR
    assert "goes on by itself" in view.problems[0].do
    calibration.run_until(lambda _: calibration.now_s > 150.0)
    calibration.feed.connected = True
    view = calibration.to_hold(2)
    assert (view.cue.gesture, view.cue.attempt) == (lost, 2)
    calibration.run_until(step_is(Step.TRAINING))
    assert [one["verdict"] for one in calibration.labels if one["verdict"] != "good"] == ["stream_lost"]
    assert len(good(calibration)) == 4


def test_cues_wait_for_enough_good_electrodes(calibration):
    calibration.feed.states = ("flat",) * 3 + ("good",) * 5
    view = calibration.run_until(step_is(Step.SIGNAL_CHECK))
    view = calibration.run_until(lambda view: view.signal is not None)
    assert ActionKind.NEXT not in view.allowed
    assert not view.signal.good_enough
    calibration.press(ActionKind.NEXT)
    assert calibration.view.step is Step.SIGNAL_CHECK


def test_a_recording_that_fails_stops_it_with_a_reason_and_a_remedy(calibration):
    calibration.to_cues().to_hold(1)
    calibration.recordings[0].failure = "recording.xdf cannot be written any more: No space left on device"
    calibration.run_until(step_is(Step.STOPPED))
    assert "No space left" in calibration.session.failed
    assert "--resume" in calibration.session.failed


def test_dropping_and_merging_train_again(calibration):
    calibration.to_cues().run_until(step_is(Step.RESULT))
    calibration.press(ActionKind.DROP_GESTURE, "fist")
    calibration.run_until(step_is(Step.RESULT))
    calibration.press(ActionKind.MERGE_GESTURES, "hand_open", "pinch")
    view = calibration.run_until(step_is(Step.RESULT))
    job = calibration.trainer.jobs[-1]
    assert (job.drop, job.merge) == (("fist",), (("hand_open", "pinch"),))
    assert view.result.command.endswith("-o decoder.onnx --drop fist --merge hand_open=pinch")


def test_the_command_of_a_decoder_names_the_signal_path_that_was_chosen():
    chosen = SignalOptions("my study/signal.yaml", "60")
    job = TrainJob((Path("ses-1"),), Path("d.onnx"), drop=("fist",), signal=chosen)
    assert job.command == (
        "hdemg train ses-1 -o decoder.onnx --signal 'my study/signal.yaml' --powerline 60 --drop fist"
    )


def test_a_failed_training_can_be_helped(calibration):
    calibration.trainer.outcome = TrainOutcome(error="too few usable trials of fist (1)")
    calibration.to_cues()
    view = calibration.run_until(step_is(Step.RESULT))
    assert view.problems[0].what == "too few usable trials of fist (1)"
    assert ActionKind.ACCEPT not in view.allowed
    assert ActionKind.REPEAT_TRAINING in view.allowed


def test_repeating_the_training_asks_for_two_more_repetitions_in_a_new_part(calibration):
    calibration.to_cues().run_until(step_is(Step.RESULT))
    calibration.press(ActionKind.REPEAT_TRAINING)
    calibration.to_cues()
    calibration.run_until(step_is(Step.RESULT))
    assert [recording.folder.name for recording in calibration.recordings] == ["ses-T1", "ses-T1p2"]
    assert [one["repetition"] for one in good(calibration)] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert len(calibration.trainer.jobs[-1].sessions) == 2


def test_training_is_cancelled(calibration):
    calibration.to_cues().run_until(lambda view: view.training and view.training.stage == "fit")
    calibration.press(ActionKind.CANCEL_TRAINING)
    assert calibration.view.step is Step.RESULT
    assert calibration.trainer.cancelled == 1


def test_a_caregiver_lets_each_trial_go(tmp_path):
    paced = PROTOCOL.model_copy(update={"pace": "caregiver"})
    calibration = VirtualCalibration(tmp_path, paced).to_cues()
    for _ in range(4):
        calibration.run_until(step_is(Step.WAITING))
        waited_s = calibration.now_s + 20.0
        calibration.run_until(lambda _, until_s=waited_s: calibration.now_s > until_s)
        assert calibration.view.step is Step.WAITING
        calibration.press(ActionKind.NEXT)
    calibration.run_until(step_is(Step.TRAINING))
    assert len(good(calibration)) == 4


def test_an_effort_calibration_asks_for_both_levels(tmp_path):
    protocol = PROTOCOL.model_copy(update={"levels": ("comfortable", "strong")})
    calibration = VirtualCalibration(tmp_path, protocol).to_cues()
    calibration.run_until(step_is(Step.TRAINING))
    assert Counter((one["gesture"], one["level"]) for one in good(calibration)) == {
        (gesture, level): 2 for gesture in ("fist", "hand_open") for level in ("comfortable", "strong")
    }


def test_a_resumed_calibration_asks_only_for_what_is_left(tmp_path):
    before = VirtualCalibration(tmp_path).to_cues()
    before.run_until(lambda _: len(good(before)) == 3)
    labels = tuple(label_from_event(Event(0.0, "label", fields)) for fields in before.labels)
    folder = tmp_path / "sub-P01" / "ses-T1"
    setup = SessionSetup("P01", "T1", PROTOCOL, folder, parts=(folder,), labels=labels, next_part=2)
    after = VirtualCalibration(tmp_path, setup=setup).to_cues()
    assert after.view.cue.trial == 4
    after.run_until(step_is(Step.TRAINING))
    assert len(good(after)) == 1
    assert after.recordings[0].folder.name == "ses-T1p2"


def test_a_calibration_whose_cues_are_done_goes_on_with_the_training(tmp_path):
    labels = tuple(
        TrialLabel(k, one.gesture, one.repetition, one.level, Verdict.GOOD)
        for k, one in enumerate(PROTOCOL.trials())
    )
    folder = tmp_path / "sub-P01" / "ses-T1"
    setup = SessionSetup("P01", "T1", PROTOCOL, folder, parts=(folder,), labels=labels, next_part=2)
    calibration = VirtualCalibration(tmp_path, setup=setup)
    calibration.run_until(step_is(Step.RESULT))
    assert calibration.recordings == []


def test_an_action_that_is_not_allowed_is_ignored(calibration):
    calibration.to_cues()
    before = calibration.view
    calibration.press(ActionKind.ACCEPT)
    assert calibration.view == before


def test_the_default_protocol_lasts_what_it_says(tmp_path):
    protocol = CueSchedule(gestures=("fist",), repetitions=6, rest_s=1.3, ready_s=0.8, ramp_s=1.0, hold_s=2.0)
    calibration = VirtualCalibration(tmp_path, protocol).to_cues()
    began_s = calibration.now_s
    calibration.run_until(step_is(Step.TRAINING))
    assert calibration.now_s - began_s == pytest.approx(protocol.seconds, abs=1.5)
