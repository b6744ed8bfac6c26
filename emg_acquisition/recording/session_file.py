"""A session folder while it is being written: ``recording.xdf`` and, beside it, what ``session.yaml`` says of it."""

import os
import platform
import socket
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy.typing as npt
import yaml

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.grid import GridSettings
from emg_acquisition.recording.session import (
    RECORDING_FILE,
    SESSION_FILE,
    ProtocolInfo,
    RecordedStream,
    RecordingInfo,
    SessionInfo,
)
from emg_acquisition.recording.xdf_format import XdfHeader
from emg_acquisition.recording.xdf_writer import XdfWriter
from emg_acquisition.stream_info import EMG_TYPE, EmgStreamInfo


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

        A session whose disk has refused something stays as it is, not complete: that was told when it happened.
        """
        if self._xdf.failed:
            return
        self._xdf.close()
        streams = self._streams(counted=True)
        emg_samples = sum(stream.samples or 0 for stream in streams if stream.type == EMG_TYPE)
        recording = RecordingInfo(n_bytes=self._xdf.n_bytes, sha256=self._xdf.sha256, emg_samples=emg_samples)
        update = {"streams": streams, "complete": True, "recording": recording}
        _write_info(self._folder, self._info.model_copy(update=update))

    def _streams(self, *, counted: bool) -> tuple[RecordedStream, ...]:
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


def _recorded_stream(header: XdfHeader) -> RecordedStream:
    return RecordedStream(
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
    """Write the file beside and rename it: whoever reads sees the old one or the new one, whole."""
    text = yaml.safe_dump(
        info.model_dump(mode="json"), sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    beside = folder / f".{SESSION_FILE}.new"
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / SESSION_FILE)
    except OSError as error:
        msg = f"{folder / SESSION_FILE} cannot be written: {error.strerror}"
        raise InputError(msg) from error
