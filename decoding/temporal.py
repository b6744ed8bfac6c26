"""Smoothing over hops: probability of each gesture, given this hop and all before it.

A hidden Markov model whose states are the gestures, run forwards only (Rabiner's equations 19-20, normalised at each
hop): ``p[j] ~ likelihood[j] * sum_i p[i] * transition[i, j]``. It begins at rest.

- **Transitions.** Any gesture, rest included, lasts `mean_hold_s` in the mean; from rest every gesture is as likely to
  follow. A gesture gives way to rest, but for `direct_share` of its endings, which go straight to another gesture.
- **Likelihood.** Classifiers here are fitted with equal priors, so that dividing by the prior changes nothing and their
  probabilities are likelihoods but for a factor. A share `outliers` of hops is taken to carry no information, which
  bounds what a single hop can do however sure it is of itself.
- **Tempering.** Each sample lies in window / hop windows. Every likelihood is raised to hop / window, so that each
  sample counts once and a contraction weighs as much as its windows end to end would.

Smoothing delays, so it may only hold back: `decoding.decision` uses it where a gesture begins and never where one ends.

References
----------
Rabiner, *A tutorial on hidden Markov models and selected applications in speech recognition*, Proc. IEEE 77(2), 1989.
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from decoding.windows import WindowSpec
from emg_acquisition.arrays import Float32Array, Float64Array


class TemporalSettings(BaseModel):
    """How gestures follow each other.

    Parameters
    ----------
    mean_hold_s : float
        How long a gesture, or rest, lasts in the mean; a hop at least.
    direct_share : float
        Share of a gesture's endings that go to another gesture without rest between.
    outliers : float
        Share of hops whose probabilities carry no information.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean_hold_s: float = Field(default=2.0, gt=0.0)
    direct_share: float = Field(default=0.1, ge=0.0, le=1.0)
    outliers: float = Field(default=1e-3, ge=1e-12, lt=1.0)


class HopFilter:
    """Probabilities of single hops to probabilities given all hops so far.

    Parameters
    ----------
    settings : TemporalSettings
        How gestures follow each other.
    spec : WindowSpec
        Window and hop.
    fs_hz : float
        Sampling rate.
    n_gestures, rest_index : int
        How many probabilities a hop has, and which one is rest's.
    """

    def __init__(
        self, settings: TemporalSettings, spec: WindowSpec, fs_hz: float, n_gestures: int, rest_index: int
    ) -> None:
        self._transition = _transition(settings, spec.hop_samples / fs_hz, n_gestures, rest_index)
        self._outliers = settings.outliers
        self._weight = spec.hop_samples / spec.window_samples
        self._begin = np.zeros(n_gestures)
        self._begin[rest_index] = 1.0
        self._posterior = self._begin

    def process(self, probabilities: Float32Array, /) -> Float32Array:
        """Take the next hops, (n_hops, n_gestures), and return the smoothed probabilities at each, of the same shape.

        A hop with a value that is no number is skipped.
        """
        smoothed = np.empty(probabilities.shape, dtype=np.float32)
        for k, of_hop in enumerate(probabilities):
            self._posterior = self._step(of_hop.astype(np.float64))
            smoothed[k] = self._posterior
        return smoothed

    def _step(self, of_hop: Float64Array) -> Float64Array:
        # Not a matrix product: its bits may depend on where the arrays lie.
        expected: Float64Array = (self._posterior[:, np.newaxis] * self._transition).sum(axis=0)
        if np.isfinite(of_hop).all():
            likelihood = (1.0 - self._outliers) * np.clip(of_hop, 0.0, 1.0) + self._outliers / len(of_hop)
            expected = expected * likelihood**self._weight
        normal: Float64Array = expected / expected.sum()
        return normal

    def reset(self) -> None:
        """Begin at rest."""
        self._posterior = self._begin


def _transition(settings: TemporalSettings, hop_s: float, n_gestures: int, rest_index: int) -> Float64Array:
    """Probability of state j at a hop after state i at the hop before: (n_gestures, n_gestures)."""
    ends = hop_s / settings.mean_hold_s
    others = n_gestures - 2
    direct = settings.direct_share if others else 0.0
    transition = np.full((n_gestures, n_gestures), ends * direct / max(1, others))
    transition[:, rest_index] = ends * (1.0 - direct)
    transition[rest_index] = ends / (n_gestures - 1)
    np.fill_diagonal(transition, 1.0 - ends)
    return transition
