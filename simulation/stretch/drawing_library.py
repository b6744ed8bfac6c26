"""Which OpenGL MuJoCo draws with; said before MuJoCo is first imported, which reads it then."""

import ctypes.util
import importlib.util
import logging
import os

from emg_acquisition.errors import InputError


def choose_drawing_library() -> None:
    """Tell MuJoCo, before it is first imported, to draw without a screen where there is none.

    Raises
    ------
    InputError
        If this machine has no OpenGL that draws without a screen.
    """
    # It would like to be faster by another package, and says so.
    logging.getLogger("OpenGL").setLevel(logging.WARNING)
    if "MUJOCO_GL" in os.environ or os.environ.get("DISPLAY"):
        return
    if ctypes.util.find_library("EGL") is None or importlib.util.find_spec("OpenGL") is None:
        msg = (
            "the camera draws by OpenGL, and this machine has neither a screen nor EGL: install libegl1 "
            "(apt-get install libegl1 libgl1-mesa-dri), or leave --camera out"
        )
        raise InputError(msg)
    os.environ["MUJOCO_GL"] = "egl"
