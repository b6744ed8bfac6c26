"""Reads an XDF file through pyxdf; of a file whose end is missing, what is whole."""

import io
import logging
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyxdf

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError

_log = logging.getLogger(__name__)

_STREAM_HEADER = 2
_LENGTH_FORMATS = {1: "<B", 4: "<I", 8: "<Q"}


@dataclass(frozen=True)
class XdfStream:
    """One stream of an XDF file.

    Parameters
    ----------
    name, type, source_id : str
        As declared; empty where not.
    header_xml : str
        The whole declaration.
    values : ndarray, shape (n_samples, n_channels), or list of str
        Numbers in the stream's own type; for a stream of strings, the first channel's texts.
    t_lsl_s : ndarray, shape (n_samples,)
        The time stamps as recorded: neither smoothed nor moved to another clock.
    """

    name: str
    type: str
    source_id: str
    header_xml: str
    values: npt.NDArray[Any] | list[str]
    t_lsl_s: Float64Array


@dataclass(frozen=True)
class XdfFile:
    """The streams of a file, and whether its last chunk was cut short."""

    streams: tuple[XdfStream, ...]
    truncated: bool


def read_xdf(path: Path) -> XdfFile:
    """Read a file.

    Time stamps stay raw. On one machine LSL has one clock, so that there is nothing to synchronise; and
    replay must see the same stamps as the decoder saw live.

    Raises
    ------
    InputError
        If there is no such file, or it is no XDF file.
    """
    try:
        with path.open("rb") as file:
            headers, whole = _scan(file, path)
            truncated = whole < path.stat().st_size
            # pyxdf takes what is left of a cut chunk for samples; it is given only the chunks that are whole.
            file.seek(0)
            content = io.BytesIO(file.read(whole)) if truncated else file
            streams, _ = pyxdf.load_xdf(
                content, synchronize_clocks=False, dejitter_timestamps=False, verbose=False
            )
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
        raise InputError(msg) from error
    if truncated:
        _log.warning("%s: its last chunk is cut short; read up to byte %d", path, whole)
    return XdfFile(tuple(_stream(raw, headers) for raw in streams), truncated)


def _stream(raw: dict[str, Any], headers: dict[int, str]) -> XdfStream:
    info = raw["info"]
    values = raw["time_series"]
    if isinstance(values, list):
        values = [row[0] for row in values]
    return XdfStream(
        name=info["name"][0] or "",
        type=info["type"][0] or "",
        source_id=(info.get("source_id") or [""])[0] or "",
        header_xml=headers[info["stream_id"]],
        values=values,
        t_lsl_s=np.asarray(raw["time_stamps"], dtype=np.float64),
    )


def _scan(file: BinaryIO, path: Path) -> tuple[dict[int, str], int]:
    """Walk over the chunks; return the stream headers by number and the end of the last whole chunk."""
    size = path.stat().st_size
    if file.read(4) != b"XDF:":
        msg = f"{path} is no XDF file"
        raise InputError(msg)
    headers: dict[int, str] = {}
    whole = 4
    while whole < size:
        start = file.read(1)
        length_format = _LENGTH_FORMATS.get(start[0] if start else 0)
        if length_format is None:
            break
        packed = file.read(struct.calcsize(length_format))
        if len(packed) < struct.calcsize(length_format):
            break
        (length,) = struct.unpack(length_format, packed)
        end = file.tell() + length
        if length < 2 or end > size:  # noqa: PLR2004 - the tag alone is two bytes
            break
        (tag,) = struct.unpack("<H", file.read(2))
        if tag == _STREAM_HEADER:
            (stream,) = struct.unpack("<I", file.read(4))
            headers[stream] = file.read(length - 6).decode("utf-8", "replace")
        file.seek(end)
        whole = end
    return headers, whole
