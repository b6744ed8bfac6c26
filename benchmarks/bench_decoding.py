"""Time from a chunk of 50 ms to its decisions, of each stage by itself, and how it grows; on synthetic EMG.

``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/bench_decoding.py``. A chunk of 50 ms holds two hops, so
two decisions. Peers were measured at 64 channels and 2 kHz with windows of 200 ms; `compare_libemg.py` measures one of
them in the same run.
"""

import json
import time

import numpy as np
from scipy import signal
from timing import SETS, bandpass, bench_decoder, chunk_times_us, hop_times_us, pipeline

from decoding.signal_settings import SignalSettings
from emg_acquisition.arrays import Float32Array

FS_HZ = 2000.0
N_CHANNELS = 64
CHUNK_MS = 50.0


def main() -> None:
    """Print the figures as they come, and all of them as one JSON object."""
    found: dict[str, object] = {}
    emg_uv = _emg_uv(N_CHANNELS, FS_HZ, 60.0)
    for name, settings in SETS.items():
        stage = pipeline(settings, N_CHANNELS, FS_HZ)
        _tell(found, f"chunk to decision, {name}", chunk_times_us(stage.process, emg_uv, 100))
    _tell(found, "band-pass 100 x 64", chunk_times_us(bandpass(FS_HZ, 50).process, emg_uv, 100))
    _tell(found, "scipy.signal.sosfilt 100 x 64", chunk_times_us(_sosfilt, emg_uv, 100))
    for hop_ms in (25.0, 50.0):
        hudgins = SETS["hudgins"].model_copy(update={"hop_ms": hop_ms})
        _tell(found, f"hudgins, one hop of {hop_ms:g} ms", hop_times_us(hudgins, emg_uv, FS_HZ))
    classifier = bench_decoder(SignalSettings(), N_CHANNELS, FS_HZ).classifier()
    features = np.zeros((2000, N_CHANNELS, 1), dtype=np.float32)
    _tell(found, "classifier", chunk_times_us(lambda one: classifier.probabilities(one[0]), features, 1))
    stage = pipeline(SignalSettings(), N_CHANNELS, FS_HZ)
    began_s = time.perf_counter()
    for start in range(0, len(emg_uv), 2000):
        stage.process(emg_uv[start : start + 2000])
    found["replay, times real time"] = round(len(emg_uv) / FS_HZ / (time.perf_counter() - began_s))
    for n_channels in (16, 32, 64, 128, 256):
        for fs_hz in (1000.0, 2000.0, 4000.0, 8000.0):
            stage = pipeline(SignalSettings(), n_channels, fs_hz)
            took = chunk_times_us(
                stage.process, _emg_uv(n_channels, fs_hz, 15.0), round(fs_hz * CHUNK_MS / 1e3)
            )
            _tell(found, f"chunk to decision, {n_channels} channels, {fs_hz:g} Hz", took)
    print(json.dumps(found))


def _emg_uv(n_channels: int, fs_hz: float, seconds: float) -> Float32Array:
    rng = np.random.default_rng(0)
    return (3e4 + 30.0 * rng.standard_normal((int(fs_hz * seconds), n_channels), np.float32)).astype(
        np.float32
    )


_SOS = signal.butter(4, (20.0, 400.0), "bandpass", fs=FS_HZ, output="sos")
_STATE = np.zeros((len(_SOS), 2, N_CHANNELS))


def _sosfilt(chunk: Float32Array) -> object:
    return signal.sosfilt(_SOS, chunk, axis=0, zi=_STATE)


def _tell(found: dict[str, object], name: str, took_us: dict[str, float]) -> None:
    found[name] = took_us
    print(
        f"{name:50} {took_us['median']:9.1f} us   p99 {took_us['p99']:9.1f} us"
        f"   p99 of processor time {took_us['p99_cpu']:9.1f} us"
    )


if __name__ == "__main__":
    main()
