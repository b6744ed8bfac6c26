"""Watches the parts of a session: one that dies is told, the robot stopped, the part restarted where that is safe."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from emg_acquisition.errors import InputError, StreamLostError
from robot_bridge.errors import CommandRejectedError
from teleoperation.chain import LiveChain

logger = logging.getLogger(__name__)

PART_NAMES = {
    "sim-robot": "simulated robot",
    "acquire": "acquisition",
    "decode": "decoder",
    "bridge": "robot bridge",
    "record": "recorder",
}
WATCH_S = 0.05
RESTART_AFTER_S = 0.5
# A part that keeps dying has a fault that a restart does not mend.
MAX_RESTARTS, WITHIN_S = 3, 60.0
STOP_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class PartState:
    """A part of the session: what it is, whether it runs, and its last words if it does not."""

    name: str
    state: Literal["running", "restarting", "gone"]
    restarts: int = 0
    detail: str = ""

    @property
    def title(self) -> str:
        """Its name in words, with that of the sleeve that it is for: ``left decoder``."""
        if self.name in PART_NAMES:
            return PART_NAMES[self.name]
        kind, _, sleeve = self.name.partition("-")
        return f"{sleeve} {PART_NAMES[kind]}"


class Supervisor:
    """Watch a chain in a thread of its own, between `start` and `close`.

    Parameters
    ----------
    chain : LiveChain
        Started.
    tell : callable
        Takes a line for the people at the session.
    restart_recording : callable
        Starts a recorder anew, into a folder of its own: a session is never overwritten.
    """

    def __init__(
        self, chain: LiveChain, tell: Callable[[str], None], restart_recording: Callable[[], None]
    ) -> None:
        self._chain, self._tell, self._restart_recording = chain, tell, restart_recording
        self._parts = {name: PartState(name, "running") for name in chain.part_names}
        self._deaths: dict[str, deque[float]] = {name: deque() for name in self._parts}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self.ended = threading.Event()

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def close(self) -> None:
        """Watch no more; a part that ends from now on is none of our business."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def parts(self) -> tuple[PartState, ...]:
        """Every part as it is now."""
        with self._lock:
            return tuple(self._parts.values())

    def _watch(self) -> None:
        while not self._ending.wait(WATCH_S):
            if self._chain.source_ended:
                self._tell("the recording has been played to its end")
                self._stop_robot()
                self.ended.set()
                return
            for name, status in self._chain.processes.dead().items():
                if self._parts[name].state == "running":
                    self._on_death(name, status)
                if self._ending.is_set():
                    return

    def _on_death(self, name: str, status: int) -> None:
        self._stop_robot()
        words = self._chain.processes.last_words(name)
        now_s = time.monotonic()
        deaths = self._deaths[name]
        deaths.append(now_s)
        while now_s - deaths[0] > WITHIN_S:
            deaths.popleft()
        title = self._parts[name].title
        if len(deaths) > MAX_RESTARTS:
            self._tell(f"the {title} ended {len(deaths)} times within {WITHIN_S:g} s and stays down: {words}")
            self._set(name, state="gone", detail=words)
            return
        self._tell(f"the {title} ended (status {status}): {words}; the robot is stopped, it is started again")
        self._set(name, state="restarting", detail=words)
        if self._ending.wait(RESTART_AFTER_S):
            return
        try:
            if name == "record":
                self._restart_recording()
            else:
                self._chain.restart(name)
        except (OSError, InputError, StreamLostError) as error:
            self._tell(f"the {title} cannot be started: {error}")
            self._set(name, state="gone", detail=str(error))
            return
        self._set(name, state="running", restarts=self._parts[name].restarts + 1)

    def _stop_robot(self) -> None:
        try:
            self._chain.link.stop(STOP_TIMEOUT_S)
        except CommandRejectedError as error:
            # The bridge itself may be what has died: then its guard has stopped the robot.
            logger.warning("stop not confirmed: %s", error)

    def _set(self, name: str, **changes: object) -> None:
        with self._lock:
            self._parts[name] = replace(self._parts[name], **changes)  # type: ignore[arg-type]
