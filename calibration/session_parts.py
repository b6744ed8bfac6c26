"""The recordings of a calibration: the part that runs, those that are being closed, and what has gone wrong."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from calibration.progress import part_code
from calibration.session_ports import Recording


class SessionParts:
    """Records a calibration part by part, and each try-out apart.

    Parameters
    ----------
    session : str
        Code of the first part.
    recorded : tuple of Path
        Session folders of earlier parts.
    following : tuple of int
        Numbers of the part and of the try-out that come next.
    record : callable
        Begins a recording, given its session code.
    """

    def __init__(
        self,
        session: str,
        recorded: tuple[Path, ...],
        following: tuple[int, int],
        record: Callable[[str], Recording],
    ) -> None:
        self._session, self._record = session, record
        self._next_part, self._next_try_out = following
        self._now: Recording | None = None
        self._ending: list[Recording] = []
        self.folders = list(recorded)

    @property
    def ready(self) -> bool:
        """Whether what is sent now is recorded."""
        return self._now is not None and self._now.ready

    @property
    def all_closed(self) -> bool:
        """Whether every part that has ended is whole on the disk."""
        return not self._ending

    def begin_part(self) -> None:
        """Begin the next part."""
        self._now = self._record(part_code(self._session, self._next_part))
        self._next_part += 1

    def begin_try_out(self) -> None:
        """Begin to record a try-out, which is not trained on."""
        self._now = self._record(f"{self._session}t{self._next_try_out}")
        self._next_try_out += 1

    def event(self, t_lsl_s: float, kind: str, fields: Mapping[str, Any]) -> None:
        """Record an event, where a part is being recorded."""
        if self._now is not None:
            self._now.event(t_lsl_s, kind, fields)

    def end_part(self) -> None:
        """End the part that runs; it is trained on."""
        if self._now is not None:
            self.folders.append(self._now.folder)
        self.finish()

    def finish(self) -> None:
        """End whatever is being recorded."""
        if self._now is not None:
            self._now.finish()
            self._ending.append(self._now)
            self._now = None

    def failure(self) -> str:
        """Let go of what is closed; return what has gone wrong with the rest, or nothing."""
        for recording in [one for one in self._ending if one.closed]:
            recording.close()
            self._ending.remove(recording)
        there = (*self._ending, *((self._now,) if self._now else ()))
        return next((one.failure for one in there if one.failure), "")

    def close(self) -> None:
        """End everything and wait for it."""
        self.finish()
        for recording in self._ending:
            recording.close()
        self._ending.clear()
