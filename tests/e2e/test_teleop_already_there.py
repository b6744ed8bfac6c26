"""`hdemg teleop` beside a robot, and an EMG stream, that run already: each in its own process, as a lab starts them."""

import signal
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.command_line import command
from tests.e2e.conftest import WEARER
from tests.headless_session import ended_in_order, start_session, wait_until_it_decides


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


@pytest.mark.parametrize(
    ("namespace", "emg_is_there"),
    [("", False), ("stretch1", True)],
    ids=["own-source", "emg-there"],
)
@pytest.mark.usefixtures("ros_domain")
def test_a_session_beside_a_robot_that_runs_already(
    simulated_decoder, marked_environment, tmp_path, namespace, emg_is_there
):
    lsl = ["--lsl-session", f"there-{uuid.uuid4().hex[:8]}"]
    robot = ["sim-robot", "--kinematic", "--namespace", namespace]
    source = ["acquire", "simulated", "--wearer", str(WEARER), *lsl]
    given = ["--source", "", "--emg", f"simulated-{WEARER}", *lsl] if emg_is_there else []
    with ExitStack() as there:
        there.enter_context(running(robot, marked_environment))
        if emg_is_there:
            there.enter_context(running(source, marked_environment))
        options = ("--robot", "ros", "--namespace", namespace, *given, "--out", tmp_path)
        session = start_session(simulated_decoder, *options, env=marked_environment)
        try:
            wait_until_it_decides(session)
            session.send_signal(signal.SIGINT if emg_is_there else signal.SIGTERM)
            ended_in_order(session)
        finally:
            session.kill()
