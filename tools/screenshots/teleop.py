"""Every state of the teleoperation window and of the participant's view as a picture; no session has to run."""

import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QWidget

from emg_acquisition.errors import StreamLostError
from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import JOINT_DOF
from simulation.forearm.settings import WearerSettings
from simulation.recorded_wearer import calibrate_wearer
from simulation.stretch.drawing_library import choose_drawing_library
from simulation.stretch.driver_logic import SimSettings
from teleoperation.camera_feed import CameraPicture
from teleoperation.session import TeleopSession
from teleoperation.session_view import TeleopView
from teleoperation.settings import TeleopSettings
from tools.screenshots.picture import LOOKS, save_picture
from tools.screenshots.teleop_states import WEARERS, States
from ui import CLI_MODULE
from ui.view_models.live_traces import TraceChoice
from ui.windows.teleop import TeleopWindow

if TYPE_CHECKING:
    from simulation.stretch.drawing import Picture

PICTURE_TIMEOUT_S = 30.0
SETTLE_FRAMES = 4


def take_teleop(app: QApplication, out: Path, lsl_session: str) -> None:
    """Take every state, light and dark, small and large, of one sleeve and of two.

    Raises
    ------
    InputError
        If this machine cannot draw the robot.
    """
    scene = _draw_scene()
    with tempfile.TemporaryDirectory(prefix="hdemg-screenshots-") as folder:
        decoders = [
            calibrate_wearer(WearerSettings(seed=wearer), Path(folder) / f"ses-{wearer}").decoder
            for wearer in WEARERS
        ]
        one = TeleopSettings(decoder=(decoders[0],), out=Path(folder), record=False)
        _take_session(app, TeleopSession(one, one.out, CLI_MODULE, lsl_session=lsl_session), scene, out, "")
        sources = tuple(f"simulated --wearer {wearer}" for wearer in WEARERS)
        emg = tuple(WearerSettings(seed=wearer).source_id for wearer in WEARERS)
        two = one.model_copy(
            update={"decoder": tuple(decoders), "source": sources, "emg": emg, "map": "two_sleeves"}
        )
        _take_session(
            app, TeleopSession(two, two.out, CLI_MODULE, lsl_session=lsl_session), scene, out, "two_"
        )


def _take_session(
    app: QApplication,
    session: TeleopSession,
    scene: tuple[list[float], CameraPicture],
    out: Path,
    prefix: str,
) -> None:
    positions, picture = scene
    with ExitStack() as cleanup:
        cleanup.callback(session.close)
        window = TeleopWindow(app, session)
        cleanup.callback(window.close)
        window.show()
        window.participant.show()
        states = States(session.sleeves, session.settings.out, positions)
        window.show_camera(picture)
        for name, view in states.all().items():
            _take(app, window, window, view, out / f"teleop_{prefix}{name}")
        window.traces.signal = states.recent_emg
        for kind in (TraceChoice("raw"), TraceChoice("filtered")):
            window.change_traces(kind)
            _take(app, window, window, states.all()["moving"], out / f"teleop_{prefix}traces_{kind.kind}")
        for name, view in states.of_participant().items():
            _take(app, window, window.participant, view, out / f"participant_{prefix}{name}")


def _take(app: QApplication, window: TeleopWindow, shown: QWidget, view: TeleopView, path: Path) -> None:
    for look, width, height in LOOKS:
        if window.theme().name != look:
            window.change_theme()
        shown.resize(width, height)
        for _ in range(SETTLE_FRAMES):
            window.show_view(view)
            window.participant.show_view(view)
            app.processEvents()
        save_picture(shown, path.with_name(f"{path.name}_{look}_{width}.png"))


def _draw_scene() -> tuple[list[float], CameraPicture]:
    """Return where the simulated robot's DoF stand when it starts, and what its camera sees then."""
    choose_drawing_library()
    from simulation.stretch.drawing import SceneCamera  # noqa: PLC0415 - its library is chosen before
    from simulation.stretch.mujoco_stretch import MujocoStretch  # noqa: PLC0415 - an extra

    start = SimSettings().start
    body = MujocoStretch(load_robot_model(), start)
    pictures: list[CameraPicture] = []
    drawn = threading.Event()

    def keep(picture: "Picture") -> None:
        height, width, _ = picture.shape
        pictures.append(CameraPicture(width, height, picture.tobytes()))
        drawn.set()

    camera = SceneCamera(body, threading.Lock(), keep)
    try:
        drawn.wait(PICTURE_TIMEOUT_S)
    finally:
        camera.close()
    if not pictures:
        msg = f"the simulated camera has drawn nothing within {PICTURE_TIMEOUT_S:g} s: {camera.failure}"
        raise StreamLostError(msg)
    return [0.0, 0.0, *(start[dof] for dof in JOINT_DOF)], pictures[0]
