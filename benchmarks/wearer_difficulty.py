"""How hard the simulated wearers are, as a Markdown table and one JSON object.

``python benchmarks/wearer_difficulty.py --wearers 13``: balanced accuracy of single 200 ms windows, shrinkage LDA on
log-RMS, 64 electrodes at 1000 Hz; within a session on held-out repetitions, an hour later and with the sleeve put on
anew by the first session's classifier, and within a session for the same wearer impaired.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from benchmarks.difficulty_of_wearers import Difficulty, Protocol, measure_wearer
from simulation.forearm.settings import WearerSettings

IMPAIRMENTS = ("c5", "c6", "c7", "c8")


def main() -> None:
    """Measure the wearers with seeds 0, 1, 2, …."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wearers", type=int, default=13)
    parser.add_argument("--repetitions", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    with ProcessPoolExecutor(args.jobs) as pool:
        results = list(pool.map(_measure, range(args.wearers), [args.repetitions] * args.wearers))
    columns = ("wearer", "skill", "within", "an hour later", "new donning", *IMPAIRMENTS)
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for result in results:
        print(
            f"| {result.seed} | {result.skill:.2f} | " + " | ".join(f"{x:.3f}" for x in _row(result)) + " |"
        )
    table = np.array([_row(result) for result in results])
    print("| mean | | " + " | ".join(f"{x:.3f}" for x in table.mean(axis=0)) + " |")
    names = ("within", "hour_later", "new_donning", *IMPAIRMENTS)
    figures = {
        name: {
            "mean": round(float(c.mean()), 4),
            "min": round(float(c.min()), 4),
            "max": round(float(c.max()), 4),
        }
        for name, c in zip(names, table.T, strict=True)
    }
    print(json.dumps({"wearers": args.wearers, **figures}))


def _measure(seed: int, repetitions: int) -> Difficulty:
    settings = WearerSettings(seed=seed, fs_hz=1000.0)
    return measure_wearer(settings, IMPAIRMENTS, Protocol(repetitions))


def _row(result: Difficulty) -> list[float]:
    return [result.within, result.hour_later, result.new_donning, *result.impaired.values()]


if __name__ == "__main__":
    main()
