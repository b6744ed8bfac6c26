"""LSL streams as chunks, decisions and events; each inlet is bound to one source of this machine and session.

An inlet does not reconnect by itself: what comes back under the same name may be another device, decoder
or grid. It says that its stream is lost, and the caller builds a new inlet, which verifies the declaration
anew.

Every time stamp is the sender's own, unchanged. All streams are on this machine and share its one
monotonic clock, so that there is no offset to correct; and what decoders and recordings match on must not
be smoothed.
"""

import logging
import math
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import pylsl
from pylsl.util import LostError

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.chunks import EmgChunk, split_at_gaps
from emg_acquisition.errors import InputError, StreamLostError, StreamNotFoundError
from emg_acquisition.events import Event, events_from_texts
from emg_acquisition.lsl_config import ensure_configured
from emg_acquisition.search import Search
from emg_acquisition.stream_info import (
    EMG_TYPE,
    EVENTS_TYPE,
    GESTURE_TYPE,
    N_GESTURE_FIXED,
    EmgStreamInfo,
    GestureStreamInfo,
)
from emg_acquisition.stream_xml import emg_info_from_xml, gesture_info_from_xml

_log = logging.getLogger(__name__)

BUFFER_S = 10.0
# How long a second stream of the same kind or the same source_id has to show itself.
SETTLE_S = 0.3
_PULL_SAMPLES = 4096


@dataclass(frozen=True)
class StreamSummary:
    """A stream that is there, without its description."""

    name: str
    type: str
    source_id: str
    hostname: str
    session_id: str
    channels: int
    fs_hz: float


@dataclass(frozen=True)
class GestureSample:
    """One decision of a Gesture stream; ``gesture_index`` is -1 where there is none."""

    gesture_index: int
    confidence: float
    effort: float
    quality: float
    probabilities: tuple[float, ...]
    t_lsl_s: float


def list_streams(wait_s: float) -> list[StreamSummary]:
    """Return every stream of this session, by name; waits ``wait_s`` for them to answer."""
    ensure_configured()
    found = [
        StreamSummary(
            name=stream.name(),
            type=stream.type(),
            source_id=stream.source_id(),
            hostname=stream.hostname(),
            session_id=stream.session_id(),
            channels=stream.channel_count(),
            fs_hz=stream.nominal_srate(),
        )
        for stream in pylsl.resolve_streams(wait_s)
    ]
    return sorted(found, key=lambda stream: (stream.type, stream.name, stream.source_id))


class _LslStream:
    """One connected LSL stream: found, verified and read, with the age of its newest data."""

    def __init__(self, kind: str, channel_format: str, source_id: str | None, search: Search) -> None:
        self._search = search
        self._partial = _find(kind, source_id, search)
        self.label = f"{kind} stream {self._partial.name()!r} ({self._partial.source_id()})"
        if self._partial.channel_format() != pylsl.lib.string2fmt[channel_format]:
            msg = f"{self.label}: its values are not {channel_format}; it is no stream of this program"
            raise InputError(msg)
        self.header_xml = self._read_header()
        self._t_data_mono_s = time.monotonic()

    def _read_header(self) -> str:
        inlet = pylsl.StreamInlet(self._partial, max_buflen=1, recover=False)
        try:
            return str(self._search.ask(inlet.info).as_xml())
        except (TimeoutError, LostError) as error:
            msg = f"{self.label}: was found, but did not send its description; is its process alive?"
            raise StreamNotFoundError(msg) from error

    def connect(self, buffer_s: float) -> None:
        self._inlet = pylsl.StreamInlet(
            self._partial, max_buflen=max(1, math.ceil(buffer_s)), recover=False, as_numpy=True
        )
        try:
            self._search.ask(self._inlet.open_stream)
        except (TimeoutError, LostError) as error:
            msg = f"{self.label}: was found, but could not be opened; is its process alive?"
            raise StreamNotFoundError(msg) from error
        self._t_data_mono_s = time.monotonic()

    def pull(self, timeout_s: float) -> tuple[npt.NDArray[Any], Float64Array]:
        try:
            values, t_lsl_s = self._inlet.pull_chunk(timeout_s, _PULL_SAMPLES, min_samples=1)
        except LostError as error:
            msg = f"{self.label} has ended: its process has stopped or died"
            raise StreamLostError(msg) from error
        if len(t_lsl_s):
            self._t_data_mono_s = time.monotonic()
        return values, t_lsl_s

    @property
    def seconds_since_data(self) -> float:
        return time.monotonic() - self._t_data_mono_s

    def close(self) -> None:
        self._inlet.close_stream()
        del self._inlet


class EmgInlet:
    """An EMG stream from LSL.

    Parameters
    ----------
    source_id : str or None
        The stream to read; None takes the one EMG stream that there is.
    timeout_s : float
        How long to look for it.
    buffer_s : float
        What is kept between two calls of `pull`; older samples are dropped and then show as a gap.
    stop : threading.Event, optional
        Ends the search when it is set.

    Raises
    ------
    StreamNotFoundError
        If there is no such stream in time, or more than one; the message lists what is there.
    SearchStoppedError
        If ``stop`` was set before the stream was found.
    InputError
        If the stream does not declare float32 microvolts on an electrode grid.
    """

    def __init__(
        self,
        source_id: str | None,
        timeout_s: float,
        buffer_s: float = BUFFER_S,
        *,
        stop: threading.Event | None = None,
    ) -> None:
        self._stream = _LslStream(EMG_TYPE, "float32", source_id, Search(timeout_s, stop))
        self.info: EmgStreamInfo = emg_info_from_xml(self._stream.header_xml)
        self._stream.connect(buffer_s * max(1.0, self.info.playback_speed))
        self._t_last_lsl_s: float | None = None
        self.gaps = 0

    def pull(self, timeout_s: float) -> list[EmgChunk]:
        """Return what has arrived, waiting at most ``timeout_s`` for the first sample.

        An empty list means silence; see `seconds_since_data`.

        Raises
        ------
        StreamLostError
            If the stream has ended.
        """
        emg_uv, t_lsl_s = self._stream.pull(timeout_s)
        chunks = split_at_gaps(emg_uv, t_lsl_s, self.info, self._t_last_lsl_s)
        if chunks:
            self._t_last_lsl_s = float(t_lsl_s[-1])
            self._report(chunks)
        return chunks

    def _report(self, chunks: list[EmgChunk]) -> None:
        missing = [chunk.gap_before_s for chunk in chunks if chunk.gap_before_s > 0]
        if missing:
            self.gaps += len(missing)
            _log.warning(
                "%s: %d gap(s) or irregular time stamps, the worst off by %.1f ms",
                self._stream.label,
                len(missing),
                1000 * max(missing),
            )

    @property
    def seconds_since_data(self) -> float:
        """Seconds since samples last arrived (or since connecting), on this process's monotonic clock."""
        return self._stream.seconds_since_data

    def close(self) -> None:
        """Stop reading."""
        self._stream.close()


class GestureInlet:
    """A Gesture stream from LSL, bound to exactly one decoder's ``source_id``.

    Parameters
    ----------
    source_id : str
        The decoder's.
    timeout_s : float
        How long to look for it.
    stop : threading.Event, optional
        Ends the search when it is set.
    told_s : float, optional
        The time that an error names, where this is the last of several short searches.

    Raises
    ------
    StreamNotFoundError, SearchStoppedError, InputError
        As `EmgInlet` does; the gestures must be declared and fit the number of channels.
    """

    def __init__(
        self,
        source_id: str,
        timeout_s: float,
        *,
        stop: threading.Event | None = None,
        told_s: float | None = None,
    ) -> None:
        self._stream = _LslStream(GESTURE_TYPE, "float32", source_id, Search(timeout_s, stop, told_s))
        self.info: GestureStreamInfo = gesture_info_from_xml(self._stream.header_xml)
        self._stream.connect(BUFFER_S)

    def pull(self, timeout_s: float) -> list[GestureSample]:
        """Return the decisions that have arrived, oldest first, waiting at most ``timeout_s`` for one.

        Raises
        ------
        StreamLostError
            If the stream has ended.
        """
        values, t_lsl_s = self.pull_values(timeout_s)
        return [_gesture_sample(row, t) for row, t in zip(values.tolist(), t_lsl_s.tolist(), strict=True)]

    def pull_values(self, timeout_s: float) -> tuple[Float32Array, Float64Array]:
        """Return the same as arrays: values, shape (n, 4 + n_gestures), and their time stamps, shape (n,)."""
        return self._stream.pull(timeout_s)

    @property
    def seconds_since_data(self) -> float:
        """Seconds since a decision last arrived (or since connecting), on this process's monotonic clock."""
        return self._stream.seconds_since_data

    def close(self) -> None:
        """Stop reading."""
        self._stream.close()


class EventInlet:
    """A Markers stream from LSL; text that is no event of ours is logged and left out."""

    def __init__(
        self, source_id: str | None, timeout_s: float, *, stop: threading.Event | None = None
    ) -> None:
        self._stream = _LslStream(EVENTS_TYPE, "string", source_id, Search(timeout_s, stop))
        self._stream.connect(BUFFER_S)

    def pull(self, timeout_s: float) -> list[Event]:
        """Return the events that have arrived, oldest first, waiting at most ``timeout_s`` for one.

        Raises
        ------
        StreamLostError
            If the stream has ended.
        """
        texts, t_lsl_s = self._stream.pull(timeout_s)
        pairs = zip((row[0].decode("utf-8", "replace") for row in texts), t_lsl_s.tolist(), strict=True)
        return events_from_texts(pairs, self._stream.label)

    def close(self) -> None:
        """Stop reading."""
        self._stream.close()


def _gesture_sample(row: list[float], t_lsl_s: float) -> GestureSample:
    index, confidence, effort, quality = row[:N_GESTURE_FIXED]
    # A number that is not finite stands for no decision; the rest of it tells the reader why.
    gesture_index = round(index) if math.isfinite(index) else -1
    return GestureSample(gesture_index, confidence, effort, quality, tuple(row[N_GESTURE_FIXED:]), t_lsl_s)


def _find(kind: str, source_id: str | None, search: Search) -> pylsl.StreamInfo:
    session_id = ensure_configured()
    wanted = f"type='{kind}'"
    if source_id is not None:
        if "'" in source_id or not source_id:
            msg = f"source_id {source_id!r}: it must not be empty or hold an apostrophe"
            raise InputError(msg)
        wanted += f" and source_id='{source_id}'"
    found = search.look(lambda slice_s: pylsl.resolve_bypred(wanted, 1, slice_s))
    if found:
        found = pylsl.resolve_bypred(wanted, 1024, SETTLE_S) or found
    own = [s for s in found if s.hostname() == socket.gethostname() and s.session_id() == session_id]
    if len(own) == 1:
        return own[0]
    which = f"with source_id {source_id!r} " if source_id is not None else ""
    if own:
        names = ", ".join(f"{s.name()} ({s.source_id()})" for s in own)
        remedy = "stop all but one" if source_id is not None else "choose one by its source_id"
        msg = f"{len(own)} LSL streams of type {kind} {which}are there: {names}; {remedy}"
        raise StreamNotFoundError(msg)
    msg = (
        f"no LSL stream of type {kind} {which}found within {search.told_s:g} s in session {session_id!r}; "
        f"there is {_what_is_there()}"
    )
    raise StreamNotFoundError(msg)


def _what_is_there() -> str:
    streams = list_streams(SETTLE_S)
    if not streams:
        return "no stream at all (start its source first)"
    return "; ".join(f"{s.name} (type {s.type}, source_id {s.source_id})" for s in streams)
