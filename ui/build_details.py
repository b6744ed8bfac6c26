"""What ``hdemg --version`` says: which version, of which commit, on what."""

import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = "hdemg-teleop"
# Those whose version explains most of what differs between two machines.
LISTED = (
    "numpy",
    "scipy",
    "pylsl",
    "onnxruntime",
    "torch",
    "PySide6-Essentials",
    "mujoco",
    "ros-kilted-rclpy",
)
_GIT_TIMEOUT_S = 5.0


def installed_version(package: str) -> str:
    """Return a package's version as its metadata says; ``?`` where it has none, as of a sourced ROS."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


def build_details() -> str:
    """Return some lines: version and commit, Python and platform, main libraries."""
    own = installed_version(PACKAGE)
    own = "from a source tree that is not installed" if own == "?" else own
    commit = _commit()
    libraries = ", ".join(f"{name} {found}" for name in LISTED if (found := installed_version(name)) != "?")
    return "\n".join(
        (
            f"hdemg {own}{f' (commit {commit})' if commit else ''}",
            f"Python {platform.python_version()}, {platform.platform()}, {sys.executable}",
            libraries,
        )
    )


def _commit() -> str:
    """Return the commit of the checkout that this runs from, marked where files differ from it; empty elsewhere."""
    checkout, git = Path(__file__).resolve().parent.parent, shutil.which("git")
    if git is None or not (checkout / ".git").exists():
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - git of this machine, on our own checkout
            [git, "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return ""
    return done.stdout.strip()
