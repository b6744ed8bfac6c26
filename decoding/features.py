"""Time-domain features of each channel in a window, from sums per hop.

A hop is summed once and a window adds up its hops, so the cost does not grow with the overlap. Sums are added again
for each window, oldest hop first, rather than carried along, so no rounding accumulates over hours. Terms that reach
back before the hop (a difference, a slope, a product with an earlier sample) are summed apart: the oldest hop of a
window does without them, so that a window's sums are exactly those of its own samples.

Of a window of n samples x of one channel, with dx its n - 1 differences:

=====================  ==========================================================================================
log_rms                logarithm of sqrt(sum x^2 / n), or of the floor if that is greater [2]
mav                    sum |x| / n [1]
waveform_length        sum |dx| [1]
zero_crossings         neighbours of opposite sign and at least the threshold apart [1]
slope_sign_changes     peaks and valleys, at least the threshold above or below one of both neighbours [1]
ar_k                   coefficient a_k of x[t] = sum of a_k x[t-k] + error, k = 1 to 4 [3, 4]; 0 for a silent channel
log_welch_a_b,         in the frequency domain: see `decoding.welch`
  correlation_k_a_b
=====================  ==========================================================================================

References
----------
[1] Hudgins, Parker, Scott, *A new strategy for multifunction myoelectric control*, IEEE Trans. Biomed. Eng.
40(1), 1993: mean absolute value, waveform length, zero crossings, slope sign changes and their threshold.
[2] Phinyomark, Phukpattaranont, Limsakul, *Feature reduction and selection for EMG signal classification*, Expert
Systems with Applications 39(8), 2012: RMS and the common notation.
[3] Graupe, Cline, *Functional separation of EMG signals via ARMA identification methods for prosthesis control
purposes*, IEEE Trans. Syst. Man Cybern. 5(2), 1975: autoregression of EMG, order 4.
[4] Makhoul, *Linear prediction: a tutorial review*, Proc. IEEE 63(4), 1975: the autocorrelation method and the
Levinson-Durbin recursion (equations 38).
"""

import numpy as np
import numpy.typing as npt

from decoding.signal_settings import SignalSettings
from decoding.welch import WELCH_FEATURES, WelchFeatures, places_of
from decoding.windows import HopSlicer, window_spec
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid

AR_ORDER = 4
_LAGS = tuple(f"lag_{k}" for k in range(1, AR_ORDER + 1))
# Which sums a feature is computed from; effort needs "square" whatever the features are.
_SUMS_OF: dict[str, tuple[str, ...]] = {
    "mav": ("magnitude",),
    "waveform_length": ("length",),
    "zero_crossings": ("crossings",),
    "slope_sign_changes": ("slopes",),
    **{f"ar_{k}": _LAGS for k in range(1, AR_ORDER + 1)},
}
# Features that are a sum as it stands.
_PLAIN = frozenset({"waveform_length", "zero_crossings", "slope_sign_changes"})
# How many of a hop's terms began before it.
_BORDER = {"length": 1, "crossings": 1, "slopes": 2, **{lag: k for k, lag in enumerate(_LAGS, start=1)}}
_STEP_SUMS = frozenset({"length", "crossings", "slopes"})
_STEP_CONTEXT = 2


class WindowFeatures:
    """Features of each window that ends, once a hop.

    Parameters
    ----------
    settings : SignalSettings
        Names the features, the window, the floor and the threshold.
    fs_hz : float
        Sampling rate.
    grid : ElectrodeGrid
        Which channels neighbour each other.

    Attributes
    ----------
    partners : dict of int to ndarray of int64, shape (n_channels,)
        Columns that tie a channel to another one, and which one that is (itself where there is none).

    Raises
    ------
    InputError
        If the hop is too short, or the rate too low, for one of the features.
    """

    def __init__(self, settings: SignalSettings, fs_hz: float, grid: ElectrodeGrid) -> None:
        names = settings.features
        spec = window_spec(settings, fs_hz)
        needed = [one for name in names for one in _SUMS_OF.get(name, ())]
        sums = tuple(dict.fromkeys(["square", *needed]))
        self._summer = HopSummer(sums, spec.hop_samples, grid.n_channels, settings.slope_threshold_uv)
        row_of = {name: row for row, name in enumerate(sums)}
        self._n_features = len(names)
        self._n = np.float32(spec.window_samples)
        self._floor_uv = np.float32(settings.rms_floor_uv)
        # Columns of the result, by how they are made; the second number is a row of the sums, or of the coefficients.
        self._log_rms = [at for at, name in enumerate(names) if name == "log_rms"]
        self._mav = [(at, row_of["magnitude"]) for at, name in enumerate(names) if name == "mav"]
        self._plain = [(at, row_of[_SUMS_OF[name][0]]) for at, name in enumerate(names) if name in _PLAIN]
        self._ar = [(at, int(name[-1]) - 1) for at, name in enumerate(names) if name.startswith("ar_")]
        self._ar_rows = [row_of[name] for name in ("square", *_LAGS)] if self._ar else []
        self._welch_at = [at for at, name in enumerate(names) if name in WELCH_FEATURES]
        self._welch = (
            WelchFeatures(
                tuple(names[at] for at in self._welch_at), spec, fs_hz, grid, floor_uv=settings.rms_floor_uv
            )
            if self._welch_at
            else None
        )
        self.partners: dict[int, IntArray] = {
            at: grid.around(places_of(names[at])) for at in self._welch_at if places_of(names[at])
        }
        in_segment = self._welch.context if self._welch is not None else 0
        context = max(self._summer.context, in_segment)
        self._of_sums, self._of_segment = context - self._summer.context, context - in_segment
        self._slicer = HopSlicer(spec.hop_samples, grid.n_channels, context)
        self._hops_per_window = spec.hops_per_window
        # Each hop stands twice, a window apart, so that a window's hops always lie in order and in one piece.
        self._ring = np.zeros((2 * spec.hops_per_window, len(sums), 2, grid.n_channels), dtype=np.float32)
        self._hops = 0

    def process(self, chunk: Float32Array, /) -> list[tuple[Float32Array, Float32Array]]:
        """Take filtered samples, (n_samples, n_channels), and return each ended window's features.

        Returns
        -------
        list of (ndarray, shape (n_channels, n_features); ndarray, shape (n_channels,))
            The features, and the log-RMS that effort is read from, of one window after another.
        """
        ended = (self.add_hop(block) for block in self.hops(chunk))
        return [window for window in ended if window is not None]

    def hops(self, chunk: Float32Array) -> list[Float32Array]:
        """Take filtered samples and return the hops that they complete, as `add_hop` takes them."""
        return self._slicer.process(chunk)

    def add_hop(self, block: Float32Array) -> tuple[Float32Array, Float32Array] | None:
        """Add one hop with the samples before it; the features of the window that it ends, if there is one."""
        at = self._hops % self._hops_per_window
        self._ring[at] = self._ring[at + self._hops_per_window] = self._summer.sums(block[self._of_sums :])
        if self._welch is not None:
            self._welch.add_hop(block[self._of_segment :])
        self._hops += 1
        if self._hops < self._hops_per_window:
            return None
        window = self._ring[at + 1 : at + 1 + self._hops_per_window]
        totals = np.add.reduce(window[:, :, 0], axis=0)
        # The oldest hop's border terms began before the window.
        totals += np.add.reduce(window[1:, :, 1], axis=0)
        return self._features(totals)

    def _features(self, totals: Float32Array) -> tuple[Float32Array, Float32Array]:
        log_rms = np.log(np.maximum(np.sqrt(totals[0] / self._n), self._floor_uv))
        columns = np.zeros((totals.shape[1], self._n_features), dtype=np.float32)
        for at in self._log_rms:
            columns[:, at] = log_rms
        for at, row in self._mav:
            columns[:, at] = totals[row] / self._n
        for at, row in self._plain:
            columns[:, at] = totals[row]
        if self._ar:
            # In float64: differences of float32 sums would lose the digits that the coefficients are made of.
            coefficients = autoregression(totals[self._ar_rows].astype(np.float64))
            for at, k in self._ar:
                columns[:, at] = coefficients[k]
        if self._welch is not None:
            columns[:, self._welch_at] = self._welch.features()
        return columns, log_rms

    def reset(self) -> None:
        """Forget all samples and hops."""
        self._slicer.reset()
        if self._welch is not None:
            self._welch.reset()
        self._hops = 0


def autoregression(products: Float64Array) -> Float64Array:
    """Solve the Yule-Walker equations of every channel by the Levinson-Durbin recursion.

    Parameters
    ----------
    products : ndarray, shape (order + 1, n_channels)
        Sums of x[t] x[t-k] over a window for k = 0 to order (the biased autocorrelation but for a factor).

    Returns
    -------
    ndarray, shape (order, n_channels)
        a_1 to a_order; zeros for a channel that is zero throughout.
    """
    order = len(products) - 1
    found = np.zeros_like(products[1:])
    error = products[0].copy()
    for k in range(order):
        missing = products[k + 1] - (found[:k] * products[k:0:-1]).sum(axis=0)
        # Beyond 1 only by rounding, of a signal that the coefficients so far predict completely.
        reflection = np.clip(np.divide(missing, error, out=np.zeros_like(error), where=error > 0), -1.0, 1.0)
        found[:k] -= reflection * found[:k][::-1].copy()
        found[k] = reflection
        error *= 1.0 - reflection**2
    return found


class HopSummer:
    """Sum a hop's terms channel by channel.

    Every term of the hop is written into a buffer made once, (n_sums, hop_samples, n_channels), and one matrix
    product a sum adds up own and border terms at once. Counts are exact in it: float32 holds every integer up to
    2^24.

    Parameters
    ----------
    names : tuple of str
        Which sums, in the order of the result.
    hop_samples, n_channels : int
        Size of a hop.
    threshold_uv : float
        Smallest difference that counts as a crossing or a change of slope.

    Raises
    ------
    InputError
        If the hop is too short for the lags of autoregression.
    """

    def __init__(
        self, names: tuple[str, ...], hop_samples: int, n_channels: int, threshold_uv: float
    ) -> None:
        self.context = AR_ORDER if set(names) & set(_LAGS) else _STEP_CONTEXT
        if hop_samples < self.context and self.context == AR_ORDER:
            msg = f"autoregression needs hops of {AR_ORDER} samples at least, got {hop_samples}; lengthen hop_ms"
            raise InputError(msg)
        self._terms = np.zeros((len(names), hop_samples, n_channels), dtype=np.float32)
        self._into = {name: self._terms[row] for row, name in enumerate(names)}
        # Rows that add up own and border terms.
        self._adding = np.zeros((len(names), 2, hop_samples), dtype=np.float32)
        for rows, name in zip(self._adding, names, strict=True):
            n_border = _BORDER.get(name, 0)
            rows[0, n_border:] = rows[1, :n_border] = 1.0
        self._steps = None
        if _STEP_SUMS & set(names):
            self._steps = _Steps(self._into, hop_samples, n_channels, threshold_uv)

    def sums(self, block: Float32Array) -> Float32Array:
        """Sum one hop.

        Parameters
        ----------
        block : ndarray, shape (context + hop_samples, n_channels)
            A hop with the samples before it.

        Returns
        -------
        ndarray, shape (len(names), 2, n_channels)
            Terms of the hop's own samples, and terms that reach back before it.
        """
        own = block[self.context :]
        for name, terms in self._into.items():
            if name == "square":
                np.multiply(own, own, terms)
            elif name == "magnitude":
                np.abs(own, terms)
            elif name in _LAGS:
                lag = _BORDER[name]
                np.multiply(own, block[self.context - lag : -lag], terms)
        if self._steps is not None:
            self._steps.put(block[self.context - _STEP_CONTEXT :])
        sums: Float32Array = np.matmul(self._adding, self._terms)
        return sums


class _Steps:
    """Terms of the differences of neighbouring samples of a hop and the two samples before it."""

    def __init__(
        self, into: dict[str, Float32Array], hop_samples: int, n_channels: int, threshold_uv: float
    ) -> None:
        self._into = into
        # An array without dimensions compares faster than a number, which numpy would first look at.
        self._threshold_uv = np.array(threshold_uv, dtype=np.float32)
        self._zero = np.zeros((), dtype=np.float32)
        shape = (hop_samples + 1, n_channels)
        self._step, self._height = np.empty((2, *shape), dtype=np.float32)
        # Bytes of 0 and 1, which bitwise operations take faster than booleans; each is seen as both.
        self._high, self._up, self._down, self._negative = np.empty((4, *shape), dtype=np.bool_)
        high, up, down, negative = (
            part.view(np.uint8) for part in (self._high, self._up, self._down, self._negative)
        )
        # Of every pair of neighbours, the earlier and the later.
        self._high_pair, self._up_pair, self._down_pair, self._negative_pair = (
            (part[:-1], part[1:]) for part in (high, up, down, negative)
        )
        self._found, self._either = np.empty((2, hop_samples, n_channels), dtype=np.uint8)

    def put(self, block: Float32Array) -> None:
        """Put the terms of a hop, (2 + hop_samples, n_channels), where they are added up."""
        into = self._into
        np.subtract(block[1:], block[:-1], self._step)
        np.abs(self._step, self._height)
        if "length" in into:
            into["length"][...] = self._height[1:]
        np.greater_equal(self._height, self._threshold_uv, self._high)
        if "crossings" in into:
            np.signbit(block[1:], self._negative)
            found = np.bitwise_xor(*self._negative_pair, self._found)
            into["crossings"][...] = np.bitwise_and(found, self._high_pair[1], found)
        if "slopes" in into:
            into["slopes"][...] = self._turns()

    def _turns(self) -> npt.NDArray[np.uint8]:
        np.greater(self._step, self._zero, self._up)
        np.less(self._step, self._zero, self._down)
        found = np.bitwise_and(self._up_pair[0], self._down_pair[1], self._found)
        either = np.bitwise_and(self._down_pair[0], self._up_pair[1], self._either)
        np.bitwise_or(found, either, found)
        np.bitwise_or(*self._high_pair, either)
        return np.bitwise_and(found, either, found)
