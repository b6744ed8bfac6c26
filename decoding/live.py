"""EMG stream -> decoder -> Gesture stream: the live loop around the pipeline that replay uses too."""

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event as StopEvent

from decoding.decoder_file import DecoderFile, load_decoder
from decoding.pipeline import DecoderPipeline
from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.events import DECODING, Event
from emg_acquisition.stream_info import EmgStreamInfo, GestureStreamInfo
from emg_acquisition.streams.chunks import EmgChunk
from emg_acquisition.streams.inlet import EmgInlet
from emg_acquisition.streams.outlet import EventOutlet, GestureOutlet, lsl_clock_s

logger = logging.getLogger(__name__)

PULL_TIMEOUT_S = 0.1
SILENCE_WARNING_S = 1.0
RECONNECT_TIMEOUT_S = 1.0
ANNOUNCE_EVERY_S = 0.25


@dataclass(frozen=True)
class LiveDecoderSettings:
    """Which decoder reads which EMG stream, and the source_id of its Gesture stream.

    Parameters
    ----------
    decoder : Path
        The decoder file.
    emg_source_id : str or None
        The EMG stream; None takes the only one there is.
    source_id : str
        The Gesture stream's own source_id.
    timeout_s : float
        How long to look for the EMG stream.
    """

    decoder: Path
    emg_source_id: str | None
    source_id: str
    timeout_s: float


@dataclass
class LiveDecoderReport:
    """What a live decoder did, counted while it runs."""

    decisions: int = 0
    gaps: int = 0


class _Publisher:
    """Push each decision with the LSL time of the newest EMG sample in its window.

    An event names the EMG sample since which the pipeline has been decoding: its state, and so every decision, depends
    on that sample, and replay begins there. It is sent at once, and repeated for recorders that come later.
    """

    def __init__(
        self, pipeline: DecoderPipeline, outlet: GestureOutlet, events: EventOutlet, report: LiveDecoderReport
    ) -> None:
        self._pipeline = pipeline
        self._outlet = outlet
        self._events = events
        self._report = report
        self._samples_since_reset = 0
        self._since_t_lsl_s = 0.0
        self._announced_t_mono_s = -math.inf

    def decode(self, chunk: EmgChunk) -> None:
        if chunk.gap_before_s != 0:  # also where time stamps are no numbers
            logger.warning("%.1f ms of EMG are missing; decoding starts again", chunk.gap_before_s * 1e3)
            self.restart()
        if self._samples_since_reset == 0:
            self._since_t_lsl_s = float(chunk.t_lsl_s[0])
        for decision in self._pipeline.process(chunk.emg_uv):
            newest = decision.sample_index - self._samples_since_reset
            self._outlet.push(decision.to_values(), float(chunk.t_lsl_s[newest]))
            self._report.decisions += 1
        self._samples_since_reset += len(chunk.emg_uv)
        if time.monotonic() - self._announced_t_mono_s > ANNOUNCE_EVERY_S:
            self._announced_t_mono_s = time.monotonic()
            since = {"since_t_lsl_s": self._since_t_lsl_s, "gaps": self._report.gaps}
            self._events.push(Event(lsl_clock_s(), DECODING, since))

    def restart(self) -> None:
        """Forget the samples before a gap: a window or a filter across it would mix two moments."""
        self._report.gaps += 1
        self._pipeline.reset()
        self._samples_since_reset = 0
        self._announced_t_mono_s = -math.inf


def run_live_decoder(settings: LiveDecoderSettings, stop: StopEvent) -> LiveDecoderReport:
    """Decode until `stop` is set.

    When the EMG stream's sender goes away there are no decisions (and the bridge stops the robot) until the same
    stream is back.

    Raises
    ------
    DecoderMismatchError
        If the stream's rate, grid or channel order are not those of the decoder.
    StreamNotFoundError
        If no EMG stream fits within the time given.
    SearchStoppedError
        If `stop` is set before the EMG stream was found.
    """
    decoder = load_decoder(settings.decoder)
    inlet = EmgInlet(settings.emg_source_id, settings.timeout_s, stop=stop)
    report = LiveDecoderReport()
    try:
        stream = inlet.info
        pipeline = DecoderPipeline(decoder, stream)
        # The events first: whoever finds the Gesture stream finds them too.
        events = EventOutlet("hdemg decoder events", f"{settings.source_id}-events")
        outlet = GestureOutlet(_declare(settings, decoder, stream))
        try:
            publisher = _Publisher(pipeline, outlet, events, report)
            logger.info("decoding %s as %s", stream.source_id, settings.source_id)
            while not stop.is_set():
                if not _decode_until_lost(inlet, publisher, stop):
                    inlet.close()
                    inlet = _find_again(stream, stop) or inlet
                    publisher.restart()
        finally:
            outlet.close()
            events.close()
    finally:
        inlet.close()
    return report


def _declare(settings: LiveDecoderSettings, decoder: DecoderFile, stream: EmgStreamInfo) -> GestureStreamInfo:
    return GestureStreamInfo(
        name="hdemg gestures",
        source_id=settings.source_id,
        rate_hz=decoder.metadata.hop_rate_hz * stream.playback_speed,
        gestures=decoder.metadata.gestures,
        emg_source_id=stream.source_id,
        decoder_sha256=decoder.sha256,
    )


def _decode_until_lost(inlet: EmgInlet, publisher: _Publisher, stop: StopEvent) -> bool:
    """Decode until `stop` is set (True) or the stream's sender goes away (False)."""
    warned = False
    while not stop.is_set():
        try:
            chunks = inlet.pull(PULL_TIMEOUT_S)
        except StreamLostError as error:
            logger.warning("%s; no decision is made until it is back", error)
            return False
        for chunk in chunks:
            publisher.decode(chunk)
        silent = inlet.seconds_since_data > SILENCE_WARNING_S
        if silent and not warned:
            logger.warning("no EMG for %.1f s: no decision is made", inlet.seconds_since_data)
        warned = silent
    return True


def _find_again(stream: EmgStreamInfo, stop: StopEvent) -> EmgInlet | None:
    """Wait for the same stream, declared as before; None once `stop` is set."""
    while not stop.is_set():
        try:
            inlet = EmgInlet(stream.source_id, RECONNECT_TIMEOUT_S, stop=stop)
        except InputError:
            continue
        if inlet.info == stream:
            logger.info("%s is back", stream.source_id)
            return inlet
        logger.error("%s came back with another grid, rate or channels: it is ignored", stream.source_id)
        inlet.close()
        stop.wait(RECONNECT_TIMEOUT_S)
    return None
