"""Mode changes and stops as beeps or spoken words, through the programs that a desktop has for it."""

import logging
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence

from emg_acquisition.errors import InputError
from robot_bridge.operator_link import RobotSnapshot
from teleoperation.settings import Feedback
from teleoperation.tones import PLAYERS, tones

logger = logging.getLogger(__name__)

SPEAKERS = (("spd-say", "--wait"), ("espeak-ng",), ("espeak",))
LOOK_S = 0.05
# Up for what begins to move the robot, down for what ends it: to be told apart without looking.
TONES_HZ = {
    "armed": (660, 880),
    "stopped": (660, 440),
    "fault": (440, 330, 440, 330),
    "mode": (880,),
    "fine": (990, 990),
}


def what_changed(before: RobotSnapshot, now: RobotSnapshot) -> list[tuple[str, str]]:
    """Name what a person should hear: (kind of tone, words) in order of importance."""
    live_before, live = (look.safety_state in {"armed", "moving"} for look in (before, now))
    said = []
    if before.safety_state and live_before and not live:
        kind = "fault" if now.safety_state == "fault" else "stopped"
        said.append((kind, "stopped" if kind == "stopped" else f"stopped: {now.reason}"))
    elif before.safety_state and live and not live_before:
        said.append(("armed", "armed"))
    for name, sleeve in now.sleeves.items():
        was, whose = before.sleeve(name), f"{name} " if name else ""
        if was.mode and sleeve.mode != was.mode:
            said.append(("mode", whose + sleeve.mode.replace("_", " ")))
        if was.fine is not None and sleeve.fine != was.fine:
            said.append(("fine", whose + ("fine" if sleeve.fine else "coarse")))
    return said


def feedback_program(how: Feedback) -> Sequence[str]:
    """Return the program of this machine that plays or speaks.

    Raises
    ------
    InputError
        If there is none; the message names those that would do.
    """
    programs = SPEAKERS if how == "speech" else PLAYERS
    found = next((program for program in programs if shutil.which(program[0])), None)
    if found is None:
        names = ", ".join(program[0] for program in programs)
        raise InputError(f"--feedback {how} needs one of {names}; install one, or choose --feedback off")
    return found


class FeedbackVoice:
    """Tell changes in a thread of its own, between `start` and `close`; never holds anything else up.

    Parameters
    ----------
    how : {"beeps", "speech"}
        Tones or words.
    program : sequence of str
        What plays them: `feedback_program`.
    look : callable
        Returns the newest `RobotSnapshot`.
    """

    def __init__(self, how: Feedback, program: Sequence[str], look: Callable[[], RobotSnapshot]) -> None:
        self._how, self._program, self._look = how, program, look
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feedback", daemon=True)

    def start(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def close(self) -> None:
        """Fall silent."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        before = self._look()
        while not self._ending.wait(LOOK_S):
            now = self._look()
            for kind, words in what_changed(before, now):
                self._tell(kind, words)
            before = now

    def _tell(self, kind: str, words: str) -> None:
        speaks = self._how == "speech"
        arguments: Sequence[str] = (*self._program, words) if speaks else self._program
        try:
            subprocess.run(  # noqa: S603 - a fixed program; the words are one argument
                arguments,
                input=None if speaks else tones(TONES_HZ[kind]),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=10.0,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            logger.warning("no feedback: %s", error)
