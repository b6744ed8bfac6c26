"""What a recorder waits for in threads of its own, so that nothing holds up its copying: streams and clocks."""

import logging
import queue
import threading
import time
from collections.abc import Collection
from typing import TypeVar

from emg_acquisition.errors import InputError, SearchStoppedError, StreamLostError
from emg_acquisition.lsl_stream import FoundStream, LslStream, find_streams
from emg_acquisition.search import ANSWER_S, Search

_log = logging.getLogger(__name__)

Item = TypeVar("Item")

LOOK_S = 0.3
LOOK_EVERY_S = 0.3
CLOCK_EVERY_S = 5.0
CLOCK_WAIT_S = 1.0
_TICK_S = 0.2


class StreamFinder:
    """Looks for streams and connects them.

    Parameters
    ----------
    buffer_s : float
        What a stream keeps until it is read.
    known : collection of str
        ``uid`` of each outlet that is read already.

    Notes
    -----
    ``wanted`` holds the type and ``source_id`` of what to look for, ``everything`` whether any stream that is new
    is wanted; both may be set at any time.
    """

    def __init__(self, buffer_s: float, known: Collection[str]) -> None:
        self.wanted: frozenset[tuple[str, str]] = frozenset()
        self.everything = False
        self._buffer_s = buffer_s
        self._known = set(known)
        self._found: queue.SimpleQueue[LslStream] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream-finder", daemon=True)
        self._thread.start()

    def take(self) -> list[LslStream]:
        """Return the streams that were found and connected since the last call."""
        return _drain(self._found)

    def close(self) -> None:
        """Stop looking, and let go of what nobody took."""
        self._stop.set()
        self._thread.join()
        for stream in self.take():
            stream.close()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            if self.everything or self.wanted:
                for found in find_streams(LOOK_S):
                    self._connect(found)

    def _connect(self, found: FoundStream) -> None:
        about = found.summary
        if found.uid in self._known or not (self.everything or (about.type, about.source_id) in self.wanted):
            return
        try:
            stream = LslStream(found, Search(ANSWER_S, self._stop))
            stream.connect(self._buffer_s)
        except SearchStoppedError:
            return
        except InputError as error:
            _log.debug("%s", error)
            return
        self._known.add(found.uid)
        self._found.put(stream)


class ClockWatch:
    """Measures the clocks of streams every 5 s.

    Notes
    -----
    ``streams`` holds the number of each stream in the recording and the stream; it may be set at any time.
    """

    def __init__(self) -> None:
        self.streams: tuple[tuple[int, LslStream], ...] = ()
        self._measured: queue.SimpleQueue[tuple[int, float, float]] = queue.SimpleQueue()
        self._due_s: dict[LslStream, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock-watch", daemon=True)
        self._thread.start()

    def take(self) -> list[tuple[int, float, float]]:
        """Return number, sender's time and offset of what was measured since the last call, as LabRecorder has it."""
        return _drain(self._measured)

    def close(self) -> None:
        """Stop measuring."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_TICK_S):
            streams = self.streams
            self._due_s = {stream: self._due_s.get(stream, 0.0) for _, stream in streams}
            for number, stream in streams:
                if time.monotonic() >= self._due_s[stream] and not self._stop.is_set():
                    self._measure(number, stream)

    def _measure(self, number: int, stream: LslStream) -> None:
        try:
            t_s, offset_s = stream.measure_clock(CLOCK_WAIT_S)
        except StreamLostError:
            return  # whoever copies the stream notices it too
        self._due_s[stream] = time.monotonic() + CLOCK_EVERY_S
        self._measured.put((number, t_s, offset_s))


def _drain(filled: "queue.SimpleQueue[Item]") -> list[Item]:
    items = []
    while not filled.empty():
        items.append(filled.get())
    return items
