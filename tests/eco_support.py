"""A copy of what makes the package, so that builds leave nothing in the checkout."""

import os
import shutil
from pathlib import Path

from tests.conftest import REPOSITORY

ROOM_NAMES = (
    "emg_acquisition",
    "decoding",
    "calibration",
    "robot_bridge",
    "evaluation",
    "teleoperation",
    "simulation",
    "ui",
)
_FOLDERS = (*ROOM_NAMES, "launch", "resource")
_SUFFIXES = {".toml", ".py", ".cfg", ".xml", ".md", ".in", ".txt", ""}


def copy_sources(to: Path) -> Path:
    """Copy the rooms and the files that describe the package; returns the folder."""
    to.mkdir(parents=True)
    for name in _FOLDERS:
        shutil.copytree(REPOSITORY / name, to / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    for path in REPOSITORY.iterdir():
        if path.is_file() and path.suffix in _SUFFIXES and not path.name.startswith("."):
            shutil.copy2(path, to)
    return to


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment, without what makes Python find the checkout."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "AMENT_PREFIX_PATH"}
    }
    return {**kept, **more}
