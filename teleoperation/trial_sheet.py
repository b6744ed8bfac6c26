"""A study's trial sheet, filled while a session runs: a marker for LSL and a line in ``trials.csv`` for each trial."""

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.settings_file import load_settings

Outcome = Literal["success", "fail"]
SHEET = "trials.csv"
COLUMNS = ("trial", "task", "begin_t_lsl_s", "seconds", "outcome", "notes")


class Task(BaseModel):
    """A task of a study: its name, how often it is tried, the seconds after which a trial is over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80)
    trials: int = Field(default=1, ge=1, le=1000)
    limit_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    instructions: str = ""


class TaskList(BaseModel):
    """The tasks of a session, in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tasks: tuple[Task, ...] = Field(min_length=1)


def load_tasks(path: Path) -> tuple[Task, ...]:
    """Read a task list.

    Raises
    ------
    InputError
        If the file is no task list, or two tasks have the same name.
    """
    tasks = load_settings(path, TaskList).tasks
    names = [task.name for task in tasks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        msg = f"{path}: two tasks are named {twice!r}; give each a name of its own"
        raise InputError(msg)
    return tasks


@dataclass(frozen=True)
class SheetView:
    """What a window shows of the sheet."""

    task: Task | None
    trial: int
    running: bool
    seconds: float
    done: int
    total: int
    over_time: bool


class TrialSheet:
    """Which trial of which task is next, under way, done.

    Parameters
    ----------
    tasks : tuple of Task
        In order; empty for free driving, which can be timed too.
    tell : callable
        Takes an `Event`, for the session's Markers stream.
    clock_s : callable
        LSL clock.
    folder : Path or None
        Receives ``trials.csv``, a line a trial as it ends; None where nothing is recorded.
    """

    def __init__(
        self,
        tasks: tuple[Task, ...],
        tell: Callable[[Event], None],
        clock_s: Callable[[], float],
        folder: Path | None,
    ) -> None:
        self._plan = [task for task in tasks for _ in range(task.trials)]
        self._tell, self._clock_s = tell, clock_s
        self._path = folder / SHEET if folder is not None else None
        self._begin_t_lsl_s: float | None = None
        self._notes: list[str] = []
        self._done = 0
        self._number = 0

    @property
    def view(self) -> SheetView:
        """What there is to show now."""
        task = self._task
        seconds = 0.0 if self._begin_t_lsl_s is None else self._clock_s() - self._begin_t_lsl_s
        over = task is not None and task.limit_s is not None and seconds > task.limit_s
        running = self._begin_t_lsl_s is not None
        return SheetView(
            task, self._number + (not running), running, seconds, self._done, len(self._plan), over
        )

    @property
    def _task(self) -> Task | None:
        return self._plan[self._done] if self._done < len(self._plan) else None

    def start(self) -> None:
        """Begin the next trial; one that runs already begins anew, its first beginning told as aborted."""
        if self._begin_t_lsl_s is not None:
            self._say("task_abort")
        self._number += 1
        self._begin_t_lsl_s = self._clock_s()
        self._notes.clear()
        self._say("task_start")

    def end(self, outcome: Outcome) -> bool:
        """End the trial that runs; False if none does."""
        if self._begin_t_lsl_s is None:
            return False
        seconds = self._clock_s() - self._begin_t_lsl_s
        self._say(f"task_{outcome}", seconds=round(seconds, 3))
        self._write(seconds, outcome)
        self._begin_t_lsl_s = None
        self._done += 1
        return True

    def note(self, text: str) -> None:
        """Note something, with its time; it goes into the trial's line too, if one runs."""
        clean = " ".join(text.split())
        if clean:
            self._notes.append(clean)
            self._say("note", text=clean)

    def _name(self) -> str:
        return self._task.name if self._task is not None else "free"

    def _say(self, kind: str, **fields: object) -> None:
        self._tell(Event(self._clock_s(), kind, {"task": self._name(), "trial": self._number, **fields}))

    def _write(self, seconds: float, outcome: Outcome) -> None:
        if self._path is None:
            return
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(COLUMNS)
            begin = f"{self._begin_t_lsl_s:.3f}"
            notes = "; ".join(self._notes)
            writer.writerow((self._number, self._name(), begin, f"{seconds:.3f}", outcome, notes))
            file.flush()
            os.fsync(file.fileno())
