"""The recordings of a calibration: how they are made, one after the other, and how far a calibration got by them.

A calibration lies in one session folder, or in several where it was resumed or extended: ``ses-T``, ``ses-Tp2``,
``ses-Tp3``; what was recorded during try-outs in ``ses-Tt1``, ``ses-Tt2``. Each is a session of its own and closed
by itself, so that nothing is ever appended to a recording that something was computed from. Progress is read from
what was recorded: there is no other state that could disagree with it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from calibration.protocol import CueSchedule
from calibration.session_ports import Recording
from calibration.signal_options import DEFAULT_SIGNAL, SignalOptions
from calibration.trial_verdict import TrialLabel, labels_of
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event, events_from_texts
from emg_acquisition.recording.session import RECORDING_FILE, SESSION_FILE
from emg_acquisition.recording.xdf_reader import read_headers, read_xdf
from emg_acquisition.stream_info import EVENTS_TYPE

# The first event of each part: what is asked for, of whom.
CALIBRATION = "calibration"
_PART = re.compile(r"ses-(?P<session>[A-Za-z0-9]*?)(?:p(?P<part>[0-9]+))?$")
_TRY_OUT = "ses-{}t{}"


@dataclass(frozen=True)
class CalibrationProgress:
    """What the parts of a calibration hold.

    Parameters
    ----------
    session : str
        Code of the first part.
    protocol : CueSchedule
        As the newest part has it.
    source_id : str
        The EMG stream.
    base : str
        The decoder to recalibrate; empty where a new one is trained.
    signal : SignalOptions
        What was chosen of the signal path.
    parts : tuple of Path
        Session folders that hold EMG, in order.
    labels : tuple of TrialLabel
        The last one of each trial.
    next_part, next_try_out : int
        Numbers of the part and the try-out that come next.
    """

    session: str
    protocol: CueSchedule
    source_id: str
    base: str
    signal: SignalOptions
    parts: tuple[Path, ...]
    labels: tuple[TrialLabel, ...]
    next_part: int
    next_try_out: int


def about(
    protocol: CueSchedule, source_id: str, base: str, signal: SignalOptions = DEFAULT_SIGNAL
) -> dict[str, Any]:
    """Return the fields of a part's first event."""
    return {
        "protocol": protocol.model_dump(mode="json"),
        "source_id": source_id,
        "base": base,
        "signal": asdict(signal),
    }


def part_code(session: str, part: int) -> str:
    """Return the session code of a part; the first has the calibration's own."""
    return session if part == 1 else f"{session}p{part}"


def read_events(folder: Path) -> tuple[Event, ...]:
    """Read the events of a session folder, without its EMG.

    Raises
    ------
    InputError
        If its recording cannot be read.
    """
    path = folder / RECORDING_FILE
    wanted = {header for header in read_headers(path) if header.type == EVENTS_TYPE}
    events = [
        event
        for stream in read_xdf(path, only=wanted.__contains__).streams
        for event in events_from_texts(
            zip(stream.texts, stream.t_lsl_s.tolist(), strict=True), stream.header.name
        )
    ]
    return tuple(sorted(events, key=lambda event: event.t_lsl_s))


def find_calibration(root: Path, participant: str, session: str | None) -> CalibrationProgress:
    """Find a participant's calibration, the newest where none is named, and how far it got.

    Raises
    ------
    InputError
        If there is none; the message says where it was looked for.
    """
    folder = root / f"sub-{participant}"
    parts = _parts(folder)
    for code in [session] if session else sorted(parts, reverse=True):
        found = _read(code, parts.get(code, {}))
        if found is not None:
            return found
    what = f"calibration {session!r}" if session else "calibration"
    msg = f"{folder} holds no {what} to resume; start one without --resume"
    raise InputError(msg)


def _parts(folder: Path) -> dict[str, dict[int, Path]]:
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(folder.glob("ses-*")):
        name = _PART.match(path.name)
        if name and (path / RECORDING_FILE).is_file():
            found.setdefault(name["session"], {})[int(name["part"] or 1)] = path
    return found


def _read(session: str, parts: Mapping[int, Path]) -> CalibrationProgress | None:
    labels: list[TrialLabel] = []
    begun: Event | None = None
    usable: list[Path] = []
    for part in sorted(parts):
        try:
            events = read_events(parts[part])
        except InputError:
            continue  # killed before anything was written; it keeps its number
        first = [event for event in events if event.kind == CALIBRATION]
        if not first or not (parts[part] / SESSION_FILE).is_file():
            continue
        begun = first[-1]
        labels += labels_of(events).values()
        if any(event.kind == "cue" for event in events):
            usable.append(parts[part])
    if begun is None:
        return None
    protocol, source_id, base, signal = _read_about(begun, session)
    root = parts[max(parts)].parent
    tried = 1
    while (root / _TRY_OUT.format(session, tried)).exists():
        tried += 1
    return CalibrationProgress(
        session, protocol, source_id, base, signal, tuple(usable), tuple(labels), max(parts) + 1, tried
    )


def _read_about(event: Event, session: str) -> tuple[CueSchedule, str, str, SignalOptions]:
    try:
        protocol = CueSchedule.model_validate(event.fields["protocol"])
        signal = SignalOptions(**event.fields["signal"])
        return protocol, str(event.fields["source_id"]), str(event.fields["base"]), signal
    except (KeyError, TypeError, ValidationError) as error:
        msg = f"calibration {session!r} is of another version of this program and cannot be resumed; start a new one"
        raise InputError(msg) from error


def trained_on(parts: Sequence[Path]) -> tuple[Path, ...]:
    """Return those of the parts in which a trial was found good: training refuses the others."""
    return tuple(part for part in parts if labels_of(read_events(part)))


class PartRecorder:
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
