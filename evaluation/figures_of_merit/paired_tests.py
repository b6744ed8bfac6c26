"""Whether one of two decoders is better by more than chance, on the same trials or the same participants.

References
----------
McNemar, *Note on the sampling error of the difference between correlated proportions*, Psychometrika 12, 1947; the
exact form by the binomial distribution: Fay, *Biostatistics* 11(2), 2010. Wilcoxon, *Biometrics Bulletin* 1, 1945.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError


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
