"""A calibration from the signal check to the accepted decoder, without a window: a state machine that is ticked.

Nothing here waits: EMG is read, recorded, judged and trained on elsewhere, and each tick looks what has come of it.
Time is LSL's, so that cues are dated on the clock of the EMG.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from calibration.progress import CALIBRATION, about, part_code, trained_on
from calibration.protocol import CueSchedule
from calibration.session_ports import Feed, Recording, Trainer, TrainJob, TrainOutcome
from calibration.session_text import result_view, signal_problems, signal_view
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
    Traces,
    TrainingView,
    TryOutView,
)
from calibration.trial_judge import LEAST_GOOD_SHARE
from calibration.trial_labels import TrialLabel, Verdict
from calibration.trial_runner import Submit, TrialRunner, remaining
from emg_acquisition.events import REST

DECODER_FILE = "decoder.onnx"
CANDIDATE_FILE = "decoder-candidate.onnx"
EXTRA_REPETITIONS = 2
# Until a contraction was seen: some four times rest is a comfortable one.
COMFORTABLE_OVER_REST = 4.0
# Share of a tick's difference by which the level of rest follows: a twitch in a rest hardly lifts it.
FALLING, RISING = 0.2, 0.01
TARGETS = {"": (0.5, 1.6), "comfortable": (0.5, 1.6), "strong": (1.5, 4.0)}
REST_TARGET = (0.0, 0.3)

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
        A decoder to make fit; empty to train afresh.
    parts : tuple of Path
        Session folders recorded before, in order.
    labels : tuple of TrialLabel
        What they hold.
    next_part : int
        Number of the part to record next.
    folder : Path
        The first part's session folder; the decoder goes there.
    """

    participant: str
    session: str
    protocol: CueSchedule
    folder: Path
    base: str = ""
    parts: tuple[Path, ...] = ()
    labels: tuple[TrialLabel, ...] = ()
    next_part: int = 1


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
        self._parts = list(setup.parts)
        self._labels = list(setup.labels)
        self._next_part, self._next_try_out = setup.next_part, 1
        self._recording: Recording | None = None
        self._ending: list[Recording] = []
        self._runner: TrialRunner | None = None
        self._now_s = 0.0
        self._rest_uv = 0.0
        self._held: list[float] = []
        self._peak_uv = 0.0
        self._drop: tuple[str, ...] = ()
        self._merge: tuple[tuple[str, str], ...] = ()
        self._job: TrainJob | None = None
        self._training = TrainingView("", 0.0, 0.0)
        self._training_since_s = 0.0
        self._result: ResultView | None = None
        self._model = ""
        self._failure: Problem | None = None
        self._message = ""
        self._snapshot = ports.feed.snapshot()
        self._step = Step.CONNECTING
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
        return tuple(self._parts)

    @property
    def model(self) -> str:
        """What the decoder is made of; empty before it is."""
        return self._model

    @property
    def decoder(self) -> Path:
        """Where the accepted decoder lies."""
        return self._setup.folder / DECODER_FILE

    def tick(self, now_s: float) -> None:
        """Go on to `now_s`, on the LSL clock."""
        self._now_s = now_s
        self._snapshot = self._ports.feed.snapshot()
        self._watch_recordings()
        if self._step is Step.CONNECTING:
            self._connect()
        elif self._step is Step.SIGNAL_CHECK:
            self._note_rest()
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
            activity=self._activity() if watched else None,
            cue=runner.view(self._now_s) if runner else None,
            training=self._training if self._step is Step.TRAINING else None,
            result=self._result if self._step in {Step.RESULT, Step.TRY_OUT, Step.DONE} else None,
            try_out=self._try_out() if self._step is Step.TRY_OUT else None,
            message=(runner.message if runner else "") or self._message,
        )

    def traces(self, seconds: float) -> Traces:
        """Return the newest EMG for a plot."""
        return self._ports.feed.traces(seconds)

    def close(self) -> None:
        """End the recording properly and everything that was started."""
        if self._recording is not None:
            self._ending.append(self._recording)
            self._recording = None
        for recording in self._ending:
            recording.close()
        self._ending.clear()
        self._ports.trainer.close()
        self._ports.feed.close()

    # -- recording ---------------------------------------------------------------------------------------------

    @property
    def _left(self) -> bool:
        return bool(remaining(self._protocol, self._labels))

    def _begin_part(self) -> None:
        code = part_code(self._setup.session, self._next_part)
        self._next_part += 1
        self._recording = self._ports.record(code)
        self._step = Step.CONNECTING

    def _connect(self) -> None:
        if self._recording is not None and self._recording.ready and self._snapshot.newest_lsl_s > 0:
            fields = about(self._protocol, self._ports.feed.info.source_id, self._setup.base)
            self._emit(self._now_s, CALIBRATION, fields)
            self._step = Step.SIGNAL_CHECK

    def _emit(self, t_lsl_s: float, kind: str, fields: dict[str, object]) -> None:
        if self._recording is not None:
            self._recording.event(t_lsl_s, kind, fields)
        if kind == "label":
            self._note_label(fields)

    def _note_label(self, fields: dict[str, object]) -> None:
        if fields["verdict"] == Verdict.GOOD.value and fields["gesture"] != REST and self._snapshot.connected:
            self._held.append(self._peak_uv)
        self._peak_uv = 0.0

    def _watch_recordings(self) -> None:
        for recording in (*self._ending, *((self._recording,) if self._recording else ())):
            if recording.failure and self._step is not Step.STOPPED:
                self._stop_for(recording.failure)
        for recording in [one for one in self._ending if one.closed]:
            recording.close()
            self._ending.remove(recording)

    def _finish_recording(self) -> None:
        if self._recording is not None:
            self._recording.finish()
            self._ending.append(self._recording)
            self._recording = None

    def _stop_for(self, failure: str) -> None:
        what_to_do = "what was recorded is kept: make room or repair it, then start again with --resume"
        self._failure = Problem(Severity.ERROR, failure, what_to_do)
        self._step = Step.STOPPED

    # -- cues --------------------------------------------------------------------------------------------------

    def _begin_cues(self) -> None:
        self._runner = TrialRunner(
            self._protocol, self._labels, self._ports.feed, self._emit, self._ports.submit
        )
        self._ports.trainer.warm_up()
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
            self._peak_uv = max(self._peak_uv, self._snapshot.amplitude_uv)
        elif runner.phase in {Phase.REST, Phase.GET_READY}:
            self._note_rest()
        self._step = Step.WAITING if runner.waiting else Step.CUE
        if runner.finished:
            self._end_cues()

    def _note_rest(self) -> None:
        now_uv = self._snapshot.amplitude_uv
        if self._rest_uv == 0.0:
            self._rest_uv = now_uv
        elif now_uv > 0.0:
            self._rest_uv += (now_uv - self._rest_uv) * (FALLING if now_uv < self._rest_uv else RISING)

    def _wait_for_stream(self) -> None:
        if self._runner is not None:
            self._runner.settle(self._now_s, self._snapshot)
            if self._snapshot.connected:
                self._runner.begin(self._now_s)
                self._message = "The signal is back; the trial is offered again"
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
        if self._recording is not None:
            self._parts.append(self._recording.folder)
        self._runner = None
        self._finish_recording()
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
            if not self._ending:
                self._job = TrainJob(
                    sessions=trained_on(self._parts),
                    out=self._setup.folder / CANDIDATE_FILE,
                    drop=self._drop,
                    merge=self._merge,
                    base=Path(self._setup.base) if self._setup.base else None,
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
        self._recording = self._ports.record(f"{self._setup.session}t{self._next_try_out}")
        self._next_try_out += 1
        self._step = Step.TRY_OUT

    def _end_try_out(self) -> None:
        self._ports.feed.decode_with(None)
        self._finish_recording()

    def _quit(self) -> None:
        if self._runner is not None:
            self._runner.interrupt(self._now_s, Verdict.PAUSED)
        self._emit(self._now_s, "quit", {})
        if self._step is not Step.DONE:
            self._step = Step.STOPPED

    # -- view --------------------------------------------------------------------------------------------------

    def _allowed(self) -> frozenset[ActionKind]:
        allowed = _ALLOWED[self._step]
        if self._step is Step.SIGNAL_CHECK and self._snapshot.share_good < LEAST_GOOD_SHARE:
            allowed -= {_A.NEXT}
        if self._runner is not None and not self._runner.can_repeat:
            allowed -= {_A.REPEAT}
        if self._result is None and self._step is Step.RESULT:
            allowed -= {_A.NEXT, _A.TRY_OUT, _A.ACCEPT}
        if self._setup.base:
            allowed -= {_A.DROP_GESTURE, _A.MERGE_GESTURES}
        return allowed

    def _activity(self) -> ActivityView | None:
        if self._rest_uv == 0.0:
            return None
        rest_uv = self._rest_uv
        comfortable_uv = float(np.median(self._held)) if self._held else COMFORTABLE_OVER_REST * rest_uv
        span_uv = max(comfortable_uv - rest_uv, 0.1 * rest_uv)
        level = max(0.0, (self._snapshot.amplitude_uv - rest_uv) / span_uv)
        low, high = self._target()
        return ActivityView(level, low, high, low <= level <= high)

    def _target(self) -> tuple[float, float]:
        if self._runner is None or self._runner.phase not in {Phase.RAMP, Phase.HOLD}:
            return REST_TARGET
        return TARGETS[self._runner.view(self._now_s).level]

    def _try_out(self) -> TryOutView:
        gestures = self._result.gestures if self._result else ()
        decision = self._snapshot.decision
        if decision is None:
            return TryOutView(gestures, "", (0.0,) * len(gestures), 0.0, 0.0)
        decided = decision.gesture_index >= 0
        return TryOutView(
            gestures=gestures,
            decoded=gestures[decision.gesture_index] if decided else "",
            probabilities=tuple(decision.probabilities.tolist()),
            confidence=decision.confidence,
            effort=decision.effort,
        )
