"""Confusion and what is counted from it.

References
----------
Brodersen, Ong, Stephan, Buhmann, *The balanced accuracy and its posterior distribution*, ICPR 2010.
Sokolova, Lapalme, *A systematic analysis of performance measures for classification tasks*, Information Processing
and Management 45(4), 2009: macro-averaged F1.
"""

import numpy as np

from emg_acquisition.arrays import Float64Array, IntArray


def confusion_counts(truth: IntArray, said: IntArray, n_classes: int) -> IntArray:
    """Count what was said by what was true.

    Parameters
    ----------
    truth : ndarray of int64, shape (n,)
        Class of each item, 0 to ``n_classes - 1``.
    said : ndarray of int64, shape (n,)
        What was said of it; -1 for no decision.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of int64, shape (n_classes, n_classes + 1)
        Rows: true; columns: said, the last one no decision.
    """
    columns = np.where(said < 0, n_classes, said)
    flat = np.bincount(truth * (n_classes + 1) + columns, minlength=n_classes * (n_classes + 1))
    return flat.reshape(n_classes, n_classes + 1).astype(np.int64)


def accuracy(counts: IntArray) -> float:
    """Share of items said right; no decision is wrong; NaN where there is no item."""
    total = counts.sum()
    return float(np.trace(counts) / total) if total else float("nan")


def recalls(counts: IntArray) -> Float64Array:
    """Share of each class's items that were said right, shape (n_classes,); NaN for a class without items."""
    of_class = counts.sum(axis=1)
    right = np.diagonal(counts).astype(np.float64)
    return np.asarray(np.divide(right, of_class, out=np.full(len(of_class), np.nan), where=of_class > 0))


def balanced_accuracy(counts: IntArray) -> float:
    """Mean recall over the classes that have items: every gesture counts alike, however often it was asked for."""
    found = recalls(counts)
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def macro_f1(counts: IntArray) -> float:
    """Mean over classes of 2 TP / (2 TP + FP + FN); over those that were asked for or said."""
    own = counts[:, :-1]
    hits = np.diagonal(own).astype(np.float64)
    denominator = counts.sum(axis=1) + own.sum(axis=0)
    there = denominator > 0
    return float(np.mean(2.0 * hits[there] / denominator[there])) if there.any() else float("nan")
