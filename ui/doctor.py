"""What this machine has and lacks for hdemg, each lack with its remedy. Every check uses the real part.

Run as a module it is the other process of a check: it sends over LSL or ROS 2 until its standard input is closed.
"""

import ctypes
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emg_acquisition.errors import InputError, StreamLostError, StreamNotFoundError
from emg_acquisition.sources.amplifier_names import AMPLIFIERS
from emg_acquisition.streams.lsl_config import configure_lsl
from robot_bridge.incident_log import incident_folder
from ui.build_details import installed_version
from ui.system_libraries import missing_packages

MIN_FREE_BYTES = 2 * 1024**3
# Two sleeves of 128 channels at 4 kHz: float32 and time stamps.
MIN_WRITE_MB_S = 20.0
WRITTEN_BYTES = 16 * 1024**2
PEER_TIMEOUT_S = 15.0
MAX_CLOCK_STEP_S = 0.05
CLOCK_WATCHED_S = 0.3
AMPLIFIER_WATCHED_S = 2.0
MAX_RATE_ERROR = 0.2
# What each extra is for, and the packages that it is checked by (name to install, name to import).
EXTRAS: dict[str, tuple[str, dict[str, str]]] = {
    "train": ("training", {"onnx": "onnx"}),
    "network": ("training the network as well", {"torch": "torch"}),
    "gui": ("windows", {"PySide6-Essentials": "PySide6", "pyqtgraph": "pyqtgraph"}),
    "sim": ("the simulated Stretch", {"mujoco": "mujoco", "hello-robot-stretch-urdf": "stretch_urdf"}),
    "import": ("public data sets", {"wfdb": "wfdb", "h5py": "h5py", "neo": "neo"}),
    "bids": ("EMG-BIDS export", {"edfio": "edfio"}),
    "brainflow": ("boards that BrainFlow reads", {"brainflow": "brainflow"}),
    "report": (
        "evaluations and HTML reports",
        {"matplotlib": "matplotlib", "scikit-learn": "sklearn", "Jinja2": "jinja2"},
    ),
}
PLAIN = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pylsl": "pylsl",
    "pyxdf": "pyxdf",
    "onnxruntime": "onnxruntime",
    "pydantic": "pydantic",
    "PyYAML": "yaml",
    "rich": "rich",
    "shtab": "shtab",
}
# One context, drawn into and read back, in a process of its own: a broken driver ends the process that asks it.
_OPENGL = """
import sys
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
application = QGuiApplication([])
surface = QOffscreenSurface(); surface.create()
context = QOpenGLContext()
if not context.create() or not context.makeCurrent(surface):
    sys.exit(1)
functions = context.functions()
print(functions.glGetString(0x1F02), '-', functions.glGetString(0x1F01))
"""


@dataclass(frozen=True)
class Check:
    """One finding: `ok` is None where a lack only limits what can be used (a warning)."""

    name: str
    ok: bool | None
    found: str
    remedy: str = ""


def run_checks(more: tuple[Callable[[], Check], ...] = ()) -> Iterator[Check]:
    """Look at everything, one check after the other; takes some seconds (LSL and ROS 2 between two processes)."""
    yield _python()
    yield _packages()
    for extra in EXTRAS:
        yield _extra(extra)
    for check in (_lsl, _ros, _screen, _libraries, _opengl, _clock, _disk, _incidents, *more):
        yield check()


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    good = (3, 10) <= sys.version_info[:2] < (3, 14)
    return Check("Python", good, found, "" if good else "use Python 3.10 to 3.13")


def _packages() -> Check:
    missing = _missing(PLAIN)
    if missing:
        return Check("runtime packages", False, f"missing {', '.join(missing)}", "pip install hdemg-teleop")
    return Check("runtime packages", True, _versions(PLAIN))


def _extra(extra: str) -> Check:
    purpose, packages = EXTRAS[extra]
    missing = _missing(packages)
    name = f"extra {extra}"
    if missing:
        remedy = f"only needed for {purpose}: pip install 'hdemg-teleop[{extra}]'"
        return Check(name, None, f"missing {', '.join(missing)}", remedy)
    return Check(name, True, _versions(packages))


def _missing(packages: dict[str, str]) -> list[str]:
    return [name for name, module in packages.items() if importlib.util.find_spec(module) is None]


def _versions(packages: dict[str, str]) -> str:
    return ", ".join(f"{name} {installed_version(name)}" for name in packages)


@contextmanager
def _peer(kind: str, name: str) -> Iterator[None]:
    """Run the other process of a check; it ends when its standard input is closed, whatever becomes of this one."""
    child = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "ui.doctor", kind, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )
    try:
        yield
    finally:
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(PEER_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _lsl() -> Check:
    """Take a marker that another process of this machine sends."""
    from emg_acquisition.streams.inlet import EventInlet

    source_id = f"hdemg-doctor-{uuid.uuid4().hex[:8]}"
    configure_lsl(source_id)
    remedy = "let UDP and TCP through on the loopback interface (ports 16571-16699)"
    started = time.monotonic()
    with _peer("lsl", source_id):
        try:
            inlet = EventInlet(source_id, PEER_TIMEOUT_S)
            while time.monotonic() - started < PEER_TIMEOUT_S:
                if inlet.pull(0.2):
                    took_ms = (time.monotonic() - started) * 1e3
                    return Check(
                        "LSL", True, f"found another process's stream and its samples, {took_ms:.0f} ms"
                    )
        except (StreamNotFoundError, StreamLostError):
            return Check("LSL", False, "a stream of another process of this machine cannot be found", remedy)
    return Check("LSL", False, "a stream is found but no sample arrives", remedy)


def _ros() -> Check:
    if importlib.util.find_spec("rclpy") is None:
        remedy = "pip install 'hdemg-teleop[ros]', or source a ROS 2 distribution (Humble, Jazzy)"
        return Check("ROS 2", None, "rclpy is not installed", remedy)
    from robot_bridge.ros_loopback import heard_ms
    from robot_bridge.ros_scope import describe_scope

    name = f"hdemg-doctor-{uuid.uuid4().hex[:8]}"
    with _peer("ros", name):
        took_ms = heard_ms(name, PEER_TIMEOUT_S)
    distribution = os.environ.get("ROS_DISTRO", "wheels")
    scope = f"domain {os.environ.get('ROS_DOMAIN_ID', '0')}, {describe_scope()}"
    if took_ms is None:
        remedy = "check RMW_IMPLEMENTATION, ROS_DOMAIN_ID and that multicast works on the loopback interface"
        return Check("ROS 2", False, f"{distribution}: nodes of two processes do not find each other", remedy)
    return Check("ROS 2", True, f"{distribution}, {scope}: heard another process, {took_ms:.0f} ms")


def _screen() -> Check:
    display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    if display:
        return Check("screen", True, display)
    return Check("screen", None, "none", "only needed for windows: log in to a desktop, or run under Xvfb")


def _libraries() -> Check:
    missing = missing_packages()
    if missing:
        remedy = f"only needed for windows: sudo apt-get install {' '.join(missing)}"
        return Check("Qt and OpenGL libraries", None, f"{len(missing)} missing", remedy)
    return Check("Qt and OpenGL libraries", True, "complete")


def _opengl() -> Check:
    """Make an OpenGL context as the windows do."""
    if importlib.util.find_spec("PySide6") is None:
        return Check("OpenGL", None, "not looked for without PySide6", "pip install 'hdemg-teleop[gui]'")
    remedy = (
        "only needed for windows: install the graphics driver, or Mesa (sudo apt-get install libgl1-mesa-dri)"
    )
    try:
        done = subprocess.run(  # noqa: S603 - our own text
            [sys.executable, "-c", _OPENGL],
            capture_output=True,
            text=True,
            timeout=PEER_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Check("OpenGL", None, "the graphics driver does not answer", remedy)
    if done.returncode:
        return Check("OpenGL", None, "no context can be made", remedy)
    return Check("OpenGL", True, done.stdout.strip())


def _clock() -> Check:
    """See whether the monotonic clock runs with the wall clock, and whether that one is kept by a server."""
    began_s = time.monotonic(), time.time()
    time.sleep(CLOCK_WATCHED_S)
    step_s = abs((time.monotonic() - began_s[0]) - (time.time() - began_s[1]))
    if step_s > MAX_CLOCK_STEP_S:
        remedy = "let it be kept by one service (timedatectl set-ntp true), and by no virtual machine's host as well"
        return Check(
            "clock", False, f"the wall clock stepped by {step_s * 1e3:.0f} ms while it was watched", remedy
        )
    if _kept_by_a_server() is False:
        remedy = "only needed where several machines record together: timedatectl set-ntp true"
        return Check("clock", None, "steady, but no time server keeps it", remedy)
    return Check("clock", True, "steady")


def _kept_by_a_server() -> bool | None:
    """Ask the kernel (``adjtimex(2)``, STA_UNSYNC); None where it cannot be asked."""
    if sys.platform != "linux":
        return None
    unsynchronised = 5
    state = int(ctypes.CDLL(None).adjtimex((ctypes.c_long * 64)()))
    return None if state < 0 else state != unsynchronised


def _disk() -> Check:
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    found = f"{free / 1024**3:.1f} GiB free here"
    if free < MIN_FREE_BYTES:
        remedy = "free some space: a session takes about 4 GiB an hour at 256 channels x 4 kHz"
        return Check("disk", False, found, remedy)
    try:
        with tempfile.TemporaryFile(dir=here) as file:
            began_s = time.monotonic()
            file.write(b"\x5a" * WRITTEN_BYTES)
            file.flush()
            os.fsync(file.fileno())
            mb_s = WRITTEN_BYTES / 1e6 / max(time.monotonic() - began_s, 1e-6)
    except OSError as error:
        remedy = "only needed to record here: go to a folder that you may write to"
        return Check("disk", None, f"{found}, but it cannot be written to ({error.strerror})", remedy)
    found += f", {mb_s:.0f} MB/s written"
    if mb_s < MIN_WRITE_MB_S:
        return Check("disk", None, found, f"a recording may need {MIN_WRITE_MB_S:.0f} MB/s: use a local disk")
    return Check("disk", True, found)


def _incidents() -> Check:
    """Say where incident logs are, and whether one can be written there."""
    folder = incident_folder()
    if folder is None:
        return Check(
            "incident log", False, "there is no home folder", "set XDG_STATE_HOME to a folder for it"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\n")
    except OSError as error:
        remedy = "give it to this user, free some space, or set XDG_STATE_HOME to another folder"
        return Check("incident log", False, f"{folder} cannot be written to ({error.strerror})", remedy)
    logs = len(list(folder.glob("*.jsonl")))
    return Check("incident log", True, f"{folder}, {logs} file{'' if logs == 1 else 's'}")


# ---- an amplifier, where one is named


def check_amplifier(which: str, host: str | None, port: int | None, timeout_s: float) -> Check:
    """Reach an amplifier and read from it for two seconds.

    Parameters
    ----------
    which : str
        An amplifier's name, or ``HOST:PORT`` for any device that listens.
    host, port : optional
        As `hdemg acquire` takes them.
    timeout_s : float
        How long to wait for it.
    """
    if which in AMPLIFIERS:
        return _named(which, host, port, timeout_s)
    place, colon, number = which.rpartition(":")
    if not colon or not place or not number.isdecimal():
        known = ", ".join(AMPLIFIERS)
        raise InputError(f"--amplifier {which!r}: one of {known} is required, or HOST:PORT")
    return _listening(place, int(number), timeout_s)


def _listening(host: str, port: int, timeout_s: float) -> Check:
    name = f"amplifier {host}:{port}"
    try:
        with socket.create_connection((host, port), timeout_s):
            return Check(name, True, "it accepts a connection")
    except (OSError, OverflowError) as error:
        remedy = "switch it on, join its network, and see that no firewall stands between"
        return Check(name, False, f"no connection within {timeout_s:g} s ({error})", remedy)


def _named(which: str, host: str | None, port: int | None, timeout_s: float) -> Check:
    from emg_acquisition.sources.amplifiers import AmplifierChoice, open_amplifier
    from emg_acquisition.streams.device_publisher import connect_device

    name = f"amplifier {which}"
    device = open_amplifier(AmplifierChoice(which, host=host, port=port))
    try:
        connect_device(device, timeout_s, threading.Event())
        samples, lost, began_s = 0, 0, time.monotonic()
        while time.monotonic() - began_s < AMPLIFIER_WATCHED_S:
            for block in device.read(0.2):
                samples, lost = samples + block.n_samples, lost + block.lost_before
    except (InputError, StreamLostError) as error:
        return Check(name, False, str(error), "see docs/amplifiers.md; hdemg acquire takes the same options")
    finally:
        device.close()
    return _judged(name, samples / AMPLIFIER_WATCHED_S, device.infos[0].fs_hz, lost)


def _judged(name: str, rate_hz: float, nominal_hz: float, lost: int) -> Check:
    found = f"{rate_hz:.0f} samples a second of {nominal_hz:g}, {lost} lost"
    if abs(rate_hz / nominal_hz - 1) > MAX_RATE_ERROR:
        return Check(name, False, found, "check its battery and the strength of its wireless link")
    return Check(name, None if lost else True, found, "come closer with wireless ones" if lost else "")


# ---- the other process


def main(kind: str, name: str) -> int:
    """Send `name` over ``lsl`` or ``ros``; whoever started this process ends it by closing its standard input."""
    stop = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(stop,), daemon=True).start()
    (_send_lsl if kind == "lsl" else _send_ros)(name, stop)
    return 0


def _wait_for_the_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _send_lsl(name: str, stop: threading.Event) -> None:
    from emg_acquisition.events import Event
    from emg_acquisition.streams.lsl_config import configure_lsl
    from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s

    configure_lsl(name)
    outlet = EventOutlet("hdemg doctor", name)
    while not stop.wait(0.02):
        outlet.push(Event(lsl_clock_s(), "ping", {}))
    outlet.close()


def _send_ros(name: str, stop: threading.Event) -> None:
    from robot_bridge.ros_loopback import talk

    talk(name, stop)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
