"""The whole campaign: a plan drawn from a seed, chains side by side, results appended as they come."""

import json
import logging
import multiprocessing
import queue
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emg_acquisition.errors import InputError, StreamLostError
from simulation.fault_campaign.injection import Injector
from simulation.fault_campaign.kinds import KIND_OF_NAME
from simulation.fault_campaign.outcome import Outcome
from simulation.fault_campaign.rig import running_rig
from teleoperation.chain import isolate

RESULTS_FILE = "results.jsonl"
PLAN_FILE = "plan.json"
# A chain that cannot be brought to move or back is started anew; an injection that fails so often is given up.
TRIES = 3
POLL_S = 0.2
END_TIMEOUT_S = 60.0
Progress = Callable[[str, float], None]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class CampaignSettings:
    """What a campaign injects.

    Parameters
    ----------
    count : int
        Injections in all.
    kinds : tuple of str
        Their kinds.
    seed : int
        Of the plan: the kinds' order, what moves, when the fault comes.
    wearer : int
        Which simulated wearer makes the gestures.
    """

    count: int
    kinds: tuple[str, ...]
    seed: int
    wearer: int

    def plan(self) -> list[str]:
        """Return the kind of every injection: rounds of all kinds by their weights, each round shuffled."""
        rng = np.random.default_rng(self.seed)
        once = list(self.kinds)
        again = [name for name in self.kinds for _ in range(KIND_OF_NAME[name].weight - 1)]
        planned: list[str] = []
        while len(planned) < self.count:
            # First every kind once, so that a short campaign has as many kinds as it can.
            planned += [str(name) for name in rng.permutation(once)]
            planned += [str(name) for name in rng.permutation(again)] if again else []
        return planned[: self.count]


def read_outcomes(out: Path) -> list[Outcome]:
    """Return what a campaign has measured so far, in the order of its plan; a last line cut short does not count."""
    path = out / RESULTS_FILE
    if not path.exists():
        return []
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            outcome = Outcome(**json.loads(line))
        except (json.JSONDecodeError, TypeError):
            continue
        found[outcome.index] = outcome
    return [found[index] for index in sorted(found)]


def run_campaign(
    out: Path, settings: CampaignSettings, decoder: Path, jobs: int, progress: Progress, *, cli_module: str
) -> list[Outcome]:
    """Inject what the plan holds and `out` does not have yet; returns all outcomes.

    Parameters
    ----------
    out : Path
        Receives the results, one JSON object a line as they come, and each chain's logs.
    settings : CampaignSettings
        The plan.
    decoder : Path
        Decoder of the simulated wearer.
    jobs : int
        Chains side by side, each in an LSL session and a ROS domain of its own.
    progress : callable
        Told what happens and the fraction done.
    cli_module : str
        Module that runs an ``hdemg`` command line.

    Raises
    ------
    InputError
        If `out` holds another campaign.
    StreamLostError
        If injections could not be made; those that were are in `out`.
    """
    _claim(out, settings)
    done = {outcome.index for outcome in read_outcomes(out)}
    open_tasks = [(index, name) for index, name in enumerate(settings.plan()) if index not in done]
    failures: list[str] = []
    total = settings.count
    with (out / RESULTS_FILE).open("a", encoding="utf-8") as results:
        work = (settings, decoder, cli_module)
        for kind, content in _worked(out, work, min(jobs, len(open_tasks)), open_tasks):
            if kind == "failure":
                failures.append(content)
                _LOG.warning("%s", content)
                continue
            results.write(json.dumps(content) + "\n")
            results.flush()
            done.add(content["index"])
            progress(f"{len(done)} of {total}, {content['kind']}", len(done) / total)
    if len(done) < total:
        last = failures[-1] if failures else "a worker ended without a word"
        msg = f"{total - len(done)} of {total} injections could not be made; the last failure: {last}"
        raise StreamLostError(msg)
    return read_outcomes(out)


def _claim(out: Path, settings: CampaignSettings) -> None:
    """Make sure that what `out` holds belongs to this plan; otherwise results of two campaigns would mix."""
    out.mkdir(parents=True, exist_ok=True)
    plan = {"seed": settings.seed, "wearer": settings.wearer, "kinds": list(settings.kinds)}
    path = out / PLAN_FILE
    if path.exists():
        former = path.read_text(encoding="utf-8")
        if former != json.dumps(plan):
            msg = f"{out} holds another campaign ({former}): continue it with the same options, or choose another --out"
            raise InputError(msg)
    path.write_text(json.dumps(plan), encoding="utf-8")


class _Desk(NamedTuple):
    """What the campaign and its workers share: what is to do, what was done, and whether to end."""

    todo: Any
    reports: Any
    ending: Any


def _worked(
    out: Path, work: tuple[CampaignSettings, Path, str], jobs: int, tasks: Sequence[tuple[int, str]]
) -> Iterator[tuple[str, Any]]:
    """Let workers do the tasks; yields outcomes and failures as they come, and leaves no worker behind."""
    # A fresh interpreter each: LSL and ROS 2 are set up once a process, and no thread is copied.
    context = multiprocessing.get_context("spawn")
    desk = _Desk(context.Queue(), context.Queue(), context.Event())
    for task in tasks:
        desk.todo.put(task)
    workers = [
        context.Process(target=_work, args=(out / f"chain-{number}", *work, desk)) for number in range(jobs)
    ]
    for worker in workers:
        worker.start()
    open_count = len(tasks)
    try:
        while open_count and (report := _report_of(desk, workers)) is not None:
            yield report
            open_count -= 1
    finally:
        desk.ending.set()
        _end(workers)


def _report_of(desk: _Desk, workers: Sequence[BaseProcess]) -> tuple[str, Any] | None:
    """Return the next report; None once no worker is left to make one."""
    while True:
        alive = any(worker.is_alive() for worker in workers)
        try:
            kind, content = desk.reports.get(timeout=POLL_S)
        except queue.Empty:
            if not alive:
                return None
        else:
            return kind, content


def _end(workers: Sequence[BaseProcess]) -> None:
    for worker in workers:
        worker.join(END_TIMEOUT_S)
        if worker.is_alive():
            worker.terminate()
            worker.join()


def _work(out: Path, settings: CampaignSettings, decoder: Path, cli_module: str, desk: _Desk) -> None:
    """Run chains until nothing is left to do; a chain that breaks is replaced."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    names = isolate()
    tries: dict[int, int] = {}
    task: tuple[int, str] | None = None
    while not desk.ending.is_set():
        shutil.rmtree(out / "logs", ignore_errors=True)
        try:
            with running_rig(decoder, settings.wearer, names, out, cli_module) as rig:
                injector = Injector(rig, settings.seed, desk.ending)
                while (task := task or _next(desk)) is not None:
                    outcome = injector.inject(task[0], KIND_OF_NAME[task[1]])
                    desk.reports.put(("outcome", outcome.to_dict()))
                    task = None
                return
        except InterruptedError:
            return
        except Exception as error:  # noqa: BLE001 - the process's edge: the chain has ended, and another is tried
            index, name = task or (-1, "starting a chain")
            tries[index] = tries.get(index, 0) + 1
            _LOG.warning("injection %d (%s) failed, the chain is started anew: %s", index, name, error)
            if tries[index] >= TRIES:
                desk.reports.put(("failure", f"injection {index} ({name}): {error}"))
                if task is None:
                    return
                task = None


def _next(desk: _Desk) -> tuple[int, str] | None:
    if desk.ending.is_set():
        return None
    try:
        index, name = desk.todo.get(timeout=POLL_S)
    except queue.Empty:
        return None
    return int(index), str(name)
