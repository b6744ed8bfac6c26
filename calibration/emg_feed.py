"""EMG from LSL in a thread of its own: the last seconds of it, its quality and what a decoder makes of it.

A display takes a snapshot thirty times a second; everything that takes time is done here.
"""

import logging
import threading
import time
from pathlib import Path

import numpy as np

from calibration.session_ports import FeedSnapshot, Traces
from decoding.decoder_file import load_decoder
from decoding.pipeline import DecoderPipeline
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray, samples_from_ms
from emg_acquisition.decision import Decision
from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.quality.monitor import ChannelState, QualityMonitor, QualityReport
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.chunks import EmgChunk
from emg_acquisition.streams.inlet import EmgInlet

_log = logging.getLogger(__name__)

KEPT_S = 60.0
PULL_S = 0.05
# A stream without samples for so long is treated as lost, whatever LSL thinks of it.
SILENT_S = 1.0
RECONNECT_S = 1.0
AMPLITUDE_MS = 100.0
_WORDS = {state.value: state.name.lower() for state in ChannelState}


class EmgFeed:
    """An EMG stream, read and kept.

    Parameters
    ----------
    inlet : EmgInlet
        Connected; the feed closes it. Where the stream is lost, the same one is looked for again.
    """

    def __init__(self, inlet: EmgInlet) -> None:
        self._inlet: EmgInlet | None = inlet
        self._info = inlet.info
        capacity = samples_from_ms(1000.0 * KEPT_S, self._info.fs_hz)
        self._emg_uv = np.zeros((capacity, self._info.n_channels), dtype=np.float32)
        self._t_lsl_s = np.zeros(capacity, dtype=np.float64)
        self._taken = 0
        self._gap_times_s: list[float] = []
        self._monitor = QualityMonitor(self._info.fs_hz, self._info.n_channels)
        self._report: QualityReport | None = None
        self._arrived_mono_s = time.monotonic()
        self._wanted: Path | None = None
        self._pipeline: DecoderPipeline | None = None
        self._decoding: Path | None = None
        self._decision: Decision | None = None
        self._decode_error = ""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emg-feed", daemon=True)
        self._thread.start()

    @property
    def info(self) -> EmgStreamInfo:
        """The stream."""
        return self._info

    def snapshot(self) -> FeedSnapshot:
        """Return the newest; never waits for samples."""
        with self._lock:
            silent_s = time.monotonic() - self._arrived_mono_s
            report = self._report
            newest = self._emg_uv[self._newest(samples_from_ms(AMPLITUDE_MS, self._info.fs_hz))]
            newest_lsl_s = float(self._t_lsl_s[self._newest(1)[0]]) if self._taken else 0.0
            return FeedSnapshot(
                connected=self._inlet is not None and silent_s < SILENT_S,
                silent_s=silent_s,
                gaps=len(self._gap_times_s),
                newest_lsl_s=newest_lsl_s,
                states=tuple(_WORDS[state] for state in report.states.tolist()) if report else (),
                rms_uv=tuple(report.measures.muscle_uv.tolist()) if report else (),
                amplitude_uv=float(newest.std(axis=0).mean()) if len(newest) else 0.0,
                decision=self._decision,
                decode_error=self._decode_error,
            )

    def between(self, begin_lsl_s: float, end_lsl_s: float) -> tuple[Float32Array, Float64Array, bool]:
        """Return samples, shape (n, n_channels), their times, shape (n,), and whether none is missing."""
        with self._lock:
            places = self._newest(len(self._t_lsl_s))
            t_lsl_s = self._t_lsl_s[places]
            first, last = np.searchsorted(t_lsl_s, (begin_lsl_s, end_lsl_s))
            late_s = 3.0 * self._info.sample_interval_s
            whole = (
                last > first
                and t_lsl_s[first] - begin_lsl_s <= late_s
                and end_lsl_s - t_lsl_s[last - 1] <= late_s
                and not any(begin_lsl_s < gap_s <= end_lsl_s for gap_s in self._gap_times_s)
            )
            return self._emg_uv[places[first:last]], t_lsl_s[first:last], bool(whole)

    def traces(self, seconds: float) -> Traces:
        """Return the newest samples."""
        with self._lock:
            newest = self._newest(samples_from_ms(1000.0 * seconds, self._info.fs_hz))
            return Traces(self._emg_uv[newest], self._info.fs_hz)

    def decode_with(self, decoder: Path | None) -> None:
        """Decode from now on, or no longer."""
        with self._lock:
            self._wanted, self._decision, self._decode_error = decoder, None, ""
            self._decoding = None

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()
        if self._inlet is not None:
            self._inlet.close()

    def _newest(self, n: int) -> IntArray:
        """Return the places of the newest samples, oldest first; the lock is held."""
        n = min(n, self._taken, len(self._t_lsl_s))
        return np.arange(self._taken - n, self._taken) % len(self._t_lsl_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._inlet is None:
                self._find_again()
                continue
            try:
                chunks = self._inlet.pull(PULL_S)
            except StreamLostError as error:
                _log.warning("%s", error)
                self._inlet.close()
                with self._lock:
                    self._inlet, self._report, self._decision = None, None, None
                continue
            for chunk in chunks:
                self._take(chunk)

    def _find_again(self) -> None:
        try:
            inlet = EmgInlet(self._info.source_id, RECONNECT_S, stop=self._stop)
        except InputError as error:
            _log.debug("%s", error)
            self._stop.wait(0.2)
            return
        if inlet.info != self._info:
            _log.error("%s came back with another grid, rate or channels", self._info.source_id)
            inlet.close()
            self._stop.wait(RECONNECT_S)
            return
        with self._lock:
            self._inlet = inlet
            self._gap_times_s.append(np.inf)  # dated by the first sample that comes

    def _take(self, chunk: EmgChunk) -> None:
        n = len(chunk.t_lsl_s)
        if n == 0:
            return
        gap = chunk.gap_before_s != 0 and self._taken > 0
        if self._gap_times_s and not np.isfinite(self._gap_times_s[-1]):
            self._gap_times_s[-1], gap = float(chunk.t_lsl_s[0]), True
        elif gap:
            self._gap_times_s.append(float(chunk.t_lsl_s[0]))
        if gap:
            self._monitor.reset()
        reports = self._monitor.process(chunk.emg_uv)
        decisions = self._decide(chunk, gap=gap)
        with self._lock:
            places = (self._taken + np.arange(n)) % len(self._t_lsl_s)
            self._emg_uv[places], self._t_lsl_s[places] = chunk.emg_uv, chunk.t_lsl_s
            self._taken += n
            self._arrived_mono_s = time.monotonic()
            if reports:
                self._report = reports[-1]
            if decisions and self._decoding == self._wanted:
                self._decision = decisions[-1]

    def _decide(self, chunk: EmgChunk, *, gap: bool) -> list[Decision]:
        if self._decoding != self._wanted:
            self._load()
        if self._pipeline is None or self._wanted is None:
            return []
        if gap:
            self._pipeline.reset()
        return self._pipeline.process(chunk.emg_uv)

    def _load(self) -> None:
        with self._lock:
            wanted = self._wanted
        pipeline = None
        error = ""
        if wanted is not None:
            try:
                pipeline = DecoderPipeline(load_decoder(wanted), self._info)
            except InputError as refusal:
                error = str(refusal)
        with self._lock:
            if self._wanted == wanted:
                self._pipeline, self._decoding, self._decode_error = pipeline, wanted, error
