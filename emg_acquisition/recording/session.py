"""A session folder as an object: ``recording.xdf`` with every stream and ``session.yaml`` with the rest."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event, events_from_texts
from emg_acquisition.grid import GridSettings
from emg_acquisition.recording.xdf_reader import XdfFile, XdfStream, read_xdf
from emg_acquisition.settings_file import load_settings
from emg_acquisition.stream_info import EMG_TYPE, EVENTS_TYPE, GESTURE_TYPE, EmgStreamInfo, GestureStreamInfo
from emg_acquisition.stream_xml import emg_info_from_xml, gesture_info_from_xml

_log = logging.getLogger(__name__)

RECORDING_FILE = "recording.xdf"
SESSION_FILE = "session.yaml"

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


class SessionInfo(BaseModel):
    """What ``session.yaml`` holds.

    ``complete`` is false from the first moment until the recording is closed properly; ``recording`` is known
    from then on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = Field(default=1, ge=1, le=1)
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
    complete: bool = False
    recording: RecordingInfo | None = None


@dataclass(frozen=True)
class EmgRecording:
    """EMG samples, shape (n_samples, n_channels), µV, with an LSL time each, shape (n_samples,)."""

    info: EmgStreamInfo
    emg_uv: Float32Array
    t_lsl_s: Float64Array


@dataclass(frozen=True)
class GestureRecording:
    """Decisions, shape (n_decisions, 4 + n_gestures), with an LSL time each, shape (n_decisions,)."""

    info: GestureStreamInfo
    values: Float32Array
    t_lsl_s: Float64Array


@dataclass(frozen=True)
class Session:
    """A recorded session, all of it in memory; its events in order of time."""

    folder: Path
    info: SessionInfo
    emg: EmgRecording
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


def load_session(folder: Path) -> Session:
    """Load a session folder.

    A recording that was closed properly must still be what it was then. One whose recorder was killed is read
    as far as it goes, with a warning.

    Raises
    ------
    InputError
        If the folder or one of its files is missing, unreadable, empty, altered or cut short.
    """
    info = read_session_info(folder)
    path = folder / RECORDING_FILE
    if not path.is_file():
        msg = f"{path} is missing: the session folder is not complete, copy or record it anew"
        raise InputError(msg)
    _verify(path, info)
    file = read_xdf(path)
    emg = _emg(file, path)
    if not info.complete:
        seconds = len(emg.t_lsl_s) / emg.info.fs_hz
        _log.warning("%s was never closed; its %.1f s of EMG up to the break are used", folder, seconds)
    return Session(folder, info, emg, _events(file), _gestures(file, path))


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


def trials(session: Session) -> tuple[Trial, ...]:
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


def _trial(session: Session, cue: Event, start: int, stop: int) -> Trial:
    try:
        gesture = str(cue.fields["gesture"])
        return Trial(gesture, int(cue.fields["repetition"]), int(cue.fields["trial"]), start, stop)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{session.folder}: cue {cue.to_json()} needs a gesture, a repetition and a trial number"
        raise InputError(msg) from error


def _verify(path: Path, info: SessionInfo) -> None:
    if not info.complete or info.recording is None:
        return
    n_bytes = path.stat().st_size
    if n_bytes != info.recording.n_bytes:
        msg = (
            f"{path} has {n_bytes} bytes, {info.recording.n_bytes} were recorded: "
            f"it is {'truncated' if n_bytes < info.recording.n_bytes else 'not the original'}; copy it anew"
        )
        raise InputError(msg)
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
    if digest.hexdigest() != info.recording.sha256:
        msg = f"{path} is not what was recorded (its SHA-256 differs from {SESSION_FILE}); copy it anew"
        raise InputError(msg)


def _only(file: XdfFile, kind: str, path: Path) -> XdfStream | None:
    found = [stream for stream in file.streams if stream.type == kind]
    if len(found) > 1:
        msg = f"{path} holds {len(found)} streams of type {kind}; one at most is supported"
        raise InputError(msg)
    return found[0] if found else None


def _emg(file: XdfFile, path: Path) -> EmgRecording:
    stream = _only(file, EMG_TYPE, path)
    if stream is None or len(stream.t_lsl_s) == 0:
        msg = f"{path} holds no EMG {'stream' if stream is None else 'samples'}; record the session anew"
        raise InputError(msg)
    info = emg_info_from_xml(stream.header_xml)
    emg_uv = np.ascontiguousarray(stream.values, dtype=np.float32)
    if emg_uv.shape[1] != info.n_channels:
        msg = f"{path}: EMG of {emg_uv.shape[1]} channels, but {info.n_channels} are declared"
        raise InputError(msg)
    return EmgRecording(info, emg_uv, stream.t_lsl_s)


def _gestures(file: XdfFile, path: Path) -> GestureRecording | None:
    stream = _only(file, GESTURE_TYPE, path)
    if stream is None:
        return None
    values = np.ascontiguousarray(stream.values, dtype=np.float32)
    return GestureRecording(gesture_info_from_xml(stream.header_xml), values, stream.t_lsl_s)


def _events(file: XdfFile) -> tuple[Event, ...]:
    events = [
        event
        for stream in file.streams
        if stream.type == EVENTS_TYPE
        for event in events_from_texts(zip(stream.values, stream.t_lsl_s.tolist(), strict=True), stream.name)
    ]
    return tuple(sorted(events, key=lambda event: event.t_lsl_s))
