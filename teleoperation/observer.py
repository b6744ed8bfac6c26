"""Looks at the session's EMG and decisions beside the control path, in threads of its own."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.decision import Decision
from emg_acquisition.errors import InputError, SearchStoppedError, StreamLostError, StreamNotFoundError
from emg_acquisition.quality.monitor import ChannelState, QualityMonitor, QualityReport
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.inlet import EmgInlet, GestureInlet
from teleoperation.recent_signal import RecentSignal

logger = logging.getLogger(__name__)

HISTORY_S = 10.0
RECENT_S = 2.5
FRESH_S = 0.5
PULL_S = 0.1
LOOK_S = 0.05
SEARCH_S = 2.0


@dataclass(frozen=True)
class Seen:
    """What the observer of one sleeve has seen until now.

    Parameters
    ----------
    sleeve : str
        Its name; empty where there is only one.
    info : EmgStreamInfo or None
        The EMG stream; None before it was found.
    quality : QualityReport or None
        Its newest judgement.
    emg_silent_s, decision_silent_s : float
        How long nothing has come; infinite before the first.
    gaps : int
        Gaps in the EMG.
    gestures : tuple of str
        In the order of the probabilities.
    history : tuple of Decision
        Decisions of the last ten seconds, oldest first.
    """

    sleeve: str
    info: EmgStreamInfo | None
    quality: QualityReport | None
    emg_silent_s: float
    decision_silent_s: float
    gaps: int
    gestures: tuple[str, ...]
    history: tuple[Decision, ...]

    @property
    def newest(self) -> Decision | None:
        """The decision of this moment; None where none has come lately: an old one says nothing about now."""
        return self.history[-1] if self.history and self.decision_silent_s <= FRESH_S else None

    @property
    def gesture(self) -> str:
        """What is decided at this moment; empty for nothing."""
        newest = self.newest
        known = newest is not None and 0 <= newest.gesture_index < len(self.gestures)
        return self.gestures[newest.gesture_index] if newest is not None and known else ""

    @property
    def bad_electrodes(self) -> tuple[str, ...]:
        """Labels of the electrodes that are not good."""
        if self.info is None or self.quality is None:
            return ()
        states = zip(self.info.channel_labels, self.quality.states, strict=True)
        return tuple(label for label, state in states if state != ChannelState.GOOD)


class Observer:
    """Follow a sleeve's EMG and Gesture streams, finding each again when it comes back.

    Parameters
    ----------
    sleeve : str
        The sleeve's name; empty where there is only one.
    emg_source_id : str or None
        The EMG stream; None takes the only one.
    gesture_source_id : str
        The decoder's.
    """

    def __init__(self, sleeve: str, emg_source_id: str | None, gesture_source_id: str) -> None:
        self._sleeve = sleeve
        self._emg_source_id, self._gesture_source_id = emg_source_id, gesture_source_id
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._info: EmgStreamInfo | None = None
        self._quality: QualityReport | None = None
        self._emg_seen_s = self._decision_seen_s = -math.inf
        self._gaps = 0
        self._recent: RecentSignal | None = None
        self._gestures: tuple[str, ...] = ()
        self._history: deque[Decision] = deque()
        self._threads = [
            threading.Thread(target=self._follow, args=(one,), name=f"observe-{name}", daemon=True)
            for name, one in (("emg", self._follow_emg), ("decisions", self._follow_decisions))
        ]

    def start(self) -> None:
        """Look from now on."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def seen(self) -> Seen:
        """Return what has been seen; never waits for a stream."""
        now_s = time.monotonic()
        with self._lock:
            return Seen(
                self._sleeve,
                self._info,
                self._quality,
                now_s - self._emg_seen_s,
                now_s - self._decision_seen_s,
                self._gaps,
                self._gestures,
                tuple(self._history),
            )

    def recent_emg(self, channels: IntArray) -> Float32Array:
        """Return the newest `RECENT_S` of some channels in µV: ndarray, shape (n_samples, n_chosen)."""
        with self._lock:
            if self._recent is None:
                return np.zeros((0, len(channels)), dtype=np.float32)
            return self._recent.newest(channels)

    def _follow(self, follow_once: Callable[[], None]) -> None:
        while not self._stop.is_set():
            self._stop.wait(self._try(follow_once))

    def _try(self, follow_once: Callable[[], None]) -> float:
        """Follow until the stream is lost; return how long to wait before the next look."""
        try:
            follow_once()
        except (SearchStoppedError, StreamNotFoundError, StreamLostError) as error:
            logger.debug("%s", error)
            return PULL_S
        except InputError as error:
            logger.warning("%s", error)
            return SEARCH_S
        return 0.0

    def _follow_emg(self) -> None:
        inlet = EmgInlet(self._emg_source_id, SEARCH_S, stop=self._stop)
        try:
            monitor = QualityMonitor(inlet.info.fs_hz, inlet.info.n_channels)
            recent = RecentSignal(round(RECENT_S * inlet.info.fs_hz), inlet.info.n_channels)
            with self._lock:
                self._info, self._recent = inlet.info, recent
            # Nobody sees faster than a window draws: a look every 50 ms costs less than one a chunk.
            while not self._stop.wait(LOOK_S):
                for chunk in inlet.pull(PULL_S):
                    if chunk.gap_before_s > 0:
                        monitor.reset()
                    reports = monitor.process(chunk.emg_uv)
                    with self._lock:
                        if chunk.gap_before_s > 0:
                            recent.clear()
                        recent.add(chunk.emg_uv)
                        self._emg_seen_s = time.monotonic()
                        self._gaps += chunk.gap_before_s > 0
                        self._quality = reports[-1] if reports else self._quality
        finally:
            inlet.close()

    def _follow_decisions(self) -> None:
        inlet = GestureInlet(self._gesture_source_id, SEARCH_S, stop=self._stop)
        try:
            with self._lock:
                self._gestures = inlet.info.gestures
            while not self._stop.wait(LOOK_S):
                samples = inlet.pull(PULL_S)
                if samples:
                    self._keep(samples)
        finally:
            inlet.close()

    def _keep(self, samples: list[Decision]) -> None:
        with self._lock:
            self._decision_seen_s = time.monotonic()
            self._history.extend(samples)
            oldest_s = samples[-1].t_lsl_s - HISTORY_S
            while self._history and self._history[0].t_lsl_s < oldest_s:
                self._history.popleft()
