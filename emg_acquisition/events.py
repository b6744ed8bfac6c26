"""Events: one JSON object a sample of a Markers stream (cues, modes, arm, stop, fault)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emg_acquisition.errors import InputError

REST = "rest"


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
