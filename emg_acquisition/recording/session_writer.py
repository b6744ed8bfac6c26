"""Writes a session folder that can be read at any moment, also after the process was killed."""

import os
import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

import numpy as np
import yaml

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.grid import GridSettings
from emg_acquisition.recording.session import (
    RECORDING_FILE,
    SESSION_FILE,
    ProtocolInfo,
    RecordingInfo,
    SessionInfo,
)
from emg_acquisition.recording.xdf_writer import XdfWriter
from emg_acquisition.stream_info import EmgStreamInfo, GestureStreamInfo
from emg_acquisition.stream_xml import emg_header_xml, events_header_xml, gesture_header_xml

CLOCK_OFFSET_EVERY_S = 5.0


def session_folder(root: Path, participant: str, session: str) -> Path:
    """Return where a session lies: ``ROOT/sub-P01/ses-20261123T101500``."""
    return root / f"sub-{participant}" / f"ses-{session}"


class SessionWriter:
    """A session folder while it is being recorded; append-only.

    Parameters
    ----------
    folder : Path
        Created; must not hold a recording yet.
    participant, session : str
        Codes of letters and digits.
    emg : EmgStreamInfo
        The EMG stream.
    protocol : ProtocolInfo, optional
        What the participant is asked to do.

    Raises
    ------
    InputError
        If the folder holds a recording or cannot be written, or a code has other characters.
    """

    def __init__(
        self,
        folder: Path,
        *,
        participant: str,
        session: str,
        emg: EmgStreamInfo,
        protocol: ProtocolInfo | None = None,
    ) -> None:
        self._folder = folder
        self._info = _session_info(participant, session, emg, protocol)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{folder} cannot be created: {error.strerror}"
            raise InputError(msg) from error
        self._xdf = XdfWriter(folder / RECORDING_FILE)
        _write_info(folder, self._info)
        self._emg = self._xdf.add_stream(emg_header_xml(emg))
        self._events = self._xdf.add_stream(events_header_xml("Events", f"{emg.source_id}-events"))
        self._gestures: int | None = None
        self._emg_samples = 0
        self._next_offset_s = -np.inf

    def write_emg(self, emg_uv: Float32Array, t_lsl_s: Float64Array) -> None:
        """Append EMG, shape (n_samples, n_channels), µV, with an LSL time each, shape (n_samples,)."""
        self._xdf.write_samples(self._emg, emg_uv, t_lsl_s)
        self._emg_samples += len(t_lsl_s)
        if len(t_lsl_s) and t_lsl_s[-1] >= self._next_offset_s:
            # All streams are of this machine and stamped by its one clock: there is no offset to measure.
            self._xdf.write_clock_offset(self._emg, float(t_lsl_s[-1]), 0.0)
            self._next_offset_s = float(t_lsl_s[-1]) + CLOCK_OFFSET_EVERY_S

    def write_events(self, events: Sequence[Event]) -> None:
        """Append events."""
        t_s = np.array([event.t_lsl_s for event in events], dtype=np.float64)
        self._xdf.write_texts(self._events, [event.to_json() for event in events], t_s)

    def begin_gestures(self, gestures: GestureStreamInfo) -> None:
        """Take the decoder's stream in, once a session; a decoder may start after the recording."""
        self._gestures = self._xdf.add_stream(gesture_header_xml(gestures))
        self._info = self._info.model_copy(update={"decoder_sha256": gestures.decoder_sha256})
        _write_info(self._folder, self._info)

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
        self._xdf.write_samples(self._gestures, values, t_lsl_s)

    def close(self) -> None:
        """Close the recording and note its size and hash: from now on the session counts as complete."""
        self._xdf.close()
        recording = RecordingInfo(
            n_bytes=self._xdf.n_bytes, sha256=self._xdf.sha256, emg_samples=self._emg_samples
        )
        _write_info(self._folder, self._info.model_copy(update={"complete": True, "recording": recording}))


def _session_info(
    participant: str,
    session: str,
    emg: EmgStreamInfo,
    protocol: ProtocolInfo | None,
) -> SessionInfo:
    for what, code in (("participant", participant), ("session", session)):
        if not (code.isascii() and code.isalnum()):
            msg = f"{what} {code!r}: a code of letters and digits is required (no names, no dates of birth)"
            raise InputError(msg)
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
            **{name: metadata.version(name) for name in ("hdemg-teleop", "numpy", "pylsl", "pyxdf")},
        },
        decoder_sha256="",
    )


def _write_info(folder: Path, info: SessionInfo) -> None:
    """Write the file beside and rename it: whoever reads sees the old one or the new one, whole."""
    text = yaml.safe_dump(
        info.model_dump(mode="json"), sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    beside = folder / f".{SESSION_FILE}.new"
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / SESSION_FILE)
