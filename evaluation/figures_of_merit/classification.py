"""What is counted from a confusion (`calibration.outcomes.confusion_counts`): shares right, F1, and bits.

Accuracy and recalls are worked out from the counts here, as a bootstrap asks for them thousands of times; macro-F1 is
scikit-learn's.

References
----------
Brodersen, Ong, Stephan, Buhmann, *The balanced accuracy and its posterior distribution*, ICPR 2010.
Sokolova, Lapalme, *A systematic analysis of performance measures for classification tasks*, Information Processing
and Management 45(4), 2009: macro-averaged F1.
Wolpaw et al., *Brain-computer interface technology: a review of the first international meeting*, IEEE Trans.
Rehabil. Eng. 8(2), 2000: bits a selection of N equally likely classes that are all right with probability P.
Nykopp, *Statistical modelling issues for the adaptive brain interface*, thesis, Helsinki Univ. of Technology, 2001:
mutual information of the confusion matrix, which needs neither assumption.
"""

import math

import numpy as np
from sklearn.metrics import f1_score

from emg_acquisition.arrays import Float64Array, IntArray


def accuracy(counts: IntArray) -> float:
    """Share of items decided right; no decision is wrong; NaN where there is no item."""
    total = counts.sum()
    return float(np.trace(counts) / total) if total else float("nan")


def recalls(counts: IntArray) -> Float64Array:
    """Share of each class's items that were decided right, shape (n_classes,); NaN for a class without items."""
    of_class = counts.sum(axis=1)
    right = np.diagonal(counts).astype(np.float64)
    return np.asarray(np.divide(right, of_class, out=np.full(len(of_class), np.nan), where=of_class > 0))


def balanced_accuracy(counts: IntArray) -> float:
    """Mean recall over the classes that have items: every gesture counts alike, however often it was asked for."""
    found = recalls(counts)
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def macro_f1(counts: IntArray) -> float:
    """Mean F1 over the classes that were asked for or decided; NaN where there is none."""
    there = np.flatnonzero(counts.sum(axis=1) + counts[:, :-1].sum(axis=0))
    if len(there) == 0:
        return float("nan")
    asked, decided = np.indices(counts.shape)
    weights = counts.ravel()
    return float(
        f1_score(
            asked.ravel(),
            decided.ravel(),
            labels=there,
            average="macro",
            sample_weight=weights,
            zero_division=0.0,
        )
    )


def wolpaw_bits(n_classes: int, share_right: float) -> float:
    """Bits a selection: log2 N + P log2 P + (1 - P) log2((1 - P) / (N - 1)); 0 at chance or below."""
    if n_classes < 2 or not share_right > 1.0 / n_classes:  # noqa: PLR2004 - one class tells nothing
        return 0.0
    bits = math.log2(n_classes)
    if share_right < 1.0:
        wrong = 1.0 - share_right
        bits += share_right * math.log2(share_right) + wrong * math.log2(wrong / (n_classes - 1))
    return bits


def mutual_information_bits(counts: IntArray) -> float:
    """Bits a selection that `counts` (asked by decided, no decision a column of its own) tell, classes equally likely.

    An estimate from few trials is too high by about (rows - 1)(columns - 1) / (2 N ln 2) bits (Miller 1955); it
    is given as it is.
    """
    rows = counts[counts.sum(axis=1) > 0].astype(np.float64)
    if len(rows) == 0:
        return float("nan")
    joint = rows / rows.sum(axis=1, keepdims=True) / len(rows)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    there = joint > 0
    return float(np.sum(joint[there] * np.log2(joint[there] / apart[there])))
