"""A chunk of EMG samples with their time stamps, split wherever the stamps show that samples are missing."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.arrival_stamps import ArrivalStamps

# In sample intervals. A stream counts its samples, so that its stamps are regular to a thousandth: half an
# interval more than one is a sample missing. One that stamps packets as they arrive must declare it.
MAX_STEP = 1.5


@dataclass(frozen=True)
class EmgChunk:
    """Neighbouring samples without a gap among them.

    Parameters
    ----------
    emg_uv : ndarray, shape (n_samples, n_channels), float32
        Microvolts.
    t_lsl_s : ndarray, shape (n_samples,), float64
        LSL time of each sample: exactly as sent, or smoothed where the stream declares that it stamps on arrival.
    gap_before_s : float
        0.0 where the chunk continues the one before. Greater than zero where it does not: the time missing
        between them or, where time ran backwards or stood still, how far the step was from the regular one.
        Whatever keeps a state over samples must reset it.
    """

    emg_uv: Float32Array
    t_lsl_s: Float64Array
    gap_before_s: float = 0.0

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.t_lsl_s)


class ChunkSplitter:
    """Samples of one stream, as they come, into chunks without a gap; any split of the input gives the same stamps.

    Live inlets, recorders and replay share it, so that all see the same gaps.

    Parameters
    ----------
    info : EmgStreamInfo
        What the stream declares.
    """

    def __init__(self, info: EmgStreamInfo) -> None:
        self._info = info
        self._clock = ArrivalStamps(info.sample_interval_s) if info.arrival_stamps else None
        self._previous_t_lsl_s: float | None = None

    def reset(self) -> None:
        """Start again: the next sample follows none."""
        self._previous_t_lsl_s = None
        if self._clock is not None:
            self._clock.reset()

    def find_gaps(self, t_sent_s: Float64Array) -> tuple[Float64Array, dict[int, float]]:
        """Return the time of each sample that follows and the places of gaps, as `EmgChunk.gap_before_s` has them.

        Parameters
        ----------
        t_sent_s : ndarray, shape (n_samples,)
            Time stamps as sent; at least one.
        """
        if self._clock is not None:
            t_lsl_s, breaks = self._clock.process(t_sent_s)
            return t_lsl_s, dict(breaks)
        found = gaps(t_sent_s, self._info, self._previous_t_lsl_s)
        self._previous_t_lsl_s = float(t_sent_s[-1])
        return t_sent_s, found

    def split(self, emg_uv: Float32Array, t_sent_s: Float64Array) -> list[EmgChunk]:
        """Split samples, shape (n_samples, n_channels), with their stamps as sent, shape (n_samples,), at gaps."""
        if len(t_sent_s) == 0:
            return []
        return _split(emg_uv, *self.find_gaps(t_sent_s))


def split_at_gaps(
    emg_uv: Float32Array, t_lsl_s: Float64Array, info: EmgStreamInfo, previous_t_lsl_s: float | None
) -> list[EmgChunk]:
    """Split samples where their time stamps do not follow each other.

    A step is regular if it is longer than zero and at most `MAX_STEP` sample intervals.

    Parameters
    ----------
    emg_uv : ndarray, shape (n_samples, n_channels)
        Microvolts.
    t_lsl_s : ndarray, shape (n_samples,)
        Their time stamps.
    info : EmgStreamInfo
        Declares the regular step.
    previous_t_lsl_s : float or None
        Time stamp of the sample before these; None at the beginning of a stream.

    Returns
    -------
    list of EmgChunk
        None of them empty; an empty list for no samples.
    """
    if len(t_lsl_s) == 0:
        return []
    return _split(emg_uv, t_lsl_s, gaps(t_lsl_s, info, previous_t_lsl_s))


def _split(emg_uv: Float32Array, t_lsl_s: Float64Array, gaps_s: dict[int, float]) -> list[EmgChunk]:
    gaps_s = {0: 0.0, **gaps_s}
    return [
        EmgChunk(emg_uv[start:stop], t_lsl_s[start:stop], gaps_s[start])
        for start, stop in pairwise([*gaps_s, len(t_lsl_s)])
    ]


def gaps(t_lsl_s: Float64Array, info: EmgStreamInfo, previous_t_lsl_s: float | None) -> dict[int, float]:
    """Return the places of irregular steps, in order, and by how much each step is off (s); see `split_at_gaps`."""
    interval_s = info.sample_interval_s
    first = t_lsl_s[0] - interval_s if previous_t_lsl_s is None else previous_t_lsl_s
    steps_s = np.diff(t_lsl_s, prepend=first)
    # Written so that a stamp which is not a number is irregular too.
    irregular = ~((steps_s > 0) & (steps_s <= MAX_STEP * interval_s))
    irregular[0] &= previous_t_lsl_s is not None
    return {int(place): abs(float(steps_s[place]) - interval_s) for place in np.flatnonzero(irregular)}
