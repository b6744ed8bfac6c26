"""Whether windows can be shown here: one line says why not, before Qt would end the process."""

import importlib.util
import os
import re
import socket
import sys
from pathlib import Path

from emg_acquisition.errors import InputError
from ui.system_libraries import missing_packages

# Where Qt draws without any screen.
SCREENLESS = {"offscreen", "minimal", "vnc", "linuxfb", "eglfs"}
ONLY_X11 = ("libxcb", "libxkbcommon-x11")
TIMEOUT_S = 2.0
X11_PORT = 6000


def require_screen(instead: str = "or use --headless") -> None:
    """Make sure that a window can be opened.

    Parameters
    ----------
    instead : str
        What helps where there is no screen, at the end of the error.

    Raises
    ------
    InputError
        If Qt or its system libraries are not installed, or no screen answers; it says what to do.
    """
    absent = [name for name in ("PySide6", "pyqtgraph") if importlib.util.find_spec(name) is None]
    if absent:
        raise InputError(f"a window needs {' and '.join(absent)}: pip install 'hdemg-teleop[gui]', {instead}")
    if sys.platform != "linux":
        return
    screenless = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in SCREENLESS
    wayland, display = os.environ.get("WAYLAND_DISPLAY"), os.environ.get("DISPLAY")
    on_wayland = bool(wayland) and _wayland_answers(wayland or "")
    packages = missing_packages()
    if screenless or on_wayland:
        packages = [package for package in packages if not package.startswith(ONLY_X11)]
    if packages:
        raise InputError(
            f"a window needs system libraries: sudo apt-get install {' '.join(packages)}, {instead}"
        )
    if screenless or on_wayland:
        return
    if not wayland and not display:
        raise InputError(f"there is no screen: log in to a desktop or run under xvfb-run, {instead}")
    if not display or not _x11_answers(display):
        name = f"DISPLAY={display}" if display else f"WAYLAND_DISPLAY={wayland}"
        raise InputError(
            f"the screen {name} does not answer: log in to a desktop or run under xvfb-run, {instead}"
        )


def _wayland_answers(name: str) -> bool:
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / name
    return _connects(socket.AF_UNIX, str(path))


def _x11_answers(display: str) -> bool:
    """See whether ``[host]:number[.screen]`` takes a connection; a name of another form is left to Qt to judge."""
    found = re.fullmatch(r"(?:unix)?([^:/]*):(\d+)(?:\.\d+)?", display)
    if found is None:
        return True
    host, number = found[1], int(found[2])
    if host:
        return _connects(socket.AF_INET, (host, X11_PORT + number))
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - where X servers listen
    return _connects(socket.AF_UNIX, f"\0{path}") or _connects(socket.AF_UNIX, path)


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as link:
        link.settimeout(TIMEOUT_S)
        try:
            link.connect(address)
        except OSError:
            return False
    return True
