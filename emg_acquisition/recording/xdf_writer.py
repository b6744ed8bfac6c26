"""Appends streams to an XDF file such that whatever was appended survives the death of the process.

Format: https://github.com/sccn/xdf/wiki/Specifications (XDF 1.0).
"""

import hashlib
import os
import struct
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError

_FILE_HEADER, _STREAM_HEADER, _SAMPLES, _CLOCK_OFFSET, _BOUNDARY, _STREAM_FOOTER = range(1, 7)
BOUNDARY_UUID = uuid.UUID("43A546DCCBF5410FB30ED5467383CBE4")
SYNC_EVERY_S = 0.5


class XdfWriter:
    """An XDF file that only ever grows.

    Every chunk goes to the operating system at once, so that a killed process loses nothing that it has
    handed over; twice a second, at the next chunk, the file is forced to the disk and a boundary marks a place
    from which readers can go on past damage.

    Parameters
    ----------
    path : Path
        The file to create.

    Raises
    ------
    InputError
        If the file exists already or cannot be created.
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
        self._synced_s = time.monotonic()
        self._count: list[int] = []
        self._span_s: list[tuple[float, float]] = []
        self.n_bytes = 0
        self._append(
            b"XDF:" + _chunk(_FILE_HEADER, b'<?xml version="1.0"?><info><version>1.0</version></info>')
        )

    @property
    def sha256(self) -> str:
        """Hash of all that was written."""
        return self._hash.hexdigest()

    def add_stream(self, header_xml: str) -> int:
        """Declare a stream by its LSL ``<info>`` document and return its number."""
        self._count.append(0)
        self._span_s.append((0.0, 0.0))
        stream = len(self._count)
        self._append(_chunk(_STREAM_HEADER, struct.pack("<I", stream) + header_xml.encode()))
        return stream

    def write_samples(self, stream: int, values: Float32Array, t_s: Float64Array) -> None:
        """Append samples of a float32 stream: shape (n, n_channels), and one time stamp each, shape (n,)."""
        layout = [("bytes", "u1"), ("t_s", "<f8"), ("values", "<f4", (values.shape[1],))]
        rows = np.empty(len(values), dtype=np.dtype(layout))
        rows["bytes"], rows["t_s"], rows["values"] = 8, t_s, values
        self._write(stream, rows.tobytes(), t_s)

    def write_texts(self, stream: int, texts: Sequence[str], t_s: Float64Array) -> None:
        """Append samples of a stream of strings with one channel."""
        encoded = [text.encode() for text in texts]
        rows = [
            b"\x08" + struct.pack("<d", t) + b"\x04" + struct.pack("<I", len(text)) + text
            for t, text in zip(t_s.tolist(), encoded, strict=True)
        ]
        self._write(stream, b"".join(rows), t_s)

    def write_clock_offset(self, stream: int, t_s: float, offset_s: float) -> None:
        """Append a measurement of the sender's clock: what to add to its time stamps."""
        self._append(_chunk(_CLOCK_OFFSET, struct.pack("<Idd", stream, t_s, offset_s)))

    def close(self) -> None:
        """Append a footer for each stream and force everything to the disk.

        Raises
        ------
        InputError
            If the disk has refused something before or does now; every write does the same.
        """
        for stream, (count, (first_s, last_s)) in enumerate(
            zip(self._count, self._span_s, strict=True), start=1
        ):
            footer = (
                f'<?xml version="1.0"?><info><first_timestamp>{first_s!r}</first_timestamp>'
                f"<last_timestamp>{last_s!r}</last_timestamp><sample_count>{count}</sample_count></info>"
            )
            self._append(_chunk(_STREAM_FOOTER, struct.pack("<I", stream) + footer.encode()))
        os.fsync(self._file.fileno())
        self._file.close()

    def _write(self, stream: int, rows: bytes, t_s: Float64Array) -> None:
        if len(t_s) == 0:
            return
        first_s = self._span_s[stream - 1][0] if self._count[stream - 1] else float(t_s[0])
        self._span_s[stream - 1] = (first_s, float(t_s[-1]))
        self._count[stream - 1] += len(t_s)
        self._append(_chunk(_SAMPLES, struct.pack("<IBI", stream, 4, len(t_s)) + rows))
        if time.monotonic() - self._synced_s >= SYNC_EVERY_S:
            self._append(_chunk(_BOUNDARY, BOUNDARY_UUID.bytes))
            os.fsync(self._file.fileno())
            self._synced_s = time.monotonic()

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except (OSError, ValueError) as error:
            # Nothing may follow half a chunk: from here on every write fails, and with it the closing.
            self._file.close()
            msg = f"{self._path} cannot be written any more: {error}; what was recorded before is whole"
            raise InputError(msg) from error
        self._hash.update(data)
        self.n_bytes += len(data)


def _chunk(tag: int, content: bytes) -> bytes:
    length = 2 + len(content)
    size = struct.pack("<BI", 4, length) if length < 2**32 else struct.pack("<BQ", 8, length)
    return size + struct.pack("<H", tag) + content
