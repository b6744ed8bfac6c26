"""What a confidence threshold costs and saves: the accuracy-rejection curve.

References
----------
Nadeem, Zucker, Hanczar, *Accuracy-rejection curves for comparing classification methods with a reject option*,
JMLR W&CP 8, 2010. Scheme, Hudgins, Englehart, *Confidence-based rejection for improved pattern recognition
myoelectric control*, IEEE Trans. Biomed. Eng. 60(6), 2013.
"""

from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array

THRESHOLDS = (*(round(0.05 * k, 2) for k in range(20)), 0.99)


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
