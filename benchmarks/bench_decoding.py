"""Time of a 50 ms chunk from microvolts to a decision, and of a replay, on synthetic EMG.

Run with one BLAS thread: ``OMP_NUM_THREADS=1 python benchmarks/bench_decoding.py``. 64 channels at 2 kHz, window
200 ms, hop 50 ms: the figures of the peers in the literature were taken so.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from decoding.decision import DecisionSettings, EffortCalibration
from decoding.decoder_file import DecoderMetadata, HeldOut, load_decoder
from decoding.features import WindowFeatures
from decoding.filters import BandpassFilter, design_filter
from decoding.models.export import export_decoder
from decoding.models.lda import fit_lda
from decoding.pipeline import DecoderPipeline
from decoding.signal_settings import SignalSettings
from emg_acquisition.grid import GridSettings, rectangular_grid
from emg_acquisition.stream_info import EmgStreamInfo

FS_HZ = 2000.0
CHUNK = 100
GRID = rectangular_grid(8, 8, 10.0)
GESTURES = ("rest", *(f"g{k}" for k in range(9)))
TIME_DOMAIN = SignalSettings(features=("mav", "waveform_length", "zero_crossings", "slope_sign_changes"))


def main() -> None:
    """Print one JSON object of microseconds (median, p99) and the real-time factor."""
    rng = np.random.default_rng(0)
    emg_uv = (3e4 + rng.normal(0.0, 30.0, (int(FS_HZ) * 60, 64))).astype(np.float32)
    figures: dict[str, object] = {}
    for name, settings in (("log_rms", SignalSettings()), ("hudgins", TIME_DOMAIN)):
        pipeline = _pipeline(settings, rng)
        figures[f"chunk_to_decision_us[{name}]"] = _time_chunks(pipeline.process, emg_uv)
    bandpass = BandpassFilter(design_filter(SignalSettings(), FS_HZ))
    figures["bandpass_us"] = _time_chunks(bandpass.process, emg_uv)
    windows = WindowFeatures(TIME_DOMAIN, FS_HZ, GRID)
    figures["hudgins_hop_us"] = _time_chunks(windows.process, emg_uv)
    pipeline = _pipeline(SignalSettings(), rng)
    began_s = time.perf_counter()
    for start in range(0, len(emg_uv), 2000):
        pipeline.process(emg_uv[start : start + 2000])
    figures["replay_real_time_factor"] = round(len(emg_uv) / FS_HZ / (time.perf_counter() - began_s))
    print(json.dumps(figures))


def _pipeline(settings: SignalSettings, rng: np.random.Generator) -> DecoderPipeline:
    labels = tuple(f"E{k}" for k in range(64))
    metadata = DecoderMetadata(
        fs_hz=FS_HZ,
        grid=GridSettings.model_validate(GRID.to_settings()),
        channel_labels=labels,
        signal=settings,
        filter_design=design_filter(settings, FS_HZ),
        gestures=GESTURES,
        decision=DecisionSettings(),
        effort=EffortCalibration(rest_log_uv=1.0, contraction_log_uv=(3.0,) * len(GESTURES)),
        model="lda",
        training_sessions=(),
        held_out=HeldOut(window_accuracy=None, trial_accuracy=None),
        software={},
    )
    features = rng.normal(size=(500, 64, len(settings.features))).astype(np.float32)
    classifier = fit_lda(features, np.arange(500) % len(GESTURES), len(GESTURES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decoder.onnx"
        export_decoder(classifier, metadata, path)
        return DecoderPipeline(load_decoder(path), EmgStreamInfo("bench", "bench-0", FS_HZ, GRID, labels))


def _time_chunks(
    step: Callable[[np.typing.NDArray[np.float32]], object], emg_uv: np.ndarray
) -> dict[str, float]:
    took_us = []
    for start in range(0, len(emg_uv), CHUNK):
        chunk = emg_uv[start : start + CHUNK]
        began_s = time.perf_counter()
        step(chunk)
        took_us.append((time.perf_counter() - began_s) * 1e6)
    return {"median": round(float(np.median(took_us)), 1), "p99": round(float(np.percentile(took_us, 99)), 1)}


if __name__ == "__main__":
    main()
