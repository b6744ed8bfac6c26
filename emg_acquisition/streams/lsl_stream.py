"""Finds and reads one LSL stream, whatever its type and values are (what they mean is for inlets to say)."""

import math
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pylsl
from pylsl.util import LostError
from pylsl.util import TimeoutError as LslTimeoutError

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError, SearchStoppedError, StreamLostError, StreamNotFoundError
from emg_acquisition.streams.lsl_config import ensure_configured, let_in_hosts

Found = TypeVar("Found")
Answer = TypeVar("Answer")

# While LSL waits, Python's signal handlers cannot run: it waits for so long at a time.
SLICE_S = 0.5
# What a stream that was found in the last moment still gets, to answer.
ANSWER_S = 2.0
# How long a second stream of the same kind or the same source_id has to show itself.
SETTLE_S = 0.3
_PULL_SAMPLES = 4096
_FORMAT_NAMES = {number: name for name, number in pylsl.lib.string2fmt.items()}


class Search:
    """A search for one stream.

    Parameters
    ----------
    timeout_s : float
        How long to look for it.
    stop : threading.Event or None
        Ends the search, within a slice, when it is set.
    """

    def __init__(self, timeout_s: float, stop: threading.Event | None) -> None:
        self.timeout_s = timeout_s
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
class FoundStream:
    """A stream that is there and can be read; ``uid`` tells two outlets apart that say the same of themselves."""

    summary: StreamSummary
    uid: str
    info: Any = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        """Type, name and source_id, for people."""
        return f"{self.summary.type} stream {self.summary.name!r} ({self.summary.source_id})"


def list_streams(wait_s: float) -> list[StreamSummary]:
    """Return every stream of this session, by type and name; waits ``wait_s`` for them to answer."""
    ensure_configured()
    found = [_found(info).summary for info in pylsl.resolve_streams(wait_s)]
    return sorted(found, key=lambda stream: (stream.type, stream.name, stream.source_id))


def find_streams(wait_s: float) -> list[FoundStream]:
    """Return every stream of this session from a machine that is let in; waits ``wait_s`` for them to answer."""
    session_id = ensure_configured()
    return _let_in([_found(info) for info in pylsl.resolve_streams(wait_s)], session_id)


def find_stream(kind: str, source_id: str | None, search: Search) -> FoundStream:
    """Return the one stream of a type.

    Parameters
    ----------
    kind : str
        LSL type.
    source_id : str or None
        None takes the only one that there is.
    search : Search
        How long to look for it.

    Raises
    ------
    StreamNotFoundError
        If there is none, or more than one; the message lists what is there.
    SearchStoppedError
        If the search was ended.
    InputError
        If the ``source_id`` cannot be one.
    """
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
    own = _let_in([_found(info) for info in found], session_id)
    if len(own) == 1:
        return own[0]
    which = f"with source_id {source_id!r} " if source_id is not None else ""
    if own:
        names = ", ".join(f"{stream.summary.name} ({stream.summary.source_id})" for stream in own)
        remedy = "stop all but one" if source_id is not None else "choose one by its source_id"
        msg = f"{len(own)} LSL streams of type {kind} {which}are there: {names}; {remedy}"
        raise StreamNotFoundError(msg)
    msg = (
        f"no LSL stream of type {kind} {which}found within {search.timeout_s:g} s in session {session_id!r}; "
        f"there is {what_is_there()}"
    )
    raise StreamNotFoundError(msg)


def what_is_there() -> str:
    """Return the streams of this session in words."""
    streams = list_streams(SETTLE_S)
    if not streams:
        return "no stream at all (start its source first)"
    return "; ".join(f"{s.name} (type {s.type}, source_id {s.source_id})" for s in streams)


class LslStream:
    """One stream: its description first, then, once connected, its samples, with the age of the newest.

    Parameters
    ----------
    found : FoundStream
        Which one.
    search : Search
        How long it may take to answer.

    Raises
    ------
    StreamNotFoundError
        If it does not answer.
    SearchStoppedError
        If the search was ended.
    """

    def __init__(self, found: FoundStream, search: Search) -> None:
        self._search = search
        self._inlet: Any = None
        self.found = found
        self.label = found.label
        self.channel_format = _FORMAT_NAMES[found.info.channel_format()]
        self.header_xml = self._read_header()
        self._other_clock = found.summary.hostname != socket.gethostname()
        self._t_data_mono_s = time.monotonic()

    def _read_header(self) -> str:
        inlet = pylsl.StreamInlet(self.found.info, max_buflen=1, recover=False)
        try:
            return str(self._search.ask(_timing_out(inlet.info)).as_xml())
        except (TimeoutError, LostError) as error:
            msg = f"{self.label}: was found, but did not send its description; is its process alive?"
            raise StreamNotFoundError(msg) from error

    def connect(self, buffer_s: float) -> None:
        """Begin to receive; what is not fetched within ``buffer_s`` is dropped, oldest first.

        Raises
        ------
        StreamNotFoundError
            If the stream cannot be opened, or, from another machine, its clock cannot be measured.
        """
        self._inlet = pylsl.StreamInlet(
            self.found.info, max_buflen=max(1, math.ceil(buffer_s)), recover=False, as_numpy=True
        )
        try:
            self._search.ask(_timing_out(self._inlet.open_stream))
            if self._other_clock:
                self._search.ask(_timing_out(self._inlet.time_correction))
        except (TimeoutError, LostError) as error:
            msg = f"{self.label}: was found, but could not be opened; is its process alive?"
            raise StreamNotFoundError(msg) from error
        self._t_data_mono_s = time.monotonic()

    def pull(self, timeout_s: float) -> tuple[npt.NDArray[Any], Float64Array]:
        """Return what has arrived, waiting for the first sample, on this machine's clock.

        Returns
        -------
        values : ndarray, shape (n_samples, n_channels)
            Of the stream's own type; strings as objects that are bytes.
        t_lsl_s : ndarray, shape (n_samples,)
            As sent, or moved by LSL's estimate of the sender's clock where that is another machine's.

        Raises
        ------
        StreamLostError
            If the stream has ended and all that it sent was returned.
        """
        values, t_sent_s = self._pull(timeout_s, min_samples=1)
        measured = self.measure_clock() if self._other_clock and len(t_sent_s) else None
        return (values, t_sent_s) if measured is None else (values, t_sent_s + measured[1])

    def pull_sent(self) -> tuple[npt.NDArray[Any], Float64Array]:
        """Return what has arrived, without waiting, with its time stamps as sent; otherwise as `pull`."""
        return self._pull(0.0, min_samples=None)

    def _pull(self, timeout_s: float, min_samples: int | None) -> tuple[npt.NDArray[Any], Float64Array]:
        try:
            values, t_s = self._inlet.pull_chunk(timeout_s, _PULL_SAMPLES, min_samples=min_samples)
        except LostError as error:
            msg = f"{self.label} has ended: its process has stopped or died"
            raise StreamLostError(msg) from error
        if len(t_s):
            self._t_data_mono_s = time.monotonic()
        return values, np.asarray(t_s, dtype=np.float64)

    def measure_clock(self) -> tuple[float, float] | None:
        """Return the sender's time now and what to add to it to come to this machine's clock, as LSL has measured.

        It does not wait: LSL measures in the background, from the first call on; None until it has, within a
        second or so.

        Raises
        ------
        StreamLostError
            If the stream has ended before its clock was measured.
        """
        try:
            offset_s = float(self._inlet.time_correction(0.0))
        except LslTimeoutError:
            return None
        except LostError as error:
            msg = f"{self.label} has ended: its process has stopped or died"
            raise StreamLostError(msg) from error
        return float(pylsl.local_clock()) - offset_s, offset_s

    @property
    def seconds_since_data(self) -> float:
        """Seconds since samples last arrived (or since connecting), on this process's monotonic clock."""
        return time.monotonic() - self._t_data_mono_s

    def close(self) -> None:
        """Stop reading; harmless where that was done before."""
        if self._inlet is not None:
            self._inlet.close_stream()
            self._inlet = None


def _timing_out(call: Callable[[float], Any]) -> Callable[[float], Any]:
    """Let a call of pylsl raise Python's own error when its time is over."""

    def asked(timeout_s: float) -> Any:  # noqa: ANN401 - whatever pylsl answers
        try:
            return call(timeout_s)
        except LslTimeoutError as error:
            raise TimeoutError from error

    return asked


def _found(info: pylsl.StreamInfo) -> FoundStream:
    summary = StreamSummary(
        name=info.name(),
        type=info.type(),
        source_id=info.source_id(),
        hostname=info.hostname(),
        session_id=info.session_id(),
        channels=info.channel_count(),
        fs_hz=info.nominal_srate(),
    )
    return FoundStream(summary, info.uid(), info)


def _let_in(found: list[FoundStream], session_id: str) -> list[FoundStream]:
    hosts = let_in_hosts()
    return [s for s in found if s.summary.hostname in hosts and s.summary.session_id == session_id]
