"""What this machine has and lacks for hdemg, each lack with its remedy. Every check uses the real part."""

import importlib.util
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emg_acquisition.errors import StreamNotFoundError
from emg_acquisition.events import Event
from emg_acquisition.lsl_config import configure_lsl
from ui.system_libraries import missing_packages

MIN_FREE_BYTES = 2 * 1024**3
LOOPBACK_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Check:
    """One finding: `ok` is None where a lack only limits what can be used (a warning)."""

    name: str
    ok: bool | None
    found: str
    remedy: str = ""


def run_checks() -> list[Check]:
    """Look at everything; takes a few seconds (LSL and ROS 2 loopbacks)."""
    checks: tuple[Callable[[], Check], ...] = (
        _python,
        _packages,
        _training,
        _lsl,
        _ros,
        _screen,
        _libraries,
        _disk,
    )
    return [check() for check in checks]


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    good = (3, 10) <= sys.version_info[:2] < (3, 14)
    return Check("Python", good, found, "" if good else "use Python 3.10 to 3.13")


def _packages() -> Check:
    missing = _not_installed("numpy", "scipy", "pylsl", "pyxdf", "onnxruntime", "pydantic", "yaml", "rich")
    if missing:
        return Check("runtime packages", False, f"missing {', '.join(missing)}", "pip install hdemg-teleop")
    return Check("runtime packages", True, f"complete, numpy {np.__version__}")


def _training() -> Check:
    missing = _not_installed("torch", "onnx")
    if missing:
        remedy = "only needed to train: pip install 'hdemg-teleop[train]'"
        return Check("training (torch)", None, f"missing {', '.join(missing)}", remedy)
    return Check("training (torch)", True, "installed")


def _not_installed(*modules: str) -> list[str]:
    return [module for module in modules if importlib.util.find_spec(module) is None]


def _lsl() -> Check:
    """Send a marker through a real outlet to a real inlet of this machine."""
    from emg_acquisition.inlet import EventInlet
    from emg_acquisition.outlet import EventOutlet, lsl_clock_s

    source_id = f"hdemg-doctor-{uuid.uuid4().hex[:8]}"
    configure_lsl(source_id)
    outlet = EventOutlet("hdemg doctor", source_id)
    remedy = "let UDP and TCP through on the loopback interface (ports 16571-16604)"
    try:
        inlet = EventInlet(source_id, LOOPBACK_TIMEOUT_S)
        deadline = time.monotonic() + LOOPBACK_TIMEOUT_S
        started = time.monotonic()
        while time.monotonic() < deadline:
            outlet.push(Event(lsl_clock_s(), "ping", {}))
            if inlet.pull(0.2):
                return Check(
                    "LSL", True, f"a sample went round in {(time.monotonic() - started) * 1e3:.0f} ms"
                )
    except StreamNotFoundError:
        return Check("LSL", False, "a stream of this machine cannot be found", remedy)
    finally:
        outlet.close()
    return Check("LSL", False, "a stream is found but no sample arrives", remedy)


def _ros() -> Check:
    if importlib.util.find_spec("rclpy") is None:
        remedy = "pip install 'hdemg-teleop[ros]', or source a ROS 2 distribution (Humble, Jazzy)"
        return Check("ROS 2", None, "rclpy is not installed", remedy)
    from robot_bridge.ros_loopback import loopback_ms

    took_ms = loopback_ms(LOOPBACK_TIMEOUT_S)
    distribution = os.environ.get("ROS_DISTRO", "wheels")
    if took_ms is None:
        return Check(
            "ROS 2", False, "two nodes do not find each other", "check RMW_IMPLEMENTATION and ROS_DOMAIN_ID"
        )
    return Check("ROS 2", True, f"{distribution}: a message went round in {took_ms:.0f} ms")


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


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    found = f"{free / 1024**3:.1f} GiB free here"
    remedy = "free some space: a session takes about 4 GiB an hour at 256 channels x 4 kHz"
    return Check("disk", free >= MIN_FREE_BYTES, found, "" if free >= MIN_FREE_BYTES else remedy)
