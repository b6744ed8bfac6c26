"""Whether probabilities mean what they say: of all windows said with 0.8, eight in ten should be right.

References
----------
Guo, Pleiss, Sun, Weinberger, *On calibration of modern neural networks*, ICML 2017: expected calibration error with
15 bins of equal width, after Naeini, Cooper, Hauskrecht, AAAI 2015.
"""

from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array, IntArray

N_BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Items by the confidence that was put in them.

    Parameters
    ----------
    confidence, correct : ndarray, shape (n_bins,)
        Mean confidence and share said right in each bin; NaN in an empty one.
    count : ndarray of int64, shape (n_bins,)
        Items in each bin.
    """

    confidence: Float64Array
    correct: Float64Array
    count: IntArray

    @property
    def expected_error(self) -> float:
        """Expected calibration error: the mean of abs(confidence - correct), weighed by the bins' counts."""
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
    place = np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1)
    count = np.bincount(place, minlength=n_bins).astype(np.int64)
    full = count > 0
    means = []
    for values in (confidence, right):
        total = np.bincount(place, weights=values, minlength=n_bins)
        means.append(np.divide(total, count, out=np.full(n_bins, np.nan), where=full))
    return Reliability(means[0], means[1], count)
