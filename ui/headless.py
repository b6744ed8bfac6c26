"""A session on a terminal, for the robot's own computer: one status line, and single keys where there is a keyboard."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext

from teleoperation.meaning import mode_words
from teleoperation.session import TeleopSession
from teleoperation.session_view import TeleopView
from teleoperation.trial_sheet import Outcome
from ui.console import StatusLine
from ui.keyboard import terminal_keys

REFRESH_S = 0.2
# A terminal that no longer takes what is written shows nobody what the robot does: the heartbeat ends.
PULSE_S = 1.0
STOP_KEYS = {" ", "\x1b"}
KEYS = "keys: a arm · space or Esc stop · t start trial · s success · f fail · q end"


class TerminalKeys:
    """What each key does. None waits for the bridge here: a stop must be heard while an arming is under way."""

    def __init__(self, session: TeleopSession, end: threading.Event, say: Callable[[str], None]) -> None:
        self._session, self._end, self._say = session, end, say

    def take(self, pressed: str) -> None:
        """Take what was typed. A stop among it is all that counts: an arrow key begins with Escape too, and goes on."""
        if STOP_KEYS & set(pressed):
            number = self._session.begin_stop()
            self._ask(lambda: self._stop(number))
            return
        for key in pressed:
            self._press(key)

    def _stop(self, number: int) -> str:
        problem = self._session.stop(number)
        return f"NOT CONFIRMED: {problem}" if problem else "stopped"

    def _ask(self, act: Callable[[], str]) -> None:
        threading.Thread(target=lambda: self._say(act()), name="ask-bridge", daemon=True).start()

    def _press(self, key: str) -> None:
        session = self._session
        if key == "a":
            request = session.ask_to_arm()
            self._ask(lambda: session.arm(request) or "armed")
        elif key == "t":
            session.sheet.start()
        elif key in {"s", "f"}:
            self._end_trial("success" if key == "s" else "fail")
        elif key == "q":
            self._end.set()

    def _end_trial(self, outcome: Outcome) -> None:
        try:
            self._say(outcome if self._session.sheet.end(outcome) else "no trial runs: t starts one")
        except OSError as error:
            self._say(f"the trial is not written, and goes on: {error}")


def run_headless(session: TeleopSession, end: threading.Event) -> None:
    """Show the session until `end` is set or its recording is over."""
    lines: list[str] = []
    newest_s = 0.0
    shown_s = time.monotonic()
    session.watch_by(lambda: time.monotonic() - shown_s < PULSE_S)
    keys = TerminalKeys(session, end, lines.append)
    listening = terminal_keys(keys.take, lambda: lines.append(KEYS)) if sys.stdin.isatty() else nullcontext()
    with StatusLine() as line, listening:
        while not end.wait(REFRESH_S) and not session.ended:
            view = session.view()
            for message in view.messages:
                if message.t_mono_s > newest_s:
                    newest_s = message.t_mono_s
                    line.say(message.text)
            while lines:
                line.say(lines.pop(0))
            line(status_text(view))
            shown_s = time.monotonic()


def status_text(view: TeleopView) -> str:
    """One line: state and why, what is decoded, mode, recording."""
    robot = view.robot
    parts = [f"{robot.safety_state.upper() or 'NO BRIDGE'}: {robot.reason}"]
    bad = next((check for check in view.checks if not check.good), None)
    if bad is not None:
        parts.append(f"{bad.name}: {bad.found}")
    for seen in view.seen:
        sleeve = robot.sleeve(seen.sleeve)
        decided = (
            f"{seen.gesture or 'no decision'} {seen.newest.confidence:.2f}" if seen.newest else "no decision"
        )
        words = filter(None, (f"{seen.sleeve} {decided}".strip(), mode_words(sleeve)))
        parts.append(", ".join(words))
    if view.recording is not None:
        parts.append(f"{view.recorded_bytes / 1e6:.0f} MB recorded")
    if view.sheet.running:
        parts.append(f"trial {view.sheet.trial}: {view.sheet.seconds:.0f} s")
    return " | ".join(parts)
