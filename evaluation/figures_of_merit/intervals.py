"""Confidence intervals by the bootstrap: over whole trials, and over participants where there are several.

Windows of a trial are not independent, so a trial is drawn whole; trials of a person are not either, so persons are
drawn first and then trials within each person drawn.

References
----------
Efron, Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13: the percentile interval.
Davison, Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8: resampling of nested data.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from emg_acquisition.arrays import Float64Array, IntArray

N_DRAWS = 2000
LEVEL = 0.95
SEED = 20240229


class Interval(NamedTuple):
    """Lower and upper end; NaN where fewer than two units were there to draw from."""

    low: float
    high: float


def bootstrap_interval(
    tables: Sequence[IntArray], statistic: Callable[[IntArray], float], n_draws: int = N_DRAWS
) -> Interval:
    """Percentile interval at 95 % of a statistic of summed counts; the same draws every time.

    Parameters
    ----------
    tables : sequence of ndarray of int64, shape (n_trials, ...)
        One array a participant; each trial's contribution to the counts (a confusion of its own, hits and items).
    statistic : callable
        Of the summed counts, shape (...).
    n_draws : int
        How often to draw.
    """
    tables = [table for table in tables if len(table)]
    if sum(len(table) for table in tables) < 2:  # noqa: PLR2004 - one trial has no spread
        return Interval(float("nan"), float("nan"))
    rng = np.random.default_rng(SEED)
    found = [statistic(_drawn(tables, rng)) for _ in range(n_draws)]
    return _percentiles(np.array(found))


def _drawn(tables: Sequence[IntArray], rng: np.random.Generator) -> IntArray:
    persons = rng.integers(0, len(tables), len(tables)) if len(tables) > 1 else [0]
    total: IntArray = np.zeros(tables[0].shape[1:], dtype=np.int64)
    for person in persons:
        table = tables[person]
        times = np.bincount(rng.integers(0, len(table), len(table)), minlength=len(table))
        # Counts are small integers, exact in float64, whose product is much the faster one.
        drawn = times.astype(np.float64) @ table.reshape(len(table), -1).astype(np.float64)
        total += drawn.astype(np.int64).reshape(total.shape)
    return total


def mean_interval(values: Float64Array, n_draws: int = N_DRAWS) -> Interval:
    """Percentile interval at 95 % of the mean of values, shape (n,), one a participant or session."""
    values = values[np.isfinite(values)]
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return Interval(float("nan"), float("nan"))
    rng = np.random.default_rng(SEED)
    drawn = values[rng.integers(0, len(values), (n_draws, len(values)))]
    return _percentiles(drawn.mean(axis=1))


def _percentiles(found: Float64Array) -> Interval:
    tail = 50.0 * (1.0 - LEVEL)
    low, high = np.nanpercentile(found, [tail, 100.0 - tail])
    return Interval(float(low), float(high))
