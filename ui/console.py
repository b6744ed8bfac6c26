"""What a command prints: progress on the error stream, results on standard output, JSON as the last line."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from typing_extensions import Self


class ProgressBar:
    """One bar, fed with a step's name and the fraction done; a plain line a step where there is no terminal."""

    def __init__(self, title: str) -> None:
        self._console = Console(stderr=True)
        self._title = title
        self._last_step = ""
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task(title, total=1.0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, step: str, fraction: float) -> None:
        """Show `step` at `fraction` (0 to 1) of the whole."""
        self._bar.update(self._task, completed=fraction, description=f"{self._title}: {step}")
        if not self._console.is_terminal and step != self._last_step:
            print(f"{self._title}: {step}", file=sys.stderr, flush=True)
        self._last_step = step


class StatusLine:
    """One line on the error stream that is written over again and again; nothing where there is no terminal."""

    def __init__(self) -> None:
        self._width = 0
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            print(file=sys.stderr)

    def __call__(self, text: str) -> None:
        """Show `text` in place of what was there."""
        if self._shown:
            print("\r" + text.ljust(self._width), end="", file=sys.stderr, flush=True)
            self._width = len(text)

    def say(self, text: str) -> None:
        """Print `text` on a line of its own, above the status."""
        if self._shown:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr)
        print(text, file=sys.stderr, flush=True)


def print_json(values: Mapping[str, object]) -> None:
    """Print the machine-readable last line."""
    print(json.dumps(values), flush=True)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set, so that a stage can end in order.

    The handler only writes a byte to a pipe, and a thread sets the event: a handler interrupts its own thread, which
    may hold the event's lock just then, and setting it there would wait for that lock for ever.
    """
    stop = threading.Event()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def note(_signal: int, _frame: FrameType | None) -> None:
        with suppress(BlockingIOError):  # so many signals that the pipe is full say no more than one
            os.write(writing, b"s")

    def pass_on() -> None:
        if os.read(reading, 1):
            stop.set()

    watcher = threading.Thread(target=pass_on, name="signals", daemon=True)
    watcher.start()
    former = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        os.close(writing)
        watcher.join()
        os.close(reading)


@contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end a long command as Ctrl-C does, through its own clean-up."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
