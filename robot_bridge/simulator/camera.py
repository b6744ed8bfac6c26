"""A view of the scene, drawn off screen in a thread of its own, so that it never holds up the physics.

Collision meshes only and no shadows: 480 x 360 takes about 15 ms in software. Needs EGL (or OSMesa, with
``MUJOCO_GL=osmesa``), no screen.
"""

import importlib
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError

WIDTH, HEIGHT = 480, 360
RATE_HZ = 15.0
CAMERA = "overview"
NO_GL = (
    "no off-screen OpenGL for --camera ({error}): install EGL (Debian/Ubuntu: apt install libegl1 libgl1-mesa-dri), "
    "or leave --camera out"
)
_MOST_GEOMS = 500
_START_TIMEOUT_S = 20.0
_LOG = logging.getLogger(__name__)

Picture = NDArray[np.uint8]


class Drawing:
    """Draws a model from its camera `CAMERA`. Every call must come from the thread that made it.

    Parameters
    ----------
    model : mujoco.MjModel
        The scene.
    width, height : int
        Size of the picture.

    Raises
    ------
    InputError
        If there is no off-screen OpenGL.
    """

    def __init__(self, model: Any, width: int = WIDTH, height: int = HEIGHT) -> None:  # noqa: ANN401 - no types
        self._model, self._data = model, mujoco.MjData(model)
        self._gl = _gl_context(width, height)
        self._options = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type, self._camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, model.camera(CAMERA).id
        self._scene = mujoco.MjvScene(model, maxgeom=_MOST_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_resizeOffscreen(width, height, self._context)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._rectangle = mujoco.MjrRect(0, 0, width, height)
        self._pixels: Picture = np.zeros((height, width, 3), np.uint8)

    def draw(self, qpos: Float64Array) -> Picture:
        """Draw a state of the scene; returns RGB, shape (height, width, 3)."""
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(
            self._model, self._data, self._options, None, self._camera, everything, self._scene
        )
        mujoco.mjr_render(self._rectangle, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._rectangle, self._context)
        return self._pixels[::-1]

    def close(self) -> None:
        """Give the graphics memory back."""
        self._context.free()
        self._gl.free()


def _gl_context(width: int, height: int) -> Any:  # noqa: ANN401 - no types
    wanted = os.environ.get("MUJOCO_GL", "")
    try:
        module = importlib.import_module("mujoco.osmesa" if wanted == "osmesa" else "mujoco.egl")
        context = module.GLContext(width, height)
        context.make_current()
    # What is missing shows in many ways: libraries, attributes of them, drivers, displays, PyOpenGL's own errors.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(NO_GL.format(error=reason)) from error
    return context


class Camera:
    """Draws the newest state that it was shown, `RATE_HZ` times a second at the most.

    Parameters
    ----------
    model : mujoco.MjModel
        The scene.
    on_picture : callable
        Gets every picture, in the camera's thread.

    Raises
    ------
    InputError
        If there is no off-screen OpenGL.
    """

    def __init__(self, model: Any, on_picture: Callable[[Picture], None]) -> None:  # noqa: ANN401 - no types
        self._model, self._on_picture = model, on_picture
        self._newest: Float64Array | None = None
        self._shown, self._ending, self._ready = threading.Event(), threading.Event(), threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()
        self._ready.wait(_START_TIMEOUT_S)
        if self._error is not None:
            raise self._error

    def show(self, qpos: Float64Array) -> None:
        """Take a state of the scene, from the thread of the physics."""
        self._newest = qpos.copy()
        self._shown.set()

    def close(self) -> None:
        """End the thread."""
        self._ending.set()
        self._shown.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            drawing = Drawing(self._model)
        except InputError as error:
            self._error = error
            return
        finally:
            self._ready.set()
        try:
            while not self._ending.wait(0.0):
                began = time.monotonic()
                self._shown.wait()
                self._shown.clear()
                if self._newest is not None:
                    self._on_picture(drawing.draw(self._newest))
                self._ending.wait(max(0.0, began + 1 / RATE_HZ - time.monotonic()))
        except Exception:  # noqa: BLE001 - the thread's edge
            # A view that breaks must not take the robot with it.
            _LOG.exception("the camera view has ended")
        finally:
            drawing.close()
