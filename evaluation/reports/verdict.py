"""Is this decoder good enough to drive with today, and what limits it? In words, by rules that anyone can check.

Each rule puts a figure into one of three levels. The answer is the worst of them: *yes*, *with care* or *no*.

References
----------
[1] Hudgins, Parker, Scott, *A new strategy for multifunction myoelectric control*, IEEE Trans. Biomed. Eng. 40(1),
1993: a delay of up to about 300 ms is acceptable. [2] Farrell, Weir, *The optimal controller delay for
myoelectric prostheses*, IEEE Trans. Neural Syst. Rehabil. Eng. 15(1), 2007: 100 to 125 ms serve best.
[3] Hanley, Lippman-Hand, *If nothing goes wrong, is everything all right?*, JAMA 249, 1983: n trials without an
error bound the error rate at 3/n. [4] Guo et al., ICML 2017: expected calibration error.
The levels without a source are this project's own: no study says how many wrong commands a person tolerates.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.figures_of_merit.classification import recalls
from evaluation.judging.figures import Figures

Level = Literal["good", "care", "bad", "unknown"]
ORDER: tuple[Level, ...] = ("good", "unknown", "care", "bad")
MIN_REST_S = 600.0


@dataclass(frozen=True)
class Finding:
    """One rule's outcome: what was measured, its level, what that means, and the rule with its source."""

    name: str
    measured: str
    level: Level
    meaning: str
    rule: str


@dataclass(frozen=True)
class Verdict:
    """The answer, why, what limits it, and how far it reaches."""

    answer: str
    level: Level
    limits: tuple[str, ...]
    findings: tuple[Finding, ...]


def verdict_of(figures: Figures, *, of_training_data: bool) -> Verdict:
    """Judge figures by the rules; training data allow no answer."""
    findings = (
        _trials(figures),
        _weakest(figures),
        _commands(figures),
        _wrong(figures),
        _delay(figures),
        _rest(figures),
        _probabilities(figures),
    )
    if of_training_data:
        said = "Unknown: the decoder was judged by data that it was trained on."
        return Verdict(said, "unknown", (), findings)
    worst = max((one.level for one in findings), key=ORDER.index)
    limits = tuple(
        f"{one.name}: {one.measured}. {one.meaning}"
        for level in ("bad", "care", "unknown")
        for one in findings
        if one.level == level
    )
    answers = {
        "good": "Yes. Every figure is in its good range.",
        "unknown": "With care. What was measured is in its good range, but not all that matters could be measured.",
        "care": "With care: at fine speeds, with somebody at the stop.",
        "bad": "No. Calibrate again, or drive with fewer gestures.",
    }
    return Verdict(answers[worst], worst, limits, findings)


def _level(value: float, good: float, care: float, *, high_is_good: bool) -> Level:
    if not math.isfinite(value):
        return "unknown"
    sign = 1.0 if high_is_good else -1.0
    if sign * value >= sign * good:
        return "good"
    return "care" if sign * value >= sign * care else "bad"


def _trials(figures: Figures) -> Finding:
    measured = figures.trial_accuracy
    certain = min(measured.interval.low, 1.0 - 3.0 / max(1, figures.trials))
    return Finding(
        "Trials decided right",
        f"{measured.value:.3f} of {figures.trials}, at least {certain:.2f} with 95 % confidence"
        if math.isfinite(certain)
        else f"{measured.value:.3f} of {figures.trials}",
        _level(certain, 0.90, 0.75, high_is_good=True),
        "So often the robot does what was meant.",
        "lower end of the 95 % interval, or 1 - 3/n [3]: good from 0.90, with care from 0.75",
    )


def _weakest(figures: Figures) -> Finding:
    found = recalls(figures.trial_counts)
    weakest = int(np.nanargmin(found))
    row = figures.trial_counts[weakest].copy()
    row[weakest] = 0
    names = (*figures.gestures, "no decision")
    taken = f"; most often taken for {names[int(row.argmax())]}" if row.any() else ""
    return Finding(
        "Weakest gesture",
        f"{figures.gestures[weakest]}, {found[weakest]:.2f} of its trials{taken}",
        _level(float(found[weakest]), 0.80, 0.60, high_is_good=True),
        "Leave it out of the map, or train it again.",
        "share of its trials decided right: good from 0.80, with care from 0.60",
    )


def _commands(figures: Figures) -> Finding:
    value = figures.holds.usable_commands
    return Finding(
        "Usable commands",
        f"{100 * value:.1f} % of the time of a hold, {figures.holds.interruptions_per_hold:.2f} breaks a hold",
        _level(value, 0.85, 0.60, high_is_good=True),
        "The rest of the time the robot stands still or does something else.",
        "share of hops of a hold decided right: good from 0.85, with care from 0.60",
    )


def _wrong(figures: Figures) -> Finding:
    value = figures.holds.wrong_commands
    return Finding(
        "Wrong commands",
        f"{100 * value:.2f} % of the time of a hold",
        _level(value, 0.02, 0.10, high_is_good=False),
        "The robot moves otherwise than was meant.",
        "share of hops of a hold decided for another gesture that moves: good up to 0.02, with care up to 0.10",
    )


def _delay(figures: Figures) -> Finding:
    median, late = figures.onset_delay_ms, figures.onset_delay_p90_ms
    if median is None or late is None:
        said = "not measured: no beginning out of rest was seen in the recordings"
        meaning = "Record gestures out of rest to know."
    else:
        meaning = "It makes fine positioning slow; 100 to 125 ms would serve best [2]."
        never = (
            "never for more than one in ten" if not math.isfinite(late) else f"{late:.0f} ms for nine in ten"
        )
        said = f"{median:.0f} ms in the median, {never}"
    return Finding(
        "Delay from the muscle",
        said,
        _level(math.nan if median is None else median, 300.0, 500.0, high_is_good=False),
        meaning,
        "median from muscle onset out of rest to the decision: good up to 300 ms [1], with care up to 500 ms",
    )


def _rest(figures: Figures) -> Finding:
    rate, behaviour = figures.false_activations_per_h, figures.behaviour
    rule = "an hour of rest: good up to 10, with care up to 60; at least 10 min of rest to say good"
    if rate is None or behaviour is None:
        said = "not measured: nothing in the recordings is rest"
        return Finding("False activations", said, "unknown", "Record rest to know.", rule)
    minutes = behaviour.rest_s / 60.0
    bound = figures.false_activations_bound_per_h
    level = _level(rate, 10.0, 60.0, high_is_good=False)
    if level == "good" and behaviour.rest_s < MIN_REST_S:
        level = "unknown"
    return Finding(
        "False activations",
        f"{rate:.1f} an hour ({behaviour.false_activations} in {minutes:.1f} min of rest; 95 %: below {bound:.0f})",
        level,
        "The robot moves without a command; more recorded rest gives a surer figure.",
        rule,
    )


def _probabilities(figures: Figures) -> Finding:
    value = figures.reliability.expected_error
    return Finding(
        "Probabilities",
        f"{value:.3f} off in the mean",
        _level(value, 0.05, 0.15, high_is_good=False),
        "The confidence threshold rejects less, or more, than it says.",
        "expected calibration error [4]: good up to 0.05, with care up to 0.15",
    )
