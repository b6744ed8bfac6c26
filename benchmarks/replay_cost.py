"""What a replay costs: processor time against real time, and memory against the recording's length.

``OMP_NUM_THREADS=1 python benchmarks/replay_cost.py OUT [--channels 256] [--rate 4000] [--minutes 1 4 60]`` writes a
session of noise of each length to OUT, replays it in a process of its own as ``hdemg replay`` does, and deletes it.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from decoding.decoder_file import load_decoder
from decoding.signal_settings import SignalSettings
from emg_acquisition.recording.session import open_session
from emg_acquisition.recording.session_writer import SessionWriter
from emg_acquisition.stream_info import EmgStreamInfo
from evaluation.replay import replay_session

BLOCK_S = 1.0


def write_session(folder: Path, n_channels: int, fs_hz: float, minutes: float) -> None:
    """Write a session of noise on the electrodes' offsets, block by block, and a decoder that fits it."""
    from timing import bench_decoder, grid_of  # noqa: PLC0415 - the replay's own process must not hold what trains

    decoder = bench_decoder(SignalSettings(), n_channels, fs_hz)
    labels = decoder.metadata.channel_labels
    info = EmgStreamInfo("bench", "bench-0", fs_hz, grid_of(n_channels), labels)
    rng = np.random.default_rng(0)
    block = (3e4 + 30.0 * rng.standard_normal((round(BLOCK_S * fs_hz), n_channels), np.float32)).astype("<f4")
    writer = SessionWriter(folder, participant="P00", session="cost", emg=info)
    for k in range(round(60 * minutes / BLOCK_S)):
        writer.write_emg(np.roll(block, 37 * k, axis=0), (k * len(block) + np.arange(len(block))) / fs_hz)
    writer.close()
    (folder / "decoder.onnx").write_bytes(decoder.content)


def replay(folder: Path, fs_hz: float) -> None:
    """Replay in this process and print the figures."""
    decoder = load_decoder(folder / "decoder.onnx")
    before_mb = peak_mb()
    session = open_session(folder)
    opened_s = time.process_time()
    result = replay_session(session, decoder)
    decoding_s = time.process_time() - opened_s
    recorded_s = len(session.emg.t_lsl_s) / fs_hz
    print(
        json.dumps(
            {
                "minutes": recorded_s / 60,
                "recording_mb": (folder / "recording.xdf").stat().st_size / 2**20,
                "peak_mb": peak_mb(),
                "before_mb": before_mb,
                "decisions": len(result.values),
                "times_real_time": recorded_s / decoding_s,
                "times_real_time_with_opening": recorded_s / time.process_time(),
            }
        )
    )


def peak_mb() -> float:
    """Most memory that this process has held since it began (``ru_maxrss`` would count its parent's too)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found.group(1)) / 1024 if found else float("nan")


def main() -> None:
    """Write, replay and delete one session a length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path, help="folder on a disk with room")
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2000.0)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 4.0])
    parser.add_argument("--replay", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.replay:
        replay(args.out, args.rate)
        return
    for minutes in args.minutes:
        folder = args.out / f"ses-cost{minutes:g}".replace(".", "p")
        try:
            write_session(folder, args.channels, args.rate, minutes)
            again = ["--channels", str(args.channels), "--rate", str(args.rate), "--replay"]
            subprocess.run([sys.executable, __file__, str(folder), *again], check=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
