"""Drawing the simulated robot: pictures off screen, and MuJoCo's own viewer where there is a screen."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from emg_acquisition.errors import InputError
from simulation.stretch.mujoco_stretch import MujocoStretch

CAMERA = "overview"
WIDTH, HEIGHT = 320, 240
# A little more than the ten that a window wants.
RATE_HZ = 12.0
Picture = npt.NDArray[np.uint8]


class SceneCamera:
    """Draws what a robot's scene looks like, in a thread of its own: physics waits for a copy of the state only.

    Parameters
    ----------
    robot : MujocoStretch
        What is drawn.
    lock : threading.Lock
        Held by whoever steps the robot.
    show : callable
        Takes each picture, uint8 of shape (240, 320, 3), from this thread.
    """

    def __init__(self, robot: MujocoStretch, lock: threading.Lock, show: Callable[[Picture], None]) -> None:
        self._robot, self._lock, self._show = robot, lock, show
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self.failure: Exception | None = None
        self.frames = 0
        self._thread.start()

    def close(self) -> None:
        """Draw no more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._draw_until_closed()
        except Exception as error:  # noqa: BLE001 - the thread's edge; a robot goes on without its picture
            self.failure = error

    def _draw_until_closed(self) -> None:
        import mujoco  # noqa: PLC0415 - its drawing library is chosen before

        # Made here: an OpenGL context belongs to its thread.
        state = mujoco.MjData(self._robot.model)
        renderer: Any = mujoco.Renderer(self._robot.model, HEIGHT, WIDTH)
        try:
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
            due_s = time.monotonic()
            while not self._ending.wait(max(0.0, due_s - time.monotonic())):
                due_s = max(due_s + 1.0 / RATE_HZ, time.monotonic())
                with self._lock:
                    state.qpos[:] = self._robot.data.qpos
                for compute in (mujoco.mj_kinematics, mujoco.mj_comPos, mujoco.mj_camlight):
                    compute(self._robot.model, state)
                renderer.update_scene(state, CAMERA if self._has_camera(mujoco) else -1)
                self._show(renderer.render())
                self.frames += 1
        finally:
            renderer.close()

    def _has_camera(self, mujoco: Any) -> bool:  # noqa: ANN401 - the module
        return int(mujoco.mj_name2id(self._robot.model, mujoco.mjtObj.mjOBJ_CAMERA, CAMERA)) >= 0


class Viewer:
    """MuJoCo's interactive viewer: look around, push things. It shows the robot as it is; call `sync` to refresh.

    Parameters
    ----------
    robot : MujocoStretch
        What is shown.

    Raises
    ------
    InputError
        If there is no screen.
    """

    def __init__(self, robot: MujocoStretch) -> None:
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise InputError(
                "--viewer needs a screen, and DISPLAY is not set; use --camera for pictures without one"
            )
        import mujoco.viewer  # noqa: PLC0415 - needs a screen

        self._viewer = mujoco.viewer.launch_passive(robot.model, robot.data)

    @property
    def is_open(self) -> bool:
        """Whether its window has not been closed."""
        return bool(self._viewer.is_running())

    def sync(self) -> None:
        """Show the robot as it is now; the caller holds the robot's lock."""
        self._viewer.sync()

    def close(self) -> None:
        """Close the window."""
        self._viewer.close()
