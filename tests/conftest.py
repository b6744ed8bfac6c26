"""Shared fixtures: the real recordings, and LSL and ROS 2 kept to this test run alone."""

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from robot_bridge.ros_domain import free_ros_domain
from robot_bridge.ros_scope import this_machine_only
from tests.command_line import Ran, run_here, run_process
from tests.made_once import made_once

# Before anything starts LSL or ROS: a session and a domain that no other test run on this machine shares.
LSL_SESSION_ID = f"hdemg-test-{uuid.uuid4().hex[:12]}"
os.environ["ROS_DOMAIN_ID"] = str(free_ros_domain())
os.environ.update(this_machine_only())
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Incident logs of tests are nobody's incidents.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="hdemg-test-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of real recordings, or skip the test and say how to provide them."""
    folder = Path(os.environ.get("HDEMG_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}: set HDEMG_TEST_DATA to the folder that holds flexemg/")
    return folder


@pytest.fixture(scope="session")
def flexemg_dir(test_data: Path) -> Path:
    folder = test_data / "flexemg"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing")
    return folder


# Participant 001 before and after a new donning, and another person.
FLEXEMG = (
    *("001-Session1Train", "001-Session1Test", "001-Session3Train", "001-Session3Test"),
    *("002-Session1Train", "002-Session1Test"),
)


@pytest.fixture(scope="session")
def flexemg_imported(
    flexemg_dir: Path, tmp_path_factory: pytest.TempPathFactory, hdemg: Callable[..., Ran]
) -> Path:
    """Return the folder of the recordings `FLEXEMG`, imported: ``sub-001/ses-Session1Train`` and so on."""

    def make(out: Path) -> None:
        options = [part for name in FLEXEMG for part in ("--recording", name)]
        ran = hdemg("import", "flexemg", flexemg_dir, out, *options)
        assert ran.status == 0, ran.err

    return made_once(tmp_path_factory, "flexemg", make)


@pytest.fixture(scope="session")
def flexemg_sessions(flexemg_imported: Path) -> Path:
    return flexemg_imported / "sub-001"


@pytest.fixture(scope="session")
def flexemg_decoder(
    flexemg_sessions: Path, tmp_path_factory: pytest.TempPathFactory, hdemg: Callable[..., Ran]
) -> Path:
    """Return a decoder that was trained on 001-Session1Train as ``hdemg train`` does by itself."""

    def make(out: Path) -> None:
        ran = hdemg("train", flexemg_sessions / "ses-Session1Train", "-o", out / "decoder.onnx")
        assert ran.status == 0, ran.err

    return made_once(tmp_path_factory, "flexemg-decoder", make) / "decoder.onnx"


@pytest.fixture(scope="session")
def lsl_session() -> str:
    """Keep LSL to this machine and this test run; returns the session id for child processes."""
    from emg_acquisition.streams.lsl_config import configure_lsl

    configure_lsl(LSL_SESSION_ID)
    return LSL_SESSION_ID


@pytest.fixture(scope="session")
def ros_domain() -> int:
    """Keep ROS 2 to this machine and this test run; skips where no ROS is installed."""
    pytest.importorskip("rclpy")
    return int(os.environ["ROS_DOMAIN_ID"])


@pytest.fixture(scope="session")
def hdemg(lsl_session: str) -> Callable[..., Ran]:
    """Run ``hdemg ARGUMENTS`` in this process, whose LSL session has been chosen already."""
    return run_here


@pytest.fixture(scope="session")
def hdemg_process() -> Callable[..., Ran]:
    """Run ``hdemg ARGUMENTS`` in a process of its own, in which it may choose its LSL session and ROS 2 names."""
    return run_process
