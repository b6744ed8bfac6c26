"""What a recorder is to record, and the streams that are there from the beginning."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from emg_acquisition.errors import StreamNotFoundError
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.recording.session_writer import check_codes
from emg_acquisition.stream_info import (
    AUX_TYPE,
    COMMAND_TYPE,
    EMG_TYPE,
    EVENTS_TYPE,
    JOURNAL_TYPE,
    aux_source_id,
)
from emg_acquisition.streams.lsl_stream import (
    FoundStream,
    LslStream,
    find_stream,
    find_streams,
    what_is_there,
)
from emg_acquisition.streams.search import Search
from emg_acquisition.streams.stream_xml import emg_info_from_xml

# A recorder that the machine keeps waiting must not lose what others still sent.
BUFFER_S = 60.0
# How long all streams of an LSL session have to show themselves.
ALL_SETTLE_S = 1.0


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


def connect_all(settings: RecorderSettings, stop: threading.Event) -> list[LslStream]:
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
        msg = f"no LSL stream of {what} found within {search.told_s:g} s; there is {what_is_there()}"
        raise StreamNotFoundError(msg)
    return found


def _of_type(found: list[FoundStream], kind: str) -> list[FoundStream]:
    return [stream for stream in found if stream.summary.type == kind]
