"""A simulated wearer who does a task in a live session, by gestures alone: to show and to test the whole of it."""

import threading
import time

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.events import Event
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from robot_bridge.errors import CommandRejectedError
from simulation.operator.cup_live import ThingWatcher, live_cup_task
from simulation.operator.cup_task import CUP, MAP, CupOutcome
from simulation.operator.gesture_operator import WITH_MUSCLES
from simulation.operator.live_script import ARM_TIMEOUT_S
from teleoperation.session import TeleopSession
from teleoperation.settings import SIMULATED, TeleopSettings

SCRIPTS = ("cup",)
READY_TIMEOUT_S = 60.0
# An intention is said again and again: who comes late must hear it too.
REPEAT_S = 0.1


def check_script(settings: TeleopSettings) -> None:
    """Refuse a script for a session that is not made for it.

    Raises
    ------
    InputError
        With what to change.
    """
    if settings.script not in SCRIPTS:
        msg = f"script {settings.script!r} is unknown; known are {', '.join(SCRIPTS)}"
        raise InputError(msg)
    if len(settings.decoder) > 1:
        msg = f"--script is for one sleeve, got {len(settings.decoder)} decoders; leave out --script"
        raise InputError(msg)
    source = settings.sources[0] if settings.sources else ("",)
    if settings.robot != "sim" or source[0] != SIMULATED or "--intentions" in source:
        raise InputError(
            "--script is for the simulated wearer and robot: --robot sim, --source 'simulated ...' without"
            " --intentions"
        )
    if settings.map != MAP:
        msg = f"--script {settings.script} is written for --map {MAP}, got {settings.map}"
        raise InputError(msg)


class ScriptedWearer:
    """Does the cup task once, in a thread of its own, and fills the trial sheet as a person beside would.

    Parameters
    ----------
    session : TeleopSession
        With the simulated robot, and a simulated wearer who follows the intentions.
    intentions_id : str
        ``source_id`` of the Markers stream of intentions.
    """

    def __init__(self, session: TeleopSession, intentions_id: str) -> None:
        self._session = session
        self._intentions = EventOutlet("scripted wearer", intentions_id)
        self._said, self._said_s = "", 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scripted-wearer", daemon=True)
        self.ended = threading.Event()
        self.outcome: CupOutcome | None = None

    @property
    def success(self) -> bool:
        """Whether the task was done."""
        return self.outcome is not None and self.outcome.success

    def start(self) -> None:
        """Begin as soon as the session is ready."""
        self._thread.start()

    def give_up(self) -> None:
        """Make no gesture any more, and arm no more: a person has stopped the robot, and a stop always wins."""
        self._stop.set()

    def close(self) -> None:
        """Give up, and end the thread."""
        self.give_up()
        if self._thread.ident is not None:
            self._thread.join()
        self._intentions.close()

    def _run(self) -> None:
        session, said = self._session, "it broke off"
        try:
            with ThingWatcher(CUP, session.chain.names.namespace) as cup:
                self._wait_until_ready()
                session.chain.link.arm_within(ARM_TIMEOUT_S, self._stop)
                session.sheet.start()
                self.outcome = live_cup_task(
                    session.sleeves[0].decoder.metadata.gestures,
                    self._make,
                    session.chain.link,
                    cup,
                    reflexes=WITH_MUSCLES,
                    stop=self._stop,
                )
            said = (
                f"lifted {self.outcome.lifted_m:.2f} m, driven {self.outcome.driven_m:.2f} m, armed again after"
                f" {self.outcome.stops} stops"
            )
        except (StreamLostError, CommandRejectedError) as error:
            said = str(error)
        finally:
            # Whatever happened: a session whose script is over must not wait for it.
            self._end(said)

    def _end(self, said: str) -> None:
        session = self._session
        if not self._stop.is_set():
            session.stop()
        session.sheet.note(said)
        session.sheet.end("success" if self.success else "fail")
        session.tell(f"the scripted wearer {'has done the task' if self.success else 'has failed'}: {said}")
        self.ended.set()

    def _wait_until_ready(self) -> None:
        end_s = time.monotonic() + READY_TIMEOUT_S
        rest = self._session.sleeves[0].gesture_map.rest
        while not ((view := self._session.view()).ready and view.robot.gesture == rest):
            self._make(rest)
            if self._stop.wait(REPEAT_S) or time.monotonic() > end_s:
                bad = next(
                    (f"{check.name}: {check.found}" for check in view.checks if not check.good), "no rest"
                )
                msg = f"the session was not ready within {READY_TIMEOUT_S:g} s: {bad}"
                raise StreamLostError(msg)

    def _make(self, gesture: str) -> None:
        now_s = time.monotonic()
        if gesture != self._said or now_s - self._said_s >= REPEAT_S:
            self._said, self._said_s = gesture, now_s
            self._intentions.push(Event(lsl_clock_s(), "intention", {"gesture": gesture, "effort": 1.0}))
