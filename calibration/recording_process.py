"""The recorder in a process of its own: it outlives the process that started it, and then ends the recording properly.

Where the calibration crashes, its end of the pipe closes; the recorder notices, writes what has arrived, and closes
the session with its hash. What a power cut leaves is read as far as it goes (``docs/sessions.md``).
"""

import contextlib
import multiprocessing
import signal
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.recording.recorder import RecorderSettings, run_recorder
from emg_acquisition.streams.lsl_config import configure_lsl, ensure_configured
from emg_acquisition.streams.outlet import EventOutlet

READY, CLOSED, FAILED = "ready", "closed", "failed"
CLOSE_S = 20.0
LINGER_S = 0.3


class RecordingProcess:
    """A session folder that is being recorded, and the events that go into it.

    Parameters
    ----------
    settings : RecorderSettings
        What to record; the events are added to it.
    folder : Path
        Session folder to make.
    events_source_id : str
        Under which the calibration's own events are sent.
    """

    def __init__(self, settings: RecorderSettings, folder: Path, events_source_id: str) -> None:
        self._folder = folder
        self._ready, self._closed, self._failure = False, False, ""
        # Before the recorder, which waits for it.
        self._outlet = EventOutlet("hdemg calibration", events_source_id)
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_record, args=(settings, folder, ensure_configured(), theirs), name="recorder"
        )
        self._process.start()
        theirs.close()

    @property
    def folder(self) -> Path:
        """The session folder."""
        return self._folder

    @property
    def ready(self) -> bool:
        """Whether events that are sent from now on are recorded."""
        self._listen()
        return self._ready

    @property
    def closed(self) -> bool:
        """Whether its hash is written and its process is gone, so that `close` need not wait for it."""
        self._listen()
        return self._closed and not self._process.is_alive()

    @property
    def failure(self) -> str:
        """Why it has ended before its time; empty where it has not."""
        self._listen()
        return self._failure

    @property
    def pid(self) -> int | None:
        """The recorder's process."""
        return self._process.pid

    def event(self, t_lsl_s: float, kind: str, fields: Mapping[str, Any]) -> None:
        """Record an event."""
        self._outlet.push(Event(t_lsl_s, kind, fields))

    def finish(self) -> None:
        """Ask it to end properly; `closed` says when it has."""
        self._send_stop()

    def close(self) -> None:
        """End it properly and wait for that."""
        self._send_stop()
        self._process.join(CLOSE_S)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()
        self._listen()
        self._pipe.close()
        self._outlet.close()

    def _send_stop(self) -> None:
        try:
            self._pipe.send("stop")
        except OSError:
            return  # it has ended already; `failure` and `closed` say how

    def _listen(self) -> None:
        try:
            while self._pipe.poll():
                word, text = self._pipe.recv()
                self._ready |= word == READY
                self._closed |= word == CLOSED
                if word == FAILED:
                    self._failure = text
        except (EOFError, OSError):
            if not self._closed and not self._failure:
                self._failure = "the recorder died; start again with --resume, what was recorded is kept"


def _record(settings: RecorderSettings, folder: Path, lsl_session: str, pipe: Connection) -> None:
    # Ctrl-C reaches everybody in the terminal; the recorder ends on request, or when the other end is gone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_lsl(lsl_session)
    stop, ready = threading.Event(), threading.Event()
    threading.Thread(target=_obey, args=(pipe, stop), daemon=True).start()
    threading.Thread(target=_report_ready, args=(pipe, ready), daemon=True).start()
    try:
        run_recorder(settings, folder, stop, ready)
    except InputError as error:
        _report(pipe, FAILED, str(error))
        return
    _report(pipe, CLOSED, "")


def _obey(pipe: Connection, stop: threading.Event) -> None:
    with contextlib.suppress(EOFError, OSError):
        pipe.recv()
        # What was sent just before it may still be on its way.
        time.sleep(LINGER_S)
    stop.set()


def _report_ready(pipe: Connection, ready: threading.Event) -> None:
    ready.wait()
    _report(pipe, READY, "")


def _report(pipe: Connection, word: str, text: str) -> None:
    try:
        pipe.send((word, text))
    except OSError:
        return  # the other end is gone
