"""LSL streams as chunks, decisions and events; each inlet is bound to one source of this session.

An inlet does not reconnect by itself: what comes back under the same name may be another device, decoder
or grid. It raises `StreamLostError`, and the caller builds a new inlet, which verifies the declaration
again.

Every time stamp of a stream of this machine is the sender's own, unchanged: all share its one monotonic clock, so
that there is no offset to correct; and what decoders and recordings match on must not be smoothed. A stream from
another machine, where one is let in, is moved to this machine's clock by LSL's estimate. A stream that declares
that it stamps its samples on arrival is smoothed, in live inlets and in replay alike.
"""

import logging
import threading

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.decision import Decision
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event, events_from_texts
from emg_acquisition.stream_info import (
    EMG_TYPE,
    EVENTS_TYPE,
    GESTURE_TYPE,
    EmgStreamInfo,
    GestureStreamInfo,
)
from emg_acquisition.streams.chunks import ChunkSplitter, EmgChunk
from emg_acquisition.streams.lsl_stream import LslStream, Search, find_stream
from emg_acquisition.streams.stream_xml import emg_info_from_xml, gesture_info_from_xml

_log = logging.getLogger(__name__)

BUFFER_S = 10.0


class Inlet:
    """A stream from LSL, bound to one source; the classes below say what its samples are.

    Parameters
    ----------
    kind, channel_format : str
        LSL type, and LSL's name of the values' type.
    source_id : str or None
        The stream to read; None takes the one of its type that there is.
    search : Search
        How long to look for it.

    Raises
    ------
    StreamNotFoundError
        If there is no such stream in time, or more than one; the message lists what is there.
    SearchStoppedError
        If the search was stopped before the stream was found.
    InputError
        If its values are of another type, or it declares something else than its type should.
    """

    def __init__(self, kind: str, channel_format: str, source_id: str | None, search: Search) -> None:
        self._stream = LslStream(find_stream(kind, source_id, search), search)
        if self._stream.channel_format != channel_format:
            msg = (
                f"{self._stream.label}: its values are not {channel_format}; it is no stream of this program"
            )
            raise InputError(msg)

    @property
    def seconds_since_data(self) -> float:
        """Seconds since samples last arrived (or since connecting), on this process's monotonic clock."""
        return self._stream.seconds_since_data

    def close(self) -> None:
        """Stop reading."""
        self._stream.close()


class EmgInlet(Inlet):
    """An EMG stream.

    Parameters
    ----------
    source_id : str or None
        The stream to read; None takes the one EMG stream that there is.
    timeout_s : float
        How long to look for it.
    buffer_s : float
        What is kept between two calls of `pull`; older samples are dropped and then show as a gap.
    stop : threading.Event, optional
        Ends the search when it is set.

    Raises
    ------
    StreamNotFoundError, SearchStoppedError, InputError
        As `Inlet` does; float32 microvolts on an electrode grid must be declared.
    """

    def __init__(
        self,
        source_id: str | None,
        timeout_s: float,
        buffer_s: float = BUFFER_S,
        *,
        stop: threading.Event | None = None,
    ) -> None:
        super().__init__(EMG_TYPE, "float32", source_id, Search(timeout_s, stop))
        self.info: EmgStreamInfo = emg_info_from_xml(self._stream.header_xml)
        self._stream.connect(buffer_s * max(1.0, self.info.playback_speed))
        self._splitter = ChunkSplitter(self.info)
        self.gaps = 0

    def pull(self, timeout_s: float) -> list[EmgChunk]:
        """Return what has arrived, waiting at most ``timeout_s`` for the first sample.

        An empty list means silence; see `seconds_since_data`.

        Raises
        ------
        StreamLostError
            If the stream has ended.
        """
        emg_uv, t_lsl_s = self._stream.pull(timeout_s)
        chunks = self._splitter.split(emg_uv, t_lsl_s)
        self._report(chunks)
        return chunks

    def _report(self, chunks: list[EmgChunk]) -> None:
        missing = [chunk.gap_before_s for chunk in chunks if chunk.gap_before_s > 0]
        if missing:
            self.gaps += len(missing)
            _log.warning(
                "%s: %d gap(s) or irregular time stamps, the worst off by %.1f ms",
                self._stream.label,
                len(missing),
                1000 * max(missing),
            )


class GestureInlet(Inlet):
    """A Gesture stream, bound to exactly one decoder's ``source_id``.

    Parameters
    ----------
    source_id : str
        The decoder's.
    timeout_s : float
        How long to look for it.
    stop : threading.Event, optional
        Ends the search when it is set.

    Raises
    ------
    StreamNotFoundError, SearchStoppedError, InputError
        As `Inlet` does; the gestures must be declared and fit the number of channels.
    """

    def __init__(
        self,
        source_id: str,
        timeout_s: float,
        *,
        stop: threading.Event | None = None,
    ) -> None:
        super().__init__(GESTURE_TYPE, "float32", source_id, Search(timeout_s, stop))
        self.info: GestureStreamInfo = gesture_info_from_xml(self._stream.header_xml)
        self._stream.connect(BUFFER_S)

    def pull(self, timeout_s: float) -> list[Decision]:
        """Return the decisions that have arrived, oldest first, waiting at most ``timeout_s`` for one.

        Raises
        ------
        StreamLostError
            If the stream has ended.
        """
        values, t_lsl_s = self.pull_values(timeout_s)
        return [
            Decision.from_values(row, t) for row, t in zip(values.tolist(), t_lsl_s.tolist(), strict=True)
        ]

    def pull_values(self, timeout_s: float) -> tuple[Float32Array, Float64Array]:
        """Return the same as arrays: values, shape (n, 4 + n_gestures), and their time stamps, shape (n,)."""
        return self._stream.pull(timeout_s)


class EventInlet(Inlet):
    """A Markers stream; text that is no event of ours is logged and left out."""

    def __init__(
        self, source_id: str | None, timeout_s: float, *, stop: threading.Event | None = None
    ) -> None:
        super().__init__(EVENTS_TYPE, "string", source_id, Search(timeout_s, stop))
        self._stream.connect(BUFFER_S)

    def pull(self, timeout_s: float) -> list[Event]:
        """Return the events that have arrived, oldest first, waiting at most ``timeout_s`` for one.

        Raises
        ------
        StreamLostError
            If the stream has ended.
        """
        texts, t_lsl_s = self._stream.pull(timeout_s)
        pairs = zip((row[0].decode("utf-8", "replace") for row in texts), t_lsl_s.tolist(), strict=True)
        return events_from_texts(pairs, self._stream.label)
