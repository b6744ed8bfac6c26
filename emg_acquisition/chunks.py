"""A chunk of EMG samples with their time stamps, split wherever the stamps show that samples are missing."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.stream_info import EmgStreamInfo

# Stamps of a stream that counts its samples are regular to the nanosecond; a driver that stamps packets as
# they arrive is off by a millisecond or two. Less than this is taken for jitter, not for missing samples.
JITTER_TOLERANCE_S = 0.002


@dataclass(frozen=True)
class EmgChunk:
    """Neighbouring samples without a gap among them.

    Parameters
    ----------
    emg_uv : ndarray, shape (n_samples, n_channels), float32
        Microvolts.
    t_lsl_s : ndarray, shape (n_samples,), float64
        LSL time of each sample, exactly as sent.
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


def split_at_gaps(
    emg_uv: Float32Array, t_lsl_s: Float64Array, info: EmgStreamInfo, previous_t_lsl_s: float | None
) -> list[EmgChunk]:
    """Split samples where their time stamps do not follow each other.

    A step is regular if it is longer than zero and at most 1.5 sample intervals, or within a small tolerance
    for jitter. Live inlets and replay share this function, so that both see the same chunks.

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
    interval_s = info.sample_interval_s
    first = t_lsl_s[0] - interval_s if previous_t_lsl_s is None else previous_t_lsl_s
    steps_s = np.diff(t_lsl_s, prepend=first)
    longest_s = interval_s + max(0.5 * interval_s, JITTER_TOLERANCE_S / info.playback_speed)
    # Written so that a stamp which is not a number is irregular too.
    irregular = ~((steps_s > 0) & (steps_s <= longest_s))
    irregular[0] &= previous_t_lsl_s is not None
    starts = np.flatnonzero(irregular)
    edges = [0, *(int(start) for start in starts if start > 0), len(t_lsl_s)]
    return [
        EmgChunk(
            emg_uv[start:stop],
            t_lsl_s[start:stop],
            abs(float(steps_s[start]) - interval_s) if irregular[start] else 0.0,
        )
        for start, stop in pairwise(edges)
    ]
