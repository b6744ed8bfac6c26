"""What a replay window shows, read and computed in threads of its own, so that the window never waits for the disk.

One thread reads what belongs to the whole session, once; another reads what is asked for now, the newest request only.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from decoding.decoder_file import DecoderFile
from emg_acquisition.arrays import Float32Array
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import RecordedSession
from evaluation.replay import replay_session
from evaluation.session_timeline import Decisions, Track, commands_of, joints_of, replayed_decisions_of
from ui.view_models.outline import Outline, SessionOutline, is_read_exactly, rms_before, stretch

_LOG = logging.getLogger(__name__)


class _WindowClosedError(Exception):
    """Ends a replay whose window is gone."""


@dataclass(frozen=True)
class ViewRequest:
    """What is to be shown: a stretch in so many columns, and the electrodes at the cursor."""

    begin_s: float
    end_s: float
    columns: int
    cursor_s: float


@dataclass(frozen=True, eq=False)
class Shown:
    """What was asked for; ``rms_uv`` has one value a channel."""

    request: ViewRequest
    outline: Outline
    rms_uv: Float32Array


class ReplayReader:
    """Reads a session for a window.

    Parameters
    ----------
    session : RecordedSession
        Opened, its EMG on disk.
    decoder : DecoderFile or None
        What to decode it with once more.
    """

    def __init__(self, session: RecordedSession, decoder: DecoderFile | None) -> None:
        self._session, self._decoder = session, decoder
        self.outline = SessionOutline(session.emg)
        self.commands: Track | None = None
        self.joints: Track | None = None
        self.replayed: Decisions | None = None
        self.verdict = ""
        self.step, self.share, self.problem = "", 0.0, ""
        self.done = threading.Event()
        self._ending = threading.Event()
        self._asked = threading.Condition()
        self._request: ViewRequest | None = None
        self._shown: Shown | None = None
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for name, run in (("replay-session", self._read_session), ("replay-stretch", self._read_requests))
        ]

    def start(self) -> None:
        """Begin to read."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End both threads and wait for them."""
        self._ending.set()
        with self._asked:
            self._asked.notify()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def ask(self, request: ViewRequest) -> None:
        """Ask for something else to be shown; returns at once."""
        with self._asked:
            if request != self._request:
                self._request = request
                self._asked.notify()

    @property
    def shown(self) -> Shown | None:
        """The answer to the newest request that has been read."""
        return self._shown

    # ---- the threads

    def _read_requests(self) -> None:
        done: tuple[ViewRequest, int] | None = None
        emg = self._session.emg
        while not self._ending.is_set():
            with self._asked:
                request = self._request
                # What has been read of the whole session grows, and with it what a long stretch shows.
                long = request is not None and not is_read_exactly(emg, request.begin_s, request.end_s)
                columns = self.outline.filled if long else 0
                if request is None or done == (request, columns):
                    self._asked.wait(timeout=0.2)
                    continue
            try:
                outline = stretch(emg, self.outline, request.begin_s, request.end_s, request.columns)
                self._shown = Shown(request, outline, rms_before(emg, request.cursor_s))
            except InputError as error:
                self.problem = str(error)
            done = (request, columns)

    def _read_session(self) -> None:
        """Read part after part; one that is damaged is reported, and the others are shown."""
        parts = (self._read_commands, self._read_joints, self._read_emg, self._decode)
        if all(self._try(part) for part in parts):
            self.step = ""
            self.done.set()

    def _try(self, part: Callable[[], None]) -> bool:
        """Read a part; False where the window has been closed meanwhile."""
        try:
            part()
        except _WindowClosedError:
            return False
        except InputError as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001 - the thread's edge: the window goes on with what there is
            _LOG.exception("a part of the session cannot be shown")
            self.problem = f"a part of the session cannot be shown: {error}"
        return True

    def _read_commands(self) -> None:
        self._on("reading the commands", 0.0)
        self.commands = commands_of(self._session)

    def _read_joints(self) -> None:
        self.joints = joints_of(self._session, lambda: self._on("reading the robot's joints", 0.0))

    def _read_emg(self) -> None:
        self.outline.fill(self._ending, lambda share: self._on("reading the EMG", share))

    def _decode(self) -> None:
        decoder = self._decoder
        if decoder is None:
            return
        replay = replay_session(self._session, decoder, self._on)
        self.replayed = replayed_decisions_of(self._session, replay, decoder.metadata.gestures)
        if replay.identical_to_recording is not None:
            same = "identical to" if replay.identical_to_recording else "DIFFER from"
            left_out = f" (the last {replay.not_compared} cannot be compared)" if replay.not_compared else ""
            self.verdict = f"decisions {same} those recorded{left_out}"

    def _on(self, step: str, share: float) -> None:
        if self._ending.is_set():
            raise _WindowClosedError
        self.step, self.share = step, share
