"""Decoders against each other, on the same trials of the same sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from emg_acquisition.arrays import Float64Array
from evaluation.figures_of_merit.paired_tests import PairedTest, mcnemar, wilcoxon
from evaluation.judging.evidence import Evidence

# With fewer pairs, Wilcoxon's test cannot reach p < 0.05 whatever they are.
LEAST_PAIRS = 6


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
            if len(set(persons)) >= LEAST_PAIRS:
                tests.append(wilcoxon(*by_person, "participants"))
            elif len(both) >= LEAST_PAIRS:
                tests.append(wilcoxon(*_means(pairs, both), "sessions"))
            found.append(Compared(first, second, tuple(tests)))
    return tuple(found)


def _paired(first: Evidence, second: Evidence) -> tuple[Float64Array, Float64Array]:
    """1 for each trial that was decided right, of the trials that both judged."""
    shared = sorted(set(first.judged) & set(second.judged))
    right = [
        [
            float(one.gestures[said] == one.cued[k].gesture) if (said := one.decision_of(k)) >= 0 else 0.0
            for k in shared
        ]
        for one in (first, second)
    ]
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
