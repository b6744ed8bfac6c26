"""Reads the one Gesture stream that the bridge is bound to, in a thread of its own."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from emg_acquisition.decision import Decision
from emg_acquisition.errors import InputError, StreamLostError, StreamNotFoundError
from emg_acquisition.streams.inlet import GestureInlet
from emg_acquisition.streams.outlet import lsl_clock_s

_PULL_S = 0.1
_RECONNECT_S = 1.0
_LOG = logging.getLogger(__name__)


class DecisionReader:
    """Blocking pulls in a thread; `drain` hands over what has arrived.

    A stream that ends is looked for again under the same source_id and must then be the same decoder; the
    robot has long been stopped by then, and stays so until it is armed anew.

    Parameters
    ----------
    source_id : str
        The decoder's LSL source_id.
    timeout_s : float
        How long to look for it at first.
    stop : threading.Event
        Ends that search.

    Raises
    ------
    StreamNotFoundError, InputError
        As `GestureInlet` does.
    """

    def __init__(self, source_id: str, timeout_s: float, stop: threading.Event) -> None:
        self._source_id = source_id
        self._inlet: GestureInlet | None = GestureInlet(source_id, timeout_s, stop=stop)
        self.info = self._inlet.info
        self._received: deque[tuple[Decision, float]] = deque(maxlen=1000)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decisions", daemon=True)
        self.failure: Exception | None = None
        # Called from the reader's thread whenever there is something to drain.
        self.on_received: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Read from now on."""
        self._thread.start()

    def drain(self) -> list[tuple[Decision, float]]:
        """Return the decisions since the last call, oldest first, with the monotonic time at which each arrived."""
        received = []
        while self._received:
            received.append(self._received.popleft())
        return received

    def close(self) -> None:
        """End the thread and the stream."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._inlet is not None:
            self._inlet.close()

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                if self._inlet is None:
                    self._reconnect()
                else:
                    self._pull(self._inlet)
        except Exception as error:  # noqa: BLE001 - the thread's edge: the bridge reads it, stops and raises
            self.failure = error

    def _pull(self, inlet: GestureInlet) -> None:
        try:
            # Raw values: a number that is not finite must reach the safety machine as it is.
            values, stamps = inlet.pull_values(_PULL_S)
        except StreamLostError as error:
            _LOG.warning("%s; looking for it again", error)
            inlet.close()
            self._inlet = None
            return
        now_mono_s, now_lsl_s = time.monotonic(), lsl_clock_s()
        for row, t_lsl_s in zip(values.tolist(), stamps.tolist(), strict=True):
            decision = Decision.from_values(row, t_lsl_s, now_lsl_s - t_lsl_s)
            self._received.append((decision, now_mono_s))
        if len(stamps):
            self.on_received()

    def _reconnect(self) -> None:
        try:
            inlet = GestureInlet(self._source_id, _RECONNECT_S)
        except (StreamNotFoundError, InputError):
            self._ending.wait(_PULL_S)
            return
        # Declared as before: the same decoder, its gestures in the same order, of the same EMG.
        if inlet.info != self.info:
            inlet.close()
            _LOG.error("%s is now another decoder: it is ignored; restart the bridge", self._source_id)
            self._ending.wait(_RECONNECT_S)
            return
        _LOG.info("decoder %s is back", self._source_id)
        self._inlet = inlet
