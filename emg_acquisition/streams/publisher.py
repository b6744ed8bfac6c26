"""A source onto LSL, at its own rate or faster, paced by the monotonic clock."""

import logging
import threading
import time
from dataclasses import dataclass, replace

from emg_acquisition.arrays import samples_from_ms
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.source import EmgSource
from emg_acquisition.stream_info import events_source_id
from emg_acquisition.streams.outlet import EmgOutlet, EventOutlet, lsl_clock_s

_log = logging.getLogger(__name__)

# LSL drops what is still on its way when an outlet closes, and has no word for "all has arrived".
LINGER_S = 1.0
# Somebody who stops a source waits for so long; on one machine it is enough for the word that it has ended.
STOPPED_LINGER_S = 0.2
HELD_POLL_S = 0.1
# Beyond these a source can only run away: `stop` is looked at once a chunk, which is made in one piece.
MAX_SPEED = 100.0
MAX_CHUNK_MS = 1000.0


@dataclass(frozen=True)
class PublishReport:
    """What was sent, how often a chunk was late by more than its own length, and how long it took."""

    samples: int
    overruns: int
    seconds: float


def run_source(
    source: EmgSource,
    *,
    stop: threading.Event,
    speed: float = 1.0,
    chunk_ms: float = 10.0,
    wait_for_consumers: bool = False,
    begin: threading.Event | None = None,
) -> PublishReport:
    """Publish a source until it ends or ``stop`` is set.

    Sample n is stamped ``t0 + n / (fs_hz * speed)`` and sent when that time has come, in chunks; lateness
    never adds up. Its events go to a Markers stream ``<source_id>-events``, stamped as the sample they belong
    to, and an ``end`` event follows the last sample.

    Parameters
    ----------
    source : EmgSource
        What to publish. The caller closes it.
    stop : threading.Event
        Ends it early.
    speed : float
        1.0 is real time; at most `MAX_SPEED`.
    chunk_ms : float
        Length of a chunk in time as it passes here; at most `MAX_CHUNK_MS`.
    wait_for_consumers : bool
        Send nothing before somebody reads the EMG stream, so that they miss nothing.
    begin : threading.Event, optional
        Send nothing before it is set; the streams can be found and read meanwhile.

    Raises
    ------
    InputError
        If ``speed`` or ``chunk_ms`` is not positive or too large.
    """
    if not 0 < speed <= MAX_SPEED or not 0 < chunk_ms <= MAX_CHUNK_MS:
        msg = (
            f"speed must be above 0 and at most {MAX_SPEED:g}, chunk_ms above 0 and at most {MAX_CHUNK_MS:g}; "
            f"got {speed:g} and {chunk_ms:g}"
        )
        raise InputError(msg)
    info = replace(source.info, playback_speed=speed)
    chunk_samples = samples_from_ms(chunk_ms, info.fs_hz * speed)
    emg = EmgOutlet(info, chunk_samples)
    events = EventOutlet(f"{info.name} events", events_source_id(info.source_id))
    try:
        while wait_for_consumers and not stop.is_set() and not emg.wait_for_consumers(HELD_POLL_S):
            pass
        while begin is not None and not stop.is_set() and not begin.wait(HELD_POLL_S):
            pass
        report = _Pace(source, emg, events, chunk_samples).run(stop)
        stop.wait(LINGER_S - STOPPED_LINGER_S)
        time.sleep(STOPPED_LINGER_S)
    finally:
        emg.close()
        events.close()
    return report


class _Pace:
    """The loop that sends chunk after chunk at absolute times."""

    def __init__(
        self,
        source: EmgSource,
        emg: EmgOutlet,
        events: EventOutlet,
        chunk_samples: int,
    ) -> None:
        self._source, self._emg, self._events = source, emg, events
        self._chunk_samples = chunk_samples
        self._interval_s = emg.info.sample_interval_s
        self._sent = 0
        self._overruns = 0
        self._reported_s = 0.0
        self._reported_overruns = 0

    def run(self, stop: threading.Event) -> PublishReport:
        started_s = time.monotonic()
        # The LSL clock is the machine's monotonic clock: stamps and deadlines cannot drift apart.
        t0_s = lsl_clock_s()
        while not stop.is_set():
            chunk = self._source.read(self._chunk_samples)
            if len(chunk) == 0:
                break
            t_last_s = t0_s + (self._sent + len(chunk) - 1) * self._interval_s
            late_s = lsl_clock_s() - t_last_s
            if late_s < 0:
                stop.wait(-late_s)
            elif late_s > self._chunk_samples * self._interval_s:
                self._overruns += 1
            self._emg.push(chunk, t_last_s)
            self._sent += len(chunk)
            self._push_events(t0_s)
            self._report()
        self._events.push(Event(t0_s + max(0, self._sent - 1) * self._interval_s, "end", {}))
        return PublishReport(self._sent, self._overruns, time.monotonic() - started_s)

    def _push_events(self, t0_s: float) -> None:
        for event in self._source.events_until(self._sent):
            t_s = t0_s + event.sample_index * self._interval_s
            self._events.push(Event(t_s, event.kind, event.fields))

    def _report(self) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_s < 1.0:
            return
        self._reported_s = now_s
        if self._overruns > self._reported_overruns:
            _log.warning("late with %d chunk(s) in the last second", self._overruns - self._reported_overruns)
            self._reported_overruns = self._overruns
