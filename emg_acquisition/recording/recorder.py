"""LSL streams into a session folder, while they run; time stamps are kept as they were sent."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from emg_acquisition.errors import InputError, StreamNotFoundError
from emg_acquisition.events import Event
from emg_acquisition.recording.recorded_stream import RecordedStream, key
from emg_acquisition.recording.recorder_start import BUFFER_S, RecorderReport, RecorderSettings, connect_all
from emg_acquisition.recording.session_writer import SessionFile
from emg_acquisition.recording.stream_finder import StreamFinder
from emg_acquisition.stream_info import EMG_TYPE, EVENTS_TYPE, GESTURE_TYPE, EmgStreamInfo
from emg_acquisition.streams.lsl_stream import LslStream, what_is_there
from emg_acquisition.streams.outlet import lsl_clock_s
from emg_acquisition.streams.stream_xml import emg_info_from_xml, events_header_xml, gesture_info_from_xml

COPY_EVERY_S = 0.1
TELL_EVERY_S = 1.0
# The recorder's own notes: streams that were lost, came back or changed, and gaps.
NOTES_SOURCE_ID = "hdemg-recorder"

_log = logging.getLogger(__name__)


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
        streams = connect_all(settings, stop)
        for stream in streams:
            stack.callback(stream.close)
        recorder = _Recorder(settings, folder, streams, stack)
        _log.info("recording %d streams into %s", len(streams), folder)
        if ready is not None:
            ready.set()
        told_s = time.monotonic()
        over = False
        while not over and not stop.wait(COPY_EVERY_S):
            # A source's last samples may be a moment behind its word that it has ended.
            over = recorder.over
            recorder.copy()
            if progress is not None and time.monotonic() - told_s >= TELL_EVERY_S:
                told_s = time.monotonic()
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
            (EVENTS_TYPE, f"{one}-events") for one in decoders
        }
        self._awaited -= {track.key for track in self._tracks}
        self._finder = StreamFinder(BUFFER_S, [stream.found.uid for stream in streams])
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
            f"{track.key[1]}-events" in said or track.seconds_lost() > self._settings.timeout_s
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
        told_s = self._settings.timeout_s
        if time.monotonic() - self._began_s <= told_s:
            return
        for source_id in self._settings.gesture_source_ids:
            if (GESTURE_TYPE, source_id) in self._awaited:
                msg = (
                    f"no LSL stream of type {GESTURE_TYPE} with source_id {source_id!r} found within {told_s:g} s; "
                    f"there is {what_is_there()}"
                )
                raise StreamNotFoundError(msg)

    def _note(self, t_lsl_s: float | None, kind: str, **fields: object) -> None:
        event = Event(lsl_clock_s() if t_lsl_s is None else t_lsl_s, kind, fields)
        self._file.write_texts(self._notes, [event.to_json()], np.array([event.t_lsl_s]))


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
