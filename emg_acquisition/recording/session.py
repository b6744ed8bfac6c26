"""Reads session folders: ``recording.xdf`` holds every stream and ``session.yaml`` the rest.

`load_session` reads a session into memory; `open_session` leaves its EMG on disk, for recordings larger than memory.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event, events_from_texts
from emg_acquisition.grid import GridSettings
from emg_acquisition.recording.xdf_format import XdfHeader
from emg_acquisition.recording.xdf_reader import ChunkedStream, XdfStream, open_stream, read_headers, read_xdf
from emg_acquisition.settings_file import load_settings
from emg_acquisition.stream_info import (
    AUX_TYPE,
    EMG_TYPE,
    EVENTS_TYPE,
    GESTURE_TYPE,
    AuxStreamInfo,
    EmgStreamInfo,
    GestureStreamInfo,
    aux_source_id,
    events_source_id,
)
from emg_acquisition.streams.arrival_stamps import ArrivalStamps
from emg_acquisition.streams.stream_xml import aux_info_from_xml, emg_info_from_xml, gesture_info_from_xml

_log = logging.getLogger(__name__)

RECORDING_FILE = "recording.xdf"
SESSION_FILE = "session.yaml"
# 1: one EMG stream, the streams not listed. 2: `streams` lists them all, several of them may be EMG.
SCHEMA_VERSION = 2

# Codes only: never a name or a date of birth. They become part of folder names.
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+$", max_length=64)]


class ProtocolInfo(BaseModel):
    """What the participant was asked to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    gestures: tuple[str, ...] = ()
    notes: str = ""


class RecordingInfo(BaseModel):
    """The recording as it was when it was closed properly."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_bytes: int
    sha256: str
    emg_samples: int


class RecordedStreamInfo(BaseModel):
    """One stream of the recording; its samples and their first and last time stamp are known once it is closed.

    ``gaps`` counts the places where time stamps say that samples are missing, ``interruptions`` how often the
    stream went away while it was recorded.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: str
    source_id: str
    hostname: str = ""
    channels: int
    channel_format: str
    fs_hz: float
    samples: int | None = None
    first_t_lsl_s: float | None = None
    last_t_lsl_s: float | None = None
    gaps: int | None = None
    interruptions: int = 0


class SessionInfo(BaseModel):
    """What ``session.yaml`` holds.

    ``device``, ``source_id``, ``fs_hz`` and ``grid`` are those of the first EMG stream, ``host`` is the recorder's
    machine, on whose clock the session is. ``complete`` is false from
    the first moment until the recording is closed properly; ``recording`` is known from then on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1, le=SCHEMA_VERSION)
    participant: Code
    session: Code
    created: str
    device: str
    source_id: str
    fs_hz: float = Field(gt=0)
    grid: GridSettings
    protocol: ProtocolInfo | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    decoder_sha256: str = ""
    host: str = ""
    streams: tuple[RecordedStreamInfo, ...] = ()
    complete: bool = False
    recording: RecordingInfo | None = None


class EmgRows(Protocol):
    """EMG with its time stamps, in memory or on disk: `EmgRecording` or `EmgOnDisk`."""

    @property
    def info(self) -> EmgStreamInfo:
        """What the stream declares."""

    @property
    def t_lsl_s(self) -> Float64Array:
        """LSL time of each sample, shape (n_samples,)."""

    @property
    def stamps_as_sent_s(self) -> Float64Array:
        """What a live inlet received, shape (n_samples,)."""

    def rows(self, start: int, stop: int) -> Float32Array:
        """Give samples `start` to `stop`, not included: ndarray, shape (n, n_channels), µV."""


@dataclass(frozen=True)
class EmgRecording:
    """EMG samples, shape (n_samples, n_channels), µV, with an LSL time each, shape (n_samples,).

    Of a stream that stamps its samples on arrival, ``t_lsl_s`` is smoothed and ``t_sent_s`` is what was sent; for
    every other stream the two are the same and ``t_sent_s`` is None.
    """

    info: EmgStreamInfo
    emg_uv: Float32Array
    t_lsl_s: Float64Array
    t_sent_s: Float64Array | None = None

    @property
    def stamps_as_sent_s(self) -> Float64Array:
        """What a live inlet received: ndarray, shape (n_samples,)."""
        return self.t_lsl_s if self.t_sent_s is None else self.t_sent_s

    def rows(self, start: int, stop: int) -> Float32Array:
        """Give samples `start` to `stop`, not included: ndarray, shape (n, n_channels)."""
        return self.emg_uv[start:stop]


@dataclass(frozen=True)
class EmgOnDisk:
    """EMG of a recording, its samples on disk and only their time stamps (eight bytes a sample) in memory.

    Parameters
    ----------
    info : EmgStreamInfo
        What the stream declares.
    t_lsl_s : ndarray, shape (n_samples,)
        As in `EmgRecording`.
    stream : ChunkedStream
        Where the samples lie.
    t_sent_s : ndarray, shape (n_samples,), or None
        As in `EmgRecording`.
    """

    info: EmgStreamInfo
    t_lsl_s: Float64Array
    stream: ChunkedStream
    t_sent_s: Float64Array | None = None

    @property
    def stamps_as_sent_s(self) -> Float64Array:
        """What a live inlet received: ndarray, shape (n_samples,)."""
        return self.t_lsl_s if self.t_sent_s is None else self.t_sent_s

    def rows(self, start: int, stop: int) -> Float32Array:
        """Read samples `start` to `stop`, not included: ndarray, shape (n, n_channels), float32 µV.

        Raises
        ------
        InputError
            If the file cannot be read any more or is damaged there.
        """
        return np.ascontiguousarray(self.stream.rows(start, stop), dtype=np.float32)


@dataclass(frozen=True)
class GestureRecording:
    """Decisions, shape (n_decisions, 4 + n_gestures), with an LSL time each, shape (n_decisions,)."""

    info: GestureStreamInfo
    values: Float32Array
    t_lsl_s: Float64Array


@dataclass(frozen=True)
class AuxRecording:
    """Auxiliary channels, shape (n_samples, n_channels), with an LSL time each, shape (n_samples,)."""

    info: AuxStreamInfo
    values: Float32Array
    t_lsl_s: Float64Array


class RecordedSession(Protocol):
    """What `Session` and `SessionOnDisk` have in common."""

    @property
    def folder(self) -> Path:
        """The session folder."""

    @property
    def info(self) -> SessionInfo:
        """What ``session.yaml`` says."""

    @property
    def emg(self) -> EmgRows:
        """The EMG."""

    @property
    def events(self) -> tuple[Event, ...]:
        """All events, in order of time."""

    @property
    def gestures(self) -> GestureRecording | None:
        """The decisions made on that EMG, if any were recorded."""


@dataclass(frozen=True)
class Session:
    """One EMG stream of a recorded session and all that belongs to it, in memory; its events in order of time.

    ``aux`` holds the auxiliary channels of the EMG's amplifier and ``gestures`` the decisions made on that EMG;
    None where there are none.
    """

    folder: Path
    info: SessionInfo
    emg: EmgRecording
    events: tuple[Event, ...]
    gestures: GestureRecording | None = None
    aux: AuxRecording | None = None


@dataclass(frozen=True)
class SessionOnDisk:
    """One EMG stream of a recorded session and its events, the EMG on disk; otherwise as `Session`."""

    folder: Path
    info: SessionInfo
    emg: EmgOnDisk
    events: tuple[Event, ...]
    gestures: GestureRecording | None = None


@dataclass(frozen=True)
class Trial:
    """One cue and the samples ``start`` to ``stop`` (not included) until the next one."""

    gesture: str
    repetition: int
    trial: int
    start: int
    stop: int


def load_session(folder: Path, emg_source_id: str | None = None) -> Session:
    """Load a session folder into memory.

    A recording that was closed properly must still be what it was then. One whose recorder was killed is read
    as far as it goes, with a warning.

    Parameters
    ----------
    folder : Path
        The session folder.
    emg_source_id : str, optional
        Which EMG stream; needed only where the session holds several.

    Raises
    ------
    InputError
        If the folder or one of its files is missing, unreadable, empty, altered or cut short, or if it is not
        clear which EMG stream is meant; the message lists those that are there.
    """
    info, path, wanted = _verified(folder, emg_source_id)
    streams = _read(path, wanted, info.host)
    (stream,) = streams[EMG_TYPE]
    emg_info, t_lsl_s, t_sent_s = _emg_times(stream, path)
    emg_uv = np.ascontiguousarray(stream.values, dtype=np.float32)
    _warn_if_never_closed(folder, info, len(t_lsl_s) / emg_info.fs_hz)
    return Session(
        folder,
        info,
        EmgRecording(emg_info, emg_uv, t_lsl_s, t_sent_s),
        _events(streams[EVENTS_TYPE]),
        _gestures(streams[GESTURE_TYPE]),
        _aux(streams[AUX_TYPE]),
    )


def open_session(folder: Path, emg_source_id: str | None = None) -> SessionOnDisk:
    """Open a session folder with the same checks and errors as `load_session`, but leave its EMG on disk."""
    info, path, wanted = _verified(folder, emg_source_id)
    (emg_header,) = [header for header in wanted if header.type == EMG_TYPE]
    streams = _read(
        path, [header for header in wanted if header.type in {EVENTS_TYPE, GESTURE_TYPE}], info.host
    )
    stream = open_stream(path, emg_header)
    emg_info, t_lsl_s, t_sent_s = _emg_times(_on_clock_of(info.host, stream.without_samples()), path)
    _warn_if_never_closed(folder, info, len(t_lsl_s) / emg_info.fs_hz)
    return SessionOnDisk(
        folder,
        info,
        EmgOnDisk(emg_info, t_lsl_s, stream, t_sent_s),
        _events(streams[EVENTS_TYPE]),
        _gestures(streams[GESTURE_TYPE]),
    )


def read_session_info(folder: Path) -> SessionInfo:
    """Read ``session.yaml`` alone.

    Raises
    ------
    InputError
        If it is missing or wrong; the message names the file and the key.
    """
    path = folder / SESSION_FILE
    if not folder.is_dir():
        msg = f"{folder} is no folder: name a session folder, one that holds {SESSION_FILE}"
        raise InputError(msg)
    if not path.is_file():
        msg = f"{folder} is no session folder: it holds no {SESSION_FILE}"
        raise InputError(msg)
    return load_settings(path, SessionInfo)


def pieces(emg: EmgRows, start: int, stop: int, n_samples: int) -> Iterator[tuple[slice, Float32Array]]:
    """Yield the samples from `start` to `stop` in pieces of `n_samples`, each with its place."""
    for first in range(start, stop, n_samples):
        block = slice(first, min(first + n_samples, stop))
        yield block, emg.rows(block.start, block.stop)


def trials(session: RecordedSession) -> tuple[Trial, ...]:
    """Return the session's trials, from its ``cue`` events; each lasts until the next cue or the end.

    A cue belongs to the sample whose time stamp is nearest; a cue after the last sample is no trial.

    Raises
    ------
    InputError
        If a cue lacks its gesture, repetition or trial.
    """
    cues = [event for event in session.events if event.kind == "cue"]
    t_lsl_s = session.emg.t_lsl_s
    half_s = 0.5 * session.emg.info.sample_interval_s
    starts = np.searchsorted(t_lsl_s, np.array([cue.t_lsl_s for cue in cues]) - half_s)
    stops = np.append(starts[1:], len(t_lsl_s))
    return tuple(
        _trial(session, cue, int(start), int(stop))
        for cue, start, stop in zip(cues, starts, stops, strict=False)
        if stop > start
    )


def _trial(session: RecordedSession, cue: Event, start: int, stop: int) -> Trial:
    try:
        gesture = str(cue.fields["gesture"])
        return Trial(gesture, int(cue.fields["repetition"]), int(cue.fields["trial"]), start, stop)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{session.folder}: cue {cue.to_json()} needs a gesture, a repetition and a trial number"
        raise InputError(msg) from error


def _verified(folder: Path, emg_source_id: str | None) -> tuple[SessionInfo, Path, tuple[XdfHeader, ...]]:
    """Return what ``session.yaml`` says, the recording, which is as it was recorded, and the streams to read."""
    info = read_session_info(folder)
    path = folder / RECORDING_FILE
    if not path.is_file():
        msg = f"{path} is missing: the session folder is not complete, copy or record it again"
        raise InputError(msg)
    _verify_recording(path, info)
    return info, path, choose_streams(read_headers(path), path, emg_source_id)


def _verify_recording(path: Path, info: SessionInfo) -> None:
    """Check that a recording that was closed properly is still what it was; raises InputError if not."""
    if not info.complete or info.recording is None:
        return
    n_bytes = path.stat().st_size
    if n_bytes != info.recording.n_bytes:
        msg = (
            f"{path} has {n_bytes} bytes, {info.recording.n_bytes} were recorded: "
            f"it is {'truncated' if n_bytes < info.recording.n_bytes else 'not the original'}; copy it again"
        )
        raise InputError(msg)
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
    if digest.hexdigest() != info.recording.sha256:
        msg = f"{path} is not what was recorded (its SHA-256 differs from {SESSION_FILE}); copy it again"
        raise InputError(msg)


def _on_clock_of(host: str, stream: XdfStream) -> XdfStream:
    """Move a stream that another machine stamped to the recorder's clock, between the offsets that were measured."""
    if not host or stream.header.hostname in {"", host} or len(stream.clock_times_s) == 0:
        return stream
    offset_s = np.interp(stream.t_lsl_s, stream.clock_times_s, stream.clock_offsets_s)
    return replace(stream, t_lsl_s=stream.t_lsl_s + offset_s)


def choose_streams(
    headers: tuple[XdfHeader, ...], path: Path, emg_source_id: str | None
) -> tuple[XdfHeader, ...]:
    """Choose an EMG stream, at most one Aux and one Gesture stream that belong to it, and the events.

    Of the events, those of another sleeve's decoder are left out: they say since when that one decodes.

    Parameters
    ----------
    headers : tuple of XdfHeader
        What the streams of the recording declare.
    path : Path
        The recording, for errors.
    emg_source_id : str or None
        Which EMG stream; None takes the only one.

    Raises
    ------
    InputError
        If there is no such EMG stream or more than one, or more than one Aux or Gesture stream belongs to it.
    """
    emg = _only_emg([header for header in headers if header.type == EMG_TYPE], path, emg_source_id)
    alone = sum(header.type == EMG_TYPE for header in headers) == 1
    aux = [h for h in headers if h.type == AUX_TYPE and h.source_id == aux_source_id(emg.source_id)]
    gestures = [
        header
        for header in headers
        if header.type == GESTURE_TYPE
        and (alone or gesture_info_from_xml(header.xml).emg_source_id == emg.source_id)
    ]
    for kind, found in ((AUX_TYPE, aux), (GESTURE_TYPE, gestures)):
        if len(found) > 1:
            msg = f"{path} holds {len(found)} {kind} streams for EMG {emg.source_id!r}; one at most is supported"
            raise InputError(msg)
    others = {events_source_id(h.source_id) for h in headers if h.type == GESTURE_TYPE and h not in gestures}
    events = [h for h in headers if h.type == EVENTS_TYPE and h.source_id not in others]
    return (emg, *aux, *gestures, *events)


def _only_emg(there: list[XdfHeader], path: Path, source_id: str | None) -> XdfHeader:
    if not there:
        msg = f"{path} holds no EMG stream; record the session again"
        raise InputError(msg)
    found = [header for header in there if source_id in {None, header.source_id}]
    if len(found) == 1:
        return found[0]
    names = ", ".join(header.source_id or repr(header.name) for header in there)
    if source_id is None:
        msg = f"{path} holds {len(there)} EMG streams: {names}; choose one by its source_id"
    else:
        msg = f"{path} holds {len(found) or 'no'} EMG streams with source_id {source_id!r}; there is {names}"
    raise InputError(msg)


def _read(path: Path, wanted: Collection[XdfHeader], host: str) -> dict[str, list[XdfStream]]:
    """Read the streams wanted, by type, their time stamps on the recorder's clock."""
    by_type: dict[str, list[XdfStream]] = defaultdict(list)
    for stream in read_xdf(path, only=wanted.__contains__).streams:
        by_type[stream.header.type].append(_on_clock_of(host, stream))
    return by_type


def _emg_times(stream: XdfStream, path: Path) -> tuple[EmgStreamInfo, Float64Array, Float64Array | None]:
    """Return what an EMG stream declares and its `EmgRecording.t_lsl_s` and ``t_sent_s``."""
    info = emg_info_from_xml(stream.header.xml)
    if len(stream.t_lsl_s) == 0:
        msg = f"{path} holds no EMG samples; record the session again"
        raise InputError(msg)
    if not info.arrival_stamps:
        return info, stream.t_lsl_s, None
    smooth_s, _ = ArrivalStamps(info.sample_interval_s).process(stream.t_lsl_s)
    return info, smooth_s, stream.t_lsl_s


def _gestures(streams: list[XdfStream]) -> GestureRecording | None:
    if not streams:
        return None
    (stream,) = streams
    values = np.ascontiguousarray(stream.values, dtype=np.float32)
    return GestureRecording(gesture_info_from_xml(stream.header.xml), values, stream.t_lsl_s)


def _aux(streams: list[XdfStream]) -> AuxRecording | None:
    if not streams:
        return None
    (stream,) = streams
    values = np.ascontiguousarray(stream.values, dtype=np.float32)
    return AuxRecording(aux_info_from_xml(stream.header.xml), values, stream.t_lsl_s)


def _events(streams: Iterable[XdfStream]) -> tuple[Event, ...]:
    """Return the events of all event streams, in order of time."""
    events = [
        event
        for stream in streams
        for event in events_from_texts(
            zip(stream.texts, stream.t_lsl_s.tolist(), strict=True), stream.header.name
        )
    ]
    return tuple(sorted(events, key=lambda event: event.t_lsl_s))


def _warn_if_never_closed(folder: Path, info: SessionInfo, seconds: float) -> None:
    """Say how much is used of a recording whose recorder was killed."""
    if not info.complete:
        _log.warning("%s was never closed; its %.1f s of EMG up to the break are used", folder, seconds)
