"""Child processes that are started in order, watched, and never left behind.

A child ends with this process, however this one ends: it inherits the reading end of a pipe whose writing end only this
process holds, and terminates when that closes (`child_process`). The thread that started it does not matter.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

logger = logging.getLogger(__name__)

TERMINATE_TIMEOUT_S = 5.0


@dataclass
class ProcessGroup:
    """Named ``hdemg`` stages, each with a log file of its own.

    Parameters
    ----------
    log_dir : Path
        Where each stage's output goes, as ``<name>.log``.
    cli_module : str
        Module that runs an ``hdemg`` command line as ``python -m`` does.
    environment : Mapping of str to str
        Added to this process's environment for every stage.
    """

    log_dir: Path
    cli_module: str
    environment: Mapping[str, str] = field(default_factory=dict)
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    # Its ends: what the children inherit, and what only this process holds.
    _life_pipe: tuple[int, int] | None = None

    def start(
        self, name: str, arguments: Sequence[str], *, module: str | None = None, pass_fds: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start ``hdemg ARGUMENTS``, or another module, as the stage `name`; it inherits `pass_fds`."""
        module = module or self.cli_module
        if self._life_pipe is None:
            self._life_pipe = os.pipe()
        life = self._life_pipe[0]
        self.log_dir.mkdir(parents=True, exist_ok=True)
        with (self.log_dir / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "teleoperation.child_process", str(life), module, *arguments],
                pass_fds=(life, *pass_fds),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONSAFEPATH": "1", **self.environment},
                # Ctrl-C in a terminal reaches the whole group: these end in order instead.
                start_new_session=True,
            )
        self._children[name] = child
        logger.debug("started %s (process %d): %s %s", name, child.pid, module, " ".join(arguments))
        return child

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """Return the process of a stage that was started."""
        return self._children[name]

    def dead(self) -> dict[str, int]:
        """Stages that have ended, with their exit status."""
        states = {name: child.poll() for name, child in self._children.items()}
        return {name: status for name, status in states.items() if status is not None}

    def last_words(self, name: str) -> str:
        """Return the last line that a stage wrote; its explanation if it failed."""
        lines = (self.log_dir / f"{name}.log").read_text(errors="replace").splitlines()
        return lines[-1].strip() if lines else "(it wrote nothing)"

    def stop(self) -> None:
        """End every stage in reverse order of starting: politely first, by force after a few seconds."""
        for name in reversed(list(self._children)):
            self.end(name)
        if self._life_pipe is not None:
            for fd in self._life_pipe:
                os.close(fd)
            self._life_pipe = None

    def end(self, name: str) -> None:
        """End one stage, if it was started."""
        child = self._children.pop(name, None)
        if child is None:
            return
        if child.poll() is None:
            child.terminate()
        try:
            child.wait(TERMINATE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not end within %g s and is killed", name, TERMINATE_TIMEOUT_S)
            child.kill()
            child.wait()
