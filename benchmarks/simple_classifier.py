"""One simple classifier for recordings of any origin: shrinkage LDA on log-RMS of single 200 ms windows.

It measures how hard a recording is, not how good the product is: no smoothing, no rejection, no choice of model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import signal

from decoding.models.lda import fit_lda
from emg_acquisition.arrays import Float32Array, IntArray, samples_from_ms
from emg_acquisition.recording.session import Trial

WINDOW_MS = 200.0
BAND_HZ = (20.0, 400.0)
FLOOR_UV = 1e-3


@dataclass(frozen=True)
class Windows:
    """Log-RMS of single windows.

    Parameters
    ----------
    features : ndarray, shape (n_windows, n_channels), float32
        Natural logarithm of µV.
    labels, repetitions : ndarray, shape (n_windows,)
        Index of the gesture, and which repetition it was held in.
    """

    features: Float32Array
    labels: IntArray
    repetitions: IntArray


def band_passed(emg_uv: Float32Array, fs_hz: float, band_hz: tuple[float, float] = BAND_HZ) -> Float32Array:
    """Return EMG, shape (n_samples, n_channels), within a band: causal Butterworth, four poles a side."""
    high = min(band_hz[1], 0.45 * fs_hz)
    sos = signal.butter(4, (band_hz[0], high), "bandpass", fs=fs_hz, output="sos")
    # An electrode's offset would ring for as long as a trial: it is taken off first.
    filtered: Float32Array = signal.sosfilt(sos, emg_uv - emg_uv[:1].astype(np.float64), axis=0).astype(
        np.float32
    )
    return filtered


def log_rms_windows(
    filtered_uv: Float32Array,
    fs_hz: float,
    trials: Sequence[Trial],
    gestures: Sequence[str],
    margins_s: tuple[float, float],
) -> Windows:
    """Cut trials into neighbouring windows.

    Parameters
    ----------
    filtered_uv : ndarray, shape (n_samples, n_channels)
        Band-passed EMG of the whole recording.
    fs_hz : float
        Its rate.
    trials : sequence of Trial
        Those of other gestures than `gestures` are left out.
    gestures : sequence of str
        Names, in the order of the labels.
    margins_s : tuple of float
        What is left out after a cue and before the next one.
    """
    length = samples_from_ms(WINDOW_MS, fs_hz)
    features, labels, repetitions = [], [], []
    for trial in trials:
        if trial.gesture not in gestures:
            continue
        start, stop = trial.start + round(margins_s[0] * fs_hz), trial.stop - round(margins_s[1] * fs_hz)
        for first in range(start, stop - length + 1, length):
            power = np.mean(filtered_uv[first : first + length].astype(np.float64) ** 2, axis=0)
            features.append(0.5 * np.log(power + FLOOR_UV**2))
            labels.append(list(gestures).index(trial.gesture))
            repetitions.append(trial.repetition)
    return Windows(np.array(features, dtype=np.float32), np.array(labels), np.array(repetitions))


def held_out_accuracy(windows: Windows, n_gestures: int) -> float:
    """Return the share of windows classified right, each repetition by a classifier trained on the others.

    Gestures count alike, however many windows each has.
    """
    right = np.zeros(len(windows.labels), dtype=bool)
    for repetition in np.unique(windows.repetitions):
        out = windows.repetitions == repetition
        right[out] = _right(windows, ~out, windows, out, n_gestures)
    return _balanced(right, windows.labels, n_gestures)


def transferred_accuracy(trained_on: Windows, tested_on: Windows, n_gestures: int) -> float:
    """Return the share of one recording's windows that another one's classifier gets right, gestures alike."""
    all_of, all_on = (np.ones(len(w.labels), dtype=bool) for w in (trained_on, tested_on))
    right = _right(trained_on, all_of, tested_on, all_on, n_gestures)
    return _balanced(right, tested_on.labels, n_gestures)


def _right(
    trained_on: Windows, train: np.ndarray, tested_on: Windows, test: np.ndarray, n_gestures: int
) -> np.ndarray:
    trial = trained_on.repetitions * n_gestures + trained_on.labels
    classifier = fit_lda(
        trained_on.features[train][..., np.newaxis], trained_on.labels[train], n_gestures, trial[train]
    )
    decided = classifier.logits(tested_on.features[test][..., np.newaxis]).argmax(axis=1)
    right: np.ndarray = decided == tested_on.labels[test]
    return right


def _balanced(right: np.ndarray, labels: IntArray, n_gestures: int) -> float:
    return float(np.mean([right[labels == k].mean() for k in range(n_gestures)]))
