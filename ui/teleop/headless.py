"""A session on a terminal, for the robot's own computer: one status line, and single keys where there is a keyboard."""

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ui.console import StatusLine
from ui.teleop.session import TeleopSession, TeleopView

REFRESH_S = 0.2
KEYS = "keys: a arm · space or Esc stop · t start trial · s success · f fail · q end"


class TerminalKeys:
    """What each key does."""

    def __init__(self, session: TeleopSession, end: threading.Event, say: Callable[[str], None]) -> None:
        self._session, self._end, self._say = session, end, say

    def press(self, key: str) -> None:
        """Do what a key is for; others mean nothing."""
        session = self._session
        if key in {" ", "\x1b"}:
            problem = session.stop()
            self._say(f"NOT CONFIRMED: {problem}" if problem else "stopped")
        elif key == "a":
            self._say(session.arm() or "armed")
        elif key == "t":
            session.sheet.start()
        elif key in {"s", "f"}:
            outcome = "success" if key == "s" else "fail"
            self._say(outcome if session.sheet.end(outcome) else "no trial runs: t starts one")  # type: ignore[arg-type]
        elif key == "q":
            self._end.set()


def run_headless(session: TeleopSession, end: threading.Event) -> None:
    """Show the session until `end` is set or its recording is over."""
    said: list[str] = []
    told = 0.0
    with StatusLine() as line, _keys(session, end, said.append):
        while not end.wait(REFRESH_S) and not session.ended:
            view = session.view()
            for message in view.messages:
                if message.t_mono_s > told:
                    told = message.t_mono_s
                    line.say(message.text)
            while said:
                line.say(said.pop(0))
            line(status_text(view))


def status_text(view: TeleopView) -> str:
    """One line: state and why, what is decoded, mode, recording."""
    robot, history = view.robot, view.seen.history
    parts = [f"{robot.safety_state.upper() or 'NO BRIDGE'}: {robot.reason}"]
    bad = next((check for check in view.checks if not check.good), None)
    if bad is not None:
        parts.append(f"{bad.name}: {bad.found}")
    if history:
        newest = history[-1]
        known = 0 <= newest.gesture_index < len(view.seen.gestures)
        name = view.seen.gestures[newest.gesture_index] if known else "no decision"
        parts.append(f"{name} {newest.confidence:.2f}")
    parts.append(f"{robot.mode}/{'fine' if robot.fine else 'coarse'}")
    if view.recording is not None:
        parts.append(f"{view.recorded_bytes / 1e6:.0f} MB recorded")
    if view.sheet.running:
        parts.append(f"trial {view.sheet.trial}: {view.sheet.seconds:.0f} s")
    return " | ".join(parts)


@contextmanager
def _keys(session: TeleopSession, end: threading.Event, say: Callable[[str], None]) -> Iterator[None]:
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    former = termios.tcgetattr(descriptor)
    done = threading.Event()
    keys = TerminalKeys(session, end, say)

    def read() -> None:
        while not done.is_set():
            if select.select([descriptor], [], [], 0.1)[0]:
                pressed = os.read(descriptor, 16).decode("utf-8", errors="replace")
                if not pressed:
                    return
                # An arrow key begins with Escape too: it stops, which is the safe reading.
                keys.press(pressed[0])

    thread = threading.Thread(target=read, name="keys", daemon=True)
    tty.setcbreak(descriptor)
    try:
        say(KEYS)
        thread.start()
        yield
    finally:
        done.set()
        thread.join()
        termios.tcsetattr(descriptor, termios.TCSADRAIN, former)
