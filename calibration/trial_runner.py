"""One trial after the other: rest, get ready, ramp, hold; judged while the next one rests, offered again if need be.

Pure but for what it is given: time comes in by `tick`, EMG from the feed, events go out by a callable, and judging,
which takes longer than a window may wait, is submitted elsewhere.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from calibration.protocol import CueSchedule, Level, PlannedTrial
from calibration.session_ports import Feed, FeedSnapshot, Later
from calibration.session_view import CueView, Phase
from calibration.trial_verdict import RecordedTrial, TrialCheck, TrialLabel, Verdict, check_trial
from emg_acquisition.events import REST

# The muscle lets go after its cue; so much of the next rest belongs to the trial.
AFTER_S = 0.6
# A caregiver may wait for minutes; the baseline needs only the end of it.
MAX_REST_S = 10.0
Emit: TypeAlias = Callable[[float, str, dict[str, Any]], None]
Submit: TypeAlias = Callable[[Callable[[], TrialCheck]], Later]


@dataclass
class _Running:
    """The trial that is under way."""

    planned: PlannedTrial
    attempt: int
    rest_lsl_s: float
    number: int = 0
    cue_lsl_s: float = 0.0
    hold_lsl_s: float = 0.0
    end_lsl_s: float = 0.0
    share_sum: float = 0.0
    share_count: int = 0


class TrialRunner:
    """Runs the trials that are left of a protocol.

    Parameters
    ----------
    protocol : CueSchedule
        Timing and pace.
    labels : sequence of TrialLabel
        What earlier parts of this calibration found.
    feed : Feed
        Where a trial's EMG comes from.
    emit : callable
        Takes an event: LSL time, kind, fields.
    submit : callable
        Computes a check somewhere, and gives it later.
    """

    def __init__(
        self, protocol: CueSchedule, labels: Sequence[TrialLabel], feed: Feed, emit: Emit, submit: Submit
    ) -> None:
        self._protocol, self._feed, self._emit, self._submit = protocol, feed, emit, submit
        self._queue = deque(remaining(protocol, labels))
        self._n_trials = len(protocol.trials())
        self._done = self._n_trials - len(self._queue)
        self._accepted = [label for label in labels if label.verdict is Verdict.GOOD]
        self._attempts: Counter[PlannedTrial] = Counter()
        self._number = 0
        self._phase, self._began_s, self._rest_lsl_s = Phase.REST, 0.0, 0.0
        self._running: _Running | None = None
        self._ended: _Running | None = None
        self._judging: tuple[_Running, Later] | None = None
        self._last_good: tuple[PlannedTrial, list[TrialLabel]] | None = None
        self._released = False
        self.message = ""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to ask for or to judge."""
        return not self._queue and self._running is None and not self._open

    @property
    def waiting(self) -> bool:
        """Whether the caregiver has to let the next trial go."""
        return (
            self._protocol.pace == "caregiver"
            and self._phase is Phase.REST
            and not self._released
            and not self._open
            and bool(self._queue)
        )

    @property
    def phase(self) -> Phase:
        """Part of the trial."""
        return self._phase

    @property
    def level(self) -> Level:
        """How strong the contraction is to be that is asked for."""
        return self._running.planned.level if self._running else ""

    @property
    def can_repeat(self) -> bool:
        """Whether there is a trial to be offered again."""
        return self._running is not None or self._last_good is not None

    def begin(self, now_s: float) -> None:
        """Begin, or go on after a break, with a rest."""
        self._to_rest(now_s)

    def release(self) -> None:
        """Let the next trial go, where the pace is a caregiver's."""
        self._released = True

    def tick(self, now_s: float, snapshot: FeedSnapshot) -> None:
        """Go on to `now_s`."""
        self.settle(now_s, snapshot)
        if self._running is not None and snapshot.states and self._phase in {Phase.RAMP, Phase.HOLD}:
            self._running.share_sum += snapshot.share_good
            self._running.share_count += 1
        while now_s >= self._began_s + self._phase_s and self._may_go_on(snapshot):
            self._next_phase(self._began_s + self._phase_s if self._on_time(now_s) else now_s)

    def settle(self, now_s: float, snapshot: FeedSnapshot) -> None:
        """Judge what has ended, without going on: for pauses."""
        self._collect(now_s)
        self._hand_over(snapshot)

    def interrupt(self, now_s: float, verdict: Verdict) -> None:
        """Break off what runs; it is offered again. What has ended is still judged, where its EMG can be had."""
        if self._running is not None:
            self._withdraw(now_s, self._running, verdict)
            self._running = None
        if self._ended is not None and verdict in {Verdict.STREAM_LOST, Verdict.REPEATED}:
            self._withdraw(now_s, self._ended, verdict)
            self._ended = None
        if self._judging is not None and verdict is Verdict.REPEATED:
            self._withdraw(now_s, self._judging[0], verdict)
            self._judging = None
        self._phase, self._began_s = Phase.REST, now_s

    def skip(self, now_s: float) -> None:
        """Leave the trial that runs, or the next one, out."""
        if self._running is None and self._queue:
            self._running = _Running(self._queue.popleft(), 1, now_s)
        if self._running is not None:
            self._withdraw(now_s, self._running, Verdict.SKIPPED)
            self.message = f"{self._running.planned.gesture} was left out"
            self._running = None
        self._to_rest(now_s)

    def repeat(self, now_s: float) -> None:
        """Offer the trial that runs again; between two, the last one."""
        if self._running is not None or self._ended is not None or self._judging is not None:
            self.interrupt(now_s, Verdict.REPEATED)
        elif self._last_good is not None:
            planned, labels = self._last_good
            for label in labels:
                self._label(now_s, replace(label, verdict=Verdict.REPEATED))
                self._accepted.remove(label)
            self._queue.appendleft(planned)
            self._done -= 1
            self._last_good = None
        self._to_rest(now_s)

    def stop(self, now_s: float) -> None:
        """Ask for nothing more; what has ended is still judged."""
        if self._running is not None:
            self._withdraw(now_s, self._running, Verdict.PAUSED)
            self._running = None
        self._queue.clear()
        self._phase, self._began_s = Phase.REST, now_s

    def view(self, now_s: float) -> CueView:
        """Return what is asked for."""
        n_trials = self._n_trials
        planned = self._running.planned if self._running else (self._queue[0] if self._queue else None)
        active = self._phase in {Phase.RAMP, Phase.HOLD} and planned is not None
        seconds = self._phase_s
        per_trial = sum(self._seconds_of(phase) for phase in Phase)
        return CueView(
            gesture=planned.gesture if planned is not None and active else REST,
            upcoming=planned.gesture if planned is not None and not self._open else "",
            phase=self._phase,
            seconds_left=max(0.0, self._began_s + seconds - now_s),
            phase_seconds=seconds,
            trial=min(self._done + 1, n_trials),
            n_trials=n_trials,
            attempt=self._running.attempt if self._running else 1,
            level=planned.level if planned is not None else "",
            progress=self._done / n_trials,
            minutes_left=(n_trials - self._done) * per_trial / 60.0,
        )

    @property
    def _open(self) -> bool:
        return self._ended is not None or self._judging is not None

    def _seconds_of(self, phase: Phase) -> float:
        return {
            Phase.REST: self._protocol.rest_s,
            Phase.GET_READY: self._protocol.ready_s,
            Phase.RAMP: self._protocol.ramp_s,
            Phase.HOLD: self._protocol.hold_s,
        }[phase]

    @property
    def _phase_s(self) -> float:
        return self._seconds_of(self._phase)

    def _on_time(self, now_s: float) -> bool:
        """Whether the planned moment has only just passed: a cue must not be dated before it was shown."""
        return now_s - (self._began_s + self._phase_s) < 0.1  # noqa: PLR2004 - three frames of a window

    def _may_go_on(self, snapshot: FeedSnapshot) -> bool:
        if self._phase is not Phase.REST:
            return True
        return bool(self._queue) and not self._open and not self.waiting and snapshot.connected

    def _next_phase(self, at_s: float) -> None:
        if self._phase is Phase.REST:
            planned = self._queue.popleft()
            self._attempts[planned] += 1
            self._running = _Running(planned, self._attempts[planned], self._rest_lsl_s)
            self._phase = Phase.GET_READY
        elif self._phase is Phase.GET_READY:
            self._ask(at_s)
            self._phase = Phase.RAMP
        elif self._phase is Phase.RAMP:
            if self._running is not None:
                self._running.hold_lsl_s = at_s
            self._phase = Phase.HOLD
        else:
            if self._running is not None:
                self._running.end_lsl_s = at_s
            self._ended, self._running = self._running, None
            self._to_rest(at_s)
            return
        self._began_s = at_s

    def _ask(self, at_s: float) -> None:
        running = self._running
        if running is None:
            return
        self._number += 1
        running.number, running.cue_lsl_s = self._number, at_s
        planned = running.planned
        self._cue(at_s, planned.gesture, planned.repetition, planned.level)
        self.message = ""

    def _to_rest(self, at_s: float) -> None:
        self._number += 1
        self._phase, self._began_s, self._rest_lsl_s = Phase.REST, at_s, at_s
        self._released = False
        repetition = self._queue[0].repetition if self._queue else self._protocol.repetitions
        self._cue(at_s, REST, repetition, "")

    def _cue(self, at_s: float, gesture: str, repetition: int, level: str) -> None:
        fields = {"gesture": gesture, "repetition": repetition, "trial": self._number, "level": level}
        self._emit(at_s, "cue", fields)

    def _hand_over(self, snapshot: FeedSnapshot) -> None:
        """Give the trial that has ended to be judged, as soon as what follows it has arrived."""
        ended = self._ended
        if ended is None or snapshot.newest_lsl_s < ended.end_lsl_s + AFTER_S:
            return
        self._ended = None
        accepted, feed = tuple(self._accepted), self._feed
        # Both the copy and the check take longer than a window may wait.
        self._judging = (
            ended,
            self._submit(lambda: check_trial(_recorded(ended, feed), accepted, feed.info.fs_hz)),
        )

    def _collect(self, now_s: float) -> None:
        """Take a check that is there: say it, and offer the trial again where it does not count."""
        if self._judging is None or not self._judging[1].done():
            return
        ended, later = self._judging
        self._judging = None
        check: TrialCheck = later.result()
        labels = [label for label in (check.rest, check.label) if label is not None]
        for label in labels:
            self._label(now_s, label)
        good = [label for label in labels if label.verdict is Verdict.GOOD]
        self._accepted += good
        verdict = check.label.verdict
        if verdict in {Verdict.GOOD, Verdict.SKIPPED}:
            self._done += 1
            self._last_good = (ended.planned, good) if verdict is Verdict.GOOD else None
            self.message = check.why and f"{check.why}; it is left out"
        else:
            self._queue.appendleft(ended.planned)
            self.message = f"{check.why}; once more"

    def _withdraw(self, now_s: float, one: _Running, verdict: Verdict) -> None:
        planned = one.planned
        if verdict is Verdict.SKIPPED:
            self._done += 1
        else:
            self._queue.appendleft(planned)
        if not one.number:  # it was broken off before it was asked for
            self._number += 1
            one.number = self._number
        self._label(
            now_s, TrialLabel(one.number, planned.gesture, planned.repetition, planned.level, verdict)
        )

    def _label(self, now_s: float, label: TrialLabel) -> None:
        event = label.to_event(now_s)
        self._emit(event.t_lsl_s, event.kind, dict(event.fields))


def _recorded(ended: _Running, feed: Feed) -> RecordedTrial:
    rest_lsl_s = max(ended.rest_lsl_s, ended.cue_lsl_s - MAX_REST_S)
    emg_uv, t_lsl_s, whole = feed.between(rest_lsl_s, ended.end_lsl_s + AFTER_S)
    return RecordedTrial(
        planned=ended.planned,
        trial=ended.number,
        attempt=ended.attempt,
        emg_uv=emg_uv,
        t_lsl_s=t_lsl_s,
        cue_lsl_s=ended.cue_lsl_s,
        hold_lsl_s=ended.hold_lsl_s,
        end_lsl_s=ended.end_lsl_s,
        share_good=ended.share_sum / ended.share_count if ended.share_count else 1.0,
        whole=whole,
    )


def remaining(protocol: CueSchedule, labels: Sequence[TrialLabel]) -> list[PlannedTrial]:
    """Return the planned trials that are neither good nor left out yet, in their order."""
    settled = {
        (label.gesture, label.repetition, label.level)
        for label in labels
        if label.verdict in {Verdict.GOOD, Verdict.SKIPPED}
    }
    return [one for one in protocol.trials() if (one.gesture, one.repetition, one.level) not in settled]
