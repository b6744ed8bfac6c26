"""``hdemg demo`` as a user runs it: to the end, and interrupted."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from robot_bridge.stretch_interface import DOF_NAMES
from tests.e2e.conftest import command

pytestmark = pytest.mark.usefixtures("ros_domain")


def test_demo_moves_every_dof_and_leaves_no_process(
    marked_environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        command("demo", "--out", tmp_path / "demo", "--json"),
        env=marked_environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert sorted(figures["dof_moved"]) == sorted(DOF_NAMES)
    assert figures["trial_accuracy"] >= 0.9
    assert len(figures["classes"]) == 10
    assert 0 < figures["latency_ms"]["median"] <= figures["latency_ms"]["p99"] < 250
    assert figures["stops"] == 1
    assert figures["identical_to_recording"] is True
    report = Path(figures["report"]).read_text(encoding="utf-8")
    assert all(name in report for name in DOF_NAMES)
    assert "✗" not in report


def test_interrupted_demo_leaves_no_process(marked_environment: dict[str, str], tmp_path: Path) -> None:
    child = subprocess.Popen(
        command("demo", "--out", tmp_path / "demo"), env=marked_environment, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    assert child.stderr is not None
    for line in child.stderr:  # ends when the command does, so this cannot wait for ever
        if "driving" in line:
            child.send_signal(signal.SIGINT)
            break
        assert time.monotonic() < deadline
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
