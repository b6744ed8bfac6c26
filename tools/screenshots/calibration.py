"""Every screen of the calibration as a picture: the real window over a real session with a simulated wearer.

Four screens that such a session does not come to are made from one that it does: bad electrodes, a caregiver's pace, a
training that failed, a full disk.
"""

import signal
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from calibration.protocol import CueSchedule, load_protocol
from calibration.session import CalibrationSession
from calibration.session_ports import FeedSnapshot
from calibration.session_view import ActionKind, Phase, Problem, SessionView, Severity, Step, signal_problems
from calibration.start import CalibrationSettings, open_calibration
from simulation.automatic_calibration import SimulatedPerson
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from simulation.wearer_process import STAGE, WearerProcess, start_wearer
from tools.screenshots.picture import LOOKS, save_picture
from ui import CLI_MODULE
from ui.windows.calibration import CalibrationWindow

WEARER, FS_HZ = 1, 4000.0
LIMIT_S = 180.0
BAD = {3: "detached", 4: "detached", 12: "flat", 20: "powerline", 21: "noisy", 40: "saturated"}
PROTOCOL = CueSchedule(
    gestures=load_protocol("five_minutes").gestures,
    repetitions=2,
    rest_s=1.5,
    ready_s=1.0,
    ramp_s=1.0,
    hold_s=1.5,
    name="five_minutes",
)
FAILED = Problem(
    Severity.ERROR, "too few usable trials of fist (1)", "Record two more repetitions, or drop a gesture"
)
FULL = Problem(
    Severity.ERROR,
    "recording.xdf cannot be written any more: No space left on device; what was recorded before is whole",
    "Make room or repair it, then start again with --resume",
)


def take_calibration(app: QApplication, out: Path) -> None:
    """Take every screen of the calibration, in the LSL session that is configured."""
    with ExitStack() as cleanup:
        root = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="hdemg-screenshots-")))
        wearer = start_wearer(WEARER, FS_HZ, root / "logs", cleanup, CLI_MODULE)
        settings = CalibrationSettings(root, "P01", PROTOCOL, wearer.source_id, timeout_s=60.0)
        session = cleanup.enter_context(open_calibration(settings, threading.Event()))
        person = SimulatedPerson(session, wearer.intend, presses=False)
        window = CalibrationWindow(app, session, person.follow)
        window.show()
        _CalibrationTour(app, window, session, wearer, out).take()
        window.close()


class _CalibrationTour:
    """Brings a calibration into one screen after the other, and takes a picture of each."""

    def __init__(
        self,
        app: QApplication,
        window: CalibrationWindow,
        session: CalibrationSession,
        wearer: WearerProcess,
        out: Path,
    ) -> None:
        self._app, self._window, self._session, self._wearer, self._out = app, window, session, wearer, out

    def take(self) -> None:
        """Take them all."""
        self._until(lambda view: view.step is Step.SIGNAL_CHECK and view.signal is not None)
        self._for(3.0)
        self._picture("signal_check")
        self._picture("signal_bad", _with_bad_electrodes(self._session.view()))
        self._key(Qt.Key.Key_N)
        self._cues()
        self._stream_lost()
        self._until(lambda view: view.training is not None and view.training.share > 0.0)
        self._picture("training")
        self._until(lambda view: view.step is Step.RESULT)
        self._results()

    def _cues(self) -> None:
        self._until(lambda view: self._phase(view) is Phase.REST and bool(view.cue and view.cue.upcoming))
        self._picture("cue_rest")
        view = self._session.view()
        waiting = replace(view, step=Step.WAITING, allowed=view.allowed | {ActionKind.NEXT})
        self._picture("waiting", waiting)
        self._until(lambda view: self._phase(view) is Phase.GET_READY)
        self._picture("cue_ready")
        self._until(lambda view: self._phase(view) is Phase.HOLD and bool(view.cue and view.cue.trial > 1))
        self._for(0.5)
        self._picture("cue_hold")
        self._key(Qt.Key.Key_P)
        self._for(0.3)
        self._picture("paused")
        self._key(Qt.Key.Key_P)

    def _stream_lost(self) -> None:
        self._until(lambda view: self._phase(view) is Phase.HOLD)
        process = self._wearer.processes.process(STAGE)
        process.send_signal(signal.SIGSTOP)  # the samples cease, as when a battery is empty
        self._until(lambda view: view.step is Step.STREAM_LOST)
        self._for(1.0)
        self._picture("stream_lost")
        process.send_signal(signal.SIGCONT)
        self._until(lambda view: view.step is Step.CUE)

    def _results(self) -> None:
        view = self._session.view()
        self._picture("result")
        allowed = view.allowed - {ActionKind.TRY_OUT, ActionKind.NEXT, ActionKind.ACCEPT}
        self._picture("no_result", replace(view, result=None, problems=(FAILED,), allowed=allowed))
        self._key(Qt.Key.Key_T)
        self._until(lambda view: bool(view.try_out and view.try_out.decoded not in {"", "rest"}))
        self._for(0.4)
        self._picture("try_out")
        self._key(Qt.Key.Key_A)
        self._until(lambda view: view.step is Step.DONE)
        self._for(0.3)
        self._picture("done")
        stopped = replace(self._session.view(), step=Step.STOPPED, problems=(FULL,), result=None)
        self._picture("stopped", stopped)

    @staticmethod
    def _phase(view: SessionView) -> Phase | None:
        return view.cue.phase if view.cue is not None and view.step is Step.CUE else None

    def _key(self, key: Qt.Key) -> None:
        self._window.refresh()  # a picture may have shown something else
        QTest.keyClick(self._window, key)

    def _picture(self, name: str, view: SessionView | None = None) -> None:
        shown = view or self._session.view()
        for look, width, height in LOOKS:
            if self._window.theme().name != look:
                self._window.change_theme()
            self._window.resize(width, height)
            for _ in range(4):
                self._window.show_view(shown)
                self._app.processEvents()
            save_picture(self._window, self._out / f"calibration_{name}_{look}_{width}.png")
        self._window.resize(*LOOKS[0][1:])

    def _for(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._window.refresh()
            self._app.processEvents()
            time.sleep(0.02)

    def _until(self, reached: Callable[[SessionView], bool]) -> None:
        end_s = time.monotonic() + LIMIT_S
        while not reached(self._session.view()):
            if time.monotonic() > end_s:
                msg = f"the calibration stays at {self._session.step.value} and does not come to the next screen"
                raise TimeoutError(msg)
            self._for(0.03)


def _with_bad_electrodes(view: SessionView) -> SessionView:
    electrodes = view.signal
    if electrodes is None:
        return view
    states = tuple(BAD.get(channel, state) for channel, state in enumerate(electrodes.states))
    shown = replace(electrodes, states=states, share_good=states.count("good") / len(states))
    snapshot = FeedSnapshot(
        connected=True, silent_s=0.0, gaps=0, newest_lsl_s=1.0, states=states, rms_uv=electrodes.rms_uv
    )
    info = SimulatedWearer(WearerSettings(seed=WEARER)).info
    return replace(view, signal=shown, problems=signal_problems(snapshot, info))
