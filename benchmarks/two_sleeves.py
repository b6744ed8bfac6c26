"""Two sleeves of 128 channels at 4 kHz over LSL into one session: CPU, memory, and every bit read back.

``python benchmarks/two_sleeves.py --seconds 600``. Each sleeve is published by a process of its own through the
publisher that every source uses; ``hdemg record`` records both in a third. The source is a block of noise, repeated,
with the number of the sample in its first channel: it costs next to nothing, so that what is measured is transport
and recording alone. CPU is the kernel's count of each process from start to end, start-up included, over the time
of the recording. ``--pyxdf`` reads the recording with pyxdf as well, which takes some five times its size in memory.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

import numpy as np
import pyxdf

from emg_acquisition.arrays import Float32Array
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.recording.session import RECORDING_FILE, read_session_info
from emg_acquisition.recording.xdf_reader import read_blocks, read_headers
from emg_acquisition.source import SampleEvent
from emg_acquisition.stream_info import EMG_TYPE, EmgStreamInfo
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.publisher import run_source

SLEEVES = ("left", "right")
N_CHANNELS, FS_HZ = 128, 4000.0
# Whole seconds of noise; a float32 counts to 2**24 exactly, more than an hour.
BLOCK_S, COUNT_TO = 2, 2**24
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def signal(sleeve: str, start: int, n_samples: int) -> Float32Array:
    """Return samples of a sleeve from number ``start`` on: the same whoever asks."""
    block = _block(sleeve)
    rows = block[np.arange(start, start + n_samples) % len(block)]
    rows[:, 0] = np.arange(start, start + n_samples) % COUNT_TO
    return rows


_blocks: dict[str, Float32Array] = {}


def _block(sleeve: str) -> Float32Array:
    if sleeve not in _blocks:
        rng = np.random.default_rng(SLEEVES.index(sleeve))
        shape = (round(BLOCK_S * FS_HZ), N_CHANNELS)
        _blocks[sleeve] = rng.normal(0, 50, shape).astype(np.float32)
    return _blocks[sleeve]


class RepeatedBlock:
    """An `EmgSource` that ends after so many samples."""

    def __init__(self, sleeve: str, n_samples: int) -> None:
        grid = rectangular_grid(8, N_CHANNELS // 8, 8.0)
        labels = tuple(f"E{k}" for k in range(N_CHANNELS))
        self.info = EmgStreamInfo(f"Sleeve {sleeve}", f"sleeve-{sleeve}", FS_HZ, grid, labels)
        self._sleeve, self._left, self._at = sleeve, n_samples, 0

    def read(self, n_samples: int) -> Float32Array:
        """Return the next samples."""
        chunk = signal(self._sleeve, self._at, min(n_samples, self._left))
        self._at += len(chunk)
        self._left -= len(chunk)
        return chunk

    def events_until(self, _sample_index: int) -> list[SampleEvent]:
        """There are none."""
        return []

    def close(self) -> None:
        """Nothing is held."""


def publish(sleeve: str, seconds: float, lsl_session: str) -> None:
    """Publish one sleeve, once somebody listens."""
    configure_lsl(lsl_session)
    source = RepeatedBlock(sleeve, round(seconds * FS_HZ))
    report = run_source(source, stop=threading.Event(), wait_for_consumers=True)
    print(json.dumps({"sleeve": sleeve, "samples": report.samples, "late_chunks": report.overruns}))


class Watched:
    """A child process with the memory it held over time and the CPU that it took."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
        self.rss_mb: list[float] = []
        self.cpu_s = 0.0

    def look(self) -> bool:
        """Note the memory held now; False once the process has ended, with its CPU noted."""
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if pid:
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_s = usage.ru_utime + usage.ru_stime
            return False
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
        self.rss_mb.append(pages * PAGE_BYTES / 1e6)
        return True

    def summary(self, seconds: float) -> dict[str, float]:
        """Return CPU in percent of one core, and memory in the first and last fifth of the run and at the most."""
        fifth = max(1, len(self.rss_mb) // 5)
        return {
            "cpu_percent": round(100 * self.cpu_s / seconds, 2),
            "rss_mb_first_fifth": round(max(self.rss_mb[:fifth]), 1),
            "rss_mb_last_fifth": round(max(self.rss_mb[-fifth:]), 1),
            "rss_mb_max": round(max(self.rss_mb), 1),
        }


def measure(seconds: float, folder: Path) -> dict[str, Watched]:
    """Publish and record; returns the processes, ended."""
    session = f"two-sleeves-{uuid.uuid4().hex[:8]}"
    record = ["-m", "ui.cli", "record", str(folder), "--lsl-session", session, "--timeout", "60"]
    children = {}
    for sleeve in SLEEVES:
        record += ["--emg", f"sleeve-{sleeve}", "--events", f"sleeve-{sleeve}-events"]
        own = [__file__, "--publish", sleeve, "--seconds", str(seconds), "--lsl-session", session]
        children[f"publisher {sleeve}"] = Watched(own)
    children["recorder"] = Watched(record)
    running = list(children.values())
    while running:
        time.sleep(1.0)
        running = [child for child in running if child.look()]
    for name, child in children.items():
        if child.process.returncode:
            sys.exit(f"{name} ended with status {child.process.returncode}")
    return children


def verify(path: Path, n_samples: int) -> dict[str, object]:
    """Compare every sample with the signal made anew, a chunk at a time, and look at the time stamps."""
    exact, worst_step_s = True, 0.0
    for header in read_headers(path):
        if header.type != EMG_TYPE:
            continue
        sleeve, at, previous_s = header.source_id.removeprefix("sleeve-"), 0, None
        for values, t_s in read_blocks(path, header):
            expected = signal(sleeve, at, len(values))
            exact &= np.array_equal(values.view(np.uint32), expected.view(np.uint32))
            steps_s = np.diff(t_s, prepend=t_s[0] - 1 / FS_HZ if previous_s is None else previous_s)
            worst_step_s = max(worst_step_s, float(np.abs(steps_s - 1 / FS_HZ).max()))
            at, previous_s = at + len(values), t_s[-1]
        exact &= at == n_samples
    return {"bit_exact": exact, "worst_step_off_us": round(1e6 * worst_step_s, 3)}


def verify_with_pyxdf(path: Path, n_samples: int) -> bool:
    """Compare what pyxdf reads with the signal made anew."""
    streams, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    emg = [stream for stream in streams if stream["info"]["type"][0] == EMG_TYPE]
    return len(emg) == len(SLEEVES) and all(
        np.array_equal(
            stream["time_series"],
            signal(stream["info"]["source_id"][0].removeprefix("sleeve-"), 0, n_samples),
        )
        for stream in emg
    )


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pyxdf", action="store_true")
    parser.add_argument("--publish", choices=SLEEVES, help=argparse.SUPPRESS)
    parser.add_argument("--lsl-session", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.publish:
        publish(args.publish, args.seconds, args.lsl_session)
        return
    n_samples = round(args.seconds * FS_HZ)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "ses-bench"
        children = measure(args.seconds, folder)
        path = folder / RECORDING_FILE
        info = read_session_info(folder)
        figures: dict[str, object] = {
            "seconds": args.seconds,
            "complete": info.complete,
            "samples": {s.source_id: s.samples for s in info.streams if s.type == EMG_TYPE},
            "gaps": sum(s.gaps or 0 for s in info.streams),
            **verify(path, n_samples),
            "recording_mb": round(path.stat().st_size / 1e6, 1),
        }
        if args.pyxdf:
            figures["pyxdf_bit_exact"] = verify_with_pyxdf(path, n_samples)
    figures |= {name: child.summary(args.seconds) for name, child in children.items()}
    total = sum(child.cpu_s for child in children.values())
    figures["cpu_percent_of_one_core"] = round(100 * total / args.seconds, 2)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
