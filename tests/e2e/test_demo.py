"""``hdemg demo`` interrupted; to its end it is run by the quick start (``test_eco_docs_examples.py``)."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("ros_domain")


# The demo with a decoder that is there: what is interrupted is the drive.
TRAINED_ALREADY = """
import shutil, signal, sys
from types import SimpleNamespace
from decoding.decoder_file import load_decoder
from simulation import demo
from ui import cli
decoder = sys.argv.pop()
def trained(_wearer, _session, out, **_):
    shutil.copy(decoder, out)
    return SimpleNamespace(gestures=load_decoder(out).metadata.gestures)
demo.calibrate_wearer = trained
# A test run in the background ignores Ctrl-C, and so would its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(cli.main(sys.argv[1:]))
"""


def test_interrupted_demo_leaves_no_process(
    marked_environment: dict[str, str], simulated_decoder: Path, tmp_path: Path
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", TRAINED_ALREADY, "demo", "--out", tmp_path / "demo", simulated_decoder],
        env=marked_environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    for line in child.stderr:  # ends when the command does, so this cannot wait for ever
        if "driving" in line:
            child.send_signal(signal.SIGINT)
            break
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
