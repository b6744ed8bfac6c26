"""Folders that take long to make, made by the first test that needs them and shared by all."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that `make` has filled, in whichever worker came first; nobody writes into it later.

    The workers of one run share it; so do the runs of one `make test`, which names the place in HDEMG_TEST_MADE.
    """
    base = temporary.getbasetemp()
    workers = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    shared = Path(os.environ.get("HDEMG_TEST_MADE") or workers)
    folder, part = shared / name, shared / f"{name}.part"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            # What a worker that failed here has left.
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            make(part)
            part.rename(folder)
    return folder
