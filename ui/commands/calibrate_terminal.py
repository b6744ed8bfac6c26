"""A calibration on the terminal: what is asked for, line by line; a letter and Enter for what a person does."""

import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibration.session import CalibrationSession
    from calibration.session_view import Action, SessionView

EVERY_S = 1.0 / 30.0
KEYS = {
    "": "next",
    "n": "next",
    "p": "pause",
    "r": "resume",
    "a": "repeat",
    "s": "skip",
    "x": "stop",
    "t": "try_out",
    "b": "result",
    "y": "accept",
    "m": "repeat_training",
    "c": "cancel_training",
    "q": "quit",
}
HELP = (
    "a letter and Enter: n next (Enter alone too), p pause, r resume, a again, s skip, x stop and train, "
    "t try out, "
    "b back to the result, y accept, m more repetitions, c cancel training, 'drop GESTURE', 'merge FIRST SECOND', "
    "q quit"
)


def run_on_terminal(
    session: "CalibrationSession",
    follow: Callable[[float], None] | None,
    stop: threading.Event,
    *,
    keys: bool,
) -> None:
    """Run a calibration until it is done or has stopped.

    Parameters
    ----------
    session : CalibrationSession
        Open.
    follow : callable, optional
        Told the time after each tick: a simulated person.
    stop : threading.Event
        Quits.
    keys : bool
        Whether to read what a person types.
    """
    from calibration.session_view import Action, ActionKind, Step
    from emg_acquisition.streams.outlet import lsl_clock_s

    typed: queue.SimpleQueue[str] = queue.SimpleQueue()
    if keys:
        print(HELP, flush=True)
        threading.Thread(target=_read, args=(typed,), name="keys", daemon=True).start()
    told = ""
    while session.step not in {Step.DONE, Step.STOPPED}:
        if stop.is_set():
            session.handle(Action(ActionKind.QUIT))
        now_s = lsl_clock_s()
        session.tick(now_s)
        if follow is not None:
            follow(now_s)
        while not typed.empty():
            _press(session, typed.get())
        line = _line(session.view())
        if line != told:
            print(line, flush=True)
            told = line
        time.sleep(EVERY_S)


def _read(typed: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        typed.put(line.strip())


def _press(session: "CalibrationSession", text: str) -> None:
    action = _action(text)
    if action is None:
        print(f"{text!r} means nothing here; {HELP}", flush=True)
    elif action.kind not in session.view().allowed:
        print(f"{action.kind.value} is not possible now", flush=True)
    else:
        session.handle(action)


def _action(text: str) -> "Action | None":
    from calibration.session_view import Action, ActionKind

    words = text.split()
    if len(words) == 2 and words[0] == "drop":  # noqa: PLR2004 - the word and a gesture
        return Action(ActionKind.DROP_GESTURE, words[1])
    if len(words) == 3 and words[0] == "merge":  # noqa: PLR2004 - the word and two gestures
        return Action(ActionKind.MERGE_GESTURES, words[1], words[2])
    return Action(ActionKind(KEYS[text])) if text in KEYS else None


def _line(view: "SessionView") -> str:
    """Return one line on what is to be seen; it changes only when something does."""
    parts = [view.step.value.replace("_", " ")]
    if view.cue is not None:
        cue = view.cue
        parts = [f"{cue.trial}/{cue.n_trials}", cue.phase.value.replace("_", " ")]
        if cue.upcoming:
            parts.append(cue.upcoming + (f" ({cue.level})" if cue.level else ""))
        if view.step.value != "cue":
            parts.insert(0, view.step.value.replace("_", " ").upper())
    if view.training is not None:
        parts.append(view.training.stage)
    if view.result is not None and view.try_out is None:
        result = view.result
        if result.trial_accuracy is not None:
            parts.append(
                f"held out: {result.trial_accuracy:.3f} of trials, {result.window_accuracy:.3f} of windows"
            )
        if result.weakest is not None:
            parts.append(result.weakest.text)
    if view.try_out is not None:
        parts.append(view.try_out.decoded or "-")
    parts += [f"{problem.what}: {problem.do}" for problem in view.problems]
    if view.message:
        parts.append(view.message)
    return " | ".join(parts)
