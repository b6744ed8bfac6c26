"""Session folders that appear all together or, after an error, not at all."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from emg_acquisition.errors import InputError
from emg_acquisition.recording.session_writer import session_folder

Progress: TypeAlias = Callable[[str, float], None]
Share: TypeAlias = Callable[[float], None]


def silent(_name: str, _share: float) -> None:
    """Progress that nobody watches."""


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
        beside = Path(tempfile.mkdtemp(prefix=".import-", dir=out))
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror}"
        raise InputError(msg) from error
    try:
        for index, job in enumerate(jobs):
            share = _share_of(progress, job.name, index, len(jobs))
            job.write(session_folder(beside, job.participant, job.session), share)
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            (beside / target.relative_to(out)).rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
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
