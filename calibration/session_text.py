"""What a calibration says to people: problems with what to do about them, and the result with its advice."""

from calibration.session_ports import FeedSnapshot, TrainJob, TrainOutcome
from calibration.session_view import Problem, ResultView, Severity, SignalView, WeakestPair
from calibration.training_process import command_of
from calibration.trial_judge import LEAST_GOOD_SHARE
from emg_acquisition.events import REST
from emg_acquisition.stream_info import EmgStreamInfo

# Fewer good electrodes than this are told; fewer than a decoder works with hold the cues up.
GOOD_ENOUGH = 0.9
NAMED = 4
# Two gestures of which less is confused are told apart well enough.
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
    severity = Severity.ERROR if snapshot.share_good < LEAST_GOOD_SHARE else Severity.WARNING
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
        command=command_of(job),
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
    told = f"{_words(weak)} and {_words(other)} are confused in {share:.0%} of the time."
    if share < PRACTISE_UNDER:
        return "practise", f"{told} Practise them: record two more repetitions."
    if other == REST or right < LOST_AMONG_ALL:
        return "drop", f"{told} Practise {_words(weak)}, or drop it."
    return "merge", f"{told} Practise them, or merge the two into one."


def _words(gesture: str) -> str:
    return gesture.replace("_", " ")
