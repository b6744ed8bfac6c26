"""What a temporal model over hops does to delay, false activations and third gestures, on flexemg.

``python benchmarks/temporal_model.py DATA OUT`` takes the folder of the flexemg data set, prints a Markdown table and
writes ``temporal_model.json`` to OUT. As in `online_behaviour.py`, every setting is judged on held-out repetitions of
the training recordings, and on the test recordings, which nothing is chosen on.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
from online_behaviour import TESTS, Stretch, behaviour, decoded, held_out, onsets_of, smoothing, trained

from calibration.train_settings import TrainSettings
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings
from emg_acquisition.recording.importers.flexemg import import_flexemg
from emg_acquisition.recording.session import load_session
from evaluation.online import OnlineBehaviour

WITHOUT = ((1, 1), (2, 2), (2, 8), (2, 10), (4, 8), (5, 5), (5, 8), (6, 6), (6, 10), (6, 12))
WITH = ((1, 1), (2, 2), (2, 8))
MODELS = (
    *(TemporalSettings(mean_hold_s=hold_s) for hold_s in (0.5, 2.0, 8.0)),
    *(TemporalSettings(direct_share=share) for share in (0.5, 0.01)),
    *(TemporalSettings(outliers=share) for share in (1e-5, 1e-9)),
)
Stretches = Sequence[tuple[str, list[Stretch]]]


def main() -> None:
    """Measure, print a table, and write a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder of the flexemg data set")
    parser.add_argument("out", type=Path, help="folder for the table")
    parser.add_argument("--window-ms", type=float, default=200.0)
    parser.add_argument("--spatial", choices=("none", "average", "laplacian"), default="average")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    signal = SignalSettings(window_ms=options.window_ms, spatial=options.spatial)
    train = TrainSettings(signal=signal, model="lda")
    with tempfile.TemporaryDirectory() as name:
        rows = _judged(options.data, train, Path(name))
    (options.out / "temporal_model.json").write_text(json.dumps(rows, indent=1) + "\n")
    print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


def _judged(data: Path, train: TrainSettings, folder: Path) -> list[dict[str, object]]:
    import_flexemg(data, folder)
    sessions = {
        f"{one.parent.name[4:]}-{one.name[4:]}": load_session(one) for one in folder.glob("sub-*/ses-*")
    }
    left_out = [(name, held_out(sessions[name], train, folder)) for name in TESTS]
    tested = []
    for name, tests in TESTS.items():
        decoder = trained(sessions[name], train, folder)
        tested += [(test, [decoded(decoder, sessions[test], 0, None)]) for test in tests]
    onsets = {name: onsets_of(session) for name, session in sessions.items()}

    def judge(
        stretches: Stretches, dwells: tuple[int, int], model: TemporalSettings | None
    ) -> OnlineBehaviour:
        decision = smoothing(*dwells)
        found = (behaviour(sessions[n], onsets[n], parts, decision, model) for n, parts in stretches)
        return reduce(add, found)

    settings = [(dwells, None) for dwells in WITHOUT] + [(dwells, one) for one in MODELS for dwells in WITH]
    return [
        _about(dwells, model)
        | _figures("held out", judge(left_out, dwells, model))
        | _figures("test", judge(tested, dwells, model))
        for dwells, model in settings
    ]


def _about(dwells: tuple[int, int], model: TemporalSettings | None) -> dict[str, object]:
    return {
        "mean hold / s": f"{model.mean_hold_s:g}" if model else "off",
        "direct share": f"{model.direct_share:g}" if model else "",
        "outliers": f"{model.outliers:g}" if model else "",
        "dwell, for a change": "{}, {}".format(*dwells),
    }


def _figures(kind: str, found: OnlineBehaviour) -> dict[str, object]:
    both = (*found.delays_from_rest_ms, *found.delays_from_gesture_ms)
    return {
        f"{kind}: from rest / ms": round(float(np.median(found.delays_from_rest_ms))),
        f"{kind}: all / ms": round(float(np.median(both))),
        f"{kind}: false activations per min": round(found.false_activations_per_min, 2),
        f"{kind}: through a third of {len(both)}": found.through_third,
        f"{kind}: missed": int(np.isinf(both).sum()),
    }


if __name__ == "__main__":
    main()
