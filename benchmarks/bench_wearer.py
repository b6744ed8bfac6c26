"""CPU seconds that a simulated wearer takes for a second of signal, with every muscle at full effort.

Run with one BLAS thread: ``OMP_NUM_THREADS=1 python benchmarks/bench_wearer.py``. Read in chunks of 10 ms, as the
publisher reads; CPU time by `time.process_time`, so that other programs do not disturb it. Required: 64 channels at
4 kHz on half a core, 256 on one.
"""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from emg_acquisition.grid import rectangular_grid
from simulation.forearm.anatomy import MUSCLE_NAMES
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer

SECONDS = 20
# One of those whose usual effort is great: twice that is as much as any wearer can be asked for.
STRONG_WEARER = 4
CASES = {"64 channels, 4 kHz": (16, 4, 15.0, 4000.0), "256 channels, 4 kHz": (16, 16, 10.0, 4000.0)}


def main() -> None:
    """Print one JSON object: per case, seconds to build, and CPU seconds a signal second (mean, worst chunk)."""
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        everything = Path(folder) / "everything.yaml"
        shares = dict.fromkeys(MUSCLE_NAMES, 1.0)
        everything.write_text(yaml.safe_dump({"name": "all", "gestures": {"everything": shares}}))
        for name, (rows, columns, pitch_mm, fs_hz) in CASES.items():
            grid = rectangular_grid(rows, columns, pitch_mm, "rows")
            figures[name] = _measure(
                WearerSettings(seed=STRONG_WEARER, fs_hz=fs_hz, grid=grid, gestures=everything)
            )
    print(json.dumps(figures))


def _measure(settings: WearerSettings) -> dict[str, float]:
    began_s = time.process_time()
    wearer = SimulatedWearer(settings)
    built_s = time.process_time() - began_s
    wearer.set_intention("everything", 2.0)
    chunk = round(0.01 * settings.fs_hz)
    for _ in range(100):
        wearer.read(chunk)
    took_s = []
    for _ in range(100 * SECONDS):
        began_s = time.process_time()
        wearer.read(chunk)
        took_s.append(time.process_time() - began_s)
    return {
        "build_s": round(built_s, 3),
        "cpu_s_per_s": round(sum(took_s) / SECONDS, 4),
        "worst_chunk_ms": round(1e3 * float(np.max(took_s)), 2),
    }


if __name__ == "__main__":
    main()
