"""Waits for the ``start`` event, so that a source sends its first sample when everything behind it is up."""

import threading

from emg_acquisition.errors import StreamLostError, StreamNotFoundError
from emg_acquisition.events import START
from emg_acquisition.streams.inlet import EventInlet

SEARCH_S = 2.0
POLL_S = 0.1


def follow_start(source_id: str, begin: threading.Event, stop: threading.Event) -> threading.Thread:
    """Start a thread that sets `begin` at the first ``start`` event of a Markers stream.

    Parameters
    ----------
    source_id : str
        The Markers stream; it may come later.
    begin, stop : threading.Event
        Set by the thread; ends the thread.

    Returns
    -------
    threading.Thread
        Already started; join it after setting ``stop``.
    """
    thread = threading.Thread(target=_follow, args=(source_id, begin, stop), name="start-signal", daemon=True)
    thread.start()
    return thread


def _follow(source_id: str, begin: threading.Event, stop: threading.Event) -> None:
    while not stop.is_set() and not begin.is_set():
        try:
            inlet = EventInlet(source_id, SEARCH_S)
        except StreamNotFoundError:
            continue
        try:
            while not stop.is_set() and not begin.is_set():
                if any(event.kind == START for event in inlet.pull(POLL_S)):
                    begin.set()
        except StreamLostError:
            continue
        finally:
            inlet.close()
