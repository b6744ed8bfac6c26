"""What signal quality is judged by: figures of each channel in a sliding window, computed hop by hop.

Everything is computed from whole hops, so that any chunking gives the same bits, and nothing is filtered
recursively, so that no broken sample can latch. The samples are averaged down to 1-2 kHz first: muscle lies
below 500 Hz, and a hop of 256 channels then costs well under a millisecond.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import scipy.fft

from emg_acquisition.arrays import Float32Array, Float64Array

HOP_S = 0.1
WINDOW_HOPS = 5
# The spectrum needs no more; at least this is kept of any rate.
ANALYSIS_FS_HZ = 1000.0
# Ten volts at an electrode: no amplifier measures it.
PLAUSIBLE_UV = np.float32(1e7)
# Muscle on the skin: De Luca et al., J. Biomech. 43 (2010) 1573 put the lower edge at 20 Hz; little lies above 450.
MUSCLE_HZ = (20.0, 450.0)
# Where most of its power lies, at any contraction.
MUSCLE_CORE_HZ = (40.0, 150.0)
# Where little of it is left: 300-450 Hz, or as far below the Nyquist frequency where that is under 500 Hz. Not
# higher: amplifiers for muscle pass nothing above 500 Hz, noise no more than muscle.
NOISE_OF_NYQUIST = (0.6, 0.9)
_HIGHEST_NYQUIST_HZ = 500.0
# Between drift and muscle: what movement and a loose contact leave, also behind an amplifier's high-pass.
SLOW_HZ = (8.0, 28.0)
MAINS_HZ = (50.0, 60.0)
# The odd ones are the strongest; more of them would add more of the muscle than of the mains.
HARMONICS = (1, 2, 3, 5)
# A Hann window spreads a line over four bins of 2 Hz: 3 Hz each side hold it. What lies around it, out to
# 10 Hz, tells what would be there without a line.
LINE_HALF_WIDTH_HZ = 3.0
FLANK_HZ = (4.5, 10.5)
# The median of a chi-square of two degrees of freedom against its mean: ln 2.
_MEAN_OF_MEDIAN = 1.0 / math.log(2.0)


@dataclass(frozen=True)
class WindowMeasures:
    """Figures of one window; every array has the shape (n_channels,).

    Parameters
    ----------
    invalid : ndarray of bool
        A sample was not finite or beyond 10 V.
    lowest_uv, highest_uv : ndarray
        Least and greatest sample.
    share_at_edge : ndarray
        Share of the samples that lie exactly at the least or at the greatest value.
    fluctuation_uv : ndarray
        RMS within hops, about each hop's mean: what is left when drift is not counted.
    still : ndarray of bool
        Nothing changed in the last hop.
    last_uv : ndarray
        The last sample.
    at_edge : ndarray of bool
        The last sample is the least or the greatest of the window.
    wander_uv : ndarray
        Range of the hops' means.
    slow_uv : ndarray
        RMS in 8-28 Hz.
    slowness : ndarray
        Density there over that in the core of muscle.
    muscle_uv : ndarray
        RMS in the band of muscle.
    noise_uv : ndarray
        RMS in the band of muscle of white noise as dense as what is found above muscle.
    whiteness : ndarray
        Density above muscle over density in its core: 1 for white noise.
    mains_uv : ndarray
        RMS of the mains and its harmonics, over what lies around them.
    mains_ratio : ndarray
        Power at the mains and its harmonics over what the power around them lets expect.
    """

    invalid: np.typing.NDArray[np.bool_]
    lowest_uv: Float32Array
    highest_uv: Float32Array
    share_at_edge: Float64Array
    fluctuation_uv: Float64Array
    still: np.typing.NDArray[np.bool_]
    last_uv: Float32Array
    at_edge: np.typing.NDArray[np.bool_]
    wander_uv: Float64Array
    slow_uv: Float64Array
    slowness: Float64Array
    muscle_uv: Float64Array
    noise_uv: Float64Array
    whiteness: Float64Array
    mains_uv: Float64Array
    mains_ratio: Float64Array


@dataclass(frozen=True)
class _Hop:
    invalid: np.typing.NDArray[np.bool_]
    lowest_uv: Float32Array
    highest_uv: Float32Array
    at_lowest: np.typing.NDArray[np.int64]
    at_highest: np.typing.NDArray[np.int64]
    last_uv: Float32Array
    mean_uv: Float64Array
    variance_uv2: Float64Array
    averaged_uv: Float32Array


class _Bands:
    """Which bins of the spectrum count for what."""

    def __init__(self, fs_hz: float, n_samples: int) -> None:
        f_hz = scipy.fft.rfftfreq(n_samples, 1.0 / fs_hz)
        nyquist_hz = fs_hz / 2.0

        def between(low_hz: float, high_hz: float) -> slice:
            low, high = np.searchsorted(f_hz, (low_hz, high_hz))
            return slice(int(low), int(high))

        top_hz = min(MUSCLE_HZ[1], 0.95 * nyquist_hz)
        self.muscle = between(MUSCLE_HZ[0], top_hz)
        self.slow = between(*SLOW_HZ)
        self.core = between(*MUSCLE_CORE_HZ)
        below_hz = min(nyquist_hz, _HIGHEST_NYQUIST_HZ)
        self.noise = between(NOISE_OF_NYQUIST[0] * below_hz, NOISE_OF_NYQUIST[1] * below_hz)
        self.n_muscle = self.muscle.stop - self.muscle.start
        self.lines = [
            [
                _line(f_hz, order * mains_hz)
                for order in HARMONICS
                if order * mains_hz + FLANK_HZ[1] < nyquist_hz
            ]
            for mains_hz in MAINS_HZ
        ]


def _line(
    f_hz: Float64Array, at_hz: float
) -> tuple[np.typing.NDArray[np.int64], np.typing.NDArray[np.int64]]:
    away_hz = np.abs(f_hz - at_hz)
    flank = (away_hz >= FLANK_HZ[0]) & (away_hz <= FLANK_HZ[1])
    return np.flatnonzero(away_hz <= LINE_HALF_WIDTH_HZ), np.flatnonzero(flank)


class MeasuredWindow:
    """The last hops of a stream, and their figures.

    Parameters
    ----------
    fs_hz : float
        Sampling rate.
    """

    def __init__(self, fs_hz: float) -> None:
        self._averaged = max(1, int(fs_hz / ANALYSIS_FS_HZ))
        analysis_fs_hz = fs_hz / self._averaged
        hop_length = round(HOP_S * analysis_fs_hz)
        self.hop_samples = hop_length * self._averaged
        self._n_samples = hop_length * WINDOW_HOPS
        self._bands = _Bands(analysis_fs_hz, self._n_samples)
        taper = np.hanning(self._n_samples + 1)[:-1]
        self._taper = taper.astype(np.float32)[:, np.newaxis]
        # One-sided power, so that the bins add up to the variance.
        self._per_bin = 2.0 / (self._n_samples * float(taper @ taper))
        self._hops: deque[_Hop] = deque(maxlen=WINDOW_HOPS)

    def clear(self) -> None:
        """Forget every hop."""
        self._hops.clear()

    def add(self, hop_uv: Float32Array) -> WindowMeasures | None:
        """Take one hop, (hop_samples, n_channels), and return the figures of the window; None until it is full."""
        self._hops.append(self._measure_hop(hop_uv))
        return self._measure_window() if len(self._hops) == WINDOW_HOPS else None

    def _measure_hop(self, hop_uv: Float32Array) -> _Hop:
        lowest, highest = hop_uv.min(axis=0), hop_uv.max(axis=0)
        # A minimum and a maximum keep NaN, and NaN compares false.
        invalid = ~((lowest > -PLAUSIBLE_UV) & (highest < PLAUSIBLE_UV))
        if invalid.any():
            hop_uv = np.where(invalid, np.float32(0.0), hop_uv)
            lowest, highest = hop_uv.min(axis=0), hop_uv.max(axis=0)
        shape = (-1, self._averaged, hop_uv.shape[1])
        # A copy in any case: the caller fills the same hop again.
        averaged = hop_uv.reshape(shape).mean(axis=1)
        mean = averaged.mean(axis=0, dtype=np.float64)
        return _Hop(
            invalid,
            lowest,
            highest,
            np.count_nonzero(hop_uv == lowest, axis=0),
            np.count_nonzero(hop_uv == highest, axis=0),
            hop_uv[-1].copy(),
            mean,
            (averaged - mean.astype(np.float32)).var(axis=0, dtype=np.float64),
            averaged,
        )

    def _measure_window(self) -> WindowMeasures:
        hops, last = self._hops, self._hops[-1]
        lowest = np.min([hop.lowest_uv for hop in hops], axis=0)
        highest = np.max([hop.highest_uv for hop in hops], axis=0)
        at_edge = sum(
            hop.at_lowest * (hop.lowest_uv == lowest) + hop.at_highest * (hop.highest_uv == highest)
            for hop in hops
        )
        means = np.array([hop.mean_uv for hop in hops])
        power = self._power(means.mean(axis=0))
        noise = _density(power[self._bands.noise])
        core = np.maximum(_density(power[self._bands.core]), _TINY_UV2)
        slow = power[self._bands.slow]
        mains_uv, mains_ratio = self._mains(power)
        return WindowMeasures(
            invalid=np.any([hop.invalid for hop in hops], axis=0),
            lowest_uv=lowest,
            highest_uv=highest,
            share_at_edge=at_edge / (WINDOW_HOPS * self.hop_samples),
            fluctuation_uv=np.sqrt(np.mean([hop.variance_uv2 for hop in hops], axis=0)),
            still=last.lowest_uv == last.highest_uv,
            last_uv=last.last_uv,
            at_edge=(last.last_uv == lowest) | (last.last_uv == highest),
            wander_uv=np.ptp(means, axis=0),
            slow_uv=np.sqrt(slow.sum(axis=0)),
            slowness=slow.mean(axis=0) / core,
            muscle_uv=np.sqrt(power[self._bands.muscle].sum(axis=0)),
            noise_uv=np.sqrt(noise * self._bands.n_muscle),
            whiteness=noise / core,
            mains_uv=mains_uv,
            mains_ratio=mains_ratio,
        )

    def _power(self, mean_uv: Float64Array) -> Float64Array:
        block = np.concatenate([hop.averaged_uv for hop in self._hops]) - mean_uv.astype(np.float32)
        spectrum = scipy.fft.rfft(np.ascontiguousarray((block * self._taper).T), axis=1).T
        power = spectrum.real.astype(np.float64) ** 2 + spectrum.imag.astype(np.float64) ** 2
        return np.asarray(power * self._per_bin)

    def _mains(self, power: Float64Array) -> tuple[Float64Array, Float64Array]:
        best_uv = np.zeros(power.shape[1])
        best_ratio = np.zeros(power.shape[1])
        for lines in self._bands.lines:
            found = np.zeros(power.shape[1])
            expected = np.full(power.shape[1], _TINY_UV2)
            for line, flank in lines:
                found += power[line].sum(axis=0)
                expected += _density(power[flank]) * len(line)
            over_uv = np.sqrt(np.maximum(found - expected, 0.0))
            ahead = over_uv > best_uv
            best_uv = np.where(ahead, over_uv, best_uv)
            best_ratio = np.where(ahead, found / expected, best_ratio)
        return best_uv, best_ratio


# A hundredth of the quietest amplifier's noise in a bin of 2 Hz: keeps ratios finite where nothing is left.
_TINY_UV2 = 1e-6


def _density(power: Float64Array) -> Float64Array:
    """Mean power of a bin, unmoved by the few bins that a line or its harmonics raise."""
    return np.asarray(np.median(power, axis=0) * _MEAN_OF_MEDIAN)
