"""An EMG stream from LSL -> its signal quality, once a second."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from emg_acquisition.quality.monitor import QualityMonitor, QualityReport
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.inlet import EmgInlet

EVERY_S = 1.0
PULL_S = 0.1


@dataclass(frozen=True)
class QualityUpdate:
    """What is known of a stream now.

    Parameters
    ----------
    info : EmgStreamInfo
        The stream.
    report : QualityReport or None
        The newest; None before the first window is full, and after a gap until the next one is.
    gaps : int
        Gaps so far; the monitor is reset after each.
    silent_s : float
        How long no sample has come.
    """

    info: EmgStreamInfo
    report: QualityReport | None
    gaps: int
    silent_s: float


def watch_quality(
    inlet: EmgInlet, stop: threading.Event, every_s: float = EVERY_S
) -> Iterator[QualityUpdate]:
    """Yield an update every ``every_s`` seconds until ``stop`` is set; closes the inlet.

    Raises
    ------
    StreamLostError
        If the stream ends.
    InputError
        If its rate is too low to judge it.
    """
    monitor = QualityMonitor(inlet.info.fs_hz, inlet.info.n_channels)
    report: QualityReport | None = None
    next_s = time.monotonic() + every_s
    try:
        while not stop.is_set():
            for chunk in inlet.pull(PULL_S):
                if chunk.gap_before_s > 0:
                    monitor.reset()
                    report = None
                reports = monitor.process(chunk.emg_uv)
                report = reports[-1] if reports else report
            now_s = time.monotonic()
            if now_s >= next_s:
                next_s = max(next_s, now_s - every_s) + every_s
                yield QualityUpdate(inlet.info, report, inlet.gaps, inlet.seconds_since_data)
    finally:
        inlet.close()
