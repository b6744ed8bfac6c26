"""``hdemg demo`` interrupted; to its end it is run by the quick start (``test_eco_docs_examples.py``)."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.command_line import command

pytestmark = pytest.mark.usefixtures("ros_domain")


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
