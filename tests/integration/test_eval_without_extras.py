"""Without the extra `report`, training and replay work, and what needs it says so before anything is done."""

import subprocess
import sys

import pytest

from tests.eval_support import write_session

BLOCKED = ("sklearn", "jinja2", "matplotlib")
PROGRAM = f"""
import sys
for name in {BLOCKED}:
    sys.modules[name] = None
from ui.cli import main
sys.exit(main(sys.argv[1:]))
"""


def hdemg(*arguments):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plain")


def test_training_and_replay_need_no_report(folder):
    session = write_session(folder, repetitions=2)
    decoder = folder / "decoder.onnx"
    trained = hdemg("train", session, "-o", decoder, "--model", "lda")
    assert trained.returncode == 0, trained.stderr
    assert "held-out repetitions: 1.000 of trials" in trained.stdout
    replayed = hdemg("replay", session, "--decoder", decoder)
    assert replayed.returncode == 0, replayed.stderr
    assert "1.000 of 6 trials right" in replayed.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "decoder.onnx", "session"),
        ("demo",),
        ("closed-loop", "--wearer", "1", "--out", "out"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_at_once(folder, arguments):
    refused = hdemg(*arguments)
    assert refused.returncode == 2
    assert refused.stderr.strip().endswith("is not installed: pip install 'hdemg-teleop[report]'")
