"""What an XDF file is made of, for its writer and its reader: chunks, stream headers and value types.

Format: https://github.com/sccn/xdf/wiki/Specifications (XDF 1.0).
"""

import math
import struct
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np

from emg_acquisition.errors import InputError
from emg_acquisition.streams.stream_xml import MAX_CHANNELS, parse_description

MAGIC = b"XDF:"
FILE_HEADER, STREAM_HEADER, SAMPLES, CLOCK_OFFSET, BOUNDARY, STREAM_FOOTER = range(1, 7)
BOUNDARY_UUID = uuid.UUID("43A546DCCBF5410FB30ED5467383CBE4")
# Lengths are little-endian integers of 1, 4 or 8 bytes, as a byte before them says.
LENGTH_FORMATS: dict[int, struct.Struct] = {
    1: struct.Struct("<B"),
    4: struct.Struct("<I"),
    8: struct.Struct("<Q"),
}
TEXT_FORMAT = "string"
_DTYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "double64": np.dtype("<f8"),
    "int8": np.dtype("i1"),
    "int16": np.dtype("<i2"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
}


@dataclass(frozen=True)
class XdfHeader:
    """What a stream declares.

    Parameters
    ----------
    name, type, source_id, hostname : str
        As declared; empty where not.
    n_channels : int
        Values a sample.
    fs_hz : float
        Nominal rate; 0.0 for an irregular one.
    channel_format : str
        ``float32``, ``double64``, ``int8`` to ``int64`` or ``string``.
    xml : str
        The whole declaration.
    """

    name: str
    type: str
    source_id: str
    hostname: str
    n_channels: int
    fs_hz: float
    channel_format: str
    xml: str

    @property
    def is_text(self) -> bool:
        """Whether its values are strings."""
        return self.channel_format == TEXT_FORMAT

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a number in the file."""
        return _DTYPES[self.channel_format]


def header_from_xml(xml: str) -> XdfHeader:
    """Read a stream's declaration.

    Raises
    ------
    InputError
        If it is no XML, or lacks what is needed to read samples.
    """
    root = parse_description(xml)
    try:
        n_channels = int(root.findtext("channel_count", ""))
        fs_hz = float(root.findtext("nominal_srate", ""))
    except ValueError as error:
        msg = f"stream header is damaged: its channel count and rate are required ({error})"
        raise InputError(msg) from error
    name, channel_format = root.findtext("name", ""), root.findtext("channel_format", "")
    known = channel_format in _DTYPES or channel_format == TEXT_FORMAT
    if not (1 <= n_channels <= MAX_CHANNELS and known):
        msg = f"stream {name!r}: {n_channels} channels of {channel_format!r} are no XDF stream"
        raise InputError(msg)
    if not 0 <= fs_hz < math.inf:
        raise InputError(f"stream {name!r}: a rate of {fs_hz} Hz is none; 0 stands for an irregular one")
    return XdfHeader(
        name=name,
        type=root.findtext("type", ""),
        source_id=root.findtext("source_id", ""),
        hostname=root.findtext("hostname", ""),
        n_channels=n_channels,
        fs_hz=fs_hz,
        channel_format=channel_format,
        xml=xml,
    )


def sample_layout(header: XdfHeader, *, stamped: bool) -> np.dtype[Any]:
    """Return how a sample of numbers lies in the file, with its time stamp or without."""
    stamp = [("t_s", "<f8")] if stamped else []
    return np.dtype([("stamp_bytes", "u1"), *stamp, ("values", header.dtype, (header.n_channels,))])


def chunk_start(tag: int, n_content: int) -> bytes:
    """Return what stands before a chunk's content of so many bytes."""
    length = 2 + n_content
    size = struct.pack("<BI", 4, length) if length < 2**32 else struct.pack("<BQ", 8, length)
    return size + struct.pack("<H", tag)
