"""``log.jsonl``: what a process logs, one JSON object a line, next to the session that it is about.

Several processes may append to one file: each line is one write, which the kernel does not mix with another's.
"""

import json
import logging
import os
import time
from datetime import datetime, timezone
from pathlib import Path

LOG_NAME = "log.jsonl"
# Every hdemg process that is started with it appends there; `hdemg teleop` sets it for its parts.
LOG_VARIABLE = "HDEMG_LOG_FILE"
MAX_HELD = 1000


class JsonLinesHandler(logging.Handler):
    """Appends records to a file, from the moment at which its folder exists.

    A line has ``time`` (UTC, ISO 8601), ``t_mono_s`` (this machine's monotonic clock, which LSL's time stamps use),
    ``level``, ``command``, ``pid``, ``logger`` and ``message``.

    Parameters
    ----------
    path : Path
        The file; made when it is first needed, never truncated.
    command : str
        Which ``hdemg`` command this process is.
    """

    def __init__(self, path: Path, command: str) -> None:
        super().__init__()
        self._path, self._command = path, command
        self._held: list[str] = []
        self._file: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or hold it while there is no folder; a full disk costs lines and nothing else."""
        self._held.append(self.format(record) + "\n")
        del self._held[:-MAX_HELD]
        if self._file is None and not self._path.parent.is_dir():
            return
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            while self._held:
                os.write(self._file, self._held[0].encode("utf-8", "backslashreplace"))
                del self._held[0]
        except OSError:
            self.handleError(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one JSON object."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            # When the record was made, on the clock that it is logged with.
            "t_mono_s": round(time.monotonic() - (time.time() - record.created), 4),
            "level": record.levelname.lower(),
            "command": self._command,
            "pid": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = logging.Formatter().formatException(record.exc_info)
        return json.dumps(fields)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Go on silently: a failure to log must not end the process, nor be logged again and again."""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        super().close()


def log_to(path: Path, command: str) -> JsonLinesHandler:
    """Let this process's log go to `path` too, from now on; close the handler, or leave it to the process's end."""
    handler = JsonLinesHandler(path, command)
    logging.getLogger().addHandler(handler)
    return handler
