"""When a muscle begins, seen in the signal alone: offline, with the future at hand, and without any decoder.

Electrode by electrode the rectified Teager-Kaiser energy of the band-passed signal, smoothed without delay, has to
stay above its baseline's mean by three standard deviations for 25 ms. The onset of a contraction is the median over
the electrodes on which it is strongest: single electrodes may miss it or pick up another muscle.

References
----------
Solnik, Rider, Steinweg, DeVita, Hortobagyi, *Teager-Kaiser energy operator signal conditioning improves EMG onset
detection*, Eur. J. Appl. Physiol. 110, 2010: energy, smoothing at 50 Hz, three standard deviations, 25 ms.
Hodges, Bui, *A comparison of computer-based methods for the determination of onset of muscle contraction using
electromyography*, Electroenceph. Clin. Neurophysiol. 101(6), 1996: a level and a least duration.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from emg_acquisition.arrays import Float32Array, Float64Array, samples_from_ms
from emg_acquisition.recording.session import Trial

BAND_HZ = (20.0, 400.0)
HIGHEST_EDGE = 0.45
SMOOTHING_HZ = 50.0
STANDARD_DEVIATIONS = 3.0
LEAST_DURATION_MS = 25.0
STRONGEST = 8
SEARCH_UNTIL_S = 2.0


@dataclass(frozen=True)
class _Baseline:
    """Where the muscle is known to be as before, and how far ahead of the cue it may begin, in seconds."""

    begins_before_cue_s: float
    ends_before_cue_s: float


# People know when a rest of five seconds ends, and begin up to a second early.
_REST = _Baseline(2.5, 1.0)
_GESTURE = _Baseline(1.5, 0.5)


def teager_kaiser_envelope(emg_uv: Float32Array, fs_hz: float) -> Float64Array:
    """Smoothed energy of each electrode: (n_samples, n_channels) microvolts -> the same shape, uV^2."""
    band = (BAND_HZ[0], min(BAND_HZ[1], HIGHEST_EDGE * fs_hz))
    sos = signal.butter(4, band, "bandpass", fs=fs_hz, output="sos")
    x = signal.sosfiltfilt(sos, emg_uv.astype(np.float64), axis=0)
    energy = np.zeros_like(x)
    energy[1:-1] = np.abs(x[1:-1] ** 2 - x[:-2] * x[2:])
    low_pass = signal.butter(2, SMOOTHING_HZ, "lowpass", fs=fs_hz, output="sos")
    return np.asarray(signal.sosfiltfilt(low_pass, energy, axis=0))


def muscle_onset(envelope: Float64Array, fs_hz: float, trial: Trial, *, from_rest: bool) -> int | None:
    """Sample at which a trial's contraction begins.

    Parameters
    ----------
    envelope : ndarray, shape (n_samples, n_channels)
        From `teager_kaiser_envelope`, of the whole recording.
    fs_hz : float
        Sampling rate.
    trial : Trial
        The trial; two seconds or more of it, and three seconds before it.
    from_rest : bool
        Whether rest precedes it, or another gesture. Then a rise above that gesture's level is sought, which a
        muscle that takes part in both does not show before it exceeds it: such an onset comes rather late.

    Returns
    -------
    int or None
        None where fewer than half of the strongest electrodes show an onset.
    """
    baseline = _REST if from_rest else _GESTURE
    cue = trial.start
    first = max(0, cue - round(baseline.ends_before_cue_s * fs_hz))
    before = envelope[max(0, cue - round(baseline.begins_before_cue_s * fs_hz)) : first]
    held = envelope[cue + round(fs_hz) : trial.stop]
    if len(before) == 0 or len(held) == 0:
        return None
    level = before.mean(axis=0)
    strongest = np.argsort(level - held.mean(axis=0))[:STRONGEST]
    above = (
        envelope[first : cue + round(SEARCH_UNTIL_S * fs_hz), strongest]
        > (level + STANDARD_DEVIATIONS * before.std(axis=0))[strongest]
    )
    lasting = samples_from_ms(LEAST_DURATION_MS, fs_hz)
    runs = np.lib.stride_tricks.sliding_window_view(above, lasting, axis=0).all(axis=-1)
    begun = runs.any(axis=0)
    if 2 * np.count_nonzero(begun) < len(strongest):
        return None
    return first + int(np.median(runs.argmax(axis=0)[begun]))
