"""The keys of a terminal, which is left as it was found; and how they steer a simulated wearer."""

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emg_acquisition.errors import InputError
from simulation.forearm.intention import Intending

GESTURE_KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"
REST_KEY = " "
STRONGER, WEAKER = "+", "-"
EFFORT_STEP = 0.1
MIN_EFFORT, MAX_EFFORT = 0.1, 2.0
POLL_S = 0.1


class KeyState:
    """What the keys pressed so far ask for.

    Parameters
    ----------
    wearer : Intending
        The wearer that they steer.

    Raises
    ------
    InputError
        If the wearer knows more gestures than there are keys.
    """

    def __init__(self, wearer: Intending) -> None:
        active = wearer.gestures[1:]
        if len(active) > len(GESTURE_KEYS):
            msg = f"the keyboard has keys for {len(GESTURE_KEYS)} gestures; the wearer knows {len(active)}"
            raise InputError(msg)
        self._wearer = wearer
        self._rest = wearer.gestures[0]
        self._gesture_of = dict(zip(GESTURE_KEYS, active, strict=False)) | {REST_KEY: self._rest}
        self._gesture, self._effort = self._rest, 1.0

    def help(self) -> str:
        """Return what each key does, a line each."""
        gestures = [f"  {key}      {name}" for key, name in self._gesture_of.items() if key != REST_KEY]
        lines = [
            "keys:",
            *gestures,
            f"  space  {self._rest}",
            f"  {STRONGER} {WEAKER}    more or less effort, {MIN_EFFORT:g} to {MAX_EFFORT:g}",
        ]
        return "\n".join(lines)

    def press(self, key: str) -> str | None:
        """Take one key; return what the wearer does now, or None where the key means nothing."""
        if key in (STRONGER, WEAKER):
            step = EFFORT_STEP if key == STRONGER else -EFFORT_STEP
            self._effort = round(min(MAX_EFFORT, max(MIN_EFFORT, self._effort + step)), 2)
        elif key in self._gesture_of:
            self._gesture = self._gesture_of[key]
        else:
            return None
        self._wearer.set_intention(self._gesture, self._effort)
        return f"{self._gesture}, effort {self._effort:.1f}"


@contextmanager
def keyboard_steering(wearer: Intending, say: Callable[[str], None]) -> Iterator[None]:
    """Let keys steer a wearer until the block ends; Ctrl-C still interrupts.

    Parameters
    ----------
    wearer : Intending
        The wearer that they steer.
    say : callable
        Called with what the keys do, and what the wearer does after each.

    Raises
    ------
    InputError
        If standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise InputError("--keyboard needs a terminal as standard input; use --intentions instead")
    state = KeyState(wearer)

    def take(pressed: str) -> None:
        for key in pressed:
            answer = state.press(key)
            if answer is not None:
                say(answer)

    # Setting a terminal up drops what was typed before: what the keys do is printed only then.
    with terminal_keys(take, lambda: say(state.help())):
        yield


@contextmanager
def terminal_keys(take: Callable[[str], None], ready: Callable[[], None]) -> Iterator[None]:
    """Hand on what is typed, as it comes, from a thread of its own until the block ends; Ctrl-C still interrupts.

    Parameters
    ----------
    take : callable
        Takes one or more characters.
    ready : callable
        Called once the terminal listens.
    """
    descriptor = sys.stdin.fileno()
    former = termios.tcgetattr(descriptor)
    done = threading.Event()
    thread = threading.Thread(target=_read_keys, args=(descriptor, take, done), name="keyboard", daemon=True)
    tty.setcbreak(descriptor)
    try:
        ready()
        thread.start()
        yield
    finally:
        done.set()
        thread.join()
        termios.tcsetattr(descriptor, termios.TCSADRAIN, former)


def _read_keys(descriptor: int, take: Callable[[str], None], done: threading.Event) -> None:
    while not done.is_set():
        ready, _, _ = select.select([descriptor], [], [], POLL_S)
        if not ready:
            continue
        pressed = os.read(descriptor, 16).decode("utf-8", errors="replace")
        if not pressed:
            return  # the terminal has gone
        take(pressed)
