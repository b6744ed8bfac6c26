"""LSL streams into a session folder, while they run."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emg_acquisition.errors import StreamLostError, StreamNotFoundError
from emg_acquisition.events import Event
from emg_acquisition.inlet import EmgInlet, EventInlet, GestureInlet
from emg_acquisition.outlet import lsl_clock_s
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.recording.session_writer import SessionWriter

_log = logging.getLogger(__name__)

# A recorder that the machine keeps waiting must not lose what others still sent.
BUFFER_S = 60.0
COPY_EVERY_S = 0.1
LOOK_S = 0.2


@dataclass(frozen=True)
class RecorderSettings:
    """What to record, by ``source_id``, and for whom.

    Parameters
    ----------
    participant, session : str
        Codes of letters and digits.
    emg_source_id : str or None
        None takes the one EMG stream that there is.
    gesture_source_id : str, optional
        The decoder's stream; its events, under ``<id>-events``, are recorded with it. It may start later than
        the recording.
    event_source_ids : tuple of str
        Markers streams; their events are joined in one stream of the recording.
    timeout_s : float
        How long to look for each stream.
    protocol : ProtocolInfo, optional
        What the participant is asked to do.
    """

    participant: str
    session: str
    emg_source_id: str | None
    gesture_source_id: str | None = None
    event_source_ids: tuple[str, ...] = ()
    timeout_s: float = 10.0
    protocol: ProtocolInfo | None = None


@dataclass(frozen=True)
class RecorderReport:
    """What was recorded."""

    emg_samples: int
    decisions: int
    events: int
    gaps: int
    seconds: float


def run_recorder(
    settings: RecorderSettings, folder: Path, stop: threading.Event, ready: threading.Event | None = None
) -> RecorderReport:
    """Record until ``stop`` is set or the source ends; time stamps are kept as they were sent.

    Parameters
    ----------
    settings : RecorderSettings
        What to record.
    folder : Path
        The session folder to write.
    stop : threading.Event
        Ends the recording properly.
    ready : threading.Event, optional
        Set once the EMG and the events are connected and the folder is open: what they send from then on is
        recorded.

    Raises
    ------
    StreamNotFoundError
        If a stream is not there in time. What was recorded until then is kept.
    SearchStoppedError
        If ``stop`` was set before the EMG and the events were found; nothing has been written.
    InputError
        If the folder holds a recording already.
    """
    started_s = time.monotonic()
    with ExitStack() as stack:
        tracks = _Tracks(settings, stack, stop)
        writer = SessionWriter(
            folder,
            participant=settings.participant,
            session=settings.session,
            emg=tracks.emg.info,
            protocol=settings.protocol,
        )
        stack.callback(writer.close)
        if ready is not None:
            ready.set()
        try:
            over = False
            while not stop.wait(COPY_EVERY_S) and not over:
                # The source's last samples may be a moment behind its word that it has ended.
                over = tracks.ended
                tracks.copy(writer)
            tracks.copy(writer)
        except StreamLostError as error:
            _log.warning("%s; the recording ends", error)
            writer.write_events([Event(lsl_clock_s(), "stream_lost", {"reason": str(error)})])
    seconds = time.monotonic() - started_s
    return RecorderReport(tracks.n_emg, tracks.n_decisions, tracks.n_events, tracks.emg.gaps, seconds)


class _Tracks:
    """The streams that are recorded; one that is lost beside the EMG is noted and the recording goes on."""

    def __init__(self, settings: RecorderSettings, stack: ExitStack, stop: threading.Event) -> None:
        self._stack = stack
        self._copies: list[Callable[[SessionWriter], None]] = []
        for source_id in settings.event_source_ids:
            self._add_events(EventInlet(source_id, settings.timeout_s, stop=stop))
        # After the events, because a source may wait for somebody who reads its EMG before it sends its first cue.
        self.emg = EmgInlet(settings.emg_source_id, settings.timeout_s, BUFFER_S, stop=stop)
        stack.callback(self.emg.close)
        # The decoder comes last and may come later: replay needs the EMG from before its first sample.
        self._awaited_decoder = settings.gesture_source_id
        self._timeout_s = settings.timeout_s
        self._decoder_deadline_s = time.monotonic() + settings.timeout_s
        self.ended = False
        self.n_emg = self.n_decisions = self.n_events = 0

    def copy(self, writer: SessionWriter) -> None:
        """Write all that has arrived.

        Raises
        ------
        StreamLostError
            If the EMG stream has ended.
        StreamNotFoundError
            If the decoder has not come in time.
        """
        if self._awaited_decoder is not None:
            self._look_for_decoder(self._awaited_decoder, writer)
        self._copies = [copy for copy in self._copies if _still_there(copy, writer)]
        while chunks := self.emg.pull(0.0):
            for chunk in chunks:
                writer.write_emg(chunk.emg_uv, chunk.t_lsl_s)
                self.n_emg += chunk.n_samples

    def _look_for_decoder(self, source_id: str, writer: SessionWriter) -> None:
        try:
            gestures = GestureInlet(source_id, LOOK_S, told_s=self._timeout_s)
        except StreamNotFoundError:
            if time.monotonic() > self._decoder_deadline_s:
                raise
            return
        self._stack.callback(gestures.close)
        self._add_events(EventInlet(f"{source_id}-events", LOOK_S))
        writer.begin_gestures(gestures.info)
        self._copies.append(partial(self._copy_decisions, gestures))
        self._awaited_decoder = None

    def _add_events(self, inlet: EventInlet) -> None:
        self._stack.callback(inlet.close)
        self._copies.append(partial(self._copy_events, inlet))

    def _copy_decisions(self, gestures: GestureInlet, writer: SessionWriter) -> None:
        values, t_lsl_s = gestures.pull_values(0.0)
        writer.write_gestures(values, t_lsl_s)
        self.n_decisions += len(t_lsl_s)

    def _copy_events(self, inlet: EventInlet, writer: SessionWriter) -> None:
        events = inlet.pull(0.0)
        writer.write_events(events)
        self.n_events += len(events)
        self.ended |= any(event.kind == "end" for event in events)


def _still_there(copy: Callable[[SessionWriter], None], writer: SessionWriter) -> bool:
    try:
        copy(writer)
    except StreamLostError as error:
        _log.warning("%s; the recording goes on without it", error)
        writer.write_events([Event(lsl_clock_s(), "stream_lost", {"reason": str(error)})])
        return False
    return True
