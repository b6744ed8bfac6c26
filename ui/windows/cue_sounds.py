"""Short tones as the phases of a cue begin, so that nobody has to look."""

import logging
import queue
import shutil
import subprocess
import threading

from calibration.session_view import Phase
from teleoperation.tones import PLAYERS, tones

logger = logging.getLogger(__name__)

# Up to begin, down to let go: to be told apart without looking.
TONES_HZ = {Phase.GET_READY: (660,), Phase.RAMP: (660, 880), Phase.REST: (660, 440)}
PLAY_TIMEOUT_S = 5.0


class CueSounds:
    """Plays tones in a thread of its own, through a program of the desktop; silent where there is none."""

    def __init__(self) -> None:
        self._program = next((program for program in PLAYERS if shutil.which(program[0])), None)
        # One tone at a time: what comes while another sounds is late anyway.
        self._wanted: queue.Queue[Phase | None] = queue.Queue(maxsize=1)
        self._thread = threading.Thread(target=self._run, name="cue-sounds", daemon=True)
        if self._program is not None:
            self._thread.start()

    @property
    def possible(self) -> bool:
        """Whether this machine has a program that plays."""
        return self._program is not None

    def play(self, phase: Phase) -> None:
        """Let a phase be heard; never waits."""
        if self._program is not None and phase in TONES_HZ and self._wanted.empty():
            self._wanted.put_nowait(phase)

    def close(self) -> None:
        """Fall silent."""
        if self._thread.ident is not None:
            self._wanted.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (phase := self._wanted.get()) is not None:
            self._sound(phase)

    def _sound(self, phase: Phase) -> None:
        try:
            subprocess.run(  # noqa: S603 - a fixed program
                self._program or (),
                input=tones(TONES_HZ[phase]),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=PLAY_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            logger.warning("no sound: %s", error)
