"""A decoder's decision at one hop: what a Gesture stream carries, from the decoder to the bridge and its observers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from emg_acquisition.arrays import Float32Array
from emg_acquisition.stream_info import N_GESTURE_FIXED

NO_DECISION = -1


@dataclass(frozen=True)
class Decision:
    """One sample of a Gesture stream.

    Parameters
    ----------
    index : float
        Into the decoder's gestures; -1 is no decision. A decoder gives whole numbers; one that was received is as the
        stream had it, for the bridge to judge.
    confidence : float
        Greatest probability of this hop.
    effort : float
        0 at rest, 1 at a comfortable contraction or more.
    quality : float
        Share of usable channels.
    probabilities : tuple of float
        Of this hop alone, one a gesture.
    t_lsl_s : float
        LSL time of the newest EMG sample in its window; 0 where it was not sent.
    age_s : float
        How old that sample was on arrival; 0 where it was not received.
    sample_index : int
        That sample's number since the decoder's reset; -1 where it was received.
    """

    index: float
    confidence: float
    effort: float
    quality: float
    probabilities: tuple[float, ...] = ()
    t_lsl_s: float = field(default=0.0, kw_only=True)
    age_s: float = field(default=0.0, kw_only=True)
    sample_index: int = field(default=-1, kw_only=True)

    @classmethod
    def from_values(cls, values: Sequence[float], t_lsl_s: float, age_s: float = 0.0) -> "Decision":
        """Return the decision of a stream's sample, 4 + n_gestures numbers, whatever they are."""
        index, confidence, effort, quality = values[:N_GESTURE_FIXED]
        probabilities = tuple(values[N_GESTURE_FIXED:])
        return cls(index, confidence, effort, quality, probabilities, t_lsl_s=t_lsl_s, age_s=age_s)

    @property
    def gesture_index(self) -> int:
        """The index as a whole number; -1 where it is not finite."""
        return round(self.index) if math.isfinite(self.index) else NO_DECISION

    def is_finite(self) -> bool:
        """Whether every number that was received is finite."""
        values = (self.index, self.confidence, self.effort, self.quality, self.age_s, *self.probabilities)
        return all(math.isfinite(value) for value in values)

    def to_values(self) -> Float32Array:
        """Return the sample of a Gesture stream: ndarray, shape (4 + n_gestures,), float32."""
        fixed = (self.index, self.confidence, self.effort, self.quality)
        return np.array([*fixed, *self.probabilities], dtype=np.float32)
