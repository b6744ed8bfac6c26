"""A teleoperation session as a whole: started in order, watched, seen, and ended with the robot stopped first."""

import logging
import shutil
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.recording.session import SESSION_FILE
from emg_acquisition.streams.lsl_config import DEFAULT_SESSION_ID, configure_lsl
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from robot_bridge.errors import CommandRejectedError
from robot_bridge.incident_log import IncidentLog
from robot_bridge.operator_orders import ArmRequest
from teleoperation.chain import ChainSettings, LiveChain, Sleeve, decoder_source_id, isolate, of_sleeve
from teleoperation.feedback import FeedbackVoice, feedback_program
from teleoperation.observer import Observer
from teleoperation.preflight import PreflightInputs, preflight
from teleoperation.session_view import Message, TeleopView
from teleoperation.settings import TeleopSettings, new_folder
from teleoperation.sleeves import load_sleeves
from teleoperation.supervisor import Supervisor
from teleoperation.trial_sheet import Task, TrialSheet, load_tasks

logger = logging.getLogger(__name__)

KEPT_MESSAGES = 50
KEPT_LOG_LINES = 200
DISK_EVERY_S = 2.0


class Script(Protocol):
    """Somebody who drives a session by itself: a scripted wearer."""

    ended: threading.Event

    @property
    def success(self) -> bool:
        """Whether the task was done."""
        ...

    def start(self) -> None:
        """Begin as soon as the session is ready."""
        ...

    def give_up(self) -> None:
        """Make no gesture and arm no more: a person has stopped the robot, and a stop always wins. Never waits."""
        ...

    def close(self) -> None:
        """Give up, and release everything."""
        ...


class TeleopSession:
    """A running session. Made by `running_session`, whose parameters it takes."""

    def __init__(
        self,
        settings: TeleopSettings,
        logs: Path,
        cli_module: str,
        *,
        make_script: "MakeScript | None" = None,
        lsl_session: str | None = None,
    ) -> None:
        self.settings = settings
        self.sleeves = load_sleeves(settings)
        voice_program = feedback_program(settings.feedback) if settings.feedback != "off" else None
        tasks: tuple[Task, ...] = (Task(name=settings.script),) if settings.script is not None else ()
        if settings.tasks is not None:
            tasks = load_tasks(settings.tasks)
        self._logs = logs
        # Streams that are there already are in the session that their makers chose; LSL's own default, if none.
        there = settings.lsl_session or (None if settings.sources else DEFAULT_SESSION_ID)
        self._names = isolate(
            lsl_session=lsl_session or there,
            namespace=settings.namespace if settings.robot == "ros" else None,
        )
        configure_lsl(self._names.lsl_session)
        self.recording = new_folder(settings, datetime.now(timezone.utc)) if settings.record else None
        self.incidents = IncidentLog("teleop")
        self._messages: deque[Message] = deque(maxlen=KEPT_MESSAGES)
        self._markers_id = f"hdemg-teleop-markers-{uuid.uuid4().hex[:8]}"
        self._intentions_id = f"hdemg-teleop-intentions-{uuid.uuid4().hex[:8]}"
        with ExitStack() as opened:
            self._markers = EventOutlet("teleop markers", self._markers_id)
            opened.callback(self._markers.close)
            self.chain = LiveChain(self._chain_settings(logs, cli_module), self._names)
            opened.callback(self.chain.close)
            self.script = make_script(self, self._intentions_id) if make_script is not None else None
            opened.pop_all()  # from here on `close` closes them
        self._supervisor = Supervisor(self.chain, self.tell, self._record_anew)
        self._voice = (
            FeedbackVoice(settings.feedback, voice_program, self.chain.link.snapshot)
            if voice_program
            else None
        )
        self._observers = tuple(
            Observer(one.name, one.emg_source_id, decoder_source_id(one.name)) for one in self.sleeves
        )
        self.sheet = TrialSheet(tasks, self._markers.push, lsl_clock_s, self.recording)
        self._ready_s: float | None = None
        self._disk: tuple[float, float | None, int] = (-DISK_EVERY_S, None, 0)
        self._disk_problem = ""
        self._watcher: Callable[[], bool] = lambda: True

    def _chain_settings(self, logs: Path, cli_module: str) -> ChainSettings:
        settings = self.settings
        sources, events = settings.sources, (*settings.events, self._markers_id)
        if settings.script is not None:
            sources = tuple((*source, "--intentions", self._intentions_id) for source in sources)
            events = (*events, self._intentions_id)
        return ChainSettings(
            sources=sources,
            sleeves=[Sleeve(one.path.resolve(), one.emg_source_id, one.name) for one in self.sleeves],
            gesture_map=settings.map,
            out=logs,
            cli_module=cli_module,
            record_to=self.recording,
            participant=settings.participant,
            event_source_ids=events,
            robot=settings.robot_arguments,
            holds_start=settings.holds_start,
        )

    # ---- from start to end

    def start(self, progress: Callable[[str, float], None]) -> None:
        """Start every part and wait until decisions arrive and the bridge reports.

        Raises
        ------
        StreamLostError
            If a part ends or does not come up; the message has its last words.
        """
        progress("starting", 0.1)
        self.incidents.start()
        self.incidents.note("start", settings=self.settings.model_dump(mode="json"), recording=self.recording)
        if self.recording is not None:
            self.recording.parent.mkdir(parents=True, exist_ok=True)
        self.chain.start()
        self._start_heartbeat()
        progress("waiting for every part", 0.4)
        self.chain.wait_until_ready()
        for observer in self._observers:
            observer.start()
        self._supervisor.start()
        if self._voice is not None:
            self._voice.start()
        if self.script is not None:
            self.script.start()
        self._ready_s = time.monotonic()
        progress("ready", 1.0)

    def close(self) -> None:
        """Stop the robot before anything else ends; then close the recording and end every part."""
        if self.script is not None:
            self.script.give_up()
        if self.chain.link.snapshot().safety_state in {"armed", "moving"}:
            self.stop()
        if self.script is not None:
            self.script.close()
        self._supervisor.close()
        for observer in self._observers:
            observer.close()
        if self._voice is not None:
            self._voice.close()
        self.chain.close()
        self._markers.close()
        try:
            self._complete_folder()
            if self.recording is not None and self.recording.exists():
                shutil.copytree(self._logs / "logs", self.recording / "logs", dirs_exist_ok=True)
        except OSError as error:
            logger.warning("the session folder is not complete: %s", error)
        self._note_logs()
        self.incidents.close()

    def _note_logs(self) -> None:
        """Keep the last words of every part, whose logs go with the temporary folder where nothing is recorded."""
        for log in sorted((self._logs / "logs").glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-KEPT_LOG_LINES:]
            self.incidents.note("log", part=log.stem, lines=lines)

    @property
    def ended(self) -> bool:
        """Whether the source was a recording and has been played to its end, or a script has been done."""
        return self._supervisor.ended.is_set() or (self.script is not None and self.script.ended.is_set())

    # ---- what a person can do

    def ask_to_arm(self) -> ArmRequest:
        """Ask for an arm at this moment, to be given to `arm` from whatever thread: a stop in between beats it."""
        return self.chain.link.ask_to_arm()

    def arm(self, request: ArmRequest | None = None) -> str | None:
        """Arm, if the preflight allows it; return None, or in a line why not."""
        request = request or self.ask_to_arm()
        bad = next((check for check in self.view().checks if not check.good), None)
        refusal = None
        if bad is not None:
            refusal = f"{bad.name}: {bad.found}" + (f" ({bad.remedy})" if bad.remedy else "")
        else:
            try:
                self.chain.link.arm(request=request)
            except CommandRejectedError as error:
                refusal = str(error)
        self.incidents.note("arm", refusal=refusal)
        return refusal

    def begin_stop(self) -> int:
        """Stop without waiting for anything; returns the number of this stop, for `stop`.

        Earlier arms are beaten, and the heartbeat is silent until the bridge has confirmed the stop. A script gives up:
        it must not arm again what a person has stopped.
        """
        if self.script is not None:
            self.script.give_up()
        self.incidents.note("stop")
        return self.chain.link.begin_stop()

    def stop(self, number: int | None = None) -> str | None:
        """Stop and latch; return None, or why it was not confirmed: then the silent heartbeat stops the robot.

        `number` is that of a stop which has begun; without, it begins now.
        """
        number = self.begin_stop() if number is None else number
        try:
            self.chain.link.stop(number=number)
        except CommandRejectedError as error:
            self.incidents.note("stop_not_confirmed", problem=str(error))
            return str(error)
        return None

    def _start_heartbeat(self) -> None:
        self.chain.link.start_heartbeat(self._is_watched)

    def watch_by(self, is_alive: Callable[[], bool]) -> None:
        """Let the heartbeat live only while `is_alive` says so: a window's own pulse."""
        self._watcher = is_alive

    def _is_watched(self) -> bool:
        return self._watcher()

    def tell(self, text: str) -> None:
        """Tell the people at the session something, and write it into the log."""
        logger.info("%s", text)
        self.incidents.note("message", text=text)
        self._messages.append(Message(time.monotonic(), text))
        self._markers.push(Event(lsl_clock_s(), "message", {"text": text}))

    # ---- what there is to see

    def view(self) -> TeleopView:
        """Return everything at this moment; waits for nothing."""
        robot, parts = self.chain.link.snapshot(), self._supervisor.parts
        seen = tuple(observer.seen() for observer in self._observers)
        free_bytes, recorded = self._look_at_disk()
        checks = preflight(
            PreflightInputs(
                parts,
                tuple(sleeve.decoder for sleeve in self.sleeves),
                seen,
                robot,
                free_bytes,
            )
        )
        seconds = 0.0 if self._ready_s is None else time.monotonic() - self._ready_s
        return TeleopView(
            robot,
            seen,
            parts,
            checks,
            self.sheet.view,
            tuple(self._messages),
            self.recording,
            recorded,
            seconds,
        )

    def recent_emg(self, sleeve: int, channels: IntArray) -> Float32Array:
        """Return the newest seconds of some channels of a sleeve in µV: ndarray, shape (n_samples, n_chosen)."""
        return self._observers[sleeve].recent_emg(channels)

    def _look_at_disk(self) -> tuple[float | None, int]:
        now_s = time.monotonic()
        if self.recording is not None and now_s - self._disk[0] >= DISK_EVERY_S:
            self._disk = (now_s, *self._disk[1:])
            # A disk that is full or gone must not keep anybody from seeing the robot.
            try:
                if self.recording.exists():
                    size = sum(path.stat().st_size for path in self.recording.glob("*.xdf"))
                    self._disk = (now_s, float(shutil.disk_usage(self.recording).free), size)
                    self._complete_folder()
            except OSError as error:
                self._tell_of_disk(error)
        return self._disk[1], self._disk[2]

    def _tell_of_disk(self, error: OSError) -> None:
        said = f"the session folder cannot be completed: {error.strerror or error}"
        if said != self._disk_problem:
            self._disk_problem = said
            self.tell(said)

    def _complete_folder(self) -> None:
        """Put the decoders beside the recording, whole or not at all, once the recorder has made the folder.

        Raises
        ------
        OSError
            If the disk does not take them.
        """
        if self.recording is None or not (self.recording / SESSION_FILE).exists():
            return
        for sleeve in self.sleeves:
            copy = self.recording / f"{of_sleeve('decoder', sleeve.name)}.onnx"
            if copy.exists():
                continue
            part = copy.with_name(f"{copy.name}.part")
            try:
                shutil.copy2(sleeve.path, part)
                part.replace(copy)
            finally:
                part.unlink(missing_ok=True)

    def _record_anew(self) -> None:
        if self.recording is None:
            raise InputError("nothing was being recorded")
        self.recording = new_folder(self.settings, datetime.now(timezone.utc))
        self.chain.record_to(self.recording)
        self.tell(f"recording goes on in {self.recording}")


MakeScript = Callable[[TeleopSession, str], Script]


@contextmanager
def running_session(
    settings: TeleopSettings,
    progress: Callable[[str, float], None],
    cli_module: str,
    *,
    make_script: MakeScript | None = None,
    lsl_session: str | None = None,
) -> Iterator[TeleopSession]:
    """Start a session; on the way out the robot is stopped first, and no process is left.

    Parameters
    ----------
    settings : TeleopSettings
        What it is made of.
    progress : callable
        Told what happens and the fraction done.
    cli_module : str
        Module that runs an ``hdemg`` command line.
    make_script : callable, optional
        Makes who does ``settings.script``, from the session and the ``source_id`` of the intentions.
    lsl_session : str, optional
        An LSL session that this process has joined already; by default it has one of its own.

    Raises
    ------
    InputError
        If decoder, map, tasks or settings do not fit; nothing has been started then.
    StreamLostError
        If a part does not come up.
    """
    settings.check()
    with tempfile.TemporaryDirectory(prefix="hdemg-teleop-") as logs:
        session = TeleopSession(
            settings, Path(logs), cli_module, make_script=make_script, lsl_session=lsl_session
        )
        try:
            session.start(progress)
            yield session
        finally:
            session.close()
