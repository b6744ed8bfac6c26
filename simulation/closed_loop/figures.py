"""What many attempts show: completion, time, efficiency and throughput, with their intervals.

Throughput follows ISO 9241-411 (formerly 9241-9): for each condition the effective amplitude is the mean way from
start to end, the effective width 4.133 standard deviations of where the ends lie about the target's middle, and
throughput log2(amplitude / width + 1) over the mean movement time; conditions are averaged. It is meant for tasks in
which the user alone says when a target is reached. Here a target must be held, so ends outside it do not occur, and
the effective width is at most about as large as the target: the nominal throughput, from distance and width as they
were set, is given beside it.

References
----------
Soukoreff, MacKenzie, *Towards a standard for pointing device evaluation, perspectives on 27 years of Fitts' law
research in HCI*, Int. J. Hum.-Comput. Stud. 61, 2004: effective measures, means of means.
Wilson, *Probable inference, the law of succession, and statistical inference*, J. Am. Stat. Assoc. 22, 1927.
Efron, Tibshirani, *An Introduction to the Bootstrap*, 1993: the percentile interval, and the one
    from the bootstrap's standard error.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array
from simulation.closed_loop.attempt import Attempt

EFFECTIVE_WIDTH_SDS = 4.133
DRAWS = 2000
LEVEL_Z = 1.959964
INTERVAL_PERCENT = (2.5, 97.5)
# A standard deviation of fewer ends says nothing.
MIN_ENDPOINTS = 3
# A spread below a nanometre is rounding, m or rad.
MIN_WIDTH = 1e-9


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval; NaN where it cannot be known."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    """Figures of a group of attempts; times in seconds, throughput in bit/s, counts as means an attempt."""

    label: str
    attempts: int
    completed: int
    completion: Estimate
    time_s: Estimate
    path_efficiency: float
    overshoots: float
    mode_switches: float
    speed_switches: float
    stops: int
    throughput_bit_s: Estimate | None
    nominal_throughput_bit_s: float | None
    wrong_decisions: float
    missing_decisions: float
    wrong_gestures: int
    failures: dict[str, int]


def summarise(label: str, attempts: Sequence[Attempt], seed: int = 0) -> Summary:
    """Put attempts together; throughput is given where every attempt has one target.

    Parameters
    ----------
    label : str
        What the group is called.
    attempts : sequence of Attempt
        At least one.
    seed : int
        Seed of the bootstrap.
    """
    done = [one for one in attempts if one.completed]
    times_s = np.array([one.time_s for one in done])
    one_target = all(len(one.targets) == 1 for one in attempts)
    decisions = max(1, sum(one.decisions for one in attempts))
    return Summary(
        label=label,
        attempts=len(attempts),
        completed=len(done),
        completion=wilson(len(done), len(attempts)),
        time_s=bootstrap(times_s, lambda x: float(np.median(x)), seed),
        path_efficiency=_mean([one.path_efficiency for one in done]),
        overshoots=_mean([one.overshoots for one in attempts]),
        mode_switches=_mean([one.mode_switches for one in attempts]),
        speed_switches=_mean([one.speed_switches for one in attempts]),
        stops=sum(one.stops for one in attempts),
        throughput_bit_s=throughput(done, seed) if one_target else None,
        nominal_throughput_bit_s=_mean([nominal_bits(one) / one.time_s for one in done if one.time_s > 0])
        if one_target
        else None,
        wrong_decisions=sum(one.wrong_decisions for one in attempts) / decisions,
        missing_decisions=sum(one.missing_decisions for one in attempts) / decisions,
        wrong_gestures=sum(one.wrong_gestures for one in attempts),
        failures=dict(Counter(one.reason for one in attempts if not one.completed).most_common()),
    )


def by_label(attempts: Sequence[Attempt], key: Callable[[Attempt], str], seed: int = 0) -> list[Summary]:
    """Summarise the attempts of each label, in the order in which labels first appear."""
    groups: dict[str, list[Attempt]] = {}
    for one in attempts:
        groups.setdefault(key(one), []).append(one)
    return [summarise(label, group, seed) for label, group in groups.items()]


def nominal_bits(one: Attempt) -> float:
    """Index of difficulty of an attempt at one target, from where it began: log2(D / W + 1)."""
    (dof,) = one.targets
    return math.log2(abs(one.targets[dof] - one.starts[dof]) / one.widths[dof] + 1.0)


def throughput(done: Sequence[Attempt], seed: int = 0) -> Estimate:
    """Effective throughput, mean over conditions (labels), with an interval by the bootstrap's standard error.

    Parameters
    ----------
    done : sequence of Attempt
        Completed ones at one target each. A condition of fewer than three is left out.
    seed : int
        Seed of the bootstrap.
    """
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for one in done:
        (dof,) = one.targets
        sign = math.copysign(1.0, one.targets[dof] - one.starts[dof])
        way = abs(one.ends[dof] - one.starts[dof])
        beyond = sign * (one.ends[dof] - one.targets[dof])
        groups.setdefault(one.label, []).append((way, beyond, one.time_s))
    conditions = [np.array(rows) for rows in groups.values() if len(rows) >= MIN_ENDPOINTS]
    if not conditions:
        return Estimate(math.nan, math.nan, math.nan)
    rng = np.random.default_rng((seed, 0xB175))
    drawn = [
        _mean_throughput([rows[rng.integers(len(rows), size=len(rows))] for rows in conditions])
        for _ in range(DRAWS)
    ]
    value = _mean_throughput(conditions)
    # Percentiles would be shifted: what is drawn with replacement from few ends spreads less than they do.
    half = LEVEL_Z * float(np.nanstd(drawn))
    return Estimate(value, value - half, value + half)


def _mean_throughput(conditions: Sequence[Float64Array]) -> float:
    values = [_effective_throughput(rows) for rows in conditions]
    return float(np.mean([v for v in values if math.isfinite(v)] or [math.nan]))


def _effective_throughput(rows: Float64Array) -> float:
    """Of one condition: rows of way, how far beyond the middle it ended, and movement time."""
    width = EFFECTIVE_WIDTH_SDS * float(rows[:, 1].std(ddof=1))
    # One end drawn several times has no spread, whatever rounding leaves of it.
    if width <= MIN_WIDTH:
        return math.nan
    return math.log2(float(rows[:, 0].mean()) / width + 1.0) / float(rows[:, 2].mean())


def wilson(successes: int, n: int) -> Estimate:
    """Rate of successes with Wilson's score interval, which holds for 0 and for n of n too."""
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan)
    rate, z2 = successes / n, LEVEL_Z**2
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = LEVEL_Z / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return Estimate(rate, max(0.0, middle - half), min(1.0, middle + half))


def bootstrap(values: Float64Array, statistic: Callable[[Float64Array], float], seed: int = 0) -> Estimate:
    """Statistic of values, shape (n,), with its percentile interval by bootstrap."""
    if len(values) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    rng = np.random.default_rng((seed, 0xB007))
    drawn = [statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(DRAWS)]
    low, high = np.percentile(drawn, INTERVAL_PERCENT)
    return Estimate(statistic(values), float(low), float(high))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
