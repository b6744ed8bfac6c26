"""Writes session folders: append-only, and readable at any moment while they are written.

`SessionFile` takes any LSL streams, from a recorder; `SessionWriter` takes EMG, decisions and events that did not come
over LSL, from importers and simulators.
"""

import os
import platform
import socket
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.grid import GridSettings
from emg_acquisition.recording.session import (
    RECORDING_FILE,
    SESSION_FILE,
    ProtocolInfo,
    RecordedStreamInfo,
    RecordingInfo,
    SessionInfo,
)
from emg_acquisition.recording.xdf_format import XdfHeader
from emg_acquisition.recording.xdf_writer import XdfWriter
from emg_acquisition.stream_info import (
    EMG_TYPE,
    AuxStreamInfo,
    EmgStreamInfo,
    GestureStreamInfo,
    events_source_id,
)
from emg_acquisition.streams.stream_xml import (
    aux_header_xml,
    emg_header_xml,
    events_header_xml,
    gesture_header_xml,
)

CLOCK_OFFSET_EVERY_S = 5.0


def session_folder(root: Path, participant: str, session: str) -> Path:
    """Return where a session lies: ``ROOT/sub-P01/ses-20261123T101500``."""
    return root / f"sub-{participant}" / f"ses-{session}"


def check_codes(participant: str, session: str) -> None:
    """Refuse codes that cannot be part of a folder's name.

    Raises
    ------
    InputError
        If one has other characters than letters and digits.
    """
    for what, code in (("participant", participant), ("session", session)):
        if not (code.isascii() and code.isalnum()):
            msg = f"{what} {code!r}: a code of letters and digits is required (no names, no dates of birth)"
            raise InputError(msg)


class SessionFile:
    """A new session folder of any streams; append-only, and readable at any moment.

    Parameters
    ----------
    folder : Path
        Created; must not hold a recording yet.
    participant, session : str
        Codes of letters and digits.
    emg : EmgStreamInfo
        The first EMG stream, for the summary.
    protocol : ProtocolInfo, optional
        What the participant is asked to do.

    Raises
    ------
    InputError
        If the folder holds a recording or cannot be written, or a code has other characters; from every method
        if the disk refuses something.
    """

    def __init__(
        self,
        folder: Path,
        *,
        participant: str,
        session: str,
        emg: EmgStreamInfo,
        protocol: ProtocolInfo | None,
    ) -> None:
        self._folder = folder
        self._info = _session_info(participant, session, emg, protocol)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{folder} cannot be created: {error.strerror}"
            raise InputError(msg) from error
        self._xdf = XdfWriter(folder / RECORDING_FILE)
        self._lost_often: dict[int, int] = {}
        self._gaps: dict[int, int] = {}

    @property
    def n_bytes(self) -> int:
        """Bytes recorded so far."""
        return self._xdf.n_bytes

    def add_stream(self, header_xml: str) -> int:
        """Declare a stream by its LSL ``<info>`` document and return its number; call `save` after the last."""
        return self._xdf.add_stream(header_xml)

    def set_decoder(self, sha256: str) -> None:
        """Note which decoder decided."""
        self._info = self._info.model_copy(update={"decoder_sha256": sha256})

    def save(self) -> None:
        """Write ``session.yaml`` as it now is, not complete."""
        _write_info(self._folder, self._info.model_copy(update={"streams": self._streams(counted=False)}))

    def write_samples(self, stream: int, values: npt.NDArray[Any], t_lsl_s: Float64Array) -> None:
        """Append numbers, shape (n, n_channels), with an LSL time each, shape (n,)."""
        self._xdf.write_samples(stream, values, t_lsl_s)

    def write_texts(self, stream: int, texts: Sequence[str | bytes], t_lsl_s: Float64Array) -> None:
        """Append strings, sample after sample with all channels of each, with an LSL time a sample, shape (n,)."""
        self._xdf.write_texts(stream, texts, t_lsl_s)

    def write_clock_offset(self, stream: int, t_s: float, offset_s: float) -> None:
        """Append a measurement of the sender's clock: its time then, and what to add to its time stamps."""
        self._xdf.write_clock_offset(stream, t_s, offset_s)

    def note_gaps(self, stream: int, gaps: int) -> None:
        """Count places where samples of a stream are missing."""
        self._gaps[stream] = self._gaps.get(stream, 0) + gaps

    def note_interruption(self, stream: int) -> None:
        """Count that a stream went away."""
        self._lost_often[stream] = self._lost_often.get(stream, 0) + 1

    def close(self) -> None:
        """Close the recording and note its size and hash: from now on the session counts as complete.

        A session whose disk has refused something stays as it is, not complete: that was reported when it happened.
        """
        if self._xdf.failed:
            return
        self._xdf.close()
        streams = self._streams(counted=True)
        emg_samples = sum(stream.samples or 0 for stream in streams if stream.type == EMG_TYPE)
        recording = RecordingInfo(n_bytes=self._xdf.n_bytes, sha256=self._xdf.sha256, emg_samples=emg_samples)
        update = {"streams": streams, "complete": True, "recording": recording}
        _write_info(self._folder, self._info.model_copy(update=update))

    def _streams(self, *, counted: bool) -> tuple[RecordedStreamInfo, ...]:
        entries = []
        for number, written in enumerate(self._xdf.streams, start=1):
            entry = _recorded_stream(written.header)
            if counted:
                entry = entry.model_copy(
                    update={
                        "samples": written.n_samples,
                        "first_t_lsl_s": written.first_t_s if written.n_samples else None,
                        "last_t_lsl_s": written.last_t_s if written.n_samples else None,
                        "gaps": self._gaps.get(number),
                        "interruptions": self._lost_often.get(number, 0),
                    }
                )
            entries.append(entry)
        return tuple(entries)


class SessionWriter:
    """A session folder while it is being written; append-only.

    Parameters
    ----------
    folder : Path
        Created; must not hold a recording yet.
    participant, session : str
        Codes of letters and digits.
    emg : EmgStreamInfo or sequence of EmgStreamInfo
        The EMG stream, or one a sleeve, each with a ``source_id`` of its own.
    protocol : ProtocolInfo, optional
        What the participant is asked to do.
    aux : sequence of AuxStreamInfo
        Auxiliary channels; those of an EMG stream have its ``source_id`` with ``-aux`` behind it.

    Raises
    ------
    InputError
        If the folder holds a recording or cannot be written, or a code has other characters; from every method
        if the disk refuses something.
    """

    def __init__(
        self,
        folder: Path,
        *,
        participant: str,
        session: str,
        emg: EmgStreamInfo | Sequence[EmgStreamInfo],
        protocol: ProtocolInfo | None = None,
        aux: Sequence[AuxStreamInfo] = (),
    ) -> None:
        infos = (emg,) if isinstance(emg, EmgStreamInfo) else tuple(emg)
        self._file = SessionFile(
            folder, participant=participant, session=session, emg=infos[0], protocol=protocol
        )
        self._first_emg = infos[0].source_id
        self._streams = {info.source_id: self._file.add_stream(emg_header_xml(info)) for info in infos}
        self._streams |= {info.source_id: self._file.add_stream(aux_header_xml(info)) for info in aux}
        self._next_offset_s = dict.fromkeys(self._streams.values(), -np.inf)
        self._events = self._file.add_stream(events_header_xml("Events", events_source_id(self._first_emg)))
        self._gestures: int | None = None
        self._file.save()

    def write_emg(self, emg_uv: Float32Array, t_lsl_s: Float64Array, *, source_id: str | None = None) -> None:
        """Append EMG, shape (n_samples, n_channels), µV, with an LSL time each, shape (n_samples,).

        Parameters
        ----------
        source_id : str, optional
            Which EMG stream; the first where it is not given.
        """
        self._write(self._streams[source_id or self._first_emg], emg_uv, t_lsl_s)

    def write_aux(self, values: Float32Array, t_lsl_s: Float64Array, *, source_id: str) -> None:
        """Append auxiliary channels, shape (n_samples, n_channels), with an LSL time each, shape (n_samples,)."""
        self._write(self._streams[source_id], values, t_lsl_s)

    def write_events(self, events: Sequence[Event]) -> None:
        """Append events."""
        t_s = np.array([event.t_lsl_s for event in events], dtype=np.float64)
        self._file.write_texts(self._events, [event.to_json() for event in events], t_s)

    def begin_gestures(self, gestures: GestureStreamInfo) -> None:
        """Take the decoder's stream in, once a session; a decoder may start after the recording."""
        self._gestures = self._file.add_stream(gesture_header_xml(gestures))
        self._file.set_decoder(gestures.decoder_sha256)
        self._file.save()

    def write_gestures(self, values: Float32Array, t_lsl_s: Float64Array) -> None:
        """Append decisions, shape (n, 4 + n_gestures), with an LSL time each, shape (n,).

        Raises
        ------
        ValueError
            If `begin_gestures` was not called before.
        """
        if self._gestures is None:
            msg = "this session has no Gesture stream: call begin_gestures first"
            raise ValueError(msg)
        self._file.write_samples(self._gestures, values, t_lsl_s)

    def close(self) -> None:
        """Close the recording and note its size and hash: from now on the session counts as complete."""
        self._file.close()

    def _write(self, stream: int, values: Float32Array, t_lsl_s: Float64Array) -> None:
        self._file.write_samples(stream, values, t_lsl_s)
        if len(t_lsl_s) and t_lsl_s[-1] >= self._next_offset_s[stream]:
            # All streams are stamped by one clock: there is no offset to measure.
            self._file.write_clock_offset(stream, float(t_lsl_s[-1]), 0.0)
            self._next_offset_s[stream] = float(t_lsl_s[-1]) + CLOCK_OFFSET_EVERY_S


def _recorded_stream(header: XdfHeader) -> RecordedStreamInfo:
    return RecordedStreamInfo(
        name=header.name,
        type=header.type,
        source_id=header.source_id,
        hostname=header.hostname,
        channels=header.n_channels,
        channel_format=header.channel_format,
        fs_hz=header.fs_hz,
    )


def _session_info(
    participant: str, session: str, emg: EmgStreamInfo, protocol: ProtocolInfo | None
) -> SessionInfo:
    check_codes(participant, session)
    return SessionInfo(
        participant=participant,
        session=session,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        device=" ".join(part for part in (emg.manufacturer, emg.model) if part) or emg.name,
        source_id=emg.source_id,
        fs_hz=emg.fs_hz,
        grid=GridSettings.model_validate(emg.grid.to_settings()),
        protocol=protocol,
        versions={
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()}",
            **{name: metadata.version(name) for name in ("hdemg-teleop", "numpy", "pylsl", "pyxdf")},
        },
        host=socket.gethostname(),
    )


def _write_info(folder: Path, info: SessionInfo) -> None:
    """Write another file and rename it: a reader sees the old one or the new one, whole."""
    text = yaml.safe_dump(
        info.model_dump(mode="json"), sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    new_path = folder / f".{SESSION_FILE}.new"
    try:
        with new_path.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new_path.replace(folder / SESSION_FILE)
    except OSError as error:
        msg = f"{folder / SESSION_FILE} cannot be written: {error.strerror}"
        raise InputError(msg) from error
