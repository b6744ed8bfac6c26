"""What the benchmarks share: decoders of any size without training, and timing of a stage chunk by chunk."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np

from calibration.model_selection import SPECTRAL_FEATURES
from decoding.decision import DecisionSettings, EffortCalibration
from decoding.decoder_file import DecoderFile, DecoderMetadata, HeldOut, load_decoder
from decoding.features import WindowFeatures
from decoding.filters import BandpassFilter, block_length, design_filter
from decoding.models.export import export_decoder
from decoding.models.lda import fit_lda
from decoding.pipeline import DecoderPipeline
from decoding.signal_settings import FeatureName, SignalSettings
from decoding.windows import window_spec
from emg_acquisition.arrays import Float32Array
from emg_acquisition.grid import ElectrodeGrid, GridSettings, rectangular_grid
from emg_acquisition.stream_info import EmgStreamInfo

GESTURES = ("rest", *(f"g{k}" for k in range(9)))
HUDGINS = SignalSettings(features=("mav", "waveform_length", "zero_crossings", "slope_sign_changes"))
_AR: tuple[FeatureName, ...] = ("ar_1", "ar_2", "ar_3", "ar_4")
SETS = {
    "log_rms": SignalSettings(),
    "hudgins": HUDGINS,
    "autoregression": SignalSettings(features=("log_rms", *_AR)),
    "all features": SignalSettings(features=get_args(FeatureName)),
    "spectral, of training's candidates": SignalSettings(features=SPECTRAL_FEATURES),
    "log_rms, average": SignalSettings(spatial="average"),
    "log_rms, laplacian": SignalSettings(spatial="laplacian"),
    "log_rms, 50 Hz and harmonics": SignalSettings(powerline_hz=50, powerline_harmonics=5),
}


def grid_of(n_channels: int) -> ElectrodeGrid:
    """Return a grid of eight rows that closes around the arm."""
    return rectangular_grid(8, n_channels // 8, 10.0, "rows")


def bench_decoder(settings: SignalSettings, n_channels: int, fs_hz: float) -> DecoderFile:
    """Make a decoder whose classifier was fitted to noise: as quick or slow as any."""
    rng = np.random.default_rng(0)
    metadata = DecoderMetadata(
        fs_hz=fs_hz,
        grid=GridSettings.model_validate(grid_of(n_channels).to_settings()),
        channel_labels=tuple(f"E{k}" for k in range(n_channels)),
        signal=settings,
        filter_design=design_filter(settings, fs_hz),
        gestures=GESTURES,
        decision=DecisionSettings(),
        effort=EffortCalibration(rest_log_uv=1.0, contraction_log_uv=(3.0,) * len(GESTURES)),
        model="lda",
        training_sessions=(),
        held_out=HeldOut(window_accuracy=None, trial_accuracy=None),
        software={},
    )
    features = rng.normal(size=(300, n_channels, len(settings.features))).astype(np.float32)
    classifier = fit_lda(features, np.arange(300) % len(GESTURES), len(GESTURES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decoder.onnx"
        export_decoder(classifier, metadata, path)
        return load_decoder(path)


def pipeline(settings: SignalSettings, n_channels: int, fs_hz: float) -> DecoderPipeline:
    """Bind such a decoder to a stream."""
    decoder = bench_decoder(settings, n_channels, fs_hz)
    labels = decoder.metadata.channel_labels
    return DecoderPipeline(decoder, EmgStreamInfo("bench", "bench-0", fs_hz, grid_of(n_channels), labels))


def bandpass(fs_hz: float, hop_samples: int) -> BandpassFilter:
    """Make the default band-pass, in the blocks of a hop."""
    return BandpassFilter(design_filter(SignalSettings(), fs_hz), block_length(hop_samples))


def chunk_times_us(
    step: Callable[[Float32Array], object], emg_uv: Float32Array, n_samples: int
) -> dict[str, float]:
    """Feed a stage in chunks; median and 99th percentile of what one takes, and of the processor time in it.

    The latter leaves out what other processes take from this one on a machine that is not idle.
    """
    took_us, used_us = [], []
    for start in range(0, len(emg_uv) - n_samples + 1, n_samples):
        chunk = emg_uv[start : start + n_samples]
        used_ns, began_ns = time.thread_time_ns(), time.perf_counter_ns()
        step(chunk)
        took_us.append((time.perf_counter_ns() - began_ns) / 1e3)
        used_us.append((time.thread_time_ns() - used_ns) / 1e3)
    return {
        "median": round(float(np.median(took_us)), 1),
        "p99": round(float(np.percentile(took_us, 99)), 1),
        "p99_cpu": round(float(np.percentile(used_us, 99)), 1),
    }


def hop_times_us(settings: SignalSettings, emg_uv: Float32Array, fs_hz: float) -> dict[str, float]:
    """Features of one hop after another, each a chunk."""
    windows = WindowFeatures(settings, fs_hz, grid_of(emg_uv.shape[1]))
    return chunk_times_us(windows.process, emg_uv, window_spec(settings, fs_hz).hop_samples)
