"""Synthetic EMG whose truth is known, for the tests of signal quality."""

import numpy as np
import scipy.signal

OFFSET_UV = 3e4


def muscle(
    fs_hz: float,
    seconds: float,
    n_channels: int,
    *,
    rms_uv: float = 60.0,
    seed: int = 0,
    floor_uv: float = 3.0,
) -> np.ndarray:
    """Band-limited muscle on an electrode's offset, over the white noise of an amplifier; float32."""
    rng = np.random.default_rng(seed)
    n = int(fs_hz * seconds)
    # Two poles each side: the slopes of the spectra that textbooks show, 30-150 Hz.
    band = scipy.signal.butter(2, (30.0, min(150.0, 0.4 * fs_hz)), "bandpass", fs=fs_hz, output="sos")
    emg_uv = scipy.signal.sosfilt(band, rng.normal(0.0, 1.0, (n + 1000, n_channels)), axis=0)[1000:]
    emg_uv *= rms_uv / emg_uv.std(axis=0)
    offset_uv = rng.uniform(-OFFSET_UV, OFFSET_UV, n_channels)
    # The floor is that of 500 Hz of bandwidth whatever the rate.
    noise_uv = white(fs_hz, n, n_channels, rms_uv=floor_uv, rng=rng)
    return (offset_uv + emg_uv + noise_uv).astype(np.float32)


def white(fs_hz: float, n: int, n_channels: int, *, rms_uv: float, rng: np.random.Generator) -> np.ndarray:
    """White noise that has the given RMS in 0-500 Hz."""
    return rng.normal(0.0, rms_uv * np.sqrt(max(1.0, fs_hz / 1000.0)), (n, n_channels))


def sine(fs_hz: float, n: int, f_hz: float, rms_uv: float) -> np.ndarray:
    return np.sqrt(2.0) * rms_uv * np.sin(2.0 * np.pi * f_hz * np.arange(n) / fs_hz)
