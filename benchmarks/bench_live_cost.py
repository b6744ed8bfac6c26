"""What ``hdemg decode`` costs while nothing happens: processor time a second, of a stream of 64 channels at 4 kHz.

``python benchmarks/bench_live_cost.py [--channels N] [--rate HZ] [--chunk-ms MS]`` (Linux). The stream is pushed from
here over LSL, the decoder is the command in a process of its own, and its user and system time are read from the
kernel over ten seconds. BLAS is left as it is started by default.
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
from timing import bench_decoder, grid_of

from decoding.signal_settings import SignalSettings
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.inlet import GestureInlet
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.outlet import EmgOutlet, lsl_clock_s

SETTLE_S, MEASURE_S, FIND_S = 3.0, 10.0, 30.0


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--rate", type=float, default=4000.0, metavar="HZ")
    parser.add_argument("--chunk-ms", type=float, default=20.0, metavar="MS")
    options = parser.parse_args()
    token = uuid.uuid4().hex[:8]
    configure_lsl(f"bench-{token}")
    decoder = bench_decoder(SignalSettings(), options.channels, options.rate)
    labels = decoder.metadata.channel_labels
    info = EmgStreamInfo("bench", f"bench-{token}", options.rate, grid_of(options.channels), labels)
    chunk = round(options.rate * options.chunk_ms / 1000.0)
    outlet = EmgOutlet(info, chunk)
    stop = threading.Event()
    sender = threading.Thread(target=_send, args=(outlet, chunk, stop))
    sender.start()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decoder.onnx"
        path.write_bytes(decoder.content)
        command = [sys.executable, "-m", "ui.cli", "decode", str(path), "--source-id", f"decoder-{token}"]
        process = subprocess.Popen([*command, "--lsl-session", f"bench-{token}"], stdout=subprocess.DEVNULL)
        try:
            inlet = GestureInlet(f"decoder-{token}", FIND_S)
            time.sleep(SETTLE_S)
            inlet.pull(0.1)
            before_s, began_s = _processor_s(process.pid), time.monotonic()
            time.sleep(MEASURE_S)
            used_s, took_s = _processor_s(process.pid) - before_s, time.monotonic() - began_s
            decisions = len(inlet.pull(0.1))
        finally:
            process.terminate()
            process.wait(10)
            stop.set()
            sender.join()
    print(
        json.dumps(
            {
                "channels": options.channels,
                "rate_hz": options.rate,
                "share_of_a_core": round(used_s / took_s, 4),
                "decisions_a_second": round(decisions / took_s, 1),
            }
        )
    )


def _send(outlet: EmgOutlet, chunk: int, stop: threading.Event) -> None:
    info = outlet.info
    rng = np.random.default_rng(0)
    emg_uv = (3e4 + 4.0 * rng.standard_normal((chunk * 50, info.n_channels))).astype(np.float32)
    sent, began_lsl_s = 0, lsl_clock_s()
    while not stop.is_set():
        due_lsl_s = began_lsl_s + (sent + chunk) / info.fs_hz
        stop.wait(max(0.0, due_lsl_s - lsl_clock_s()))
        at = sent % len(emg_uv)
        outlet.push(emg_uv[at : at + chunk], due_lsl_s)
        sent += chunk


def _processor_s(pid: int) -> float:
    """User and system time of a process and its threads so far, from the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
