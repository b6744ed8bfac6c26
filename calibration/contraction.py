"""Where a muscle contracts, seen in the signal alone: offline, with the future at hand, and without any decoder.

Both functions rest on one envelope, electrode by electrode the rectified Teager-Kaiser energy of the band-passed
signal, smoothed without delay; and on the electrodes on which a contraction is strongest, as single ones may miss it
or pick up another muscle.

`muscle_onset` finds the beginning, for delays: the energy has to stay above its baseline's mean by three standard
deviations for 25 ms; the onset is the median over the strongest electrodes.

`find_contraction` finds onset, steady part and offset of a calibration's trial, and the rest before it. A cue says when
something was asked for; people follow late, early or not at all. The level in the rest before the trial, and its
spread, set the threshold, so that nothing depends on the amplifier or the person. The contraction is the longest
stretch above it.

References
----------
Solnik, Rider, Steinweg, DeVita, Hortobagyi, *Teager-Kaiser energy operator signal conditioning improves EMG onset
detection*, Eur. J. Appl. Physiol. 110, 2010: energy, smoothing at 50 Hz, three standard deviations, 25 ms.
Hodges, Bui, *A comparison of computer-based methods for the determination of onset of muscle contraction using
electromyography*, Electroenceph. Clin. Neurophysiol. 101(6), 1996: a level and a minimum duration.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from decoding.repair import BoolArray
from emg_acquisition.arrays import Float32Array, Float64Array, samples_from_ms
from emg_acquisition.recording.session import Trial

BAND_HZ = (20.0, 400.0)
HIGHEST_EDGE = 0.45
SMOOTHING_HZ = 50.0
STANDARD_DEVIATIONS = 3.0
STRONGEST = 8

MIN_ONSET_MS = 25.0
SEARCH_UNTIL_S = 2.0

AMPLITUDE_SMOOTHING_MS = 60.0
# A contraction stands out from its rest: three spreads of that, and a fifth more.
MIN_RATIO = 1.2
# Onset and offset lie low on the flanks; the steady part begins and ends where most of the level is reached.
ONSET_SHARE = 0.15
STEADY_SHARE = 0.6
# A contraction flickers; shorter breaks do not end it.
BRIDGED_MS = 200.0
# Of the time that a hold is asked for, the part in which the muscle has to work.
MIN_HELD = 0.5
# What a muscle needs to let go, and how far ahead of its onset it may already change.
LETTING_GO_MS = 500.0
AHEAD_MS = 150.0
_TINY_UV = 1e-3


def teager_kaiser_envelope(emg_uv: Float32Array, fs_hz: float) -> Float64Array:
    """Smoothed energy of each electrode: (n_samples, n_channels) microvolts -> the same shape, uV^2."""
    band = (BAND_HZ[0], min(BAND_HZ[1], HIGHEST_EDGE * fs_hz))
    sos = signal.butter(4, band, "bandpass", fs=fs_hz, output="sos")
    x = signal.sosfiltfilt(sos, emg_uv.astype(np.float64), axis=0)
    energy = np.zeros_like(x)
    energy[1:-1] = np.abs(x[1:-1] ** 2 - x[:-2] * x[2:])
    low_pass = signal.butter(2, SMOOTHING_HZ, "lowpass", fs=fs_hz, output="sos")
    return np.asarray(signal.sosfiltfilt(low_pass, energy, axis=0))


# ---- the onset, for delays


@dataclass(frozen=True)
class _Baseline:
    """Where the muscle is known to be as before, and how far ahead of the cue it may begin, in seconds."""

    begins_before_cue_s: float
    ends_before_cue_s: float


# People know when a rest of five seconds ends, and begin up to a second early.
_REST = _Baseline(2.5, 1.0)
_GESTURE = _Baseline(1.5, 0.5)


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
    lasting = samples_from_ms(MIN_ONSET_MS, fs_hz)
    runs = np.lib.stride_tricks.sliding_window_view(above, lasting, axis=0).all(axis=-1)
    begun = runs.any(axis=0)
    if 2 * np.count_nonzero(begun) < len(strongest):
        return None
    return first + int(np.median(runs.argmax(axis=0)[begun]))


# ---- the whole contraction, for labels


@dataclass(frozen=True)
class CuedSpan:
    """Samples, counted from the snippet's first, which is the one at which the rest was asked for.

    Parameters
    ----------
    cue : int
        Where the gesture was asked for.
    hold : int
        Where it was to be reached.
    end : int
        Where rest was asked for again; the snippet goes on beyond it.
    """

    cue: int
    hold: int
    end: int


@dataclass(frozen=True)
class Contraction:
    """What the muscle did, in samples of the snippet.

    Parameters
    ----------
    active : bool
        Whether there is a contraction; otherwise only the rest means anything.
    onset, steady_from, steady_until, offset : int
        Of the contraction.
    rest_from, rest_until : int
        Of the rest before it; equal where none is left.
    log_rms : ndarray, shape (n_channels,)
        Of the steady part, in log µV.
    """

    active: bool
    onset: int
    steady_from: int
    steady_until: int
    offset: int
    rest_from: int
    rest_until: int
    log_rms: Float64Array


def find_contraction(emg_uv: Float32Array, fs_hz: float, span: CuedSpan) -> Contraction:
    """Find a trial's contraction and the rest before it.

    Parameters
    ----------
    emg_uv : ndarray, shape (n_samples, n_channels)
        From the rest's cue to some time after the trial's end.
    fs_hz : float
        Sampling rate.
    span : CuedSpan
        What was asked for.
    """
    amplitude = _smooth(np.sqrt(np.maximum(teager_kaiser_envelope(emg_uv, fs_hz), 0.0)), fs_hz)
    letting_go = min(samples_from_ms(LETTING_GO_MS, fs_hz), span.cue // 2)
    ahead = samples_from_ms(AHEAD_MS, fs_hz)
    quiet = slice(letting_go, max(letting_go + 1, span.cue - ahead))
    rise = np.median(amplitude[span.hold : span.end], axis=0) / (
        np.median(amplitude[quiet], axis=0) + _TINY_UV
    )
    strongest = np.argsort(-rise)[:STRONGEST]
    course = amplitude[:, strongest].mean(axis=1)
    level, held = float(np.median(course[quiet])), float(np.median(course[span.hold : span.end]))
    spread = 1.4826 * float(np.median(np.abs(course[quiet] - level)))
    threshold = max(
        level + STANDARD_DEVIATIONS * spread, MIN_RATIO * level, level + ONSET_SHARE * (held - level)
    )
    above = course > threshold
    if np.mean(above[span.hold : span.end]) < MIN_HELD:
        return Contraction(False, 0, 0, 0, 0, letting_go, max(letting_go, span.cue - ahead), np.zeros(0))
    onset, offset = _longest_run(above, letting_go, samples_from_ms(BRIDGED_MS, fs_hz))
    high = np.flatnonzero(course[onset:offset] > level + STEADY_SHARE * (held - level))
    if len(high) == 0:
        high = np.arange(offset - onset)
    steady_from, steady_until = onset + int(high[0]), onset + int(high[-1]) + 1
    rest_until = max(letting_go, min(span.cue, onset) - ahead)
    log_rms = _log_rms(emg_uv[steady_from:steady_until])
    return Contraction(True, onset, steady_from, steady_until, offset, letting_go, rest_until, log_rms)


def _smooth(amplitude: Float64Array, fs_hz: float) -> Float64Array:
    """Average over a moving span, without delay: (n_samples, n_channels) -> the same shape."""
    half = samples_from_ms(AMPLITUDE_SMOOTHING_MS, fs_hz) // 2
    width = 2 * half + 1
    padded = np.pad(amplitude, ((half + 1, half), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=0)
    return np.asarray((total[width:] - total[:-width]) / width)


def _longest_run(above: BoolArray, first: int, bridged: int) -> tuple[int, int]:
    """Return begin and end of the longest stretch from `first` on, shorter breaks than `bridged` within it."""
    inside = np.flatnonzero(above[first:]) + first
    breaks = np.flatnonzero(np.diff(inside) > bridged)
    begins = np.concatenate([inside[:1], inside[breaks + 1]])
    ends = np.concatenate([inside[breaks], inside[-1:]]) + 1
    longest = int(np.argmax(ends - begins))
    return int(begins[longest]), int(ends[longest])


def _log_rms(emg_uv: Float32Array) -> Float64Array:
    """Log of each channel's spread about its mean, with what drifts slowly taken out by differencing."""
    steps = np.diff(emg_uv.astype(np.float64), axis=0)
    return np.asarray(np.log(np.sqrt(np.mean(steps**2, axis=0)) + _TINY_UV))
