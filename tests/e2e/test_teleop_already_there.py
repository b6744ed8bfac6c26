"""`hdemg teleop` beside a robot, and an EMG stream, that run already: each in its own process, as a lab starts them."""

import json
import signal
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command_line import command
from tests.e2e.conftest import WEARER


@contextmanager
def running(arguments: Sequence[str | Path], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        command(*arguments),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.terminate()
        child.communicate(timeout=60)


@pytest.mark.alone
@pytest.mark.parametrize(
    ("namespace", "emg_is_there"), [("", False), ("stretch1", True)], ids=["own-source", "emg-there"]
)
@pytest.mark.usefixtures("ros_domain")
def test_a_session_beside_a_robot_that_runs_already(
    simulated_decoder: Path,
    marked_environment: dict[str, str],
    tmp_path: Path,
    namespace: str,
    emg_is_there: bool,
) -> None:
    lsl = ["--lsl-session", f"there-{uuid.uuid4().hex[:8]}"]
    robot = ["sim-robot", "--kinematic", "--namespace", namespace]
    source = ["acquire", "simulated", "--wearer", str(WEARER), *lsl]
    given = ["--source", "", "--emg", f"simulated-{WEARER}", *lsl] if emg_is_there else []
    teleop = ["teleop", simulated_decoder, "--robot", "ros", "--namespace", namespace, *given]
    with running(robot, marked_environment), running(source, marked_environment):
        child = subprocess.Popen(
            command(*teleop, "--headless", "--json", "--out", tmp_path),
            env=marked_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            ready = child.stdout.readline()
            child.send_signal(signal.SIGTERM)
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
    assert ready.startswith("ready"), err
    assert child.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["decisions"] > 0
