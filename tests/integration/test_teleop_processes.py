"""Child processes end with whoever started them, however that one ends."""

import subprocess
import sys
import threading
from pathlib import Path

from teleoperation.processes import ProcessGroup
from tests.waiting import hang, holds_for, states, wait_for
from ui import CLI_MODULE

TIMEOUT_S = 20.0
# Starts a stage, says its process number, and waits to be killed.
PARENT = """
import sys, time
from pathlib import Path
from teleoperation.processes import ProcessGroup
group = ProcessGroup(Path(sys.argv[1]), "ui.cli")
print(group.start("acquire", ["acquire", "simulated", "--lsl-session", "hdemg-test-processes"]).pid, flush=True)
time.sleep(600)
"""


def runs(pid: int) -> bool:
    return bool(states(pid) - {"Z"})


def test_stages_die_with_a_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert runs(pid)
    parent.kill()
    parent.communicate(timeout=TIMEOUT_S)
    wait_for(lambda: not runs(pid), "the end of the part")


def test_a_stage_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    group = ProcessGroup(tmp_path, CLI_MODULE)
    ready = threading.Event()

    def start() -> None:
        group.start("acquire", ["acquire", "simulated", "--lsl-session", "hdemg-test-processes"])
        ready.set()

    starter = threading.Thread(target=start)
    starter.start()
    assert ready.wait(TIMEOUT_S)
    starter.join()
    child = group.process("acquire")
    try:
        # Long enough for what the kernel or the child would do at the thread's end, the child's start included.
        holds_for(lambda: child.poll() is None, 3.0, "the stage runs")
    finally:
        group.stop()
    assert child.returncode is not None


def test_stop_ends_every_stage_also_one_that_does_not_listen(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("teleoperation.processes.TERMINATE_TIMEOUT_S", 1.0)
    group = ProcessGroup(tmp_path, CLI_MODULE)
    deaf = group.start("deaf", ["acquire", "simulated", "--lsl-session", "hdemg-test-processes"])
    polite = group.start("polite", ["acquire", "simulated", "--lsl-session", "hdemg-test-processes"])
    hang(deaf.pid)
    group.stop()
    assert not runs(deaf.pid)
    assert not runs(polite.pid)


def test_a_dead_stage_is_reported_with_its_last_words(tmp_path: Path) -> None:
    group = ProcessGroup(tmp_path, CLI_MODULE)
    failed = group.start("acquire", ["acquire", str(tmp_path / "nowhere")])
    failed.wait(TIMEOUT_S)
    assert group.dead() == {"acquire": 2}
    assert "nowhere" in group.last_words("acquire")
    group.stop()
