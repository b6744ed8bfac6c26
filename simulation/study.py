"""The reference study's protocol with simulated wearers, as session folders.

Yang, Shibata, Weber, Erickson, *High-density Electromyography for Effective Gesture-based Control of Physically
Assistive Mobile Manipulators*, npj Robotics 2025: 64 electrodes at 4000 Hz, ten classes, 13 participants, trials of
2 s, 8 to 10 of each, and 4 to 5 for a recalibration an hour later. A second donning is added.
"""

import multiprocessing
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from calibration.protocol import CueSchedule
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.recording.session_writer import session_folder
from emg_acquisition.recording.study_folder import SESSIONS, write_study
from simulation.forearm.body import draw_traits_of
from simulation.forearm.impairment import Impairment
from simulation.forearm.settings import WearerSettings
from simulation.forearm.synergies import TEN_GESTURES, load_synergies
from simulation.recorded_wearer import record_schedule

# An hour of trials: the sleeve has crept, contacts have changed and muscles are tired.
HOUR_MIN = 60.0
HOUR_FATIGUE = 0.3
BYTES_A_TIME_STAMP = 9
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class StudySettings:
    """What the study consists of.

    Parameters
    ----------
    wearers, first : int
        How many, and the seed of the first; the others follow it.
    repetitions, recalibration_repetitions : int
        Trials of each gesture, at the first and second donning, and an hour after the first.
    hold_s, rest_s : float
        Length of a trial and of the rest before it.
    fs_hz : float
        Sampling rate.
    impairment : {"none", "c5", "c6", "c7", "c8"}
        Of every wearer.
    gestures : Path
        YAML of the gestures.
    """

    wearers: int = 13
    first: int = 0
    repetitions: int = 8
    recalibration_repetitions: int = 5
    hold_s: float = 2.0
    rest_s: float = 2.0
    fs_hz: float = 4000.0
    impairment: Impairment = "none"
    gestures: Path = TEN_GESTURES


@dataclass(frozen=True)
class _Task:
    """One session to record."""

    wearer: WearerSettings
    schedule: CueSchedule
    participant: str
    session: str

    @property
    def n_bytes(self) -> int:
        """About how large it becomes."""
        frame = 4 * self.wearer.grid.n_channels + BYTES_A_TIME_STAMP
        return round(self.schedule.seconds * self.wearer.fs_hz) * frame


def simulate_study(out: Path, settings: StudySettings, jobs: int, progress: Progress) -> list[Path]:
    """Record every session of every wearer into ``OUT/sub-W00/ses-calibration`` and so on; returns the folders.

    A session's folder appears when it is complete, and ``study.yaml``, with what is true of each wearer, when all
    are: an interruption leaves whole sessions only.

    Parameters
    ----------
    out : Path
        Holds none of the sessions yet.
    settings : StudySettings
        The protocol.
    jobs : int
        Processes that record at the same time.
    progress : callable
        Told what happens and the fraction done.

    Raises
    ------
    InputError
        If a session exists, the disk is too small or the gestures' file is not right.
    """
    tasks = list(_tasks(settings))
    targets = [session_folder(out, task.participant, task.session) for task in tasks]
    _check(out, tasks, targets)
    beside = Path(tempfile.mkdtemp(prefix=".study-", dir=out))
    try:
        arguments = [(task, beside, out) for task in tasks]
        if jobs == 1:
            for index, argument in enumerate(arguments):
                _record(*argument, _share_of(progress, tasks[index], index, len(tasks)))
        else:
            # Workers leave Ctrl-C to this process, which ends them; a fresh interpreter each: no thread is copied.
            context = multiprocessing.get_context("spawn")
            with context.Pool(jobs, initializer=_leave_interrupts) as pool:
                for done, name in enumerate(pool.imap_unordered(_record_one, arguments), start=1):
                    progress(name, done / len(tasks))
        _write_study(out, settings)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return targets


def _tasks(settings: StudySettings) -> Iterator[_Task]:
    gestures = tuple(name for name in load_synergies(settings.gestures).gestures if name != REST)
    for seed in range(settings.first, settings.first + settings.wearers):
        for index, session in enumerate(SESSIONS):
            later = session == "recalibration"
            wearer = WearerSettings(
                seed=seed,
                donning=2 if session == "donning2" else 1,
                session=1 if later else 0,
                worn_min=HOUR_MIN if later else 0.0,
                fatigue=HOUR_FATIGUE if later else 0.0,
                fs_hz=settings.fs_hz,
                impairment=settings.impairment,
                gestures=settings.gestures,
            )
            schedule = CueSchedule(
                gestures=gestures,
                repetitions=settings.recalibration_repetitions if later else settings.repetitions,
                hold_s=settings.hold_s,
                rest_s=settings.rest_s,
                seed=len(SESSIONS) * seed + index,
            )
            yield _Task(wearer, schedule, f"W{seed:02d}", session)


def _check(out: Path, tasks: list[_Task], targets: list[Path]) -> None:
    existing = [target for target in targets if target.exists()]
    if existing:
        msg = f"{existing[0]} exists: a session is never overwritten; choose another folder or other wearers"
        raise InputError(msg)
    try:
        out.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(out).free
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror}"
        raise InputError(msg) from error
    needed = sum(task.n_bytes for task in tasks)
    if needed > free:
        msg = f"{out}: about {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free; ask for fewer wearers"
        raise InputError(msg)


def _record_one(argument: tuple[_Task, Path, Path]) -> str:
    task, beside, out = argument
    _record(task, beside, out, lambda _share: None)
    return f"{task.participant} {task.session}"


def _record(task: _Task, beside: Path, out: Path, progress: Callable[[float], None]) -> None:
    wearer = task.wearer
    protocol = ProtocolInfo(
        name="simulated-study",
        gestures=(REST, *task.schedule.gestures),
        notes=(
            f"simulated wearer {wearer.seed}, donning {wearer.donning}, worn {wearer.worn_min:g} min, "
            f"fatigue {wearer.fatigue:g}, impairment {wearer.impairment}"
        ),
    )
    made = session_folder(beside, task.participant, task.session)
    made.parent.mkdir(parents=True, exist_ok=True)
    record_schedule(wearer, task.schedule, made, task.participant, protocol=protocol, progress=progress)
    target = session_folder(out, task.participant, task.session)
    target.parent.mkdir(parents=True, exist_ok=True)
    made.rename(target)


def _share_of(progress: Progress, task: _Task, index: int, count: int) -> Callable[[float], None]:
    name = f"{task.participant} {task.session}"
    return lambda share: progress(name, (index + share) / count)


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write_study(out: Path, settings: StudySettings) -> None:
    """Write the settings and what is true of each wearer, whole or not at all."""
    seeds = range(settings.first, settings.first + settings.wearers)
    wearers = {
        f"W{seed:02d}": draw_traits_of(WearerSettings(seed=seed, impairment=settings.impairment))
        for seed in seeds
    }
    content = {
        "protocol": {
            "repetitions": settings.repetitions,
            "recalibration_repetitions": settings.recalibration_repetitions,
            "hold_s": settings.hold_s,
            "rest_s": settings.rest_s,
            "fs_hz": settings.fs_hz,
            "impairment": settings.impairment,
            "gestures": list(load_synergies(settings.gestures).gestures),
        },
        "wearers": {
            name: {"skill": round(traits.skill, 3), "fat_mm": round(traits.fat_mm, 2)}
            for name, traits in wearers.items()
        },
    }
    write_study(out, content)
