"""Lets a stream of ``intention`` events steer a simulated wearer, as a virtual user does."""

import logging
import threading

from emg_acquisition.errors import InputError, StreamLostError, StreamNotFoundError
from emg_acquisition.events import REST, Event
from emg_acquisition.streams.inlet import EventInlet
from simulation.forearm.intention import Intending

_log = logging.getLogger(__name__)

SEARCH_S = 2.0
POLL_S = 0.05


def follow_intentions(wearer: Intending, source_id: str, stop: threading.Event) -> threading.Thread:
    """Start a thread that hands every ``intention`` event of a Markers stream to the wearer.

    The stream may come later than the wearer and may come back; while it is gone the wearer rests.

    Parameters
    ----------
    wearer : Intending
        Who follows.
    source_id : str
        The Markers stream; its events are ``{"event": "intention", "gesture": str, "effort": float}``.
    stop : threading.Event
        Ends the thread.

    Returns
    -------
    threading.Thread
        Already started; join it after setting ``stop``.
    """
    thread = threading.Thread(target=_follow, args=(wearer, source_id, stop), name="intentions", daemon=True)
    thread.start()
    return thread


def _follow(wearer: Intending, source_id: str, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            inlet = EventInlet(source_id, SEARCH_S)
        except StreamNotFoundError as error:
            _log.debug("no intentions yet: %s", error)
            continue
        _log.info("following the intentions of %s", source_id)
        try:
            while not stop.is_set():
                for event in inlet.pull(POLL_S):
                    _apply(wearer, event)
        except StreamLostError as error:
            _log.warning("%s; the wearer rests", error)
            wearer.set_intention(REST)
        finally:
            inlet.close()


def _apply(wearer: Intending, event: Event) -> None:
    if event.kind != "intention":
        return
    try:
        wearer.set_intention(str(event.fields["gesture"]), float(event.fields.get("effort", 1.0)))
    except (KeyError, TypeError, ValueError, InputError) as error:
        _log.warning("intention %s left out: %s", event.to_json(), error)
