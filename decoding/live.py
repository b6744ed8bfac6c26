"""EMG stream -> decoder -> Gesture stream: the live loop around the pipeline that replay uses too."""

import logging
from dataclasses import dataclass
from pathlib import Path
from threading import Event as StopEvent

from decoding.decoder_file import load_decoder
from decoding.pipeline import DecoderPipeline
from emg_acquisition.chunks import EmgChunk
from emg_acquisition.inlet import EmgInlet
from emg_acquisition.outlet import GestureOutlet
from emg_acquisition.stream_info import GestureStreamInfo

logger = logging.getLogger(__name__)

PULL_TIMEOUT_S = 0.1
SILENCE_WARNING_S = 1.0


@dataclass(frozen=True)
class LiveDecoderSettings:
    """Which decoder reads which EMG stream, and the source_id under which it speaks.

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
    """Push each decision with the LSL time of the newest EMG sample in its window."""

    def __init__(self, pipeline: DecoderPipeline, outlet: GestureOutlet, report: LiveDecoderReport) -> None:
        self._pipeline = pipeline
        self._outlet = outlet
        self._report = report
        self._samples_since_reset = 0

    def decode(self, chunk: EmgChunk) -> None:
        if chunk.gap_before_s > 0:
            # A window or a filter across a gap would mix muscles of two moments.
            self._report.gaps += 1
            logger.warning("%.1f ms of EMG are missing; decoding starts afresh", chunk.gap_before_s * 1e3)
            self._pipeline.reset()
            self._samples_since_reset = 0
        for decision in self._pipeline.process(chunk.emg_uv):
            newest = decision.sample_index - self._samples_since_reset
            self._outlet.push(decision.to_values(), float(chunk.t_lsl_s[newest]))
            self._report.decisions += 1
        self._samples_since_reset += len(chunk.emg_uv)


def run_live_decoder(settings: LiveDecoderSettings, stop: StopEvent) -> LiveDecoderReport:
    """Decode until `stop` is set.

    Raises
    ------
    DecoderMismatchError
        If the stream's rate, grid or channel order are not those of the decoder.
    StreamNotFoundError
        If no EMG stream fits within the time given.
    StreamLostError
        If the EMG stream's sender goes away. The Gesture stream ends with this process, and the bridge stops.
    """
    decoder = load_decoder(settings.decoder)
    inlet = EmgInlet(settings.emg_source_id, settings.timeout_s)
    report = LiveDecoderReport()
    try:
        pipeline = DecoderPipeline(decoder, inlet.info)
        metadata = decoder.metadata
        outlet = GestureOutlet(
            GestureStreamInfo(
                name="hdemg gestures",
                source_id=settings.source_id,
                rate_hz=metadata.hop_rate_hz * inlet.info.playback_speed,
                gestures=tuple(metadata.gestures),
                emg_source_id=inlet.info.source_id,
                decoder_sha256=decoder.sha256,
            )
        )
        try:
            _loop(inlet, _Publisher(pipeline, outlet, report), stop)
        finally:
            outlet.close()
    finally:
        inlet.close()
    return report


def _loop(inlet: EmgInlet, publisher: _Publisher, stop: StopEvent) -> None:
    warned = False
    while not stop.is_set():
        for chunk in inlet.pull(PULL_TIMEOUT_S):
            publisher.decode(chunk)
        silent = inlet.seconds_since_data > SILENCE_WARNING_S
        if silent and not warned:
            logger.warning("no EMG for %.1f s: no decision is made", inlet.seconds_since_data)
        warned = silent
