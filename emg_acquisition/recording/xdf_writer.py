"""Appends streams to an XDF file such that whatever was appended survives the death of the process."""

import contextlib
import hashlib
import os
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.recording.xdf_format import (
    BOUNDARY,
    BOUNDARY_UUID,
    CLOCK_OFFSET,
    FILE_HEADER,
    MAGIC,
    SAMPLES,
    STREAM_FOOTER,
    STREAM_HEADER,
    XdfHeader,
    chunk_start,
    header_from_xml,
    sample_layout,
)

SYNC_EVERY_S = 0.5
# LabRecorder's interval; a place from which readers can go on past damage.
BOUNDARY_EVERY_S = 10.0


@dataclass
class WrittenStream:
    """A stream of the file and what has been written of it."""

    header: XdfHeader
    n_samples: int = 0
    first_t_s: float = 0.0
    last_t_s: float = 0.0
    offsets: list[tuple[float, float]] = field(default_factory=list)


class XdfWriter:
    """An XDF file that only ever grows.

    Every chunk goes to the operating system at once, so that a killed process loses nothing that it has handed
    over. A thread forces the file to the disk twice a second, so that a power cut loses little and a slow disk
    does not hold up whoever writes.

    Parameters
    ----------
    path : Path
        The file to create.

    Raises
    ------
    InputError
        If the file exists already or cannot be created; from every method if the disk refuses something. What was
        written before is then whole, and nothing more is written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError as error:
            msg = f"{path} exists already; record to another folder"
            raise InputError(msg) from error
        except OSError as error:
            msg = f"{path} cannot be created: {error.strerror}"
            raise InputError(msg) from error
        self._path = path
        self._hash = hashlib.sha256()
        self._boundary_s = time.monotonic()
        self._failure = ""
        self.streams: list[WrittenStream] = []
        self.n_bytes = 0
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")
        about = f'<?xml version="1.0"?><info><version>1.0</version><datetime>{now}</datetime></info>'.encode()
        self._append(MAGIC + chunk_start(FILE_HEADER, len(about)) + about)
        self._ending = threading.Event()
        self._syncer = threading.Thread(target=self._sync, name="xdf-sync", daemon=True)
        self._syncer.start()

    @property
    def sha256(self) -> str:
        """Hash of all that was written."""
        return self._hash.hexdigest()

    @property
    def failed(self) -> bool:
        """Whether the disk has refused something."""
        return bool(self._failure)

    def add_stream(self, header_xml: str) -> int:
        """Declare a stream by its LSL ``<info>`` document and return its number."""
        self.streams.append(WrittenStream(header_from_xml(header_xml)))
        self._chunk(STREAM_HEADER, len(self.streams), header_xml.encode())
        return len(self.streams)

    def write_samples(self, stream: int, values: npt.NDArray[Any], t_s: Float64Array) -> None:
        """Append numbers: shape (n, n_channels), of the stream's own type, and one time stamp each, shape (n,)."""
        header = self.streams[stream - 1].header
        start = struct.pack("<IBI", stream, 4, len(t_s))
        layout = sample_layout(header, stamped=True)
        head = chunk_start(SAMPLES, len(start) + len(t_s) * layout.itemsize) + start
        data = bytearray(len(head) + len(t_s) * layout.itemsize)
        data[: len(head)] = head
        rows = np.frombuffer(data, dtype=layout, offset=len(head))
        rows["stamp_bytes"], rows["t_s"], rows["values"] = 8, t_s, values
        self._write(stream, data, t_s)

    def write_texts(self, stream: int, texts: Sequence[str | bytes], t_s: Float64Array) -> None:
        """Append strings, sample after sample with all channels of each, and one time stamp a sample, shape (n,)."""
        n_channels = self.streams[stream - 1].header.n_channels
        encoded = [text.encode() if isinstance(text, str) else text for text in texts]
        rows = [struct.pack("<IBI", stream, 4, len(t_s))]
        for place, t in enumerate(t_s.tolist()):
            rows.append(b"\x08" + struct.pack("<d", t))
            of_sample = encoded[place * n_channels : (place + 1) * n_channels]
            rows.extend(b"\x04" + struct.pack("<I", len(text)) + text for text in of_sample)
        content = b"".join(rows)
        self._write(stream, chunk_start(SAMPLES, len(content)) + content, t_s)

    def write_clock_offset(self, stream: int, t_s: float, offset_s: float) -> None:
        """Append a measurement of the sender's clock: its time then, and what to add to its time stamps."""
        self.streams[stream - 1].offsets.append((t_s, offset_s))
        self._chunk(CLOCK_OFFSET, stream, struct.pack("<dd", t_s, offset_s))

    def close(self) -> None:
        """Append a footer for each stream and force everything to the disk."""
        for number, stream in enumerate(self.streams, start=1):
            self._chunk(STREAM_FOOTER, number, _footer_xml(stream).encode())
        self._raise_if_failed()
        self._stop_syncing()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            self._fail(error)
        self._file.close()
        self._raise_if_failed()

    def _write(self, stream: int, data: bytes | bytearray, t_s: Float64Array) -> None:
        if len(t_s) == 0:
            return
        self._append(data)
        written = self.streams[stream - 1]
        if written.n_samples == 0:
            written.first_t_s = float(t_s[0])
        written.last_t_s = float(t_s[-1])
        written.n_samples += len(t_s)
        if time.monotonic() - self._boundary_s >= BOUNDARY_EVERY_S:
            self._boundary_s = time.monotonic()
            self._append(chunk_start(BOUNDARY, 16) + BOUNDARY_UUID.bytes)

    def _chunk(self, tag: int, stream: int, content: bytes) -> None:
        self._append(chunk_start(tag, 4 + len(content)) + struct.pack("<I", stream) + content)

    def _append(self, data: bytes | bytearray) -> None:
        self._raise_if_failed()
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            self._fail(error)
            with contextlib.suppress(OSError):
                self._file.truncate(self.n_bytes)  # half a chunk is of no use
            self._stop_syncing()
            self._file.close()
            self._raise_if_failed()
        self._hash.update(data)
        self.n_bytes += len(data)

    def _sync(self) -> None:
        try:
            while not self._ending.wait(SYNC_EVERY_S):
                os.fsync(self._file.fileno())
        except OSError as error:
            self._fail(error)

    def _stop_syncing(self) -> None:
        self._ending.set()
        self._syncer.join()

    def _fail(self, error: OSError) -> None:
        self._failure = (
            f"{self._path} cannot be written any more: {error.strerror or error}; "
            f"what was recorded before ({self.n_bytes} bytes) is whole"
        )

    def _raise_if_failed(self) -> None:
        if self._failure:
            raise InputError(self._failure)


def _footer_xml(stream: WrittenStream) -> str:
    """Return a footer with LabRecorder's elements."""
    offsets = "".join(
        f"<offset><time>{t_s!r}</time><value>{offset_s!r}</value></offset>"
        for t_s, offset_s in stream.offsets
    )
    return (
        f'<?xml version="1.0"?><info><first_timestamp>{stream.first_t_s!r}</first_timestamp>'
        f"<last_timestamp>{stream.last_t_s!r}</last_timestamp><sample_count>{stream.n_samples}</sample_count>"
        f"<clock_offsets>{offsets}</clock_offsets></info>"
    )
