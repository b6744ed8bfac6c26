"""The report of an evaluation: the answer in words first, then what it rests on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emg_acquisition.errors import InputError
from evaluation.evaluate import Evaluation, Group
from evaluation.judging.figures import Figures, Measured
from evaluation.reports.page import HERE, p_value, share, write_page
from evaluation.reports.pictures import (
    Picture,
    confusion_picture,
    curve_picture,
    delays_picture,
    dots_picture,
    rejection_picture,
    reliability_picture,
)
from evaluation.reports.tables import evaluation_json, session_rows, trial_rows, write_csv, write_json
from evaluation.reports.verdict import verdict_of

REPORT, FIGURES, SESSIONS, TRIALS = "report.html", "figures.json", "sessions.csv", "trials.csv"
DEFAULT_THRESHOLD = 0.6
# A trial of which so much was decided as one other gesture was likely asked, or made, otherwise than it is labelled.
DOUBTFUL_SHARE = 0.8
MAX_DOUBTFUL = 20
COMPARISON_HEADS = ("first", "second", "test", "pairs", "first better", "second better", "p, two-sided")
SESSION_HEADS = (
    "session",
    "trials",
    "trials right",
    "balanced",
    "windows right",
    "delay / ms",
    "false an hour",
    "usable",
)
LEVELS = {"good": "good", "care": "with care", "bad": "not good", "unknown": "not known"}


def write_evaluation(evaluation: Evaluation, out: Path) -> Path:
    """Write ``report.html``, ``figures.json``, ``sessions.csv`` and ``trials.csv``; returns the report's path.

    Raises
    ------
    InputError
        If nothing could be judged.
    """
    if not evaluation.evidence:
        msg = "no session could be judged"
        raise InputError(msg)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / FIGURES, evaluation_json(evaluation))
    write_csv(out / SESSIONS, session_rows(evaluation))
    write_csv(out / TRIALS, trial_rows(evaluation.evidence))
    return write_page(
        out / REPORT,
        HERE / "evaluation.html.j2",
        title=evaluation.title,
        groups=[_group_values(group) for group in evaluation.groups],
        failures=[(one.folder, one.reason) for one in evaluation.failures],
        comparison_heads=COMPARISON_HEADS,
        comparisons=[
            (
                pair.first,
                pair.second,
                test.name,
                test.pairs,
                test.first_better,
                test.second_better,
                p_value(test.p_value),
            )
            for pair in evaluation.comparisons
            for test in pair.tests
        ],
        curve=curve_picture(evaluation.curves) if evaluation.curves else None,
        session_heads=SESSION_HEADS,
        max_doubtful=MAX_DOUBTFUL,
    )


def answer_values(group: Group) -> dict[str, object]:
    """Return what the macro ``answer`` shows: a decoder's answer in words, what limits it, the rules; and figures."""
    verdict = verdict_of(group.pooled, of_training_data=group.of_training_data)
    return {
        "name": group.name,
        "of_training_data": group.of_training_data,
        "verdict": verdict,
        "reach": _reach(group),
        "rules": [(one.name, one.measured, LEVELS[one.level], one.rule) for one in verdict.findings],
        "figures": _figure_rows(group.pooled),
    }


def _group_values(group: Group) -> dict[str, object]:
    return {
        **answer_values(group),
        "pictures": _pictures(group.pooled),
        "by_session": _by_session(group) if len(group.evidence) > 1 else None,
        "sessions": _session_rows(group),
        "doubtful": _doubtful(group),
        "remarks": sorted({remark for one in group.evidence for remark in one.remarks}),
    }


def _reach(group: Group) -> str:
    figures = group.pooled
    persons = "one participant" if figures.participants == 1 else f"{figures.participants} participants"
    sessions = "one session" if figures.sessions == 1 else f"{figures.sessions} sessions"
    text = f"This rests on {figures.trials} trials of {persons} in {sessions}."
    if "by repetition" in group.name:
        text += " Judged within one sitting: it does not hold for a sleeve that is put on again."
    return text + " It is offline: how people correct what they see is not in it."


def _figure_rows(figures: Figures) -> list[tuple[str, str]]:
    holds = figures.holds
    delay, late = figures.onset_delay_ms, figures.onset_delay_p90_ms
    rate, third = figures.false_activations_per_h, figures.through_third_share
    return [
        ("trials right", _with_interval(figures.trial_accuracy)),
        ("trials right, mean over gestures (balanced)", _with_interval(figures.trial_balanced)),
        ("trials, macro-F1", share(figures.trial_macro_f1)),
        ("windows right", _with_interval(figures.window_accuracy)),
        ("windows right, mean over gestures (balanced)", _with_interval(figures.window_balanced)),
        ("windows, macro-F1", share(figures.window_macro_f1)),
        ("trials right, mean over participants", _with_interval(figures.over_participants)),
        ("expected calibration error", share(figures.reliability.expected_error)),
        (
            "delay from muscle onset out of rest",
            "-" if delay is None else f"median {delay:.0f} ms, 90 % {late:.0f} ms",
        ),
        ("beginnings through a third gesture", share(third)),
        ("false activations", "-" if rate is None else f"{rate:.1f} an hour"),
        ("usable commands in a hold", share(holds.usable_commands)),
        ("wrong commands in a hold", share(holds.wrong_commands)),
        ("stability: right, once it was right", share(holds.stability)),
        ("breaks a hold", f"{holds.interruptions_per_hold:.2f}"),
        (
            "information a trial",
            f"{figures.bits_per_trial:.2f} bit (Wolpaw: {figures.wolpaw_bits_per_trial:.2f})",
        ),
        ("information at the pace of the cues", f"{figures.bits_per_min:.1f} bit/min"),
        (
            "judged",
            f"{figures.trials} trials, {figures.windows} windows; {figures.left_out} trials left out",
        ),
    ]


def _with_interval(measured: Measured) -> str:
    low, high = measured.interval
    return f"{share(measured.value)} ({share(low)} to {share(high)})"


def _pictures(figures: Figures) -> list[tuple[Picture, str]]:
    found = [
        (
            confusion_picture(figures.trial_counts, figures.gestures),
            "Trials asked (rows) and decided (columns).",
        ),
        (
            reliability_picture(figures.reliability),
            "Windows by the confidence put in them; on the line, probabilities mean what they say.",
        ),
        (
            rejection_picture(figures.rejection, DEFAULT_THRESHOLD),
            f"What a threshold keeps and how right that is; {DEFAULT_THRESHOLD:g} is the default.",
        ),
    ]
    behaviour = figures.behaviour
    if behaviour is not None and behaviour.delays_from_rest_ms:
        caption = "How soon a gesture out of rest was decided; the line is 300 ms."
        found.append((delays_picture(behaviour.delays_from_rest_ms), caption))
    return found


def _by_session(group: Group) -> Picture:
    names = [f"{one.participant} {one.session}" for one in group.evidence]
    trials = [one.trial_accuracy.value for one in group.by_session]
    windows = [one.window_accuracy.value for one in group.by_session]
    low = [one.trial_accuracy.interval.low for one in group.by_session]
    high = [one.trial_accuracy.interval.high for one in group.by_session]
    return dots_picture(names, {"trials": trials, "windows": windows}, low, high)


def _session_rows(group: Group) -> list[Sequence[object]]:
    return [
        (
            f"{one.participant} {one.session}",
            found.trials,
            _with_interval(found.trial_accuracy),
            share(found.trial_balanced.value),
            share(found.window_accuracy.value),
            "-" if found.onset_delay_ms is None else f"{found.onset_delay_ms:.0f}",
            "-" if found.false_activations_per_h is None else f"{found.false_activations_per_h:.1f}",
            share(found.holds.usable_commands),
        )
        for one, found in zip(group.evidence, group.by_session, strict=True)
    ]


def _doubtful(group: Group) -> list[Sequence[object]]:
    """List trials that were decided as one other gesture nearly throughout: mislabelled, or made otherwise."""
    rows: list[Sequence[object]] = []
    for one in group.evidence:
        for k in one.judged:
            outcome, decided = one.outcomes[k], one.hops.decided[one.steady_hops(k)]
            wrong = outcome.index >= 0 and not outcome.correct
            if wrong and np.mean(decided == outcome.index) >= DOUBTFUL_SHARE:
                trial = one.cued[k]
                name, begins = f"{one.participant} {one.session}", f"{trial.start / one.fs_hz:.0f} s"
                rows.append((name, trial.trial, begins, trial.gesture, outcome.decided))
    return rows
