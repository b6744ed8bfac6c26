"""Imported EMG and its cues as session folders, which appear all together or, after an error, not at all."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.recording.session_writer import SessionWriter, session_folder
from emg_acquisition.stream_info import EmgStreamInfo

Progress: TypeAlias = Callable[[str, float], None]
Share: TypeAlias = Callable[[float], None]
_BLOCK = 1000


def silent(_name: str, _share: float) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class SessionJob:
    """One session to be made.

    Parameters
    ----------
    participant, session : str
        Codes of letters and digits.
    name : str
        What the source calls it, for progress.
    write : callable
        Given the folder to write and a function that takes the share done, 0 to 1.
    """

    participant: str
    session: str
    name: str
    write: Callable[[Path, Share], None]


def import_sessions(jobs: Sequence[SessionJob], out: Path, progress: Progress) -> list[Path]:
    """Write every session into a hidden folder inside `out` and move them into place when all are whole.

    Parameters
    ----------
    jobs : sequence of SessionJob
        Written in this order, one at a time.
    out : Path
        Session folders appear as ``OUT/sub-P01/ses-S1``.
    progress : callable
        Called with a session's name and the share of all done, 0 to 1.

    Returns
    -------
    list of Path
        The session folders, in the order of the jobs.

    Raises
    ------
    InputError
        If a session exists already, two jobs would make the same one, or `out` cannot be written; and whatever
        a job raises. Nothing is left behind.
    """
    targets = [session_folder(out, job.participant, job.session) for job in jobs]
    _check_free(jobs, targets)
    try:
        out.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".import-", dir=out))
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror}"
        raise InputError(msg) from error
    try:
        for index, job in enumerate(jobs):
            share = _share_of(progress, job.name, index, len(jobs))
            job.write(session_folder(staging, job.participant, job.session), share)
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            (staging / target.relative_to(out)).rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return targets


def _check_free(jobs: Sequence[SessionJob], targets: Sequence[Path]) -> None:
    seen: dict[Path, str] = {}
    for job, target in zip(jobs, targets, strict=True):
        if target.exists():
            msg = f"{target} exists already; remove it or import into another folder"
            raise InputError(msg)
        if target in seen:
            msg = f"{seen[target]} and {job.name} would both become {target}; import one of them at a time"
            raise InputError(msg)
        seen[target] = job.name


def _share_of(progress: Progress, name: str, index: int, count: int) -> Share:
    return lambda share: progress(name, (index + share) / count)


@dataclass(frozen=True)
class CueAt:
    """From which sample of its piece on a gesture was asked for, and in which repetition."""

    sample: int
    gesture: str
    repetition: int


@dataclass(frozen=True)
class Piece:
    """Neighbouring samples, shape (n_samples, n_channels), µV, and the cues among them in order of time."""

    emg_uv: npt.NDArray[np.floating]
    cues: tuple[CueAt, ...]
    repetition: int


def whole_trial(emg_uv: npt.NDArray[np.floating], gesture: str, repetition: int) -> Piece:
    """Return a piece that is one trial of one gesture, asked for from its first sample."""
    return Piece(emg_uv, (CueAt(0, gesture, repetition),), repetition)


@dataclass(frozen=True)
class SessionHeader:
    """What a session declares: its codes, its EMG stream and its protocol."""

    participant: str
    session: str
    emg: EmgStreamInfo
    protocol: ProtocolInfo


def write_joined(
    folder: Path, header: SessionHeader, pieces: Iterable[Piece], n_pieces: int, share: Share
) -> None:
    """Write pieces that were cut apart, or recorded apart, one behind the other.

    Where a piece follows another a ``join`` event stands, and the later piece is shifted, per channel, to begin
    where the earlier one ended: an amplifier's offset differs from file to file, and its step would ring through
    every high-pass. Cues are numbered through the session.

    Parameters
    ----------
    folder : Path
        The session folder to make.
    header : SessionHeader
        Codes, stream and protocol.
    pieces : iterable of Piece
        Asked for one at a time, so that one piece at a time is in memory.
    n_pieces : int
        How many there will be, for progress.
    share : callable
        Takes the share done after each piece.
    """
    with closing(_writer(folder, header)) as writer:
        fs_hz = header.emg.fs_hz
        start, trial, last_uv = 0, 0, None
        for number, piece in enumerate(pieces, start=1):
            emg_uv = piece.emg_uv if last_uv is None else piece.emg_uv + _shift(last_uv, piece.emg_uv[0])
            last_uv = emg_uv[-1]
            writer.write_events(_events(piece, start, trial, fs_hz))
            _write(writer, emg_uv.astype(np.float32, copy=False), start, fs_hz)
            start += len(emg_uv)
            trial += len(piece.cues)
            share(number / n_pieces)


def write_continuous(
    folder: Path,
    header: SessionHeader,
    blocks: Iterable[Float32Array],
    n_samples: int,
    share: Share,
    *,
    events: Sequence[Event] = (),
    t_s: Float64Array | None = None,
) -> None:
    """Write one recording block by block as it is.

    Parameters
    ----------
    folder, header, share
        As for `write_joined`.
    blocks : iterable of ndarray, shape (n, n_channels), µV
        In order of time, `n_samples` in all.
    n_samples : int
        Number of samples in all blocks.
    events : sequence of Event
        Written first, with the recording's times.
    t_s : ndarray, shape (n_samples,), optional
        Time of each sample; samples follow each other regularly from 0 if not given.
    """
    with closing(_writer(folder, header)) as writer:
        writer.write_events(events)
        start = 0
        for block in blocks:
            _write(writer, block, start, header.emg.fs_hz, t_s)
            start += len(block)
            share(start / n_samples)


def _writer(folder: Path, header: SessionHeader) -> SessionWriter:
    emg = header.emg
    texts = (
        emg.name,
        emg.source_id,
        emg.manufacturer,
        emg.model,
        emg.serial_number,
        emg.reference,
        emg.filters,
    )
    unprintable = [text for text in (*emg.channel_labels, *texts) if not text.isprintable()]
    if unprintable:
        msg = f"{emg.name!r}: the file names something {unprintable[0]!r}, which is no text; it is damaged"
        raise InputError(msg)
    return SessionWriter(
        folder,
        participant=header.participant,
        session=header.session,
        emg=header.emg,
        protocol=header.protocol,
    )


def _shift(last_uv: npt.NDArray[np.floating], first_uv: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return what to add to each channel; nothing where either sample is missing."""
    return np.nan_to_num(last_uv - first_uv, nan=0.0, posinf=0.0, neginf=0.0)


def _events(piece: Piece, start: int, trial: int, fs_hz: float) -> list[Event]:
    join = [Event(start / fs_hz, "join", {"repetition": piece.repetition})] if start else []
    return join + [
        Event(
            (start + cue.sample) / fs_hz,
            "cue",
            {"gesture": cue.gesture, "repetition": cue.repetition, "trial": number},
        )
        for number, cue in enumerate(piece.cues, start=trial + 1)
    ]


def _write(
    writer: SessionWriter, emg_uv: Float32Array, start: int, fs_hz: float, t_s: Float64Array | None = None
) -> None:
    stop = start + len(emg_uv)
    times = np.arange(start, stop) / fs_hz if t_s is None else t_s[start:stop]
    for at in range(0, len(emg_uv), _BLOCK):
        writer.write_emg(emg_uv[at : at + _BLOCK], times[at : at + _BLOCK])
