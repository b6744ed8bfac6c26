"""What a calibration shows at every step, with the longest names and sentences that occur: for windows under test."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from calibration.session import _ALLOWED
from calibration.session_ports import FeedSnapshot, Traces, TrainJob, TrainOutcome
from calibration.session_view import (
    ActionKind,
    ActivityView,
    CueView,
    Phase,
    Problem,
    SessionView,
    Severity,
    Step,
    TrainingView,
    TryOutView,
    result_view,
    signal_problems,
    signal_view,
)
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.stream_info import EmgStreamInfo

GESTURES = (
    *("rest", "fist", "hand_open", "tripod_pinch", "wrist_flexion", "wrist_extension"),
    *("wrist_abduction", "wrist_adduction", "pronation", "supination"),
)
INFO = EmgStreamInfo(
    "EMG", "sessantaquattro-1", 4000.0, rectangular_grid(8, 8, 10.0), tuple(f"E{k + 1}" for k in range(64))
)
RNG = np.random.default_rng(1)
TRACES = Traces(RNG.normal(0.0, 12.0, (8000, 64)).astype(np.float32), 4000.0)
FOLDER = "/home/lab/recordings/sub-P01/ses-20261124T101500"


def snapshot(*, bad=(), connected=True):
    states = ["good"] * 64
    for channel, state in bad:
        states[channel] = state
    return FeedSnapshot(
        connected,
        0.0 if connected else 3.0,
        0,
        10.0,
        tuple(states),
        tuple(RNG.uniform(5, 90, 64).tolist()),
        12.0,
    )


BAD = ((3, "detached"), (4, "detached"), (12, "flat"), (20, "powerline"), (21, "noisy"), (40, "saturated"))


def outcome():
    n = len(GESTURES)
    counts = np.full((n, n), 1) + np.diag([300] * n)
    counts[6, 7], counts[7, 6] = 120, 40
    return TrainOutcome("", GESTURES, tuple(map(tuple, counts.tolist())), 0.934, 0.978, "lda", 9.2, ())


def result():
    return result_view(outcome(), TrainJob((Path(FOLDER),), Path(FOLDER) / "decoder.onnx"))


def cue(phase, *, upcoming="wrist_abduction", attempt=1, level="", trial=23):
    active = phase in {Phase.RAMP, Phase.HOLD}
    gesture = upcoming if active else "rest"
    return CueView(gesture, upcoming, phase, 1.4, 2.0, trial, 45, attempt, level, (trial - 1) / 45, 2.3)


def view(step, **parts):
    shot = parts.pop("snapshot", snapshot())
    watched = step not in {Step.TRAINING, Step.RESULT, Step.DONE, Step.STOPPED}
    defaults = {
        "problems": signal_problems(shot, INFO) if watched else (),
        "signal": signal_view(shot, INFO) if watched else None,
        "activity": ActivityView(0.9, 0.5, 1.6, True) if watched else None,
    }
    return SessionView(
        step, "P01", "five_minutes", FOLDER, _ALLOWED[step], gestures=GESTURES[1:], **(defaults | parts)
    )


def try_out_view(decoded, p):
    others = (1 - p) / (len(GESTURES) - 1)
    return TryOutView(GESTURES, decoded, tuple(p if g == decoded else others for g in GESTURES), p, 0.7)


DISK = Problem(
    Severity.ERROR,
    "recording.xdf cannot be written any more: No space left on device; what was recorded before is whole",
    "make room or repair it, then start again with --resume",
)
NO_DECODER = Problem(
    Severity.ERROR,
    "too few usable trials of wrist_abduction (1): 2 at least are required",
    "Record two more repetitions, or drop a gesture",
)
LOW = ActivityView(0.25, 0.5, 1.6, in_target=False)
HIGH = ActivityView(2.4, 0.5, 1.6, in_target=False)
AGAIN = "hardly any muscle activity was seen; once more"


def views():
    """Return every screen by name."""
    return {
        "connecting": view(Step.CONNECTING, signal=None, problems=(), activity=None),
        "signal_good": view(Step.SIGNAL_CHECK),
        "signal_bad": view(Step.SIGNAL_CHECK, snapshot=snapshot(bad=BAD)),
        "cue_rest": view(Step.CUE, cue=cue(Phase.REST), message=AGAIN),
        "cue_ready": view(Step.CUE, cue=cue(Phase.GET_READY, attempt=2)),
        "cue_build_up": view(Step.CUE, cue=cue(Phase.RAMP), activity=LOW),
        "cue_hold": view(Step.CUE, cue=cue(Phase.HOLD)),
        "cue_strong": view(
            Step.CUE, cue=cue(Phase.HOLD, upcoming="tripod_pinch", level="comfortable"), activity=HIGH
        ),
        "cue_other": view(
            Step.CUE, cue=cue(Phase.HOLD, upcoming="index_finger_extension"), snapshot=snapshot(bad=BAD)
        ),
        "waiting": view(Step.WAITING, cue=cue(Phase.REST, upcoming="supination")),
        "paused": view(Step.PAUSED, cue=cue(Phase.REST), snapshot=snapshot(bad=BAD)),
        "stream_lost": view(Step.STREAM_LOST, cue=cue(Phase.REST), snapshot=snapshot(connected=False)),
        "training": view(Step.TRAINING, training=TrainingView("choosing features and classifier", 0.62, 7.4)),
        "result": view(Step.RESULT, result=result()),
        "no_result": replace(
            view(Step.RESULT, problems=(NO_DECODER,)),
            allowed=_ALLOWED[Step.RESULT] - {ActionKind.NEXT, ActionKind.TRY_OUT, ActionKind.ACCEPT},
        ),
        "try_out": view(Step.TRY_OUT, result=result(), try_out=try_out_view("wrist_extension", 0.88)),
        "try_out_none": view(
            Step.TRY_OUT, result=result(), try_out=TryOutView(GESTURES, "", (0.1,) * 10, 0.1, 0.0)
        ),
        "done": view(Step.DONE, result=result()),
        "stopped": view(Step.STOPPED, problems=(DISK,)),
    }
