"""What happened, on disk, with and without a recording: for whoever has to understand an incident.

A JSON object a line in ``$XDG_STATE_HOME/hdemg/incidents`` (by default ``~/.local/state/hdemg/incidents``): what a
program notes as it runs, and the last minute of a bridge's journal around a fault. Files are of bounded size and
number. Noting is an append to a queue; a thread writes. A disk that is full or cannot be written to costs one warning
and what would have been written, nothing else.
"""

import contextlib
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

FILE_BYTES = 5_000_000
FILES = 20
WRITE_EVERY_S = 0.2
TRY_AGAIN_S = 10.0
JOURNAL_S = 60.0
# What follows a fault belongs to it: how the robot came to a standstill.
AFTER_S = 3.0
MAX_WAITING = 20_000
# Written through to the disk: the computer may be switched off next.
SYNCED = frozenset({"transition", "end"})
_LOG = logging.getLogger(__name__)


def incident_folder() -> Path | None:
    """Return where incident logs are, by the XDG base directory specification; None where there is no home."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:
            return None
    return state / "hdemg" / "incidents"


class IncidentLog:
    """One program's log; `start` it, note, and `close` it.

    Parameters
    ----------
    name : str
        The program's, for the file's name.
    folder : Path, optional
        Where; `incident_folder` without.
    file_bytes, files : int
        A file that has grown so large is followed by another; the oldest of more than so many are deleted.
    clock : callable
        Monotonic, s.
    """

    def __init__(
        self,
        name: str,
        folder: Path | None = None,
        *,
        file_bytes: int = FILE_BYTES,
        files: int = FILES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder or incident_folder()
        self._file_bytes, self._files, self._clock = file_bytes, files, clock
        self._stem = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{name}-{os.getpid()}"
        self._part = 1
        self._file: BinaryIO | None = None
        self._written = 0
        self._queue: deque[tuple[float, float, str, dict[str, object]]] = deque(maxlen=MAX_WAITING)
        self._journal: deque[tuple[float, str]] = deque(maxlen=MAX_WAITING)
        self._keep_until_s = -float("inf")
        self._wait_until_s = -float("inf")
        self._warned = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="incident-log", daemon=True)

    @property
    def path(self) -> Path | None:
        """The file that is written to; None where there is no place for one."""
        if self._folder is None:
            return None
        part = f"-{self._part}" if self._part > 1 else ""
        return self._folder / f"{self._stem}{part}.jsonl"

    def start(self) -> None:
        """Write from now on, in a thread, and log where."""
        if self.path is None:
            _LOG.warning("no incident log: there is no home folder; set XDG_STATE_HOME")
            return
        _LOG.info("incident log: %s", self.path)
        self._thread.start()

    def close(self) -> None:
        """Write what is left."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    # ---- what is noted; each returns at once

    def note(self, kind: str, **fields: object) -> None:
        """Note something of a kind; its fields are put into JSON later, so they must not change."""
        self._queue.append((time.time(), self._clock(), kind, fields))

    def note_journal(self, text: str) -> None:
        """Take the JSON text of the newest entries of a journal; a minute of it waits for a fault."""
        self._journal.append((self._clock(), text))

    def keep_journal(self) -> None:
        """Write the last minute of the journal, and the next moments."""
        self._keep_until_s = self._clock() + AFTER_S

    # ---- the thread

    def _run(self) -> None:
        try:
            while not self._ending.wait(WRITE_EVERY_S):
                self.flush()
            self.flush()
        except Exception:  # noqa: BLE001 - the thread's edge: a log that fails must never stop a robot's bridge
            _LOG.exception("the incident log has ended; everything else goes on without it")

    def flush(self) -> None:
        """Write what waits."""
        now_s = self._clock()
        lines, sync = self._lines(now_s)
        if not lines or now_s < self._wait_until_s:
            return
        try:
            self._write(b"".join(lines), sync=sync)
        except OSError as error:
            self._give_up(error, now_s)

    def _lines(self, now_s: float) -> tuple[list[bytes], bool]:
        lines, sync = [], False
        while self._queue:
            t_s, mono_s, kind, fields = self._queue.popleft()
            head = {"t": _utc(t_s), "mono_s": round(mono_s, 6), "kind": kind}
            lines.append(json.dumps(head | fields, default=str).encode() + b"\n")
            sync |= kind in SYNCED
        while self._journal and (self._journal[0][0] <= self._keep_until_s or self._is_old(now_s)):
            mono_s, text = self._journal.popleft()
            if mono_s >= now_s - JOURNAL_S and mono_s <= self._keep_until_s:
                lines.append(f'{{"kind": "journal", "mono_s": {mono_s:.6f}, "rows": {text}}}\n'.encode())
        return lines, sync

    def _is_old(self, now_s: float) -> bool:
        return self._journal[0][0] < now_s - JOURNAL_S

    def _write(self, batch: bytes, *, sync: bool) -> None:
        if self._file is None or self._written >= self._file_bytes:
            self._open()
        file = self._file
        if file is None:
            return
        left = memoryview(batch)
        while left:
            written = file.write(left)
            left, self._written = left[written:], self._written + written
        if sync:
            os.fsync(file.fileno())

    def _open(self) -> None:
        path = self.path
        if path is None:
            return
        if self._file is not None:
            self._file.close()
            self._file = None
            self._part += 1
            path = self.path or path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Unbuffered: what is written is in the kernel's hands when this process is killed.
        self._file = path.open("ab", buffering=0)
        self._written = 0
        self._delete_old(path)

    def _delete_old(self, own: Path) -> None:
        aged = []
        for path in own.parent.glob("*.jsonl"):
            # Another program may delete it just now.
            with contextlib.suppress(FileNotFoundError):
                aged.append((path != own, -path.stat().st_mtime, path))
        for _, _, path in sorted(aged)[self._files :]:
            path.unlink(missing_ok=True)

    def _give_up(self, error: OSError, now_s: float) -> None:
        """Lose what could not be written, and try again in a while; half a line ends with its file."""
        self._wait_until_s = now_s + TRY_AGAIN_S
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
            self._part += 1
        if not self._warned:
            self._warned = True
            _LOG.warning("no incident log in %s: %s", self._folder, error.strerror or error)


def _utc(t_s: float) -> str:
    return datetime.fromtimestamp(t_s, timezone.utc).isoformat(timespec="milliseconds")
