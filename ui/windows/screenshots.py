"""Every state of the windows as a picture: ``python -m ui.windows.screenshots FOLDER [--only WINDOW]``.

The real windows, shown a session with the simulated wearer and robot that is really running, or has been.
"""

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from emg_acquisition.events import REST, Event
from emg_acquisition.lsl_config import configure_lsl
from emg_acquisition.outlet import EventOutlet, lsl_clock_s
from ui.teleop.session import running_session
from ui.teleop.settings import TeleopSettings
from ui.windows.calibration_screenshots import save_picture, take_calibration
from ui.windows.replay_screenshots import simulated_decoder, take_replay
from ui.windows.teleop import TeleopWindow

WEARER = 2
LIMIT_S = 60.0
WINDOWS = ("calibration", "teleop", "replay")
SIZES = ((1280, 800), (1920, 1080))


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--only", choices=WINDOWS, help="one window's (default: all)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication([])
    configure_lsl(session_id := f"hdemg-{uuid.uuid4().hex[:8]}")
    wanted = (args.only,) if args.only else WINDOWS
    if "calibration" in wanted:
        take_calibration(app, args.out)
    if "teleop" in wanted:
        _take_teleop(app, args.out, session_id)
    if "replay" in wanted:
        take_replay(app, args.out, session_id)
    return 0


def _take_teleop(app: QApplication, out: Path, session_id: str) -> None:
    intentions_id = f"screenshots-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="hdemg-screenshots-") as folder:
        settings = TeleopSettings(
            decoder=simulated_decoder(Path(folder), WEARER),
            source=f"simulated --wearer {WEARER} --intentions {intentions_id}",
            robot_options="--camera",
            out=Path(folder),
        )
        intentions = EventOutlet("screenshots", intentions_id)
        try:
            with running_session(settings, lambda _step, _part: None, lsl_session=session_id) as session:
                window = TeleopWindow(app, session)
                window.show()
                window.start()
                _Tour(app, window, intentions, out).take()
                window.close()
        finally:
            intentions.close()


class _Tour:
    """Brings the session into one state after the other, and takes a picture of each."""

    def __init__(self, app: QApplication, window: TeleopWindow, intentions: EventOutlet, out: Path) -> None:
        self._app, self._window, self._intentions, self._out = app, window, intentions, out
        self._session = window.session

    def take(self) -> None:
        """Take them all."""
        self._picture("preflight")
        self._until(lambda: self._session.view().ready and self._window.camera.has_picture)
        self._for(1.0)
        self._picture("ready")
        self._window.arm()
        self._until(lambda: self._session.view().live)
        self._intend("wrist_extension")
        self._until(lambda: self._session.view().robot.safety_state == "moving")
        self._for(1.5)
        self._picture("moving")
        self._window.participant.show()
        self._for(0.3)
        self._save(self._window.participant, "participant")
        self._window.participant.hide()
        self._intend(REST)
        self._for(1.0)
        self._window.stop()
        self._until(lambda: not self._session.view().live)
        self._for(0.5)
        self._picture("stopped")
        self._until(lambda: self._session.view().ready)
        self._window.arm()
        self._until(lambda: self._session.view().live)
        self._session.chain.processes.process("decode").kill()
        self._until(lambda: not self._session.view().live)
        self._for(0.2)
        self._picture("part_lost")

    def _intend(self, gesture: str) -> None:
        self._intentions.push(Event(lsl_clock_s(), "intention", {"gesture": gesture, "effort": 1.0}))

    def _picture(self, name: str) -> None:
        for theme in ("light", "dark"):
            for width, height in SIZES:
                self._window.resize(width, height)
                self._for(0.2)
                self._save(self._window, f"teleop_{name}_{theme}_{width}")
            self._window.change_theme()
        self._window.resize(*SIZES[0])

    def _save(self, widget: QWidget, name: str) -> None:
        save_picture(widget, self._out / f"{name}.png")

    def _for(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._app.processEvents()
            time.sleep(0.005)

    def _until(self, reached: Callable[[], bool]) -> None:
        end_s = time.monotonic() + LIMIT_S
        while not reached():
            if time.monotonic() > end_s:
                raise TimeoutError("the session does not come into the state that is to be shown")
            self._for(0.05)


if __name__ == "__main__":
    sys.exit(main())
