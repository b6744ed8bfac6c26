"""Looks for streams in a thread of its own, so that nothing holds up a recorder's copying."""

import logging
import queue
import threading
from collections.abc import Collection

from emg_acquisition.errors import InputError, SearchStoppedError
from emg_acquisition.streams.lsl_stream import FoundStream, LslStream, find_streams
from emg_acquisition.streams.search import ANSWER_S, Search

_log = logging.getLogger(__name__)

LOOK_S = 0.3
LOOK_EVERY_S = 0.3


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
        streams = []
        while not self._found.empty():
            streams.append(self._found.get())
        return streams

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
