"""Bits: how much a decided trial tells of what was asked.

References
----------
Wolpaw et al., *Brain-computer interface technology: a review of the first international meeting*, IEEE Trans.
Rehabil. Eng. 8(2), 2000: bits a selection of N equally likely classes that are all right with probability P.
Nykopp, *Statistical modelling issues for the adaptive brain interface*, thesis, Helsinki Univ. of Technology, 2001:
mutual information of the confusion matrix, which needs neither assumption.
"""

import math

import numpy as np

from emg_acquisition.arrays import IntArray


def wolpaw_bits(n_classes: int, accuracy: float) -> float:
    """Bits a selection: log2 N + P log2 P + (1 - P) log2((1 - P) / (N - 1)); 0 at chance or below."""
    if n_classes < 2 or not accuracy > 1.0 / n_classes:  # noqa: PLR2004 - one class tells nothing
        return 0.0
    bits = math.log2(n_classes)
    if accuracy < 1.0:
        wrong = 1.0 - accuracy
        bits += accuracy * math.log2(accuracy) + wrong * math.log2(wrong / (n_classes - 1))
    return bits


def mutual_information_bits(counts: IntArray) -> float:
    """Bits a selection that `counts` (true by said, no decision a column of its own) tell, classes equally likely.

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
