"""Reads XDF files, our own and LabRecorder's; of a file whose end is missing or damaged, what is whole."""

import io
import logging
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyxdf

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.recording.damage import reading
from emg_acquisition.recording.xdf_format import (
    BOUNDARY_UUID,
    CLOCK_OFFSET,
    LENGTH_FORMATS,
    MAGIC,
    SAMPLES,
    STREAM_FOOTER,
    STREAM_HEADER,
    XdfHeader,
    header_from_xml,
    sample_layout,
)

_log = logging.getLogger(__name__)

_WITH_STREAM = frozenset({STREAM_HEADER, SAMPLES, CLOCK_OFFSET, STREAM_FOOTER})
# Bytes of a time stamp, and the fewest of a text: the length of its length, and its length.
_STAMPED = 8
_MIN_TEXT_BYTES = 2


@dataclass(frozen=True)
class XdfStream:
    """One stream of an XDF file.

    Parameters
    ----------
    header : XdfHeader
        What it declares.
    values : ndarray, shape (n_samples, n_channels)
        Numbers in the stream's own type; strings as an array of objects.
    t_lsl_s : ndarray, shape (n_samples,)
        Its time stamps.
    clock_times_s, clock_offsets_s : ndarray, shape (n_measurements,)
        The sender's time when its clock was measured, and what to add to its time stamps.
    footer_xml : str
        What was written when the recording was closed; empty where it was not.
    """

    header: XdfHeader
    values: npt.NDArray[Any]
    t_lsl_s: Float64Array
    clock_times_s: Float64Array
    clock_offsets_s: Float64Array
    footer_xml: str = ""

    @property
    def texts(self) -> list[str]:
        """The first channel of a stream of strings."""
        return [str(text) for text in self.values[:, 0]]


@dataclass(frozen=True)
class XdfFile:
    """The streams of a file, and whether a part of it is missing or damaged."""

    streams: tuple[XdfStream, ...]
    truncated: bool


@dataclass
class _Entry:
    """Where the parts of one stream lie in the file."""

    header: XdfHeader
    samples: list[tuple[int, int]] = field(default_factory=list)
    n_samples: int = 0
    offsets: list[tuple[float, float]] = field(default_factory=list)
    footer_xml: str = ""


@dataclass
class _Index:
    """All streams by number, and the stretches of the file that hold whole chunks."""

    entries: dict[int, _Entry] = field(default_factory=dict)
    whole: list[tuple[int, int]] = field(default_factory=list)


def read_xdf(
    path: Path, *, synchronised: bool = False, only: Callable[[XdfHeader], bool] | None = None
) -> XdfFile:
    """Read a file.

    Parameters
    ----------
    path : Path
        The file.
    synchronised : bool
        Return the time stamps as pyxdf's defaults make them: moved to the recorder's clock by the clock offsets
        (clock resets included) and smoothed to a regular rate. It is pyxdf's own result, values too. Otherwise
        they stay as they were sent: on one machine LSL has one clock, so that there is nothing to synchronise;
        smoothing closes gaps; and replay must see the same stamps as the decoder saw live.
    only : callable, optional
        Read only the streams for whose header it is true.

    Raises
    ------
    InputError
        If there is no such file, or it is no XDF file, or a chunk that is whole does not hold what it declares.
    """
    with _opened(path) as file:
        index = _index(file, path)
        chosen = {
            number: entry for number, entry in index.entries.items() if only is None or only(entry.header)
        }
        if synchronised:
            with reading(path, "an XDF file"):
                streams = _synchronised(file, index, chosen)
        else:
            streams = [_raw(file, entry, path) for entry in chosen.values()]
        size = path.stat().st_size
    missing = size - len(MAGIC) - sum(stop - start for start, stop in index.whole)
    if missing:
        _log.warning("%s: cut short or damaged; %d of its %d bytes are left out", path, missing, size)
    return XdfFile(tuple(streams), missing > 0)


def read_blocks(path: Path, header: XdfHeader) -> Iterator[tuple[npt.NDArray[Any], Float64Array]]:
    """Yield one stream as it was written, chunk after chunk, for files larger than memory.

    Parameters
    ----------
    path : Path
        The file.
    header : XdfHeader
        Which stream, from `read_headers`.

    Yields
    ------
    values : ndarray, shape (n_samples, n_channels)
        As in `XdfStream`.
    t_lsl_s : ndarray, shape (n_samples,)
        Time stamps as sent.

    Raises
    ------
    InputError
        As `read_xdf` does.
    """
    with _opened(path) as file:
        for entry in _index(file, path).entries.values():
            if entry.header == header:
                yield from _blocks(file, entry, path)


class ChunkedStream:
    """A stream of numbers in a file, of which any stretch of samples can be read by itself.

    Parameters
    ----------
    path : Path
        The file.
    entry : _Entry
        Where its chunks lie; `open_stream` finds them.

    Attributes
    ----------
    header : XdfHeader
        What it declares.
    t_lsl_s : ndarray, shape (n_samples,)
        Its time stamps, as sent.

    Raises
    ------
    InputError
        If samples are damaged or the file cannot be read; `rows` too.
    """

    def __init__(self, path: Path, entry: _Entry) -> None:
        self.header = entry.header
        self._path = path
        self._entry = entry
        # Chunks without samples are passed over, as `_blocks` does.
        self._chunks: list[tuple[int, int]] = []
        ends: list[int] = []
        with _opened(path) as file:
            for start, stop in entry.samples:
                file.seek(start)
                count = _declared_samples(file, stop, entry.header)
                if count:
                    ends.append((ends[-1] if ends else 0) + count)
                    self._chunks.append((start, stop))
            self._ends = np.array(ends, dtype=np.int64)
            self.t_lsl_s: Float64Array = np.empty(ends[-1] if ends else 0)
            done = 0
            for _, t_s in _blocks(file, entry, path):
                self.t_lsl_s[done : done + len(t_s)] = t_s
                done += len(t_s)
        self._newest: tuple[int, npt.NDArray[Any]] | None = None

    def rows(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Read samples `start` to `stop`, not included, as many of them as there are: shape (n, n_channels)."""
        stop = min(stop, len(self.t_lsl_s))
        if stop <= start:
            return np.empty((0, self.header.n_channels), dtype=self.header.dtype)
        found = np.empty((stop - start, self.header.n_channels), dtype=self.header.dtype)
        first = int(np.searchsorted(self._ends, start, side="right"))
        with _opened(self._path) as file:
            for k in range(first, len(self._ends)):
                begin = int(self._ends[k - 1]) if k else 0
                if begin >= stop:
                    break
                part = slice(max(start, begin), min(stop, int(self._ends[k])))
                values = self._chunk(file, k)
                found[part.start - start : part.stop - start] = values[part.start - begin : part.stop - begin]
        return found

    def _chunk(self, file: BinaryIO, k: int) -> npt.NDArray[Any]:
        """Decode a chunk; the newest is kept, for pieces that end within it. Several threads may read at a time."""
        newest = self._newest
        if newest is None or newest[0] != k:
            one = _Entry(self.header, [self._chunks[k]])
            ((values, _),) = _blocks(file, one, self._path)
            self._newest = newest = (k, values)
        return newest[1]

    def without_samples(self) -> XdfStream:
        """Return it with its time stamps and clock measurements, and no channel."""
        return _stream(self._entry, np.empty((len(self.t_lsl_s), 0)), self.t_lsl_s)


def open_stream(path: Path, header: XdfHeader) -> ChunkedStream:
    """Open one stream of a file, from `read_headers`, to read its samples in pieces; raises as `read_xdf` does."""
    with _opened(path) as file:
        entries = [entry for entry in _index(file, path).entries.values() if entry.header == header]
    return ChunkedStream(path, entries[0])


def read_headers(path: Path) -> tuple[XdfHeader, ...]:
    """Return what each stream of a file declares, without its samples; raises as `read_xdf` does."""
    with _opened(path) as file:
        return tuple(entry.header for entry in _index(file, path).entries.values())


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read; where the system refuses, now or while it is read, raise `InputError`."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
        raise InputError(msg) from error


def _raw(file: BinaryIO, entry: _Entry, path: Path) -> XdfStream:
    header, total = entry.header, entry.n_samples
    values = np.empty((total, header.n_channels), dtype=object if header.is_text else header.dtype)
    t_s = np.empty(total, dtype=np.float64)
    done = 0
    for block, block_t_s in _blocks(file, entry, path):
        part = slice(done, done + len(block_t_s))
        values[part], t_s[part] = block, block_t_s
        done = part.stop
    return _stream(entry, values, t_s)


def _blocks(file: BinaryIO, entry: _Entry, path: Path) -> Iterator[tuple[npt.NDArray[Any], Float64Array]]:
    previous_t_s = 0.0
    for start, stop in entry.samples:
        file.seek(start)
        try:
            values, t_s = _decode_samples(file.read(stop - start), entry.header, previous_t_s)
        except (ValueError, IndexError, KeyError, struct.error) as error:
            msg = f"{path}: the samples of stream {entry.header.name!r} at byte {start} are damaged ({error})"
            raise InputError(msg) from error
        if len(t_s):
            previous_t_s = float(t_s[-1])
            yield values, t_s


def _synchronised(file: BinaryIO, index: _Index, chosen: dict[int, _Entry]) -> list[XdfStream]:
    # pyxdf takes what is left of a cut chunk for samples; it is given only the chunks that are whole.
    parts = [MAGIC]
    for start, stop in index.whole:
        file.seek(start)
        parts.append(file.read(stop - start))
    if not chosen:
        return []
    raws, _ = pyxdf.load_xdf(io.BytesIO(b"".join(parts)), list(chosen), verbose=False)
    streams = []
    for raw in raws:
        entry = chosen[raw["info"]["stream_id"]]
        values = raw["time_series"]
        if entry.header.is_text:
            values = np.array(values, dtype=object).reshape(-1, entry.header.n_channels)
        streams.append(_stream(entry, values, np.asarray(raw["time_stamps"], dtype=np.float64)))
    return streams


def _stream(entry: _Entry, values: npt.NDArray[Any], t_s: Float64Array) -> XdfStream:
    measured = np.array(entry.offsets, dtype=np.float64).reshape(-1, 2)
    return XdfStream(entry.header, values, t_s, measured[:, 0], measured[:, 1], entry.footer_xml)


def _index(file: BinaryIO, path: Path) -> _Index:
    """Walk over the chunks; past damage, go on behind the next boundary."""
    if file.read(len(MAGIC)) != MAGIC:
        msg = f"{path} is no XDF file"
        raise InputError(msg)
    size, index, start = path.stat().st_size, _Index(), len(MAGIC)
    begun = start
    while start < size:
        try:
            end = _take_chunk(file, start, size, index)
        except InputError as error:
            msg = f"{path}: {error}"
            raise InputError(msg) from error
        if end is not None:
            start = end
            continue
        index.whole.append((begun, start))
        boundary = _after_boundary(file, start + 1)
        if boundary is None:
            return index
        begun = start = boundary
    index.whole.append((begun, start))
    return index


def _take_chunk(file: BinaryIO, start: int, size: int, index: _Index) -> int | None:
    """Note the chunk that begins at `start` and return its end; None if it is cut or damaged."""
    file.seek(start)
    length_bytes = file.read(1)
    unpack = LENGTH_FORMATS.get(length_bytes[0] if length_bytes else 0)
    if unpack is None or size - start < 1 + unpack.size + 2:
        return None
    length = int(unpack.unpack(file.read(unpack.size))[0])
    content = file.tell() + 2
    end = content - 2 + length
    (tag,) = struct.unpack("<H", file.read(2))
    shortest = 2 + (0 if tag not in _WITH_STREAM else 4 + 16 * (tag == CLOCK_OFFSET))
    if length < shortest or end > size or not 1 <= tag <= STREAM_FOOTER:
        return None
    if tag not in _WITH_STREAM:
        return end
    (number,) = struct.unpack("<I", file.read(4))
    if tag == STREAM_HEADER:
        index.entries[number] = _Entry(header_from_xml(file.read(length - 6).decode("utf-8", "replace")))
        return end
    entry = index.entries.get(number)
    if entry is None:
        return None
    if tag == SAMPLES:
        entry.n_samples += _declared_samples(file, end, entry.header)
        entry.samples.append((content + 4, end))
    elif tag == CLOCK_OFFSET:
        t_s, offset_s = struct.unpack("<dd", file.read(16))
        entry.offsets.append((t_s, offset_s))
    else:
        entry.footer_xml = file.read(length - 6).decode("utf-8", "replace")
    return end


def _declared_samples(file: BinaryIO, end: int, header: XdfHeader) -> int:
    """Return how many samples the chunk's content at the file's position declares, if they have room in it."""
    start = file.tell()
    try:
        return _sample_count(file, (end - start) // _min_sample_bytes(header))
    except (ValueError, IndexError, KeyError, struct.error) as error:
        msg = f"the samples of stream {header.name!r} at byte {start} are damaged ({error})"
        raise InputError(msg) from error


def _after_boundary(file: BinaryIO, start: int) -> int | None:
    """Return the place behind the next boundary chunk, from which reading can go on; None if there is none."""
    file.seek(start)
    before = b""
    while block := file.read(2**20):
        place = (before + block).find(BOUNDARY_UUID.bytes)
        if place >= 0:
            return file.tell() - len(before) - len(block) + place + 16
        before = (before + block)[-15:]
    return None


def _sample_count(file: BinaryIO, max_samples: int) -> int:
    """Read how many samples the chunk at the file's position holds.

    Raises
    ------
    ValueError, IndexError, KeyError, struct.error
        If it says more than `max_samples`, or nothing.
    """
    unpack = LENGTH_FORMATS[file.read(1)[0]]
    (count,) = unpack.unpack(file.read(unpack.size))
    if count > max_samples:
        msg = f"{count} samples are declared, {max_samples} at most have room"
        raise ValueError(msg)
    return int(count)


def _min_sample_bytes(header: XdfHeader) -> int:
    """Return the fewest bytes that a sample can take: one without a time stamp, of empty texts."""
    return 1 + header.n_channels * (_MIN_TEXT_BYTES if header.is_text else header.dtype.itemsize)


def _decode_samples(
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
    count = _sample_count(io.BytesIO(content), len(content) // _min_sample_bytes(header))
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
