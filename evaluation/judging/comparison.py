"""Decoders against each other: whether one is better by more than chance, on the same trials or participants.

References
----------
McNemar, *Note on the sampling error of the difference between correlated proportions*, Psychometrika 12, 1947; the
exact form by the binomial distribution: Fay, *Biostatistics* 11(2), 2010. Wilcoxon, *Biometrics Bulletin* 1, 1945.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError
from evaluation.judging.evidence import Evidence

# With fewer pairs, Wilcoxon's test cannot reach p < 0.05 whatever they are.
MIN_PAIRS = 6


@dataclass(frozen=True)
class PairedTest:
    """Outcome of a paired test.

    Parameters
    ----------
    name : str
        Which one.
    first_better, second_better, pairs : int
        Pairs in which one did better than the other, and all pairs.
    p_value : float
        Two-sided; 1.0 where no pair differs.
    """

    name: str
    first_better: int
    second_better: int
    pairs: int
    p_value: float


def mcnemar(first_right: Float64Array, second_right: Float64Array) -> PairedTest:
    """Exact McNemar test over trials, each 1 where a decoder was right, shape (n_trials,).

    p is that of a fair coin: twice the tail of Binomial(b + c, 1/2) at min(b, c), b and c being the trials that only
    one of the two had right.
    """
    _check(first_right, second_right)
    only_first = int(np.count_nonzero((first_right > 0) & (second_right == 0)))
    only_second = int(np.count_nonzero((second_right > 0) & (first_right == 0)))
    differing = only_first + only_second
    p_value = 1.0
    if differing:
        p_value = min(1.0, 2.0 * float(stats.binom.cdf(min(only_first, only_second), differing, 0.5)))
    return PairedTest("McNemar, exact, over trials", only_first, only_second, len(first_right), p_value)


def wilcoxon(first: Float64Array, second: Float64Array, over: str) -> PairedTest:
    """Wilcoxon's signed-rank test over pairs of figures, shape (n,), one pair a participant or session (`over`).

    Pairs that do not differ are left out (Wilcoxon's own way).
    """
    _check(first, second)
    apart = first - second
    differing = apart[apart != 0]
    p_value = float(stats.wilcoxon(differing).pvalue) if len(differing) else 1.0
    name = f"Wilcoxon signed-rank, over {over}"
    return PairedTest(name, int((apart > 0).sum()), int((apart < 0).sum()), len(first), p_value)


def _check(first: Float64Array, second: Float64Array) -> None:
    if first.shape != second.shape:
        msg = (
            f"paired figures are required, got {len(first)} and {len(second)}; judge both on the same trials"
        )
        raise InputError(msg)


@dataclass(frozen=True)
class Compared:
    """Two decoders, and the tests between them."""

    first: str
    second: str
    tests: tuple[PairedTest, ...]


def compare(evidence: Sequence[Evidence]) -> tuple[Compared, ...]:
    """Compare every two decoders on the trials that both were judged on.

    McNemar's test over trials; Wilcoxon's over participants where there are enough of them, else over sessions.
    """
    names = list(dict.fromkeys(one.decoder for one in evidence))
    found = []
    for first, second in combinations(names, 2):
        of_first, of_second = (
            {one.folder: one for one in evidence if one.decoder == name} for name in (first, second)
        )
        both = [folder for folder in of_first if folder in of_second]
        if both:
            pairs = [_paired(of_first[folder], of_second[folder]) for folder in both]
            persons = [of_first[folder].participant for folder in both]
            tests = [mcnemar(np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))]
            by_person = _means(pairs, persons)
            if len(set(persons)) >= MIN_PAIRS:
                tests.append(wilcoxon(*by_person, "participants"))
            elif len(both) >= MIN_PAIRS:
                tests.append(wilcoxon(*_means(pairs, both), "sessions"))
            found.append(Compared(first, second, tuple(tests)))
    return tuple(found)


def _paired(first: Evidence, second: Evidence) -> tuple[Float64Array, Float64Array]:
    """1 for each trial that was decided right, of the trials that both judged."""
    shared = sorted(set(first.judged) & set(second.judged))
    right = [[float(one.outcomes[k].correct) for k in shared] for one in (first, second)]
    return np.array(right[0]), np.array(right[1])


def _means(
    pairs: Sequence[tuple[Float64Array, Float64Array]], groups: Sequence[str]
) -> tuple[Float64Array, Float64Array]:
    of_group: dict[str, list[tuple[Float64Array, Float64Array]]] = {}
    for pair, group in zip(pairs, groups, strict=True):
        of_group.setdefault(group, []).append(pair)
    means = [
        [
            float(np.mean(np.concatenate([pair[side] for pair in of_group[group]])))
            for group in sorted(of_group)
        ]
        for side in (0, 1)
    ]
    return np.array(means[0]), np.array(means[1])
