"""Ours against LibEMG 2.0.3 on the same samples, in one run, one BLAS thread each; prints medians and ratios.

``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/compare_libemg.py [--python VENV/bin/python]``.
LibEMG (MIT) needs numpy below 2, so it lives in a virtual environment of its own, made in a temporary folder by pip
unless one is named, and runs in a process of its own. What its online classifier does at each prediction is done here
with its own public functions: its buffer of 5000 samples is filtered (by `filtfilt`, which is not causal), the newest
window's features are taken, and its LDA is asked. Beside it stands the same with a filter over the window alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
from timing import HUDGINS, bandpass, bench_decoder, chunk_times_us, hop_times_us, pipeline

N_CHANNELS = 64
FS_HZ = 2000.0
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
THEIRS = """
import json, sys, time
import numpy as np
from libemg.emg_predictor import EMGClassifier
from libemg.feature_extractor import FeatureExtractor
from libemg.filtering import Filter
from libemg.utils import get_windows

def median_us(step, n):
    took = []
    for _ in range(n):
        began = time.perf_counter()
        step()
        took.append((time.perf_counter() - began) * 1e6)
    return {"median": float(np.median(took)), "p99": float(np.percentile(took, 99))}

emg = np.load(sys.argv[1]).astype(np.float64)
names = ["MAV", "ZC", "SSC", "WL"]
extractor = FeatureExtractor()
bandpass = Filter(2000)
bandpass.install_filters({"name": "bandpass", "cutoff": [20, 400], "order": 4})
windows = get_windows(emg[:60000], 400, 400)
classifier = EMGClassifier("LDA")
labels = np.arange(len(windows)) % 10
features = extractor.extract_features(names, windows)
classifier.fit({"training_features": features, "training_labels": labels})
window = windows[:1]

def predict(samples):
    filtered = bandpass.filter(samples)[-400:]
    classifier.run(extractor.extract_features(names, get_windows(filtered, 400, 400)))

print(json.dumps({
    "push_to_decision": median_us(lambda: predict(emg[:5000]), 200),
    "push_to_decision_window_only": median_us(lambda: predict(emg[:400]), 500),
    "bandpass_100x64": median_us(lambda: bandpass.filter(emg[:100]), 1000),
    "hudgins_window": median_us(lambda: extractor.extract_features(names, window), 1000),
    "classifier": median_us(lambda: classifier.run({k: v[:1] for k, v in features.items()}), 500),
}))
"""


def main() -> None:
    """Measure both and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--python", type=Path, help="Python of an environment that holds libemg 2.0.3")
    options = parser.parse_args()
    emg_uv = np.random.default_rng(0).normal(0.0, 30.0, (120_000, N_CHANNELS)).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "emg.npy", emg_uv)
        python = options.python or _environment(folder / "venv")
        done = subprocess.run(
            [str(python), "-c", THEIRS, str(folder / "emg.npy")],
            env=os.environ | ONE_THREAD,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        sys.exit(
            f"LibEMG did not run: {done.stderr.strip().splitlines()[-1] if done.stderr else 'no message'}"
        )
    theirs = json.loads(done.stdout.strip().splitlines()[-1])
    chunk = chunk_times_us(pipeline(HUDGINS, N_CHANNELS, FS_HZ).process, emg_uv, 100)
    ours = {
        "push_to_decision": chunk,
        "push_to_decision_window_only": chunk,
        "bandpass_100x64": chunk_times_us(bandpass(FS_HZ, 100).process, emg_uv, 100),
        "hudgins_window": hop_times_us(HUDGINS, emg_uv, FS_HZ),
        "classifier": _classifier_times_us(),
    }
    for name, figures in ours.items():
        ratio = theirs[name]["median"] / figures["median"]
        print(
            f"{name:30} ours {figures['median']:8.1f} us (p99 {figures['p99']:8.1f})   "
            f"LibEMG {theirs[name]['median']:8.1f} us (p99 {theirs[name]['p99']:8.1f})   ratio {ratio:6.1f}"
        )
    print(json.dumps({"ours_us": ours, "libemg_us": theirs}))


def _environment(folder: Path) -> Path:
    print("installing libemg 2.0.3 into an environment of its own ...", file=sys.stderr)
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "libemg==2.0.3", "numpy<2"]
    if subprocess.run(install, check=False).returncode != 0:
        sys.exit("pip could not install libemg 2.0.3; name an environment that holds it with --python")
    return python


def _classifier_times_us() -> dict[str, float]:
    classifier = bench_decoder(HUDGINS, N_CHANNELS, FS_HZ).classifier()
    features = np.zeros((2000, N_CHANNELS, len(HUDGINS.features)), dtype=np.float32)
    return chunk_times_us(lambda one: classifier.probabilities(one[0]), features, 1)


if __name__ == "__main__":
    main()
