"""Amplitude and shape of the signal in a window, from sums per hop.

A hop is summed once and a window adds up its hops, so the cost does not grow with the overlap. Sums are added
afresh, oldest hop first, rather than carried along, so no rounding piles up over hours. The terms that reach
back over a hop's border (one difference, two slopes) are kept apart: the oldest hop of a window does without
them, so that a window's features are exactly those of its own samples.

References
----------
Hudgins, Parker, Scott, *A new strategy for multifunction myoelectric control*, IEEE Trans. Biomed. Eng.
40(1), 1993: mean absolute value, waveform length, zero crossings, slope sign changes and their threshold.
Phinyomark, Phukpattaranont, Limsakul, *Feature reduction and selection for EMG signal classification*, Expert
Systems with Applications 39(8), 2012: RMS and the common notation.
"""

from collections import deque
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from decoding.signal_settings import FeatureName, SignalSettings
from decoding.windows import CONTEXT_SAMPLES, HopSlicer, WindowSpec
from emg_acquisition.arrays import Float32Array

SumName: TypeAlias = str
BoolArray: TypeAlias = npt.NDArray[np.bool_]
CountArray: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
UINT8_OVERFLOWS = 256
_OF_STEPS = frozenset({"length", "crossings", "slopes"})
_SUM_OF: dict[FeatureName, SumName] = {
    "log_rms": "square",
    "rms": "square",
    "mav": "magnitude",
    "waveform_length": "length",
    "zero_crossings": "crossings",
    "slope_sign_changes": "slopes",
}


def hop_sums(block: Float32Array, names: tuple[SumName, ...], threshold_uv: float) -> Float32Array:
    """Sum a hop's terms, those of its own samples apart from those that reach over its border.

    Parameters
    ----------
    block : ndarray, shape (CONTEXT_SAMPLES + hop_samples, n_channels)
        A hop with the samples before it.
    names : tuple of str
        Which sums.
    threshold_uv : float
        Least difference that counts as a crossing or a change of slope.

    Returns
    -------
    ndarray, shape (2, len(names), n_channels)
        Own terms, and border terms.
    """
    sums = np.zeros((2, len(names), block.shape[1]), dtype=np.float32)
    own = block[CONTEXT_SAMPLES:]
    steps = _Steps(block, threshold_uv) if _OF_STEPS & set(names) else None
    for at, name in enumerate(names):
        if name == "square":
            np.einsum("ij,ij->j", own, own, out=sums[0, at])
        elif name == "magnitude":
            np.add.reduce(np.abs(own), axis=0, out=sums[0, at])
        elif steps is not None:
            terms, n_border = steps.terms(name)
            sums[0, at] = np.add.reduce(terms[n_border:], axis=0, dtype=terms.dtype)
            sums[1, at] = np.add.reduce(terms[:n_border], axis=0, dtype=terms.dtype)
    return sums


class _Steps:
    """Differences of neighbouring samples of one hop, from its last context sample but one onwards."""

    def __init__(self, block: Float32Array, threshold_uv: float) -> None:
        self._block = block
        self._step = block[1:] - block[:-1]
        self._height = np.abs(self._step)
        self._counts = self._height >= np.float32(threshold_uv)

    def terms(self, name: SumName) -> tuple[Float32Array | CountArray, int]:
        """One term a sample of the hop, (hop_samples, n_channels), and how many of them began before it."""
        if name == "length":
            return self._height[1:], 1
        if name == "crossings":
            negative = np.signbit(self._block[1:])
            crossed = negative[1:] != negative[:-1]
            crossed &= self._counts[1:]
            return self._as_counts(crossed), 1
        up, down = self._step > 0, self._step < 0
        turned = up[:-1] & down[1:]
        turned |= down[:-1] & up[1:]
        turned &= self._counts[:-1] | self._counts[1:]
        return self._as_counts(turned), 2

    def _as_counts(self, happened: BoolArray) -> CountArray:
        """Bytes add up fastest; a long hop, whose count could pass 255, takes words."""
        counts: CountArray = happened.view(np.uint8)
        return counts if len(counts) < UINT8_OVERFLOWS else counts.astype(np.uint16)


class WindowFeatures:
    """Features of each window that ends, once a hop.

    Parameters
    ----------
    settings : SignalSettings
        Names the features, the floor and the threshold.
    spec : WindowSpec
        Window and hop in samples.
    n_channels : int
        Number of channels.
    """

    def __init__(self, settings: SignalSettings, spec: WindowSpec, n_channels: int) -> None:
        self._names = settings.features
        # The square is always summed: effort is read from it whatever the classifier sees.
        self._sums = tuple(dict.fromkeys(["square", *(_SUM_OF[name] for name in settings.features)]))
        self._threshold_uv = settings.slope_threshold_uv
        self._floor_uv = settings.rms_floor_uv
        self._spec = spec
        self._slicer = HopSlicer(spec.hop_samples, n_channels)
        self._hops: deque[Float32Array] = deque(maxlen=spec.hops_per_window)

    def process(self, chunk: Float32Array, /) -> list[tuple[Float32Array, Float32Array]]:
        """Take filtered samples, (n_samples, n_channels), and return each ended window's features.

        Returns
        -------
        list of (ndarray, shape (n_channels, n_features); ndarray, shape (n_channels,))
            The features, and the log-RMS that effort is read from, of one window after another.
        """
        ended = []
        for block in self._slicer.process(chunk):
            self._hops.append(hop_sums(block, self._sums, self._threshold_uv))
            if len(self._hops) == self._spec.hops_per_window:
                ended.append(self._features())
        return ended

    def _features(self) -> tuple[Float32Array, Float32Array]:
        total = self._hops[0][0].copy()
        for k in range(1, len(self._hops)):
            total += self._hops[k][1]
            total += self._hops[k][0]
        n = np.float32(self._spec.window_samples)
        rms = np.sqrt(total[0] / n)
        log_rms = np.log(np.maximum(rms, np.float32(self._floor_uv)))
        columns = np.empty((total.shape[1], len(self._names)), dtype=np.float32)
        for at, name in enumerate(self._names):
            if name == "log_rms":
                columns[:, at] = log_rms
            elif name == "rms":
                columns[:, at] = rms
            elif name == "mav":
                columns[:, at] = total[self._sums.index("magnitude")] / n
            else:
                columns[:, at] = total[self._sums.index(_SUM_OF[name])]
        return columns, log_rms

    def reset(self) -> None:
        """Forget all samples and hops."""
        self._slicer.reset()
        self._hops.clear()
