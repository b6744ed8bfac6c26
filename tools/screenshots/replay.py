"""The replay window as a picture, over a session that the simulated wearer and robot have just had."""

import random
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from decoding.decoder_file import load_decoder
from emg_acquisition.events import REST, Event
from emg_acquisition.recording.session import open_session
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from simulation.forearm.settings import WearerSettings
from simulation.recorded_wearer import AFTER_CUE_S, calibrate_wearer
from teleoperation.session import TeleopSession
from teleoperation.settings import TeleopSettings
from tools.screenshots.picture import LOOKS, save_picture
from ui.live_session import live_session
from ui.view_models.replay import ReplaySettings
from ui.windows.replay import ReplayWindow

WEARER = 5  # one whose decoder errs
HOLDS, HOLD_S, REST_S = 12, 1.6, 1.0
LIMIT_S = 60.0


def take_replay(app: QApplication, out: Path, session_id: str) -> None:
    """Have a session, and take the window over it: its beginning, an error, the whole session, the help."""
    with tempfile.TemporaryDirectory(prefix="hdemg-screenshots-") as folder:
        recording = _recorded(Path(folder), session_id)
        wearer = WearerSettings(seed=WEARER)
        other = load_decoder(calibrate_wearer(wearer, Path(folder) / "ses-other", repetitions=2).decoder)
        settings = ReplaySettings(open_session(recording), other, True, AFTER_CUE_S, 0.0)
        window = ReplayWindow(app, settings)
        window.show()
        window.start()
        _until(app, window.model.reader.done.is_set)
        _picture(app, window, out, "begin")
        window.model.jump_to_mistake(1)
        window.model.place.zoom(0.4)
        _picture(app, window, out, "error")
        window.model.place.show_all()
        _picture(app, window, out, "whole")
        window.toggle_help()
        _picture(app, window, out, "help")
        window.close()


def _recorded(folder: Path, session_id: str) -> Path:
    intentions_id = f"screenshots-{uuid.uuid4().hex[:8]}"
    settings = TeleopSettings(
        decoder=calibrate_wearer(WearerSettings(seed=WEARER), folder / "ses-calibration").decoder,
        source=f"simulated --wearer {WEARER} --intentions {intentions_id}",
        out=folder,
        events=(intentions_id,),
    )
    intentions = EventOutlet("screenshots", intentions_id)
    try:
        with live_session(settings, lambda _step, _part: None, lsl_session=session_id) as session:
            _drive(session, intentions)
            recording = session.recording
    finally:
        intentions.close()
    if recording is None:
        raise RuntimeError("the session was not recorded")
    return recording


def _drive(session: TeleopSession, intentions: EventOutlet) -> None:
    chance = random.Random(1)  # noqa: S311 - nothing secret
    gestures = [name for name in session.sleeves[0].gesture_map.gestures if name != REST]
    for hold in range(HOLDS):
        _intend(intentions, REST, 2 * hold, REST_S)
        if not session.view().live:
            session.arm()
        _intend(intentions, chance.choice(gestures), 2 * hold + 1, HOLD_S)
    _intend(intentions, REST, 2 * HOLDS, REST_S)
    session.stop()
    time.sleep(REST_S)


def _intend(intentions: EventOutlet, gesture: str, trial: int, seconds: float) -> None:
    now_s = lsl_clock_s()
    intentions.push(Event(now_s, "intention", {"gesture": gesture, "effort": 1.0}))
    intentions.push(Event(now_s, "cue", {"gesture": gesture, "repetition": 1, "trial": trial}))
    time.sleep(seconds)


def _picture(app: QApplication, window: ReplayWindow, out: Path, name: str) -> None:
    for look, width, height in LOOKS:
        if window.theme().name != look:
            window.change_theme()
        window.resize(width, height)
        _until(app, lambda: _is_shown(window))
        save_picture(window, out / f"replay_{name}_{look}_{width}.png")
    window.resize(*LOOKS[0][1:])


def _is_shown(window: ReplayWindow) -> bool:
    window.refresh()
    place, shown = window.model.place, window.model.reader.shown
    wanted = (place.begin_s, place.end_s, place.cursor_s)
    return (
        shown is not None and (shown.request.begin_s, shown.request.end_s, shown.request.cursor_s) == wanted
    )


def _until(app: QApplication, reached: Callable[[], bool]) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not reached():
        if time.monotonic() > end_s:
            raise TimeoutError("the recorded session cannot be shown")
        app.processEvents()
        time.sleep(0.02)
    app.processEvents()
