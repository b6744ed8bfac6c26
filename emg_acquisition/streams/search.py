"""How long to look for a stream, in slices short enough for a person who wants to end it."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from emg_acquisition.errors import SearchStoppedError

Found = TypeVar("Found")
Answer = TypeVar("Answer")

# While LSL waits, Python's signal handlers cannot run: it waits for so long at a time.
SLICE_S = 0.5
# What a stream that was found in the last moment still gets, to answer.
ANSWER_S = 2.0


class Search:
    """A search for one stream.

    Parameters
    ----------
    timeout_s : float
        How long to look for it.
    stop : threading.Event or None
        Ends the search, within a slice, when it is set.
    told_s : float, optional
        The time that an error names, where this is the last of several short searches.
    """

    def __init__(self, timeout_s: float, stop: threading.Event | None, told_s: float | None = None) -> None:
        self.told_s = timeout_s if told_s is None else told_s
        self._stop = stop
        self._deadline_s = time.monotonic() + timeout_s

    def look(self, resolve: Callable[[float], list[Found]]) -> list[Found]:
        """Return what ``resolve``, given a time-out in seconds, finds first; nothing where the time is over.

        Raises
        ------
        SearchStoppedError
            If ``stop`` is set.
        """
        while True:
            self._raise_if_stopped()
            left_s = self._deadline_s - time.monotonic()
            found = resolve(min(SLICE_S, max(left_s, 0.0)))
            if found or left_s <= SLICE_S:
                return found

    def ask(self, call: Callable[[float], Answer]) -> Answer:
        """Return what a stream that was found answers to ``call``, given a time-out in seconds.

        Raises
        ------
        TimeoutError
            If it does not answer.
        SearchStoppedError
            If ``stop`` is set.
        """
        deadline_s = max(self._deadline_s, time.monotonic() + ANSWER_S)
        while True:
            self._raise_if_stopped()
            try:
                return call(SLICE_S)
            except TimeoutError:
                if time.monotonic() > deadline_s:
                    raise

    def _raise_if_stopped(self) -> None:
        if self._stop is not None and self._stop.is_set():
            msg = "the search for a stream was interrupted"
            raise SearchStoppedError(msg)
