"""Training without the network: neither torch nor the time that it takes to load."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.dec_support import cues, session, write_session

_BLOCK = """
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "onnxscript"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""
_RUN = """
from ui import cli
status = cli.main(sys.argv[1:])
print("torch" in sys.modules)
sys.exit(status)
"""


@dataclass(frozen=True)
class Ran:
    status: int
    lines: list[str]
    err: str
    torch_was_loaded: bool


def _hdemg(arguments: Sequence[str], *, with_torch: bool = False) -> Ran:
    code = "import sys" + ("\n" if with_torch else _BLOCK) + _RUN
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    *lines, loaded = done.stdout.splitlines()
    return Ran(done.returncode, lines, done.stderr, loaded == "True")


@pytest.fixture(scope="module")
def clear(tmp_path_factory) -> str:
    """Gestures that LDA tells apart without an error."""
    return write_session(tmp_path_factory.mktemp("clear"), "S1", session(cues(2)))


@pytest.fixture(scope="module")
def hard(tmp_path_factory) -> str:
    """Gestures that no repetition shows alike, so that training looks for something better than LDA."""
    rng = np.random.default_rng(0)
    recorded = session(cues(3), amplitude=lambda _gesture: rng.uniform(6.0, 60.0, 8))
    return write_session(tmp_path_factory.mktemp("hard"), "S1", recorded)


def test_default_training_and_recalibration_do_not_load_it(clear, tmp_path):
    decoder, again = str(tmp_path / "d.onnx"), str(tmp_path / "again.onnx")
    trained = _hdemg(["train", clear, "-o", decoder, "--reject-unknown", "--json"], with_torch=True)
    assert (trained.status, trained.torch_was_loaded) == (0, False), trained.err
    assert json.loads(trained.lines[-1])["model"] == "lda"
    adapted = _hdemg(["recalibrate", decoder, clear, "-o", again, "--json"], with_torch=True)
    assert (adapted.status, adapted.torch_was_loaded) == (0, False), adapted.err


def test_without_it_training_and_recalibration_work_and_no_network_is_tried(clear, hard, tmp_path):
    decoder, again = str(tmp_path / "d.onnx"), str(tmp_path / "again.onnx")
    trained = _hdemg(["train", hard, "-o", decoder, "--json"])
    assert trained.status == 0, trained.err
    assert json.loads(trained.lines[-1])["model"] == "lda"
    assert "the network is not tried: torch is not installed (hdemg-teleop[network])" in trained.err
    adapted = _hdemg(["recalibrate", decoder, clear, "-o", again, "--json"])
    assert adapted.status == 0, adapted.err
    assert Path(again).exists()


def test_the_network_asked_for_without_it_is_one_line_with_the_remedy(clear, tmp_path):
    out = tmp_path / "d.onnx"
    refused = _hdemg(["train", clear, "-o", str(out), "--model", "cnn"])
    assert refused.status == 2
    remedy = "hdemg train: error: torch is not installed: pip install 'hdemg-teleop[network]'"
    assert [line for line in refused.err.splitlines() if "hdemg train" in line] == [remedy]
    assert not out.exists()
    report = str(tmp_path / "report")
    judged = _hdemg(["evaluate", "--split", "repetition", clear, "--model", "cnn", "--report", report])
    assert judged.status == 2
    assert "hdemg evaluate: error: torch is not installed: pip install 'hdemg-teleop[network]'" in judged.err
