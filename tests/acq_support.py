"""A source whose every sample can be made anew, publishers and recorders as processes of their own."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from emg_acquisition.grid import rectangular_grid
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.publisher import run_source
from tests.waiting import PATIENCE_S

REPOSITORY = Path(__file__).resolve().parents[1]
FS_HZ = 2000.0
N_CHANNELS = 16


def counting_info(source_id, **changes):
    grid = rectangular_grid(4, N_CHANNELS // 4, 8.0)
    labels = tuple(f"E{k}" for k in range(N_CHANNELS))
    return EmgStreamInfo(
        **{"name": f"Counter {source_id}", "source_id": source_id, "fs_hz": FS_HZ, "grid": grid}
        | {"channel_labels": labels}
        | changes
    )


def counted(start, n_samples, begin=0):
    """Samples of a `CountingSource` from number `start` on: the number in every channel, shifted by channel."""
    rows = begin + np.arange(start, start + n_samples)[:, np.newaxis] + 0.125 * np.arange(N_CHANNELS)
    return rows.astype(np.float32)


class CountingSource:
    def __init__(self, source_id, begin=0, reference=""):
        self.info = counting_info(source_id, reference=reference)
        self._begin, self._at = begin, 0

    def read(self, n_samples):
        rows = counted(self._at, n_samples, self._begin)
        self._at += n_samples
        return rows

    def events_until(self, _sample_index):
        return []

    def close(self):
        """Nothing is held."""


def publish_for_ever(lsl_session, source_id, begin, reference):
    configure_lsl(lsl_session)
    sys.stdout.write("there\n")
    sys.stdout.flush()
    source = CountingSource(source_id, int(begin), reference)
    run_source(source, stop=threading.Event(), wait_for_consumers=True)


def start_publisher(lsl_session, source_id, begin=0, reference="", before=()):
    arguments = ["-m", "tests.acq_support", lsl_session, source_id, str(begin), reference]
    process = subprocess.Popen(
        [*before, sys.executable, *arguments], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert process.stdout.readline().strip() == "there"
    return process


def start_recorder(lsl_session, folder, *arguments, **popen):
    where = ["--lsl-session", lsl_session, "--timeout", str(PATIENCE_S), "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "record", str(folder), *where, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        **popen,
    )


def stop_recorder(process, signal_number=signal.SIGINT):
    """End it as Ctrl-C does; returns its last line of JSON and what it said."""
    process.send_signal(signal_number)
    return ended_recorder(process)


def ended_recorder(process):
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1]), err


if __name__ == "__main__":
    publish_for_ever(*sys.argv[1:])
