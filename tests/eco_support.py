"""A copy of what makes the package, so that builds leave nothing in the checkout."""

import os
import re
import shutil
from pathlib import Path

from tests.conftest import REPOSITORY

# What pyproject.toml puts into the wheel; Python 3.10 has no reader of it.
ROOM_NAMES = tuple(
    re.findall(r'(?m)^    "(\w+)\*",$', (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
)
_SUFFIXES = {".toml", ".py", ".cfg", ".xml", ".md", ".in", ".txt", ""}


def copy_sources(to: Path) -> Path:
    """Copy the rooms and what describes the package; returns the folder."""
    copy_folders(to, *ROOM_NAMES, "launch", "resource")
    for path in REPOSITORY.iterdir():
        if path.is_file() and path.suffix in _SUFFIXES and not path.name.startswith("."):
            shutil.copy2(path, to)
    return to


def copy_folders(to: Path, *names: str) -> Path:
    for name in names:
        shutil.copytree(REPOSITORY / name, to / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    return to


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment, without what makes Python find the checkout."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "AMENT_PREFIX_PATH"}
    }
    return {**kept, **more}
