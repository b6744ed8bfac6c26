"""Records LSL streams into a session folder while they run; their time stamps are kept as they were sent."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emg_acquisition.errors import InputError, SearchStoppedError, StreamNotFoundError
from emg_acquisition.events import Event
from emg_acquisition.recording.recorded_stream import RecordedStream, key
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.recording.session_writer import SessionFile, check_codes
from emg_acquisition.stream_info import (
    AUX_TYPE,
    COMMAND_TYPE,
    EMG_TYPE,
    EVENTS_TYPE,
    GESTURE_TYPE,
    JOURNAL_TYPE,
    EmgStreamInfo,
    aux_source_id,
    events_source_id,
)
from emg_acquisition.streams.lsl_stream import (
    ANSWER_S,
    FoundStream,
    LslStream,
    Search,
    find_stream,
    find_streams,
    what_is_there,
)
from emg_acquisition.streams.outlet import lsl_clock_s
from emg_acquisition.streams.stream_xml import emg_info_from_xml, events_header_xml, gesture_info_from_xml

COPY_EVERY_S = 0.1
PROGRESS_EVERY_S = 1.0
# The recorder's own notes: streams that were lost, came back or changed, and gaps.
NOTES_SOURCE_ID = "hdemg-recorder"
# A recorder that the machine keeps waiting must not lose what others still sent.
BUFFER_S = 60.0
# How long all streams of an LSL session have to show themselves.
ALL_SETTLE_S = 1.0
# How often, and for how long, to look for streams during the recording.
LOOK_EVERY_S = 0.3
LOOK_S = 0.3

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecorderSettings:
    """What to record, by ``source_id``, and for whom.

    Parameters
    ----------
    participant, session : str
        Codes of letters and digits.
    emg_source_ids : tuple of str
        EMG streams; empty takes the one that there is, or, with ``everything``, all.
    gesture_source_ids : tuple of str
        The decoders' streams, once a sleeve; each one's events, under ``<id>-events``, are recorded with it. They may
        start later than the recording.
    event_source_ids : tuple of str
        Markers streams.
    bridge : str, optional
        Name of a bridge: its commands and its journal, under ``<name>-commands`` and ``<name>-journal``.
    aux : bool
        Record the auxiliary channels that go with the EMG streams.
    everything : bool
        Record every stream of the LSL session, also one that appears during the recording.
    timeout_s : float
        How long to look for each stream, and how long to wait for an EMG stream that was lost.
    protocol : ProtocolInfo, optional
        What the participant is asked to do.
    """

    participant: str
    session: str
    emg_source_ids: tuple[str, ...] = ()
    gesture_source_ids: tuple[str, ...] = ()
    event_source_ids: tuple[str, ...] = ()
    bridge: str | None = None
    aux: bool = False
    everything: bool = False
    timeout_s: float = 10.0
    protocol: ProtocolInfo | None = None

    def __post_init__(self) -> None:
        check_codes(self.participant, self.session)


@dataclass(frozen=True)
class RecorderReport:
    """What was recorded, so far or in all; ``lost`` names the streams that are away now."""

    emg_samples: int
    decisions: int
    events: int
    gaps: int
    seconds: float
    streams: int
    n_bytes: int
    lost: tuple[str, ...] = ()


def run_recorder(
    settings: RecorderSettings,
    folder: Path,
    stop: threading.Event,
    ready: threading.Event | None = None,
    progress: Callable[[RecorderReport], None] | None = None,
) -> RecorderReport:
    """Record until ``stop`` is set, every EMG source has said that it ends, or none has been there for too long.

    A stream that is lost is looked for, and recorded on where the same stream comes back.

    Parameters
    ----------
    settings : RecorderSettings
        What to record.
    folder : Path
        The session folder to write.
    stop : threading.Event
        Ends the recording properly.
    ready : threading.Event, optional
        Set once all but the decoders are connected and the folder is open: what they send from then on is recorded.
    progress : callable, optional
        Called about once a second.

    Raises
    ------
    StreamNotFoundError
        If a stream is not there in time. What was recorded until then is kept.
    SearchStoppedError
        If ``stop`` was set before the streams were found; nothing has been written.
    InputError
        If the folder holds a recording already, or the disk takes no more; what was recorded is then whole, and the
        session stays marked as not complete.
    """
    with ExitStack() as stack:
        streams = _connect_all(settings, stop)
        for stream in streams:
            stack.callback(stream.close)
        recorder = _Recorder(settings, folder, streams, stack)
        _log.info("recording %d streams into %s", len(streams), folder)
        if ready is not None:
            ready.set()
        reported_s = time.monotonic()
        over = False
        while not over and not stop.wait(COPY_EVERY_S):
            # A source's last samples may be a moment behind its word that it has ended.
            over = recorder.over
            recorder.copy()
            if progress is not None and time.monotonic() - reported_s >= PROGRESS_EVERY_S:
                reported_s = time.monotonic()
                progress(recorder.report())
        recorder.copy()
        return recorder.report()


class _Recorder:
    """The session file and the streams that go into it."""

    def __init__(
        self, settings: RecorderSettings, folder: Path, streams: list[LslStream], stack: ExitStack
    ) -> None:
        self._settings = settings
        self._began_s = time.monotonic()
        self._file = SessionFile(
            folder,
            participant=settings.participant,
            session=settings.session,
            emg=_first_emg_info(streams),
            protocol=settings.protocol,
        )
        self._tracks: list[RecordedStream] = []
        for stream in streams:
            self._add(stream, stack)
        self._notes = self._file.add_stream(events_header_xml("Recorder notes", NOTES_SOURCE_ID))
        self._file.save()
        self._stack = stack
        # A decoder may come later than the rest: replay needs the EMG from before its first sample.
        decoders = settings.gesture_source_ids
        self._awaited = {(GESTURE_TYPE, one) for one in decoders} | {
            (EVENTS_TYPE, events_source_id(one)) for one in decoders
        }
        self._awaited -= {track.key for track in self._tracks}
        self._finder = _StreamFinder(BUFFER_S, [stream.found.uid for stream in streams])
        self._finder.everything = settings.everything
        stack.callback(self._finder.close)
        # The first to be closed: whatever LSL does when it is left, the recording is complete.
        stack.callback(self._file.close)

    def copy(self) -> None:
        """Write all that has arrived.

        Raises
        ------
        StreamNotFoundError
            If a decoder has not come in time.
        """
        for stream in self._finder.take():
            self._take_in(stream)
        for track in self._tracks:
            track.copy()
        lost = {track.key for track in self._tracks if track.stream is None}
        self._finder.wanted = frozenset(lost | self._awaited)
        self._check_decoders()

    @property
    def over(self) -> bool:
        """Whether every EMG source has said that it ends, or has been away for too long."""
        said = {track.key[1] for track in self._tracks if track.ended}
        return all(
            events_source_id(track.key[1]) in said or track.seconds_lost() > self._settings.timeout_s
            for track in self._tracks
            if track.key[0] == EMG_TYPE
        )

    def report(self) -> RecorderReport:
        """Return what was recorded so far."""
        count = {
            kind: sum(track.n_samples for track in self._tracks if track.key[0] == kind)
            for kind in (EMG_TYPE, GESTURE_TYPE, EVENTS_TYPE)
        }
        return RecorderReport(
            emg_samples=count[EMG_TYPE],
            decisions=count[GESTURE_TYPE],
            events=count[EVENTS_TYPE],
            gaps=sum(track.n_gaps for track in self._tracks),
            seconds=time.monotonic() - self._began_s,
            streams=len(self._tracks),
            n_bytes=self._file.n_bytes,
            lost=tuple(track.label for track in self._tracks if track.stream is None),
        )

    def _add(self, stream: LslStream, stack: ExitStack) -> None:
        kind = stream.found.summary.type
        emg = _emg_info(stream) if kind == EMG_TYPE else None
        track = RecordedStream(stream, self._file, self._note, emg)
        stack.callback(track.close)
        self._tracks.append(track)
        # As its device and its grid, the session's decoder is that of the first sleeve.
        wanted = self._settings.gesture_source_ids
        if kind == GESTURE_TYPE and (not wanted or stream.found.summary.source_id == wanted[0]):
            self._file.set_decoder(gesture_info_from_xml(stream.header_xml).decoder_sha256)

    def _take_in(self, stream: LslStream) -> None:
        lost = [track for track in self._tracks if track.key == key(stream) and track.stream is None]
        if lost:
            if not lost[0].take_back(stream):
                stream.close()
        elif key(stream) in self._awaited or self._settings.everything:
            self._awaited.discard(key(stream))
            self._add(stream, self._stack)
            self._file.save()
        else:
            stream.close()

    def _check_decoders(self) -> None:
        timeout_s = self._settings.timeout_s
        if time.monotonic() - self._began_s <= timeout_s:
            return
        for source_id in self._settings.gesture_source_ids:
            if (GESTURE_TYPE, source_id) in self._awaited:
                msg = (
                    f"no LSL stream of type {GESTURE_TYPE} with source_id {source_id!r} found within {timeout_s:g} s; "
                    f"there is {what_is_there()}"
                )
                raise StreamNotFoundError(msg)

    def _note(self, t_lsl_s: float | None, kind: str, **fields: object) -> None:
        event = Event(lsl_clock_s() if t_lsl_s is None else t_lsl_s, kind, fields)
        self._file.write_texts(self._notes, [event.to_json()], np.array([event.t_lsl_s]))


class _StreamFinder:
    """Looks for streams and connects them.

    Parameters
    ----------
    buffer_s : float
        What a stream keeps until it is read.
    known : collection of str
        ``uid`` of each outlet that is read already.

    Notes
    -----
    ``wanted`` holds the type and ``source_id`` of what to look for, ``everything`` whether any stream that is new
    is wanted; both may be set at any time.
    """

    def __init__(self, buffer_s: float, known: Collection[str]) -> None:
        self.wanted: frozenset[tuple[str, str]] = frozenset()
        self.everything = False
        self._buffer_s = buffer_s
        self._known = set(known)
        self._found: queue.SimpleQueue[LslStream] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream-finder", daemon=True)
        self._thread.start()

    def take(self) -> list[LslStream]:
        """Return the streams that were found and connected since the last call."""
        streams = []
        while not self._found.empty():
            streams.append(self._found.get())
        return streams

    def close(self) -> None:
        """Stop looking, and let go of what nobody took."""
        self._stop.set()
        self._thread.join()
        for stream in self.take():
            stream.close()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            if self.everything or self.wanted:
                for found in find_streams(LOOK_S):
                    self._connect(found)

    def _connect(self, found: FoundStream) -> None:
        about = found.summary
        if found.uid in self._known or not (self.everything or (about.type, about.source_id) in self.wanted):
            return
        try:
            stream = LslStream(found, Search(ANSWER_S, self._stop))
            stream.connect(self._buffer_s)
        except SearchStoppedError:
            return
        except InputError as error:
            _log.debug("%s", error)
            return
        self._known.add(found.uid)
        self._found.put(stream)


def _connect_all(settings: RecorderSettings, stop: threading.Event) -> list[LslStream]:
    """Find and open every stream that is to be there from the beginning: all but the decoders'.

    Returns
    -------
    list of LslStream
        EMG first, in the order asked for.

    Raises
    ------
    StreamNotFoundError
        If one is not there in time, or it is not clear which is meant; the message lists what is there.
    SearchStoppedError
        If ``stop`` was set before all were found.
    InputError
        If an EMG stream that was asked for declares no electrode grid.
    """

    def search() -> Search:
        return Search(settings.timeout_s, stop)

    opened: list[LslStream] = []
    try:
        found = _choose(settings, search)
        # EMG last, because a source may wait for somebody who reads its EMG before it sends its first cue.
        for one in sorted(found, key=lambda stream: stream.summary.type == EMG_TYPE):
            stream = LslStream(one, search())
            strict = one.summary.type == EMG_TYPE and not settings.everything
            speed = emg_info_from_xml(stream.header_xml).playback_speed if strict else 1.0
            stream.connect(BUFFER_S * max(1.0, speed))
            opened.append(stream)
    except BaseException:
        for stream in opened:
            stream.close()
        raise
    return sorted(opened, key=lambda stream: found.index(stream.found))


def _choose(settings: RecorderSettings, search: Callable[[], Search]) -> list[FoundStream]:
    """Return the streams that are wanted, EMG first."""
    events = [find_stream(EVENTS_TYPE, source_id, search()) for source_id in settings.event_source_ids]
    if settings.bridge is not None:
        events.append(find_stream(COMMAND_TYPE, f"{settings.bridge}-commands", search()))
        events.append(find_stream(JOURNAL_TYPE, f"{settings.bridge}-journal", search()))
    emg = [find_stream(EMG_TYPE, source_id, search()) for source_id in settings.emg_source_ids]
    if settings.everything:
        chosen = {stream.uid: stream for stream in (*emg, *events)}
        there = _look(search(), lambda found: found if _of_type(found, EMG_TYPE) else [], "type EMG")
        chosen |= {stream.uid: stream for stream in there if stream.uid not in chosen}
        return sorted(chosen.values(), key=lambda stream: stream.summary.type != EMG_TYPE)
    if not emg:
        emg = [find_stream(EMG_TYPE, None, search())]
    return [*emg, *(_aux_of(emg, search()) if settings.aux else []), *events]


def _aux_of(emg: list[FoundStream], search: Search) -> list[FoundStream]:
    wanted = {aux_source_id(stream.summary.source_id) for stream in emg}
    return _look(
        search,
        lambda found: [s for s in _of_type(found, AUX_TYPE) if s.summary.source_id in wanted],
        f"type {AUX_TYPE} with source_id {' or '.join(sorted(wanted))}",
    )


def _look(
    search: Search, choose: Callable[[list[FoundStream]], list[FoundStream]], what: str
) -> list[FoundStream]:
    found = search.look(lambda _: choose(find_streams(ALL_SETTLE_S)))
    if not found:
        msg = f"no LSL stream of {what} found within {search.timeout_s:g} s; there is {what_is_there()}"
        raise StreamNotFoundError(msg)
    return found


def _of_type(found: list[FoundStream], kind: str) -> list[FoundStream]:
    return [stream for stream in found if stream.summary.type == kind]


def _first_emg_info(streams: list[LslStream]) -> EmgStreamInfo:
    """Return what the first EMG stream declares that declares a grid; what the first lacks where none does."""
    infos = [_emg_info(stream) for stream in streams if stream.found.summary.type == EMG_TYPE]
    known = [info for info in infos if info is not None]
    return known[0] if known else emg_info_from_xml(streams[0].header_xml)


def _emg_info(stream: LslStream) -> EmgStreamInfo | None:
    """Return what an EMG stream declares; None of a foreign one that declares no grid."""
    try:
        return emg_info_from_xml(stream.header_xml)
    except InputError:
        return None
