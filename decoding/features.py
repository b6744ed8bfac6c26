"""Features of each channel in a window, from sums per hop.

A hop is summed once (`decoding.hop_sums`) and a window adds up its hops, so the cost does not grow with the
overlap. Sums are added afresh, oldest hop first, rather than carried along, so no rounding piles up over hours.

Of a window of n samples x of one channel, with dx its n - 1 differences and ddx their n - 2 differences:

=====================  ==========================================================================================
log_rms, rms           sqrt(sum x^2 / n), and the logarithm of it or of the floor, if that is greater [2]
mav                    sum |x| / n [1]
waveform_length        sum |dx| [1]
zero_crossings         neighbours of opposite sign and at least the threshold apart [1]
slope_sign_changes     peaks and valleys, at least the threshold above or below one of both neighbours [1]
log_variance           logarithm of sum (x - mean)^2 / (n - 1), or of the floor squared [2]
mobility, complexity   m(x) = sqrt(var(dx) / var(x)), and m(dx) / m(x), by variances about the mean [3]
ar_k, cepstrum_k       see `decoding.autoregression`
log_power_a_b          logarithm of the mean square between a and b Hz, by Bartlett's method over the hops, or of
                       the floor squared times the band's share of the bands' width
correlation_next_row,  Pearson's correlation with the channel in the next row, or column, of the grid (across the
correlation_next_column  seam where it wraps); 0 where none lies there. A covariance free of amplitude, so that a
                       linear layer need not take quotients.
log_welch_a_b,         see `decoding.welch`
  around_k_a_b
=====================  ==========================================================================================

A channel that does not change at all has mobility, complexity, coefficients and correlations of 0.

References
----------
[1] Hudgins, Parker, Scott, *A new strategy for multifunction myoelectric control*, IEEE Trans. Biomed. Eng.
40(1), 1993: mean absolute value, waveform length, zero crossings, slope sign changes and their threshold.
[2] Phinyomark, Phukpattaranont, Limsakul, *Feature reduction and selection for EMG signal classification*, Expert
Systems with Applications 39(8), 2012: RMS, variance and the common notation.
[3] Hjorth, *EEG analysis based on time domain properties*, Electroenceph. Clin. Neurophysiol. 29(3), 1970.
"""

import numpy as np

from decoding.hop_sums import HopSummer
from decoding.signal_settings import SignalSettings
from decoding.welch import AROUND, WELCH_FEATURES, WelchFeatures, places_of
from decoding.window_sums import FORMULAS, SUMS_OF, WindowSums
from decoding.windows import HopSlicer, window_spec
from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.grid import ElectrodeGrid

_PLAIN = frozenset({"waveform_length", "zero_crossings", "slope_sign_changes"})


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
        self._names = settings.features
        # The square is always summed: effort is read from it whatever the classifier sees.
        wanted = [one for name in settings.features for one in SUMS_OF.get(name, ())]
        sums = tuple(dict.fromkeys(["square", *wanted]))
        self._at = {name: at for at, name in enumerate(sums)}
        self._plain = [
            (at, self._at[SUMS_OF[name][0]]) for at, name in enumerate(self._names) if name in _PLAIN
        ]
        self._others = [(at, name) for at, name in enumerate(self._names) if name not in _PLAIN]
        self._floor_uv = settings.rms_floor_uv
        spec = window_spec(settings, fs_hz)
        self._n = spec.window_samples
        self._hops_per_window = spec.hops_per_window
        next_row, next_column = grid.next_along_rows, grid.next_along_columns
        self._summer = HopSummer(
            sums,
            spec.hop_samples,
            fs_hz,
            settings.slope_threshold_uv,
            next_row=next_row,
            next_column=next_column,
        )
        self._ties = {"row_product": next_row, "column_product": next_column}
        self._welch_at = [at for at, name in enumerate(self._names) if name in WELCH_FEATURES]
        in_pieces = tuple(self._names[at] for at in self._welch_at)
        self._welch = (
            WelchFeatures(in_pieces, spec, fs_hz, grid, floor_uv=self._floor_uv) if in_pieces else None
        )
        self.partners: dict[int, IntArray] = {
            at: self._ties[SUMS_OF[name][-1]]
            for at, name in enumerate(self._names)
            if name in {"correlation_next_row", "correlation_next_column"}
        }
        self.partners |= {
            at: grid.around(places_of(name)) for at, name in enumerate(self._names) if name in AROUND
        }
        in_piece = self._welch.context if self._welch is not None else 0
        context = max(self._summer.context, in_piece)
        self._of_sums, self._of_piece = context - self._summer.context, context - in_piece
        self._slicer = HopSlicer(spec.hop_samples, grid.n_channels, context)
        # Each hop stands twice, a window apart, so that a window's hops always lie in order and in one piece.
        self._ring = np.zeros((2 * spec.hops_per_window, len(sums), 2, grid.n_channels), dtype=np.float32)
        self._hops = 0

    def process(self, chunk: Float32Array, /) -> list[tuple[Float32Array, Float32Array]]:
        """Take filtered samples, (n_samples, n_channels), and return each ended window's features.

        Returns
        -------
        list of (ndarray, shape (n_channels, n_features); ndarray, shape (n_channels,))
            The features, and the log-RMS that effort is read from, of one window after another. Columns of
            `decoding.heat_map` are left at 0: they are filled after repair.
        """
        ended = (self.add_hop(block) for block in self.hops(chunk))
        return [window for window in ended if window is not None]

    def hops(self, chunk: Float32Array) -> list[Float32Array]:
        """Take filtered samples and return the hops that they complete, as `add_hop` wants them."""
        return self._slicer.process(chunk)

    def add_hop(self, block: Float32Array) -> tuple[Float32Array, Float32Array] | None:
        """Add one hop with the samples before it; the features of the window that it ends, if there is one."""
        at = self._hops % self._hops_per_window
        self._ring[at] = self._ring[at + self._hops_per_window] = self._summer.sums(block[self._of_sums :])
        if self._welch is not None:
            self._welch.add_hop(block[self._of_piece :])
        self._hops += 1
        if self._hops < self._hops_per_window:
            return None
        window = self._ring[at + 1 : at + 1 + self._hops_per_window]
        totals = np.add.reduce(window[:, :, 0], axis=0)
        # The oldest hop's border terms began before the window.
        totals += np.add.reduce(window[1:, :, 1], axis=0)
        return self._features(totals)

    def _features(self, totals: Float32Array) -> tuple[Float32Array, Float32Array]:
        rms = np.sqrt(totals[0] / np.float32(self._n))
        log_rms = np.log(np.maximum(rms, np.float32(self._floor_uv)))
        columns = np.zeros((totals.shape[1], len(self._names)), dtype=np.float32)
        for at, row in self._plain:
            columns[:, at] = totals[row]
        quotients: WindowSums | None = None
        for at, name in self._others:
            if name == "log_rms":
                columns[:, at] = log_rms
            elif name == "rms":
                columns[:, at] = rms
            elif name == "mav":
                columns[:, at] = totals[self._at["magnitude"]] / np.float32(self._n)
            elif name in FORMULAS:
                quotients = quotients or WindowSums(totals, self._at, self._n, self._floor_uv, self._ties)
                columns[:, at] = FORMULAS[name](quotients)
        if self._welch is not None:
            columns[:, self._welch_at] = self._welch.features()
        return columns, log_rms

    def reset(self) -> None:
        """Forget all samples and hops."""
        self._slicer.reset()
        if self._welch is not None:
            self._welch.reset()
        self._hops = 0
