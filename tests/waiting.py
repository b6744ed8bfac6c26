"""Waiting for what another thread or process does: its condition decides, not the clock."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

# Long enough for any machine that works at all; only a failure waits for so long.
PATIENCE_S = 30.0
POLL_S = 0.01
T = TypeVar("T")


def wait_for(
    condition: Callable[[], T],
    what: str | Callable[[], object] = "it",
    limit_s: float = PATIENCE_S,
    *,
    poll_s: float = POLL_S,
) -> T:
    """Wait until `condition` gives something true, and return that; fail where it never does.

    `what` ends up in the failure: the name of what is waited for, or a function that tells how things stand by then.
    """
    deadline_s = time.monotonic() + limit_s
    while not (found := condition()):
        if time.monotonic() > deadline_s:
            pytest.fail(f"not within {limit_s:g} s: {what() if callable(what) else what}")
        time.sleep(poll_s)
    return found


def holds_for(condition: Callable[[], object], seconds: float, what: str = "it") -> None:
    """Check that `condition` holds all the time, for as long as what must not happen would take to show."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        assert condition(), f"not any more: {what}"
        time.sleep(POLL_S)


def states(pid: int) -> set[str]:
    """States of a process's threads as ``ps`` names them: T is stopped, Z has ended; none once it is gone."""
    found = set()
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            found.add(stat.read_text().rsplit(")", 1)[1].split()[0])
    return found


def hang(pid: int) -> None:
    """Stop a process, until SIGCONT, and wait until none of its threads runs any more."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: states(pid) == {"T"}, lambda: states(pid))
