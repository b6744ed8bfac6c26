"""What a calibration shows at a moment, in which words, and what may be done: all that a display needs to know.

A display takes `CalibrationSession.view` thirty times a second and draws it; it sends back an `Action`. It never
decides anything: which buttons to show is in ``SessionView.allowed``.
"""

from dataclasses import dataclass, replace
from enum import Enum

from calibration.session_ports import FeedSnapshot, TrainJob, TrainOutcome
from calibration.trial_verdict import MIN_GOOD_SHARE
from emg_acquisition.events import REST
from emg_acquisition.stream_info import EmgStreamInfo

# Fewer good electrodes than this are reported; fewer than a decoder works with hold the cues up.
GOOD_ENOUGH = 0.9
NAMED = 4
# Two gestures of which less is confused are distinct enough.
CONFUSED = 0.05
# Merging keeps both movements usable; dropping is for a gesture that is lost among several.
LOST_AMONG_ALL = 0.5
PRACTISE_UNDER = 0.15
_DO = {
    "flat": "check that it is plugged in",
    "saturated": "press it on, and check the reference electrode",
    "detached": "press it on, or put fresh gel under it",
    "noisy": "press it on, or clean the skin under it",
    "powerline": "move cables and chargers away, and press the reference electrode on",
    "invalid": "check the cable to the amplifier",
}


class Step(Enum):
    """Where a calibration stands."""

    CONNECTING = "connecting"
    SIGNAL_CHECK = "signal_check"
    CUE = "cue"
    WAITING = "waiting"  # caregiver-paced: the next gesture is shown and waits for NEXT
    PAUSED = "paused"
    STREAM_LOST = "stream_lost"
    TRAINING = "training"
    RESULT = "result"
    TRY_OUT = "try_out"
    DONE = "done"
    STOPPED = "stopped"  # by STOP, QUIT or an error; what was recorded is kept and can be resumed


class Phase(Enum):
    """Part of a trial, in the order in which they come."""

    REST = "rest"
    GET_READY = "get_ready"
    RAMP = "ramp"
    HOLD = "hold"


class ActionKind(Enum):
    """What a person may do."""

    NEXT = "next"  # go on: signal check -> cues, waiting -> the next trial, result -> try-out
    PAUSE = "pause"
    RESUME = "resume"
    REPEAT = "repeat"  # offer the last trial again, or the one that runs
    SKIP = "skip"  # leave the trial that runs out
    STOP = "stop"  # end the cues: train on what there is, if it is enough
    TRY_OUT = "try_out"
    RESULT = "result"  # from the try-out back to the result
    ACCEPT = "accept"
    REPEAT_TRAINING = "repeat_training"  # two more repetitions, then train on everything
    DROP_GESTURE = "drop_gesture"  # Action.gesture
    MERGE_GESTURES = "merge_gestures"  # Action.gesture takes in Action.other
    CANCEL_TRAINING = "cancel_training"
    QUIT = "quit"


@dataclass(frozen=True)
class Action:
    """Something that a person did; ``gesture`` and ``other`` only where the kind says so."""

    kind: ActionKind
    gesture: str = ""
    other: str = ""


class Severity(Enum):
    """How much a problem matters."""

    ADVICE = "advice"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Problem:
    """A banner: what is wrong and what to do, one short sentence each."""

    severity: Severity
    what: str
    do: str


@dataclass(frozen=True)
class SignalView:
    """The electrodes now.

    Parameters
    ----------
    states : tuple of str
        By channel: ``good``, ``flat``, ``saturated``, ``detached``, ``noisy``, ``powerline`` or ``invalid``.
    rms_uv : tuple of float
        By channel: RMS of the last window in the band of muscle, for the heat map.
    channel_at : tuple of tuple of int
        Grid: the channel at each row and column, -1 where there is none.
    channel_labels : tuple of str
        By channel.
    share_good : float
        0 to 1.
    good_enough : bool
        Whether the cues may begin without reservation.
    fs_hz : float
        Sampling rate.
    """

    states: tuple[str, ...]
    rms_uv: tuple[float, ...]
    channel_at: tuple[tuple[int, ...], ...]
    channel_labels: tuple[str, ...]
    share_good: float
    good_enough: bool
    fs_hz: float


@dataclass(frozen=True)
class ActivityView:
    """The bar of the muscle's activity: 0 is rest, 1 the wearer's own comfortable contraction; may exceed 1."""

    level: float
    target_low: float
    target_high: float
    in_target: bool


@dataclass(frozen=True)
class CueView:
    """What is asked for now.

    Parameters
    ----------
    gesture : str
        What the muscle is to do now: ``rest`` between the trials.
    upcoming : str
        The gesture of this trial, to be shown from `Phase.GET_READY` on; the next one during rest.
    phase : Phase
    seconds_left, phase_seconds : float
        Of the phase.
    trial, n_trials : int
        This one, counted from 1, among those planned (offered again: the number stays).
    attempt : int
        From 1; more where the trial is offered again.
    level : str
        Of an effort calibration: ``comfortable`` or ``strong``; otherwise empty.
    progress : float
        Share of the trials done, 0 to 1.
    minutes_left : float
        At this pace.
    """

    gesture: str
    upcoming: str
    phase: Phase
    seconds_left: float
    phase_seconds: float
    trial: int
    n_trials: int
    attempt: int
    level: str
    progress: float
    minutes_left: float


@dataclass(frozen=True)
class TrainingView:
    """Progress of the training."""

    stage: str
    share: float
    seconds: float


@dataclass(frozen=True)
class WeakestPair:
    """The two gestures that are confused most, and what to do about it."""

    gesture: str
    other: str
    confused_share: float
    advice: str  # "practise", "merge" or "drop"
    text: str


@dataclass(frozen=True)
class ResultView:
    """What came of the training; accuracies are held out, None where nothing could be held out.

    ``confusion[asked][decoded]`` are shares of the held-out windows, each row adding up to 1, by ``gestures``.
    """

    gestures: tuple[str, ...]
    confusion: tuple[tuple[float, ...], ...]
    window_accuracy: float | None
    trial_accuracy: float | None
    weakest: WeakestPair | None
    seconds: float
    decoder: str
    command: str  # the `hdemg train` that makes the same decoder


@dataclass(frozen=True)
class TryOutView:
    """What is decoded now; ``decoded`` is empty where there is no decision."""

    gestures: tuple[str, ...]
    decoded: str
    probabilities: tuple[float, ...]
    confidence: float
    effort: float


@dataclass(frozen=True)
class SessionView:
    """Everything to be shown; a part that does not belong to the step is None."""

    step: Step
    participant: str
    protocol: str
    folder: str
    allowed: frozenset[ActionKind]
    problems: tuple[Problem, ...] = ()
    signal: SignalView | None = None
    activity: ActivityView | None = None
    cue: CueView | None = None
    training: TrainingView | None = None
    result: ResultView | None = None
    try_out: TryOutView | None = None
    gestures: tuple[str, ...] = ()  # that are asked for and not dropped or merged away, without rest
    message: str = ""  # one line on what has just happened, e.g. why a trial is offered again


def signal_view(snapshot: FeedSnapshot, info: EmgStreamInfo) -> SignalView | None:
    """Return the electrodes as they are; None before that is known."""
    if not snapshot.states:
        return None
    return SignalView(
        states=snapshot.states,
        rms_uv=snapshot.rms_uv,
        channel_at=info.grid.channel_at,
        channel_labels=info.channel_labels,
        share_good=snapshot.share_good,
        good_enough=snapshot.share_good >= GOOD_ENOUGH,
        fs_hz=info.fs_hz,
    )


def signal_problems(snapshot: FeedSnapshot, info: EmgStreamInfo) -> tuple[Problem, ...]:
    """Return what is wrong with the signal, state by state, and what to do."""
    if not snapshot.connected and snapshot.newest_lsl_s > 0:
        return (
            Problem(
                Severity.ERROR,
                f"No signal from {info.source_id} for {snapshot.silent_s:.0f} s",
                "Check amplifier, battery and cable; it goes on by itself when the signal is back",
            ),
        )
    severity = Severity.ERROR if snapshot.share_good < MIN_GOOD_SHARE else Severity.WARNING
    problems = []
    for state, what_to_do in _DO.items():
        bad = [
            label for label, now in zip(info.channel_labels, snapshot.states, strict=False) if now == state
        ]
        if bad:
            more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
            what = f"{', '.join(bad[:NAMED])}{more}: {state}"
            problems.append(Problem(severity, what, what_to_do[0].upper() + what_to_do[1:]))
    return tuple(problems)


def result_view(outcome: TrainOutcome, job: TrainJob) -> ResultView:
    """Return what a training found."""
    shares = tuple(tuple(count / max(1, sum(row)) for count in row) for row in outcome.confusion)
    return ResultView(
        gestures=outcome.gestures,
        confusion=shares,
        window_accuracy=outcome.window_accuracy,
        trial_accuracy=outcome.trial_accuracy,
        weakest=_weakest(outcome.gestures, shares),
        seconds=outcome.seconds,
        decoder=str(job.out),
        command=replace(job, sessions=outcome.sessions).command,
    )


def _weakest(gestures: tuple[str, ...], shares: tuple[tuple[float, ...], ...]) -> WeakestPair | None:
    """Return the two gestures between which most is confused, if it is worth a word."""
    pairs = [
        (max(shares[i][k], shares[k][i]), i, k) for i in range(len(shares)) for k in range(i + 1, len(shares))
    ]
    if not pairs:
        return None
    share, i, k = max(pairs)
    if share < CONFUSED:
        return None
    # The one that is more often taken for something else.
    weak, other = (i, k) if shares[i][i] <= shares[k][k] else (k, i)
    if gestures[weak] == REST:
        weak, other = other, weak
    advice, text = _advice(gestures[weak], gestures[other], share, shares[weak][weak])
    return WeakestPair(gestures[weak], gestures[other], share, advice, text)


def _advice(weak: str, other: str, share: float, right: float) -> tuple[str, str]:
    said = f"{_words(weak)} and {_words(other)} are confused in {share:.0%} of the time."
    if share < PRACTISE_UNDER:
        return "practise", f"{said} Practise them: record two more repetitions."
    if other == REST or right < LOST_AMONG_ALL:
        return "drop", f"{said} Practise {_words(weak)}, or drop it."
    return "merge", f"{said} Practise them, or merge the two into one."


def _words(gesture: str) -> str:
    return gesture.replace("_", " ")
