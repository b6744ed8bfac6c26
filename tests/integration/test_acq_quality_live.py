"""``hdemg quality`` over real LSL: what it prints of a stream with known faults, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from emg_acquisition.errors import StreamLostError
from emg_acquisition.quality.live import watch_quality
from emg_acquisition.quality.monitor import ChannelState
from emg_acquisition.streams.inlet import EmgInlet
from emg_acquisition.streams.outlet import EmgOutlet, lsl_clock_s
from tests.dec_support import stream_info
from tests.quality_support import muscle, sine
from ui import cli

pytestmark = pytest.mark.usefixtures("lsl_session")
REPOSITORY = Path(__file__).resolve().parents[2]
FS_HZ = 1000.0
CHUNK = 50


def faulty(seconds: float = 30.0) -> np.ndarray:
    emg_uv = muscle(FS_HZ, seconds, 8)
    emg_uv[:, 2] = 17.0
    emg_uv[:, 5] += sine(FS_HZ, len(emg_uv), 50.0, 200.0)
    return emg_uv


@pytest.fixture
def stream():
    """Publish eight electrodes in real time; E3 is flat and E6 hums. Yields an event that pauses it."""
    outlet = EmgOutlet(stream_info(), CHUNK)
    stop, pause = threading.Event(), threading.Event()
    emg_uv = faulty()

    def publish() -> None:
        t0_s, sent = lsl_clock_s(), 0
        while not stop.is_set() and sent + CHUNK <= len(emg_uv):
            if lsl_clock_s() < t0_s + (sent + CHUNK) / FS_HZ:
                time.sleep(0.005)
                continue
            if not pause.is_set():
                outlet.push(emg_uv[sent : sent + CHUNK], t0_s + (sent + CHUNK) / FS_HZ)
            sent += CHUNK

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    yield pause
    stop.set()
    thread.join(10.0)
    outlet.close()


def test_once_prints_the_picture_names_the_bad_and_ends_with_json(stream, lsl_session, capsys):
    assert cli.main(["quality", "--lsl-session", lsl_session, "--once", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "test EMG (test-0001): quality 0.75, 6 of 8 electrodes good, 0 gaps"
    assert lines[1].startswith("F flat (1): E3: ")
    assert lines[2].startswith("P powerline (1): E6: ")
    assert [line.split() for line in lines[4:6]] == [["1", ".", ".", "F", "."], ["2", ".", "P", ".", "."]]
    figures = json.loads(lines[-1])
    assert figures["bad"] == {"E3": "flat", "E6": "powerline"}
    assert figures["counts"]["good"] == 6
    assert figures["summary"] == pytest.approx(0.75)


def test_a_gap_begins_anew_and_silence_is_told(stream):
    stop = threading.Event()
    updates = watch_quality(EmgInlet("test-0001", 10.0), stop, every_s=0.1)
    assert next(update for update in updates if update.report).report.states[2] == ChannelState.FLAT
    stream.set()
    silent = next(update for update in updates if update.silent_s > 0.3)
    assert silent.gaps == 0
    stream.clear()
    resumed = next(update for update in updates if update.gaps == 1 and update.report)
    assert resumed.report.sample_index < 1500
    stop.set()
    assert list(updates) == []


def test_ctrl_c_ends_it_in_order(stream, lsl_session):
    command = [sys.executable, "-m", "ui.cli", "quality", "--lsl-session", lsl_session, "--json"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("test EMG (test-0001): ")
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "summary" in json.loads(rest.splitlines()[-1])


def test_a_stream_that_ends_is_lost(lsl_session):
    outlet = EmgOutlet(stream_info(), CHUNK)
    inlet = EmgInlet("test-0001", 10.0)
    outlet.push(faulty(1.0), lsl_clock_s())
    outlet.close()
    with pytest.raises(StreamLostError, match="has ended"):
        list(watch_quality(inlet, threading.Event()))


def test_no_stream_is_one_line(lsl_session, capsys):
    assert cli.main(["quality", "--lsl-session", lsl_session, "--emg", "none", "--timeout", "0.5"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no LSL stream of type EMG with source_id 'none'" in err
