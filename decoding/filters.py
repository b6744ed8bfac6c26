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
    powerline_harmonics: int = 1

    def sections(self) -> Float64Array:
        """Second-order sections: ndarray, shape (n_sections, 6), as `scipy.signal.sosfilt` takes them."""
        sos = signal.butter(self.order, (self.low_hz, self.high_hz), "bandpass", fs=self.fs_hz, output="sos")
        if self.powerline_hz is not None:
            for harmonic in range(1, self.powerline_harmonics + 1):
                b, a = signal.iirnotch(harmonic * self.powerline_hz, NOTCH_QUALITY, fs=self.fs_hz)
                sos = np.vstack([sos, np.concatenate([b, a])])
        return np.asarray(sos, dtype=np.float64)


def design_filter(settings: SignalSettings, fs_hz: float) -> FilterDesign:
    """Fit the band of the settings to a stream's rate.

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
    # Harmonics above the band are not there to be notched.
    harmonics = 1 if notch is None else max(1, min(settings.powerline_harmonics, int(high_hz // notch)))
    return FilterDesign(
        fs_hz=fs_hz,
        low_hz=low_hz,
        high_hz=high_hz,
        order=settings.filter_order,
        powerline_hz=notch,
        powerline_harmonics=harmonics,
    )


def block_length(hop_samples: int) -> int:
    """Block that a hop is filtered in: the divisor of it that costs least.

    A block of B samples costs about (B + 10)^2 multiplications a channel, and a call as much as 1000 of them.
    """
    divisors = [n for n in range(1, hop_samples + 1) if hop_samples % n == 0]
    return min(divisors, key=lambda n: ((n + 10) ** 2 + 1000) / n)


class BandpassFilter:
    """Butterworth band-pass and notches of each channel, block by block, with float64 state carried over.

    A recursion sample by sample is one long chain of waiting. Over a block of B samples it is linear in those
    samples x and in the state s before them, so one matrix product gives the block's output and the state after
    it, for all channels at once: [y; s'] = M [x; s], with M the responses to unit samples and unit states.
    Blocks lie at fixed samples since `reset`, whatever the chunks are, so chunking cannot change a bit; samples of
    an unfinished block wait for the rest of it. A hop is a whole number of blocks, so no decision waits.

    The state starts as if the first sample had lasted for ever (`scipy.signal.sosfilt_zi`), so that an
    electrode's offset makes no transient. It is the first sample and never the first chunk: a start that
    depends on a chunk's size would make replay differ from live.

    Parameters
    ----------
    design : FilterDesign
        From `design_filter`.
    block_samples : int
        Samples in a block; `block_length` gives a good one.

    References
    ----------
    Butterworth sections by `scipy.signal.butter`; Burrus, *Block realization of digital filters*, IEEE Trans. Audio
    Electroacoust. 20(4), 1972.
    """

    def __init__(self, design: FilterDesign, block_samples: int = 25) -> None:
        self._block_samples = block_samples
        sos = design.sections()
        self._matrix = _block_matrix(sos, block_samples)
        self._step_state = signal.sosfilt_zi(sos).reshape(-1, 1)
        self._work: Float64Array | None = None
        self._filled = 0

    def process(self, chunk: Float32Array, /) -> Float32Array:
        """Filter the next samples, (n_samples, n_channels), in float64.

        Returns
        -------
        ndarray, shape (n_complete, n_channels)
            float32, of the blocks that these samples complete.

        Raises
        ------
        InputError
            If a sample is not finite. The state stays as it was before the chunk.
        """
        if not np.isfinite(chunk).all():
            msg = "the filter was given a sample that is not finite; decoding.repair.FiniteGuard belongs before it"
            raise InputError(msg)
        block = self._block_samples
        n_blocks = (self._filled + len(chunk)) // block
        filtered = np.empty((n_blocks * block, chunk.shape[1]), dtype=np.float32)
        if len(chunk) == 0:
            return filtered
        if self._work is None:
            self._work = np.empty((len(self._matrix), chunk.shape[1]))
            self._work[block:] = self._step_state * chunk[0].astype(np.float64)
        work, taken = self._work, 0
        for start in range(0, len(filtered), block):
            n = block - self._filled
            work[self._filled : block] = chunk[taken : taken + n]
            taken, self._filled = taken + n, 0
            result = self._matrix @ work
            filtered[start : start + block] = result[:block]
            work[block:] = result[block:]
        left = len(chunk) - taken
        work[self._filled : self._filled + left] = chunk[taken:]
        self._filled += left
        return filtered

    def reset(self) -> None:
        """Start again with the next sample."""
        self._work = None
        self._filled = 0


def _block_matrix(sos: Float64Array, block_samples: int) -> Float64Array:
    """Responses of output and final state to each sample of a block and to each state before it."""
    n_states = 2 * len(sos)
    units = np.eye(block_samples + n_states)
    state = units[block_samples:].reshape(len(sos), 2, -1)
    output, final = signal.sosfilt(sos, units[:block_samples], axis=0, zi=state)
    return np.ascontiguousarray(np.vstack([output, final.reshape(n_states, -1)]))
