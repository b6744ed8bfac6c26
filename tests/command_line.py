"""``hdemg`` as tests run it: in this process, where starting one would be most of the work, or in one of its own."""

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from ui.cli import main

COMMAND_TIMEOUT_S = 240.0


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.out.strip().splitlines()[-1])


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "ui.cli", *(str(argument) for argument in arguments)]


def run_process(
    *arguments: str | Path, timeout_s: float = COMMAND_TIMEOUT_S, env: Mapping[str, str] | None = None
) -> Ran:
    """Run ``hdemg ARGUMENTS`` as a user would."""
    done = subprocess.run(
        command(*arguments),
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def run_here(*arguments: str | Path) -> Ran:
    """Run ``hdemg ARGUMENTS`` in this process; its log goes to its error stream, as in one of its own."""
    out, err, root = StringIO(), StringIO(), logging.getLogger()
    handlers, levels = root.handlers[:], {one: one.level for one in _loggers()}
    root.handlers[:] = []
    try:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                status = main([str(argument) for argument in arguments])
            except SystemExit as ended:
                status = ended.code
    finally:
        root.handlers[:] = handlers
        for one in _loggers():
            one.setLevel(levels.get(one, logging.NOTSET))
    return Ran(status, out.getvalue(), err.getvalue())


def _loggers() -> list[logging.Logger]:
    named = logging.root.manager.loggerDict.values()
    return [logging.root, *(one for one in named if isinstance(one, logging.Logger))]


def refused(ran: Ran, *words: str) -> None:
    """Check that the command ended with one line that says what is wrong, and with a status that says so too."""
    assert ran.status not in (0, 70), ran.err
    assert "Traceback" not in ran.err
    line = ran.err.strip().splitlines()[-1]
    assert line.startswith("hdemg "), ran.err
    for word in words:
        assert word in line, line
