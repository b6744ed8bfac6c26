"""Events: one JSON object a sample of a Markers stream (cues, modes, arm, stop, fault)."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emg_acquisition.errors import InputError

_log = logging.getLogger(__name__)

REST = "rest"
# Lets a source go that was held until everything behind it is up.
START = "start"
# What a live decoder says again and again: since which EMG sample it has been decoding.
DECODING = "decoding"


@dataclass(frozen=True)
class Event:
    """Something that happened, by name, at an LSL time.

    ``kind`` is ``cue`` (with ``gesture``, ``repetition``, ``trial``), ``mode``, ``arm``, ``stop``, ``fault``,
    ``intention`` or any other word; everything else that belongs to it stands in ``fields``.
    """

    t_lsl_s: float
    kind: str
    fields: Mapping[str, Any]

    def to_json(self) -> str:
        """Return the marker's text."""
        return json.dumps({"event": self.kind, **self.fields}, separators=(",", ":"))


def event_from_json(text: str, t_lsl_s: float) -> Event:
    """Read a marker's text.

    Raises
    ------
    InputError
        If it is no JSON object with an ``event``.
    """
    try:
        fields = json.loads(text)
        kind = fields.pop("event")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        msg = f"marker {text[:60]!r} is no event: a JSON object with an 'event' key is required"
        raise InputError(msg) from error
    return Event(t_lsl_s, str(kind), fields)


def events_from_texts(texts: Iterable[tuple[str, float]], where: str) -> list[Event]:
    """Read markers with their LSL times; one that is no event is logged, with `where`, and left out."""
    events = (_event_or_none(text, t_lsl_s, where) for text, t_lsl_s in texts)
    return [event for event in events if event is not None]


def _event_or_none(text: str, t_lsl_s: float, where: str) -> Event | None:
    try:
        return event_from_json(text, t_lsl_s)
    except InputError as error:
        _log.warning("%s: %s", where, error)
        return None
