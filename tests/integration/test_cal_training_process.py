"""The process that trains beside a running calibration."""

import multiprocessing
import os
from pathlib import Path

from calibration.training_process import TrainingProcess
from tests.waiting import wait_for

LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def test_it_begins_with_one_thread_for_its_numbers_and_the_limit_stays_its_own(monkeypatch):
    """Libraries read the limit when they are loaded: it has to be in the environment that the process begins with."""
    monkeypatch.setenv(LIMITS[0], "2")
    for name in LIMITS[1:]:
        monkeypatch.delenv(name, raising=False)
    trainer = TrainingProcess()
    trainer.warm_up()
    try:
        (process,) = [one for one in multiprocessing.active_children() if one.name == "trainer"]
        # Empty for the moment in which the new program takes over.
        environment = wait_for(lambda: Path(f"/proc/{process.pid}/environ").read_text(), "its environment")
        assert {f"{name}=1" for name in LIMITS} <= set(environment.split("\0"))
    finally:
        trainer.close()
    assert [os.environ.get(name) for name in LIMITS] == ["2", None, None]
