"""A session whose EMG stays on disk and is read in pieces: for recordings larger than memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.recording.session import (
    RECORDING_FILE,
    GestureRecording,
    SessionInfo,
    events_of,
    gestures_of,
    on_clock_of,
    read_session_info,
    verify_recording,
    warn_where_never_closed,
)
from emg_acquisition.recording.session_choice import choose_streams
from emg_acquisition.recording.xdf_reader import ChunkedStream, open_stream, read_headers, read_xdf
from emg_acquisition.stream_info import EMG_TYPE, EVENTS_TYPE, GESTURE_TYPE, EmgStreamInfo
from emg_acquisition.streams.arrival_stamps import ArrivalStamps
from emg_acquisition.streams.stream_xml import emg_info_from_xml


class EmgRows(Protocol):
    """EMG with its time stamps, in memory or on disk: `recording.session.EmgRecording` or `EmgOnDisk`."""

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


class RecordedSession(Protocol):
    """What `recording.session.Session` and `SessionOnDisk` have in common."""

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
class SessionOnDisk:
    """One EMG stream of a recorded session and its events, the EMG on disk; otherwise as `Session`."""

    folder: Path
    info: SessionInfo
    emg: EmgOnDisk
    events: tuple[Event, ...]
    gestures: GestureRecording | None = None


def open_session(folder: Path, emg_source_id: str | None = None) -> SessionOnDisk:
    """Open a session folder as `load_session` does, with the same checks and errors, but leave its EMG on disk."""
    info = read_session_info(folder)
    path = folder / RECORDING_FILE
    if not path.is_file():
        msg = f"{path} is missing: the session folder is not complete, copy or record it anew"
        raise InputError(msg)
    verify_recording(path, info)
    wanted = choose_streams(read_headers(path), path, emg_source_id)
    (emg_header,) = [header for header in wanted if header.type == EMG_TYPE]
    small = {header for header in wanted if header.type in {EVENTS_TYPE, GESTURE_TYPE}}
    others = {
        stream.header: on_clock_of(info.host, stream)
        for stream in read_xdf(path, only=small.__contains__).streams
    }
    emg = _emg(open_stream(path, emg_header), info.host, path)
    warn_where_never_closed(folder, info, len(emg.t_lsl_s) / emg.info.fs_hz)
    gestures = [stream for header, stream in others.items() if header.type == GESTURE_TYPE]
    return SessionOnDisk(
        folder,
        info,
        emg,
        events_of(stream for header, stream in others.items() if header.type == EVENTS_TYPE),
        gestures_of(gestures[0] if gestures else None),
    )


def _emg(stream: ChunkedStream, host: str, path: Path) -> EmgOnDisk:
    info = emg_info_from_xml(stream.header.xml)
    sent_s = on_clock_of(host, stream.without_samples()).t_lsl_s
    if len(sent_s) == 0:
        msg = f"{path} holds no EMG samples; record the session anew"
        raise InputError(msg)
    if not info.arrival_stamps:
        return EmgOnDisk(info, sent_s, stream)
    smooth_s, _ = ArrivalStamps(info.sample_interval_s).process(sent_s)
    return EmgOnDisk(info, smooth_s, stream, sent_s)


def pieces(emg: EmgRows, start: int, stop: int, n_samples: int) -> Iterator[tuple[slice, Float32Array]]:
    """Yield the samples from `start` to `stop` in pieces of `n_samples`, each with its place."""
    for first in range(start, stop, n_samples):
        block = slice(first, min(first + n_samples, stop))
        yield block, emg.rows(block.start, block.stop)
