"""The samples of one chunk of an XDF file, from bytes to arrays."""

import io
import struct
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float64Array
from emg_acquisition.recording.xdf_format import LENGTH_FORMATS, XdfHeader, sample_layout

_STAMPED = 8
_SHORTEST_TEXT = 2


def sample_count(file: BinaryIO, most: int) -> int:
    """Read how many samples the chunk at the file's position holds.

    Raises
    ------
    ValueError, IndexError, KeyError, struct.error
        If it says more than `most`, or nothing.
    """
    unpack = LENGTH_FORMATS[file.read(1)[0]]
    (count,) = unpack.unpack(file.read(unpack.size))
    if count > most:
        msg = f"{count} samples are declared, {most} at most have room"
        raise ValueError(msg)
    return int(count)


def least_sample_bytes(header: XdfHeader) -> int:
    """Return the bytes that a sample takes at least: no time stamp, and a text its length's length and its length."""
    return 1 + header.n_channels * (_SHORTEST_TEXT if header.is_text else header.dtype.itemsize)


def decode_samples(
    content: bytes, header: XdfHeader, previous_t_s: float
) -> tuple[npt.NDArray[Any], Float64Array]:
    """Decode the samples of a chunk.

    A sample without a time stamp follows the one before it by one interval of the nominal rate; LabRecorder leaves
    out the stamps that this gives exactly.

    Parameters
    ----------
    content : bytes
        The chunk from the number of its samples on.
    header : XdfHeader
        Of its stream.
    previous_t_s : float
        Time stamp of the stream's sample before; 0.0 for the first.

    Returns
    -------
    values : ndarray, shape (n_samples, n_channels)
        Of the stream's own type; strings as an array of objects.
    t_s : ndarray, shape (n_samples,)
        Time stamps.

    Raises
    ------
    ValueError, IndexError, KeyError, struct.error
        If the bytes are not what the header declares.
    """
    count = sample_count(io.BytesIO(content), len(content) // least_sample_bytes(header))
    start = 1 + content[0]
    values = np.empty((count, header.n_channels), dtype=object if header.is_text else header.dtype)
    t_s = np.empty(count, dtype=np.float64)
    if header.is_text:
        stamped = _decode_texts(content, start, values, t_s)
    else:
        stamped = _decode_numbers(content, start, header, values, t_s)
    if not stamped.all():
        _deduce(t_s, stamped, previous_t_s, 1.0 / header.fs_hz if header.fs_hz > 0 else 0.0)
    return values, t_s


def _decode_numbers(
    content: bytes, start: int, header: XdfHeader, values: npt.NDArray[Any], t_s: Float64Array
) -> npt.NDArray[np.bool_]:
    body = memoryview(content)[start:]
    for with_stamp in (True, False):  # nearly every chunk is of one kind, and then an array as it is
        layout = sample_layout(header, stamped=with_stamp)
        if len(body) == len(t_s) * layout.itemsize:
            rows = np.frombuffer(body, dtype=layout)
            if np.all(rows["stamp_bytes"] == (_STAMPED if with_stamp else 0)):
                values[:] = rows["values"]
                if with_stamp:
                    t_s[:] = rows["t_s"]
                return np.full(len(t_s), with_stamp)
    return _decode_mixed(body, header, values, t_s)


def _decode_mixed(
    body: memoryview, header: XdfHeader, values: npt.NDArray[Any], t_s: Float64Array
) -> npt.NDArray[np.bool_]:
    stamped = np.zeros(len(t_s), dtype=np.bool_)
    n_bytes = header.n_channels * header.dtype.itemsize
    at = 0
    for row in range(len(t_s)):
        stamped[row] = body[at] != 0
        at += 1
        if stamped[row]:
            (t_s[row],) = struct.unpack_from("<d", body, at)
            at += 8
        values[row] = np.frombuffer(body[at : at + n_bytes], dtype=header.dtype)
        at += n_bytes
    if at != len(body):
        msg = f"{len(body)} bytes, {at} are declared"
        raise ValueError(msg)
    return stamped


def _decode_texts(
    content: bytes, at: int, values: npt.NDArray[Any], t_s: Float64Array
) -> npt.NDArray[np.bool_]:
    stamped = np.zeros(len(t_s), dtype=np.bool_)
    for row in range(len(t_s)):
        stamped[row] = content[at] != 0
        at += 1
        if stamped[row]:
            (t_s[row],) = struct.unpack_from("<d", content, at)
            at += 8
        for channel in range(values.shape[1]):
            unpack = LENGTH_FORMATS.get(content[at])
            if unpack is None:
                msg = f"a text's length of {content[at]} bytes"
                raise ValueError(msg)
            (length,) = unpack.unpack_from(content, at + 1)
            at += 1 + unpack.size
            values[row, channel] = content[at : at + length].decode("utf-8", "replace")
            at += length
    if at != len(content):
        msg = f"{len(content)} bytes, {at} are declared"
        raise ValueError(msg)
    return stamped


def _deduce(
    t_s: Float64Array, stamped: npt.NDArray[np.bool_], previous_t_s: float, interval_s: float
) -> None:
    """Fill in the stamps that were left out, by adding one interval after the other as every reader does."""
    edges = np.flatnonzero(np.diff(stamped.astype(np.int8), prepend=1, append=1)).tolist()
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        before = previous_t_s if start == 0 else t_s[start - 1]
        t_s[start:stop] = np.cumsum(np.r_[before, np.full(stop - start, interval_s)])[1:]
