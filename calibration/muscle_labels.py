"""Where in a trial the muscle works: onset, steady part and offset, and the rest before it, from the signal.

A cue says when something was asked for; people follow late, early or not at all. The envelope is that of
`calibration.muscle_onset`; its level in the rest before the trial, and the spread of that, set the threshold, so that
nothing depends on the amplifier or the person. The trial is the longest stretch above it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.muscle_onset import STRONGEST, teager_kaiser_envelope
from emg_acquisition.arrays import Float32Array, Float64Array, samples_from_ms

SMOOTHING_MS = 60.0
# Muscle that has to be told from its rest: three spreads of that (as in `muscle_onset`), and a fifth more.
SPREADS = 3.0
LEAST_RATIO = 1.2
# Onset and offset lie low on the flanks; the steady part begins and ends where most of the level is reached.
LEAST_SHARE = 0.15
STEADY_SHARE = 0.6
# A contraction flickers; shorter breaks do not end it.
BRIDGED_MS = 200.0
# Of the time that a hold is asked for, the part in which the muscle has to work.
LEAST_HELD = 0.5
# What a muscle needs to let go, and how far ahead of its onset it may already change.
LETTING_GO_MS = 500.0
AHEAD_MS = 150.0
_TINY_UV = 1e-3


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
class MuscleLabels:
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


def find_muscle(emg_uv: Float32Array, fs_hz: float, span: CuedSpan) -> MuscleLabels:
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
    threshold = max(level + SPREADS * spread, LEAST_RATIO * level, level + LEAST_SHARE * (held - level))
    above = course > threshold
    if np.mean(above[span.hold : span.end]) < LEAST_HELD:
        return MuscleLabels(False, 0, 0, 0, 0, letting_go, max(letting_go, span.cue - ahead), np.zeros(0))
    onset, offset = _longest_run(above, letting_go, samples_from_ms(BRIDGED_MS, fs_hz))
    high = np.flatnonzero(course[onset:offset] > level + STEADY_SHARE * (held - level))
    if len(high) == 0:
        high = np.arange(offset - onset)
    steady_from, steady_until = onset + int(high[0]), onset + int(high[-1]) + 1
    rest_until = max(letting_go, min(span.cue, onset) - ahead)
    log_rms = _log_rms(emg_uv[steady_from:steady_until])
    return MuscleLabels(True, onset, steady_from, steady_until, offset, letting_go, rest_until, log_rms)


def _smooth(amplitude: Float64Array, fs_hz: float) -> Float64Array:
    """Average over a moving span, without delay: (n_samples, n_channels) -> the same shape."""
    half = samples_from_ms(SMOOTHING_MS, fs_hz) // 2
    width = 2 * half + 1
    padded = np.pad(amplitude, ((half + 1, half), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=0)
    return np.asarray((total[width:] - total[:-width]) / width)


def _longest_run(above: npt.NDArray[np.bool_], first: int, bridged: int) -> tuple[int, int]:
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
