"""CPU that the signal quality costs, as a share of one core: ``python benchmarks/bench_quality.py``.

Processor time of this process (not wall time, which other programs disturb) for ten seconds of synthetic EMG in
chunks of 10 ms, as a stream delivers them; the median of five runs, the best and the worst.
"""

import argparse
import json
import time

import numpy as np

from emg_acquisition.quality.monitor import QualityMonitor

SECONDS = 10
CHUNK_S = 0.01
CASES = ((64, 1000.0), (64, 2000.0), (64, 4000.0), (128, 4000.0), (256, 4000.0), (256, 10240.0))


def main() -> None:
    """Print a line a case, and with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    figures = {}
    for n_channels, fs_hz in CASES:
        shares = sorted(core_share(n_channels, fs_hz) for _ in range(args.runs))
        median = shares[len(shares) // 2]
        print(
            f"{n_channels:4d} channels at {fs_hz:6g} Hz: {100 * median:5.2f} % of a core "
            f"(best {100 * shares[0]:.2f}, worst {100 * shares[-1]:.2f})"
        )
        figures[f"{n_channels}x{fs_hz:g}"] = round(median, 5)
    if args.json:
        print(json.dumps({"core_share": figures}))


def core_share(n_channels: int, fs_hz: float, seconds: int = SECONDS) -> float:
    """Return processor time over signal time."""
    rng = np.random.default_rng(0)
    second = (3e4 + rng.normal(0.0, 30.0, (int(fs_hz), n_channels))).astype(np.float32)
    chunk = int(CHUNK_S * fs_hz)
    monitor = QualityMonitor(fs_hz, n_channels)
    monitor.process(second)
    began_s = time.process_time()
    for _ in range(seconds):
        for start in range(0, len(second), chunk):
            monitor.process(second[start : start + chunk])
    return (time.process_time() - began_s) / seconds


if __name__ == "__main__":
    main()
