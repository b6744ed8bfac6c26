"""What a decoder's confidence is worth: whether probabilities mean what they say, and what a threshold costs and saves.

References
----------
Guo, Pleiss, Sun, Weinberger, *On calibration of modern neural networks*, ICML 2017: expected calibration error with
15 bins of equal width, after Naeini, Cooper, Hauskrecht, AAAI 2015.
Nadeem, Zucker, Hanczar, *Accuracy-rejection curves for comparing classification methods with a reject option*,
JMLR W&CP 8, 2010. Scheme, Hudgins, Englehart, *Confidence-based rejection for improved pattern recognition
myoelectric control*, IEEE Trans. Biomed. Eng. 60(6), 2013.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.calibration import calibration_curve

from emg_acquisition.arrays import Float64Array, IntArray

N_BINS = 15
THRESHOLDS = (*(round(0.05 * k, 2) for k in range(20)), 0.99)


@dataclass(frozen=True)
class Reliability:
    """Items by the confidence that was put in them.

    Parameters
    ----------
    confidence, correct : ndarray, shape (n_bins,)
        Mean confidence and share decided right in each bin; NaN in an empty one.
    count : ndarray of int64, shape (n_bins,)
        Items in each bin.
    """

    confidence: Float64Array
    correct: Float64Array
    count: IntArray

    @property
    def expected_error(self) -> float:
        """Expected calibration error: the mean of abs(confidence - correct), weighted by the bins' counts."""
        full = self.count > 0
        if not full.any():
            return float("nan")
        apart = np.abs(self.confidence[full] - self.correct[full])
        return float(np.average(apart, weights=self.count[full]))


def reliability(confidence: Float64Array, right: Float64Array, n_bins: int = N_BINS) -> Reliability:
    """Sort items by confidence into bins of equal width, each without its lower edge.

    Parameters
    ----------
    confidence : ndarray, shape (n,)
        Greatest probability of each item, 0 to 1.
    right : ndarray, shape (n,)
        1 where the most probable class is the true one, else 0.
    n_bins : int
        Number of bins.
    """
    inner_edges = np.linspace(0.0, 1.0, n_bins + 1)[1:-1]
    count = np.bincount(np.searchsorted(inner_edges, confidence), minlength=n_bins).astype(np.int64)
    means = np.full((2, n_bins), np.nan)
    if len(confidence):
        # Of the bins that are not empty alone.
        correct, mean_confidence = calibration_curve(right, confidence, n_bins=n_bins)
        means[:, count > 0] = mean_confidence, correct
    return Reliability(means[0], means[1], count)


@dataclass(frozen=True)
class RejectionCurve:
    """By threshold, each of shape (n_thresholds,): share of items kept, and share of the kept that are right.

    Where nothing is kept, ``accuracy`` is NaN.
    """

    threshold: Float64Array
    kept: Float64Array
    accuracy: Float64Array


def rejection_curve(confidence: Float64Array, right: Float64Array) -> RejectionCurve:
    """Keep the items whose confidence, shape (n,), reaches each threshold; `right` is 1 where they are right."""
    kept, correct = [], []
    for threshold in THRESHOLDS:
        chosen = confidence >= threshold
        kept.append(float(chosen.mean()) if len(chosen) else float("nan"))
        correct.append(float(right[chosen].mean()) if chosen.any() else float("nan"))
    return RejectionCurve(np.array(THRESHOLDS), np.array(kept), np.array(correct))
