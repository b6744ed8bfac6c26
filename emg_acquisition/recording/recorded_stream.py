"""One stream of a recording: copied as it was sent, from one outlet or, where its source restarts, from several."""

import logging
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import StreamLostError
from emg_acquisition.recording.session_writer import SessionFile
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.chunks import ChunkSplitter
from emg_acquisition.streams.lsl_stream import LslStream

_log = logging.getLogger(__name__)

# LabRecorder's interval.
CLOCK_EVERY_S = 5.0
# How a publisher says that its source has ended.
_END = b'"event":"end"'


class RecordedStream:
    """A stream of the session file.

    Parameters
    ----------
    stream : LslStream
        Connected.
    file : SessionFile
        Where it is declared and written.
    note : callable
        ``note(t_lsl_s, kind, **fields)`` writes an event of the recorder's own; a time of None is now.
    emg : EmgStreamInfo, optional
        What an EMG stream declares; its gaps are counted.
    """

    def __init__(
        self,
        stream: LslStream,
        file: SessionFile,
        note: Callable[..., None],
        emg: EmgStreamInfo | None = None,
    ) -> None:
        self._file = file
        self._note = note
        self._declared_xml = stream.header_xml
        self._splitter = None if emg is None else ChunkSplitter(emg)
        self._is_text = stream.channel_format == "string"
        self.number = file.add_stream(stream.header_xml)
        self.stream: LslStream | None = stream
        self.label = stream.label
        self.key = key(stream)
        self.n_samples = 0
        self.n_gaps = 0
        self.lost_since_s: float | None = None
        self.ended = False
        self._clock_due_s = 0.0
        if emg is not None:
            file.note_gaps(self.number, 0)

    def copy(self) -> None:
        """Write all that has arrived, and now and then the sender's clock; where the stream has ended, note it."""
        if self.stream is None:
            return
        try:
            while self._copy_once(self.stream):
                pass
            self._measure_clock(self.stream)
        except StreamLostError as error:
            self.stream.close()
            self.stream = None
            self.lost_since_s = time.monotonic()
            self._file.note_interruption(self.number)
            self._note(None, "stream_lost", source_id=self.key[1], reason=str(error))
            _log.warning("%s; the recording goes on without it until it is back", error)

    def _copy_once(self, stream: LslStream) -> bool:
        values, t_sent_s = stream.pull_sent()
        if len(t_sent_s) == 0:
            return False
        self.n_samples += len(t_sent_s)
        if self._is_text:
            texts = values.ravel().tolist()
            self._file.write_texts(self.number, texts, t_sent_s)
            self.ended |= any(_END in text for text in texts)
        else:
            self._file.write_samples(self.number, values, t_sent_s)
        if self._splitter is not None:
            self._count_gaps(t_sent_s, self._splitter)
        return True

    def _measure_clock(self, stream: LslStream) -> None:
        if time.monotonic() < self._clock_due_s:
            return
        measured = stream.measure_clock()
        if measured is not None:
            self._file.write_clock_offset(self.number, *measured)
            self._clock_due_s = time.monotonic() + CLOCK_EVERY_S

    def _count_gaps(self, t_sent_s: Float64Array, splitter: ChunkSplitter) -> None:
        """Note where samples are missing, as a live inlet would see it; one note a copy."""
        _, found = splitter.find_gaps(t_sent_s)
        if not found:
            return
        self.n_gaps += len(found)
        self._file.note_gaps(self.number, len(found))
        worst_s = max(found.values())
        first = float(t_sent_s[next(iter(found))])
        self._note(first, "gap", source_id=self.key[1], places=len(found), worst_s=round(worst_s, 6))
        _log.warning(
            "%s: %d gap(s) in its time stamps, the worst of %.1f ms", self.label, len(found), 1e3 * worst_s
        )

    def take_back(self, stream: LslStream) -> bool:
        """Go on with an outlet that says it is this stream; False, and a note, where it declares something else."""
        if not same_declaration(self._declared_xml, stream.header_xml):
            self._note(
                None, "stream_changed", source_id=self.key[1], reason="it came back declaring something else"
            )
            _log.error("%s came back with another declaration: it is not recorded", self.label)
            return False
        away_s = time.monotonic() - (self.lost_since_s or time.monotonic())
        self._note(None, "stream_back", source_id=self.key[1], away_s=round(away_s, 3))
        _log.warning("%s is back after %.1f s", self.label, away_s)
        self.stream, self.lost_since_s, self._clock_due_s = stream, None, 0.0
        return True

    def seconds_lost(self) -> float:
        """Return for how long the stream has been away; 0.0 while it is there."""
        return 0.0 if self.lost_since_s is None else time.monotonic() - self.lost_since_s

    def close(self) -> None:
        """Let go of the outlet."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None


def same_declaration(xml: str, other_xml: str) -> bool:
    """Tell whether two LSL ``<info>`` documents declare the same stream, whichever process sends it."""
    one, other = ET.fromstring(xml), ET.fromstring(other_xml)  # noqa: S314 - what LSL itself made of it
    fields = ("name", "type", "source_id", "hostname", "channel_count", "channel_format", "nominal_srate")
    if any(one.findtext(field) != other.findtext(field) for field in fields):
        return False
    return _canonical(one.find("desc")) == _canonical(other.find("desc"))


def _canonical(element: ET.Element | None) -> str:
    return "" if element is None else ET.canonicalize(ET.tostring(element, "unicode"), strip_text=True)


def key(stream: LslStream) -> tuple[str, str]:
    """Return by what a stream is known again: its type and its ``source_id``."""
    return stream.found.summary.type, stream.found.summary.source_id
