"""Which electrodes' traces a live session shows, raw or as the decoder filters them."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from decoding.filters import BandpassFilter, FilterDesign
from decoding.repair import FiniteGuard
from emg_acquisition.arrays import Float32Array, IntArray

Kind = Literal["off", "raw", "filtered"]
NEXT_KIND: dict[Kind, Kind] = {"off": "raw", "raw": "filtered", "filtered": "off"}
# As many as can be read at once.
ELECTRODES = 8
SHOWN_S = 2.0
# The filter needs the seconds before to settle; they are not shown.
SETTLING_S = 0.5


@dataclass(frozen=True)
class TraceChoice:
    """What is shown: nothing, raw or filtered EMG, of a sleeve's electrodes from ``first`` on."""

    kind: Kind = "off"
    first: int = 0
    sleeve: int = 0

    def next_kind(self, n_sleeves: int) -> "TraceChoice":
        """Go from nothing to raw to filtered, sleeve after sleeve, to nothing."""
        if self.kind != "filtered" or n_sleeves == 1:
            return replace(self, kind=NEXT_KIND[self.kind])
        is_last = self.sleeve + 1 == n_sleeves
        return TraceChoice() if is_last else TraceChoice("raw", sleeve=self.sleeve + 1)

    def turned(self, pages: int, n_channels: int) -> "TraceChoice":
        """Turn to other electrodes, round and round."""
        n_pages = -(-n_channels // ELECTRODES)
        return replace(self, first=(self.first // ELECTRODES + pages) % n_pages * ELECTRODES)

    def channels(self, n_channels: int) -> IntArray:
        """Return the channels that are shown."""
        return np.arange(self.first, min(self.first + ELECTRODES, n_channels))


def shown_traces(emg_uv: Float32Array, fs_hz: float, kind: Kind, design: FilterDesign) -> Float32Array:
    """Return the newest `SHOWN_S` of samples, (n_samples, n_channels), filtered where that is wanted.

    Parameters
    ----------
    emg_uv : ndarray, shape (n_samples, n_channels)
        With `SETTLING_S` more at its beginning, where there is that much.
    fs_hz : float
        Sampling rate.
    kind : str
        ``raw`` or ``filtered``.
    design : FilterDesign
        The decoder's own filter.
    """
    finite = FiniteGuard(emg_uv.shape[1]).process(emg_uv)
    if kind == "filtered":
        finite = BandpassFilter(design).process(finite)[round(SETTLING_S * fs_hz) :]
    return finite[-round(SHOWN_S * fs_hz) :]
