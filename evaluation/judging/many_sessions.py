"""The same work on one core, on all, or on a Dask cluster; results are identical and one bad session stops none."""

import functools
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from emg_acquisition.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

Task = TypeVar("Task")
Result = TypeVar("Result")
LOCAL = "local"
CONNECT_S = 10
# One thread of linear algebra a process: many would share the same cores, and their sums would round differently.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Workers:
    """Where work is done.

    Parameters
    ----------
    jobs : int
        Processes on this machine; 1 for this process itself.
    dask : str or None
        ``"local"`` for a Dask cluster of `jobs` processes on this machine, or the address of a scheduler, as in
        ``tcp://10.0.0.5:8786``, whose workers see the same files and have this package installed.
    """

    jobs: int
    dask: str | None = None


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What came of one task: its result, or in one line why there is none."""

    result: Result | None
    failure: str = ""


def default_jobs() -> int:
    """All cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def do_all(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: Workers,
    progress: Callable[[float], None],
) -> list[Outcome[Result]]:
    """Do every task, in any order, and return what came of each, in their own order.

    Parameters
    ----------
    work : callable
        Of a task; a function of a module, so that it can be sent to another process.
    tasks : sequence
        What to do.
    workers : Workers
        Where.
    progress : callable
        Called with the share done.

    Raises
    ------
    InputError
        If the Dask scheduler cannot be reached.
    """
    careful = functools.partial(_careful, work)
    if workers.dask is None and (workers.jobs == 1 or len(tasks) == 1):
        outcomes = []
        for k, task in enumerate(tasks):
            outcomes.append(careful(task))
            progress((k + 1) / len(tasks))
        return outcomes
    with _one_thread_each(), _pool(workers, len(tasks)) as submit:
        futures: list[Future[Outcome[Result]]] = [submit(careful, task) for task in tasks]
        for done, _ in enumerate(_completed(futures, workers), start=1):
            progress(done / len(tasks))
        return [_outcome(future) for future in futures]


def _careful(work: Callable[[Task], Result], task: Task) -> Outcome[Result]:
    """Do one task; whatever goes wrong becomes one line. A worker's edge: nothing may take the others along."""
    try:
        return Outcome(work(task))
    except (InputError, OSError) as error:
        return Outcome(None, " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - it stands in the report, and the others go on
        return Outcome(None, f"unexpected {type(error).__name__}: {' '.join(str(error).split())} (a defect)")


def _outcome(future: "Future[Outcome[Result]]") -> Outcome[Result]:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - a worker that was killed or lost
        return Outcome(None, f"its worker ended: {type(error).__name__} {' '.join(str(error).split())}")


@contextmanager
def _one_thread_each() -> Iterator[None]:
    former = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _pool(workers: Workers, n_tasks: int) -> Iterator[Callable[..., "Future[Outcome[Result]]"]]:
    if workers.dask is not None:
        with _dask_client(workers) as client:
            yield functools.partial(client.submit, pure=False)
        return
    # A fresh interpreter each: no thread is copied. Ctrl-C is this process's, which then ends them.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers.jobs, n_tasks), mp_context=context, initializer=_leave_interrupts)
    try:
        yield pool.submit
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _dask_client(workers: Workers) -> "Iterator[Client]":
    from distributed import Client, LocalCluster  # noqa: PLC0415 - only who asks for Dask needs it

    if workers.dask == LOCAL:
        with (
            LocalCluster(
                n_workers=workers.jobs, threads_per_worker=1, processes=True, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(workers.dask, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        msg = (
            f"no Dask scheduler at {workers.dask}: {' '.join(str(error).split())}; start one with `dask scheduler` "
            "or take --dask local"
        )
        raise InputError(msg) from error
    with client:
        yield client


def _completed(futures: Sequence["Future[Outcome[Result]]"], workers: Workers) -> Iterator[object]:
    if workers.dask is None:
        yield from as_completed(futures)
        return
    from distributed import as_completed as dask_completed  # noqa: PLC0415 - as above

    yield from dask_completed(futures)
