"""Causal band-pass and powerline notch, exactly the same for any split into chunks."""

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy import signal

from decoding.signal_settings import SignalSettings
from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError

# Above this share of the rate a Butterworth edge warps against Nyquist, and amplifiers' own filters roll off.
HIGHEST_EDGE = 0.45
NOTCH_QUALITY = 30.0


class FilterDesign(BaseModel):
    """A filter as it is really applied: after clamping to the stream's rate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fs_hz: float
    low_hz: float
    high_hz: float
    order: int
    powerline_hz: int | None

    def sections(self) -> Float64Array:
        """Second-order sections: ndarray, shape (n_sections, 6), as `scipy.signal.sosfilt` takes them."""
        sos = signal.butter(self.order, (self.low_hz, self.high_hz), "bandpass", fs=self.fs_hz, output="sos")
        if self.powerline_hz is not None:
            b, a = signal.iirnotch(self.powerline_hz, NOTCH_QUALITY, fs=self.fs_hz)
            sos = np.vstack([sos, np.concatenate([b, a])])
        return np.asarray(sos, dtype=np.float64)


def design_filter(settings: SignalSettings, fs_hz: float) -> FilterDesign:
    """Fit the band that the settings wish for to a stream's rate.

    Raises
    ------
    InputError
        If the rate leaves no band, or lies too low for the notch.
    """
    low_hz, high_hz = settings.band_hz
    high_hz = min(high_hz, HIGHEST_EDGE * fs_hz)
    if high_hz <= low_hz:
        msg = f"a stream of {fs_hz:g} Hz leaves no band above {low_hz:g} Hz; lower band_hz or record faster"
        raise InputError(msg)
    notch = settings.powerline_hz
    if notch is not None and notch >= HIGHEST_EDGE * fs_hz:
        msg = f"a stream of {fs_hz:g} Hz cannot carry a notch at {notch} Hz; leave powerline_hz out"
        raise InputError(msg)
    return FilterDesign(
        fs_hz=fs_hz, low_hz=low_hz, high_hz=high_hz, order=settings.filter_order, powerline_hz=notch
    )


class BandpassFilter:
    """Butterworth band-pass of each channel, with float64 state carried over chunks.

    The state starts as if the first sample had lasted for ever (`scipy.signal.sosfilt_zi`), so that an
    electrode's offset makes no transient. It is the first sample and never the first chunk: a start that
    depends on a chunk's size would make replay differ from live.

    Parameters
    ----------
    design : FilterDesign
        From `design_filter`.

    References
    ----------
    Butterworth sections by `scipy.signal.butter`; applied sample by sample in direct form II transposed,
    which is why chunking cannot change a bit.
    """

    def __init__(self, design: FilterDesign) -> None:
        self._sos = design.sections()
        self._step_state = signal.sosfilt_zi(self._sos)[:, :, np.newaxis]
        self._state: Float64Array | None = None

    def process(self, chunk: Float32Array, /) -> Float32Array:
        """Filter the next samples, (n_samples, n_channels), in float64; the result is float32.

        Raises
        ------
        InputError
            If a sample is not finite. The state stays as it was before the chunk.
        """
        if len(chunk) == 0:
            return np.empty(chunk.shape, dtype=np.float32)
        state = self._state
        if state is None:
            state = self._step_state * chunk[0].astype(np.float64)
        filtered, state = signal.sosfilt(self._sos, chunk, axis=0, zi=state)
        # Whatever is not finite has reached the state by the chunk's end: a cheaper test than of every sample.
        if not np.isfinite(state).all():
            msg = "the filter was given a sample that is not finite; decoding.repair.FiniteGuard belongs before it"
            raise InputError(msg)
        self._state = state
        return np.asarray(filtered, dtype=np.float32, order="C")

    def reset(self) -> None:
        """Start anew with the next sample."""
        self._state = None
