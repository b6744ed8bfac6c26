"""A calibration from the signal check to the accepted decoder, without a window: a state machine that is ticked.

Nothing here waits: EMG is read, recorded, judged and trained on elsewhere, and each tick looks what has come of it.
Time is LSL's, so that cues are dated on the clock of the EMG.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from calibration.activity import ActivityBar
from calibration.parts import CALIBRATION, PartRecorder, about
from calibration.protocol import STRONG, CueSchedule
from calibration.session_ports import Feed, Recording, Traces, Trainer, TrainJob, TrainOutcome
from calibration.session_view import (
    Action,
    ActionKind,
    ActivityView,
    Phase,
    Problem,
    ResultView,
    SessionView,
    Severity,
    Step,
    TrainingView,
    TryOutView,
    result_view,
    signal_problems,
    signal_view,
)
from calibration.signal_options import DEFAULT_SIGNAL, SignalOptions
from calibration.trial_runner import Submit, TrialRunner, remaining
from calibration.trial_verdict import LABEL, MIN_GOOD_SHARE, TrialLabel, Verdict
from emg_acquisition.events import REST

DECODER_FILE = "decoder.onnx"
CANDIDATE_FILE = "decoder-candidate.onnx"
EXTRA_REPETITIONS = 2

_A = ActionKind
_ALLOWED: dict[Step, frozenset[ActionKind]] = {
    Step.CONNECTING: frozenset({_A.QUIT}),
    Step.SIGNAL_CHECK: frozenset({_A.NEXT, _A.QUIT}),
    Step.CUE: frozenset({_A.PAUSE, _A.REPEAT, _A.SKIP, _A.STOP, _A.QUIT}),
    Step.WAITING: frozenset({_A.NEXT, _A.PAUSE, _A.REPEAT, _A.SKIP, _A.STOP, _A.QUIT}),
    Step.PAUSED: frozenset({_A.RESUME, _A.STOP, _A.QUIT}),
    Step.STREAM_LOST: frozenset({_A.STOP, _A.QUIT}),
    Step.TRAINING: frozenset({_A.CANCEL_TRAINING, _A.QUIT}),
    Step.RESULT: frozenset(
        {_A.NEXT, _A.TRY_OUT, _A.ACCEPT, _A.REPEAT_TRAINING, _A.DROP_GESTURE, _A.MERGE_GESTURES, _A.QUIT}
    ),
    Step.TRY_OUT: frozenset(
        {_A.RESULT, _A.ACCEPT, _A.REPEAT_TRAINING, _A.DROP_GESTURE, _A.MERGE_GESTURES, _A.QUIT}
    ),
    Step.DONE: frozenset({_A.QUIT}),
    Step.STOPPED: frozenset({_A.QUIT}),
}


@dataclass(frozen=True)
class SessionSetup:
    """Whose calibration it is, and how far it got before.

    Parameters
    ----------
    participant, session : str
        Codes.
    protocol : CueSchedule
        What is asked for.
    base : str
        A decoder to recalibrate; empty to train a new one.
    signal : SignalOptions
        What was chosen of the signal path.
    parts : tuple of Path
        Session folders recorded before, in order.
    labels : tuple of TrialLabel
        What they hold.
    next_part, next_try_out : int
        Numbers of the part and the try-out to record next.
    folder : Path
        The first part's session folder; the decoder goes there.
    """

    participant: str
    session: str
    protocol: CueSchedule
    folder: Path
    base: str = ""
    signal: SignalOptions = DEFAULT_SIGNAL
    parts: tuple[Path, ...] = ()
    labels: tuple[TrialLabel, ...] = ()
    next_part: int = 1
    next_try_out: int = 1


@dataclass(frozen=True)
class Ports:
    """The world: see `calibration.session_ports`; ``record`` begins a part, given its session code."""

    feed: Feed
    record: Callable[[str], Recording]
    trainer: Trainer
    submit: Submit


class CalibrationSession:
    """What a display drives: ``tick`` thirty times a second, ``view`` to draw, ``handle`` for what a person does.

    Parameters
    ----------
    setup : SessionSetup
        What to do.
    ports : Ports
        With what.
    """

    def __init__(self, setup: SessionSetup, ports: Ports) -> None:
        self._setup, self._ports = setup, ports
        self._protocol = setup.protocol
        self._parts = PartRecorder(
            setup.session, setup.parts, (setup.next_part, setup.next_try_out), ports.record
        )
        self._labels = list(setup.labels)
        self._activity = ActivityBar()
        self._runner: TrialRunner | None = None
        self._now_s = 0.0
        self._drop: tuple[str, ...] = ()
        self._merge: tuple[tuple[str, str], ...] = ()
        self._job: TrainJob | None = None
        self._training = TrainingView("", 0.0, 0.0)
        self._training_since_s = 0.0
        self._result: ResultView | None = None
        self._model = ""
        self._trained_on: tuple[Path, ...] = ()
        self._failure: Problem | None = None
        self._message = ""
        self._snapshot = ports.feed.snapshot()
        self._step = Step.CONNECTING
        # Starting a process takes longer than a tick may; later there is a window.
        ports.trainer.warm_up()
        if self._left:
            self._begin_part()
        else:
            self._to_training()

    @property
    def failed(self) -> str:
        """Why it has stopped, for the command line; empty where nothing was wrong."""
        stopped = self._step is Step.STOPPED and self._failure is not None
        return f"{self._failure.what}; {self._failure.do}" if stopped and self._failure else ""

    @property
    def step(self) -> Step:
        """Where it stands."""
        return self._step

    @property
    def parts(self) -> tuple[Path, ...]:
        """The session folders that the decoder is trained on."""
        return self._trained_on

    @property
    def model(self) -> str:
        """What the decoder is made of; empty before it is."""
        return self._model

    @property
    def decoder(self) -> Path:
        """The accepted decoder's file."""
        return self._setup.folder / DECODER_FILE

    def tick(self, now_s: float) -> None:
        """Go on to `now_s`, on the LSL clock."""
        self._now_s = now_s
        self._snapshot = self._ports.feed.snapshot()
        failure = self._parts.failure()
        if failure and self._step is not Step.STOPPED:
            self._stop_for(failure)
        if self._step is Step.CONNECTING:
            self._connect()
        elif self._step is Step.SIGNAL_CHECK:
            self._activity.note_rest(self._snapshot.amplitude_uv)
        elif self._step in {Step.CUE, Step.WAITING}:
            self._run_trials()
        elif self._step is Step.PAUSED and self._runner is not None:
            self._runner.settle(now_s, self._snapshot)
        elif self._step is Step.STREAM_LOST:
            self._wait_for_stream()
        elif self._step is Step.TRAINING:
            self._train()

    def handle(self, action: Action) -> None:
        """Do what a person asks; an action that is not allowed now is ignored."""
        if action.kind not in self._allowed():
            return
        self._message = ""
        if self._step in {Step.CUE, Step.WAITING, Step.PAUSED, Step.STREAM_LOST}:
            self._handle_cues(action.kind)
        elif action.kind is _A.NEXT and self._step is Step.SIGNAL_CHECK:
            self._begin_cues()
        elif self._step is Step.TRAINING and action.kind is _A.CANCEL_TRAINING:
            self._ports.trainer.cancel()
            self._fail_training("The training was cancelled")
        else:
            self._handle_result(action)
        if action.kind is _A.QUIT:
            self._quit()

    def view(self) -> SessionView:
        """Return what is to be shown; cheap, and never waits."""
        cued = self._step in {Step.CUE, Step.WAITING, Step.PAUSED, Step.STREAM_LOST}
        runner = self._runner if cued else None
        watched = self._step not in {Step.TRAINING, Step.RESULT, Step.DONE, Step.STOPPED}
        problems = signal_problems(self._snapshot, self._ports.feed.info) if watched else ()
        if self._failure is not None:
            problems = (self._failure, *problems)
        return SessionView(
            step=self._step,
            participant=self._setup.participant,
            protocol=self._protocol.name,
            folder=str(self._setup.folder),
            allowed=self._allowed(),
            problems=problems,
            signal=signal_view(self._snapshot, self._ports.feed.info) if watched else None,
            activity=self._activity_view() if watched else None,
            cue=runner.view(self._now_s) if runner else None,
            training=self._training if self._step is Step.TRAINING else None,
            result=self._result if self._step in {Step.RESULT, Step.TRY_OUT, Step.DONE} else None,
            try_out=self._try_out() if self._step is Step.TRY_OUT else None,
            gestures=tuple(one for one in self._protocol.gestures if one not in self._gone),
            message=(runner.message if runner else "") or self._message,
        )

    def traces(self, seconds: float) -> Traces:
        """Return the newest EMG for a plot."""
        return self._ports.feed.traces(seconds)

    def close(self) -> None:
        """End the recording properly and everything that was started."""
        self._parts.close()
        self._ports.trainer.close()
        self._ports.feed.close()

    # -- recording ---------------------------------------------------------------------------------------------

    @property
    def _left(self) -> bool:
        return bool(remaining(self._protocol, self._labels))

    def _begin_part(self) -> None:
        self._parts.begin_part()
        self._step = Step.CONNECTING

    def _connect(self) -> None:
        if self._parts.ready and self._snapshot.newest_lsl_s > 0:
            fields = about(
                self._protocol, self._ports.feed.info.source_id, self._setup.base, self._setup.signal
            )
            self._emit(self._now_s, CALIBRATION, fields)
            self._step = Step.SIGNAL_CHECK

    def _emit(self, t_lsl_s: float, kind: str, fields: dict[str, object]) -> None:
        self._parts.event(t_lsl_s, kind, fields)
        if kind == LABEL and fields["gesture"] != REST:
            good = fields["verdict"] == Verdict.GOOD.value
            self._activity.end_trial(comfortable=good and fields["level"] != STRONG)

    def _stop_for(self, failure: str) -> None:
        what_to_do = "make room or repair it, then start again with --resume"
        self._failure = Problem(Severity.ERROR, failure, what_to_do)
        self._step = Step.STOPPED

    # -- cues --------------------------------------------------------------------------------------------------

    def _begin_cues(self) -> None:
        self._runner = TrialRunner(
            self._protocol, self._labels, self._ports.feed, self._emit, self._ports.submit
        )
        self._runner.begin(self._now_s)
        self._step = Step.CUE

    def _run_trials(self) -> None:
        runner = self._runner
        if runner is None:
            return
        if not self._snapshot.connected:
            runner.interrupt(self._now_s, Verdict.STREAM_LOST)
            self._step = Step.STREAM_LOST
            return
        runner.tick(self._now_s, self._snapshot)
        if runner.phase is Phase.HOLD:
            self._activity.note_hold(self._snapshot.amplitude_uv)
        elif runner.phase in {Phase.REST, Phase.GET_READY}:
            self._activity.note_rest(self._snapshot.amplitude_uv)
        self._step = Step.WAITING if runner.waiting else Step.CUE
        if runner.finished:
            self._end_cues()

    def _wait_for_stream(self) -> None:
        if self._runner is not None:
            self._runner.settle(self._now_s, self._snapshot)
            if self._snapshot.connected:
                self._runner.begin(self._now_s)
                self._runner.message = "The signal is back; the trial is offered again"
                self._step = Step.CUE

    def _handle_cues(self, kind: ActionKind) -> None:
        runner = self._runner
        if runner is None:
            return
        if kind is _A.NEXT:
            runner.release()
        elif kind is _A.PAUSE:
            runner.interrupt(self._now_s, Verdict.PAUSED)
            self._emit(self._now_s, "pause", {})
            self._step = Step.PAUSED
        elif kind is _A.RESUME:
            self._emit(self._now_s, "resume", {})
            runner.begin(self._now_s)
            self._step = Step.CUE
        elif kind is _A.REPEAT:
            runner.repeat(self._now_s)
        elif kind is _A.SKIP:
            runner.skip(self._now_s)
        elif kind is _A.STOP:
            runner.stop(self._now_s)
            self._step = Step.CUE
            if not self._snapshot.connected:
                self._end_cues()

    def _end_cues(self) -> None:
        self._emit(self._now_s, "cues_done", {})
        self._runner = None
        self._parts.end_part()
        self._to_training()

    # -- training and result -----------------------------------------------------------------------------------

    def _to_training(self) -> None:
        self._ports.feed.decode_with(None)
        self._step, self._job, self._failure = Step.TRAINING, None, None
        self._training = TrainingView("closing the recording", 0.0, 0.0)
        self._training_since_s = self._now_s

    def _train(self) -> None:
        seconds = self._now_s - self._training_since_s
        if self._job is None:
            if self._parts.all_closed:
                self._job = TrainJob(
                    sessions=tuple(self._parts.folders),
                    out=self._setup.folder / CANDIDATE_FILE,
                    drop=self._drop,
                    merge=self._merge,
                    base=Path(self._setup.base) if self._setup.base else None,
                    signal=self._setup.signal,
                )
                self._ports.trainer.start(self._job)
            return
        news = self._ports.trainer.poll()
        if isinstance(news, TrainOutcome):
            self._take_outcome(news, self._job)
        elif news is not None:
            self._training = TrainingView(news.stage, news.share, seconds)
        else:
            self._training = replace(self._training, seconds=seconds)

    def _take_outcome(self, outcome: TrainOutcome, job: TrainJob) -> None:
        if outcome.error:
            self._fail_training(outcome.error)
            return
        self._result, self._model = result_view(outcome, job), outcome.model
        self._trained_on = outcome.sessions
        self._step = Step.RESULT

    def _fail_training(self, what: str) -> None:
        self._failure = Problem(Severity.ERROR, what, "Record two more repetitions, or drop a gesture")
        self._result = None
        self._step = Step.RESULT

    def _handle_result(self, action: Action) -> None:
        if action.kind in {_A.NEXT, _A.TRY_OUT} and self._step is Step.RESULT:
            self._begin_try_out()
        elif action.kind is _A.RESULT:
            self._end_try_out()
            self._step = Step.RESULT
        elif action.kind is _A.ACCEPT:
            self._emit(self._now_s, "accepted", {"command": self._result.command if self._result else ""})
            self._end_try_out()
            (self._setup.folder / CANDIDATE_FILE).replace(self.decoder)
            if self._result is not None:
                self._result = replace(self._result, decoder=str(self.decoder))
            self._step = Step.DONE
        elif action.kind is _A.REPEAT_TRAINING:
            self._end_try_out()
            self._record_more()
        elif action.kind is _A.DROP_GESTURE:
            self._change_gestures((*self._drop, action.gesture), self._merge)
        elif action.kind is _A.MERGE_GESTURES:
            self._change_gestures(self._drop, (*self._merge, (action.gesture, action.other)))

    def _change_gestures(self, drop: tuple[str, ...], merge: tuple[tuple[str, str], ...]) -> None:
        self._end_try_out()
        self._drop, self._merge = drop, merge
        self._to_training()

    @property
    def _gone(self) -> set[str]:
        return {*self._drop, *(other for _, other in self._merge)}

    def _record_more(self) -> None:
        repetitions = self._protocol.repetitions + EXTRA_REPETITIONS
        self._labels = [
            TrialLabel(0, one.gesture, one.repetition, one.level, Verdict.SKIPPED)
            for one in self._protocol.trials()
        ]
        self._protocol = self._protocol.model_copy(update={"repetitions": repetitions})
        self._result, self._failure = None, None
        self._begin_part()

    def _begin_try_out(self) -> None:
        self._ports.feed.decode_with(self._setup.folder / CANDIDATE_FILE)
        self._parts.begin_try_out()
        self._step = Step.TRY_OUT

    def _end_try_out(self) -> None:
        self._ports.feed.decode_with(None)
        self._parts.finish()

    def _quit(self) -> None:
        if self._runner is not None:
            self._runner.interrupt(self._now_s, Verdict.PAUSED)
        self._emit(self._now_s, "quit", {})
        if self._step is not Step.DONE:
            self._step = Step.STOPPED

    # -- view --------------------------------------------------------------------------------------------------

    def _allowed(self) -> frozenset[ActionKind]:
        allowed = _ALLOWED[self._step]
        if self._step is Step.SIGNAL_CHECK and self._snapshot.share_good < MIN_GOOD_SHARE:
            allowed -= {_A.NEXT}
        if self._runner is not None and not self._runner.can_repeat:
            allowed -= {_A.REPEAT}
        if self._result is None and self._step is Step.RESULT:
            allowed -= {_A.NEXT, _A.TRY_OUT, _A.ACCEPT}
        if self._setup.base:
            allowed -= {_A.DROP_GESTURE, _A.MERGE_GESTURES}
        return allowed

    def _activity_view(self) -> ActivityView | None:
        runner = self._runner
        phase = runner.phase if runner else Phase.REST
        return self._activity.view(self._snapshot.amplitude_uv, phase, runner.level if runner else "")

    def _try_out(self) -> TryOutView:
        gestures = self._result.gestures if self._result else ()
        decision = self._snapshot.decision
        if decision is None:
            return TryOutView(gestures, "", (0.0,) * len(gestures), 0.0, 0.0)
        decided = decision.gesture_index >= 0
        return TryOutView(
            gestures=gestures,
            decoded=gestures[decision.gesture_index] if decided else "",
            probabilities=decision.probabilities,
            confidence=decision.confidence,
            effort=decision.effort,
        )
