"""``hdemg calibrate``."""

import argparse
import queue
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui import CLI_MODULE
from ui.commands.options import (
    DEFAULT_WEARER,
    add_json,
    add_lsl,
    add_signal,
    code,
    file_path,
    folder,
    positive_number,
    seed,
    signal_given,
    source_id,
)
from ui.console import print_json, stop_on_signals

if TYPE_CHECKING:
    from calibration.session import CalibrationSession
    from calibration.session_view import Action, SessionView
    from calibration.start import CalibrationSettings
    from simulation.automatic_calibration import SimulatedPerson

NAME = "calibrate"
HELP = "a participant, guided by cues -> session folder and decoder.onnx, in about five minutes"
EXAMPLE = """hdemg calibrate --source sessantaquattro-1 --protocol five_minutes --participant P01
         hdemg calibrate --source simulated --auto --headless --participant DEMO"""
SIMULATED = "simulated"
# A busy machine takes long to start a process and to draw a wearer.
WEARER_START_S = 60.0
DEFAULT_PROTOCOL = "five_minutes"
EXIT_INTERRUPTED = 130
# On a terminal: how often the session goes on, and what is typed for what a person does.
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
KEYS_HELP = (
    "a letter and Enter: n next (Enter alone too), p pause, r resume, a again, s skip, x stop and train, "
    "t try out, "
    "b back to the result, y accept, m more repetitions, c cancel training, 'drop GESTURE', 'merge FIRST SECOND', "
    "q quit"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--source",
        type=source_id,
        metavar="SOURCE_ID",
        help=f"EMG stream, or '{SIMULATED}' to start a simulated wearer (default: the only stream there is)",
    )
    parser.add_argument(
        "--protocol",
        metavar="NAME|YAML",
        help="five_minutes (default), reference, quick, caregiver, effort, or a YAML file",
    )
    parser.add_argument(
        "--participant", type=code, required=True, metavar="CODE", help="letters and digits, no name"
    )
    parser.add_argument(
        "--out",
        type=folder,
        default=Path("data"),
        metavar="FOLDER",
        help="folder for session folders (default: data)",
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        type=_session_or_none,
        metavar="SESSION",
        help="resume the participant's newest calibration, or the one named",
    )
    parser.add_argument(
        "--decoder",
        type=file_path,
        metavar="DECODER",
        help="decoder to recalibrate (default: the newest accepted one)",
    )
    add_signal(parser)
    parser.add_argument("--headless", action="store_true", help="on the terminal instead of in a window")
    parser.add_argument(
        "--auto",
        action="store_true",
        help="a simulated wearer follows the cues, unattended (needs --source simulated)",
    )
    parser.add_argument(
        "--wearer",
        type=seed,
        default=DEFAULT_WEARER,
        metavar="SEED",
        help="which simulated wearer (default: %(default)s)",
    )
    parser.add_argument(
        "--rate",
        type=positive_number,
        metavar="HZ",
        help="sampling rate of the simulated wearer (default: 2000)",
    )
    add_lsl(parser)
    add_json(parser)


def _session_or_none(text: str) -> str:
    return code(text) if text else ""


def run(args: argparse.Namespace) -> int:
    """Calibrate, until a decoder is accepted or the person quits."""
    from calibration.start import open_calibration
    from emg_acquisition.streams.lsl_config import configure_lsl

    if args.auto and args.source != SIMULATED:
        raise InputError("--auto needs --source simulated: a real wearer follows the cues by themselves")
    settings = _settings(args)
    if not args.headless:
        from ui.screen import require_screen

        require_screen()
    configure_lsl(_lsl_session(args))
    with stop_on_signals() as stop, ExitStack() as cleanup:
        intend = _start_wearer(args, cleanup) if args.source == SIMULATED else None
        session = cleanup.enter_context(open_calibration(settings, stop))
        person = _person(session, intend) if args.auto and intend else None
        _show(session, person, stop, args)
        if session.failed:
            raise InputError(session.failed)
        return _report(session, person, stop, args)


def _settings(args: argparse.Namespace) -> "CalibrationSettings":
    from calibration.protocol import load_protocol
    from calibration.start import CalibrationSettings
    from simulation.wearer_process import wearer_source_id

    resume = args.resume is not None
    name = args.protocol or (None if resume else DEFAULT_PROTOCOL)
    return CalibrationSettings(
        root=args.out.resolve(),
        participant=args.participant,
        protocol=load_protocol(name) if name else None,
        source_id=wearer_source_id(args.wearer) if args.source == SIMULATED else args.source,
        resume=resume,
        session=args.resume or None,
        base=args.decoder,
        signal=signal_given(args),
        timeout_s=max(args.timeout, WEARER_START_S) if args.source == SIMULATED else args.timeout,
    )


def _lsl_session(args: argparse.Namespace) -> str:
    """Return LSL's session; a simulated wearer that nobody else is to see gets one of its own."""
    if args.source == SIMULATED and args.lsl_session == "default":
        return f"calibrate-{uuid.uuid4().hex[:8]}"
    return str(args.lsl_session)


def _start_wearer(args: argparse.Namespace, cleanup: ExitStack) -> Callable[[str, float], None]:
    """Start a simulated wearer in a process of its own; return what steers it."""
    from simulation.wearer_process import start_wearer

    logs = args.out.resolve() / f"sub-{args.participant}" / "logs"
    return start_wearer(args.wearer, args.rate, logs, cleanup, CLI_MODULE).intend


def _person(session: "CalibrationSession", intend: Callable[[str, float], None]) -> "SimulatedPerson":
    from simulation.automatic_calibration import SimulatedPerson

    return SimulatedPerson(session, intend)


def _show(
    session: "CalibrationSession",
    person: "SimulatedPerson | None",
    stop: threading.Event,
    args: argparse.Namespace,
) -> None:
    follow = person.follow if person else None
    if args.headless:
        _run_on_terminal(session, follow, stop, keys=person is None)
        return
    from ui.windows.calibration import show_calibration

    show_calibration(session, follow, stop)


def _report(
    session: "CalibrationSession",
    person: "SimulatedPerson | None",
    stop: threading.Event,
    args: argparse.Namespace,
) -> int:
    from calibration.session_view import Step

    view = session.view()
    if session.step is not Step.DONE or view.result is None:
        print(f"not finished; go on with: hdemg calibrate --participant {args.participant} --resume")
        return EXIT_INTERRUPTED if stop.is_set() else 0
    result = view.result
    print(f"{result.decoder}: gestures {', '.join(result.gestures)}; the same by: {result.command}")
    if person is not None:
        print(f"try-out: {person.score.right} of {len(person.score.decoded)} gestures decoded as meant")
    if args.json:
        held_out = {"window_accuracy": result.window_accuracy, "trial_accuracy": result.trial_accuracy}
        values: dict[str, object] = {
            "decoder": result.decoder,
            "model": session.model,
            "held_out": held_out,
            "seconds": round(result.seconds, 3),
            "sessions": [str(part) for part in session.parts],
        }
        if person is not None:
            values["try_out"] = person.score.decoded
        print_json(values)
    return 0


# ---- on a terminal: what is asked for, line by line


def _run_on_terminal(
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
        Called with the time after each tick: a simulated person.
    stop : threading.Event
        Ends it as 'quit' does.
    keys : bool
        Whether to read what a person types.
    """
    from calibration.session_view import Action, ActionKind, Step
    from emg_acquisition.streams.outlet import lsl_clock_s

    typed: queue.SimpleQueue[str] = queue.SimpleQueue()
    if keys:
        print(KEYS_HELP, flush=True)
        threading.Thread(target=_read_lines, args=(typed,), name="keys", daemon=True).start()
    printed = ""
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
        if line != printed:
            print(line, flush=True)
            printed = line
        time.sleep(EVERY_S)


def _read_lines(typed: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        typed.put(line.strip())


def _press(session: "CalibrationSession", text: str) -> None:
    action = _action(text)
    if action is None:
        print(f"{text!r} means nothing here; {KEYS_HELP}", flush=True)
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
