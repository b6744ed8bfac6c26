"""``hdemg teleop --headless`` as a process: until it decides, and how it has ended."""

import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from emg_acquisition.recording.session import load_session
from tests.command_line import command
from tests.waiting import wait_for

ENDS_WITHIN_S = 60.0
# Of 64 electrodes at 2 kHz: most of a second.
SOME_EMG_BYTES = 400_000


def start_session(
    *arguments: str | Path, env: Mapping[str, str], stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("teleop", *arguments, "--headless", "--json"),
        env=dict(env),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def wait_until_it_decides(session: "subprocess.Popen[str]") -> None:
    """Wait until the session says that it is ready, and then has recorded some of what it decides on."""
    assert session.stdout is not None
    ready = session.stdout.readline()
    assert ready.startswith("ready: "), session.communicate()
    recording = Path(ready.removeprefix("ready: ").strip()) / "recording.xdf"
    begin = recording.stat().st_size
    wait_for(lambda: recording.stat().st_size > begin + SOME_EMG_BYTES, "EMG that is recorded and decided on")


def ended_in_order(session: "subprocess.Popen[str]") -> dict[str, object]:
    """Check that it ended well, with a whole recording; returns its figures."""
    out, err = session.communicate(timeout=ENDS_WITHIN_S)
    assert session.returncode == 0, err
    assert "Traceback" not in err
    figures = json.loads(out.splitlines()[-1])
    assert figures["decisions"] > 10
    recorded = load_session(Path(figures["session"]))
    assert recorded.info.complete
    assert recorded.gestures is not None
    return figures
