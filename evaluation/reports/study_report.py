"""The report of a study: a table by participant, figures over all of them, and paired tests between conditions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emg_acquisition.arrays import Float64Array
from evaluation.evaluate import Group
from evaluation.evaluate_study import (
    ANEW_NEW,
    ANEW_OLD,
    CONDITIONS,
    HOUR_NEW,
    HOUR_OLD,
    RECALIBRATION_REPETITIONS,
    WITHIN,
    Study,
    Wearer,
)
from evaluation.figures_of_merit.classification import accuracy
from evaluation.figures_of_merit.intervals import bootstrap_interval, mean_interval
from evaluation.judging.comparison import wilcoxon
from evaluation.reports.evaluation_report import COMPARISON_HEADS, answer_values
from evaluation.reports.page import HERE, p_value, share, write_page
from evaluation.reports.pictures import (
    INK,
    PALE,
    Picture,
    confusion_picture,
    dots_picture,
    new_axes,
    picture,
    reliability_picture,
)
from evaluation.reports.tables import figures_json, number, trial_rows, write_csv, write_json

REPORT, FIGURES, PARTICIPANTS, TRIALS = "study.html", "study.json", "participants.csv", "trials.csv"
COMPARED = ((HOUR_OLD, HOUR_NEW), (ANEW_OLD, ANEW_NEW), (WITHIN, ANEW_NEW))


def study_figures(study: Study) -> dict[str, dict[str, float | int | None]]:
    """Mean over participants of the trials right, by condition, with its interval and the worst participant."""
    found: dict[str, dict[str, float | int | None]] = {}
    for condition in CONDITIONS:
        values = _accuracies(study, condition)
        there = values[np.isfinite(values)]
        if len(there):
            low, high = mean_interval(there)
            found[condition] = {
                "mean": number(float(there.mean())),
                "low": number(low),
                "high": number(high),
                "worst": number(float(there.min())),
                "participants": len(there),
            }
    return found


def write_study(study: Study, out: Path) -> Path:
    """Write ``study.html``, ``study.json``, ``participants.csv`` and ``trials.csv``; returns the report's path."""
    out.mkdir(parents=True, exist_ok=True)
    evidence = [one for wearer in study.wearers for one in wearer.evidence.values()]
    groups = _groups(study)
    write_json(
        out / FIGURES,
        {
            "protocol": study.protocol,
            "conditions": study_figures(study),
            "pooled": {group.name: figures_json(group.pooled) for group in groups},
            "failed": [{"session": one.folder, "reason": one.reason} for one in study.failures],
        },
    )
    write_csv(out / PARTICIPANTS, [_row(wearer) for wearer in study.wearers])
    write_csv(out / TRIALS, trial_rows(evidence))
    traits = sorted({name for wearer in study.wearers for name in wearer.traits})
    return write_page(
        out / REPORT,
        HERE / "study.html.j2",
        title=f"Study of {len(study.wearers)} participants",
        recalibration_repetitions=RECALIBRATION_REPETITIONS,
        protocol=", ".join(f"{key} {value}" for key, value in study.protocol.items() if key != "gestures"),
        conditions=_condition_rows(study),
        by_condition=_by_condition(study),
        comparison_heads=COMPARISON_HEADS,
        tests=_test_rows(study),
        participant_heads=("participant", *traits, *CONDITIONS),
        participants=_participant_rows(study, traits),
        by_participant=_by_participant(study),
        failures=[(one.folder, one.reason) for one in study.failures],
        groups=[{**answer_values(group), "pictures": _pictures(group)} for group in groups],
    )


def _groups(study: Study) -> list[Group]:
    """Evidence by condition; each group keeps its figures once they are made."""
    found = []
    for condition in CONDITIONS:
        evidence = tuple(
            wearer.evidence[condition] for wearer in study.wearers if condition in wearer.evidence
        )
        if evidence:
            found.append(Group(condition, evidence))
    return found


def _accuracies(study: Study, condition: str) -> Float64Array:
    return np.array([_accuracy(wearer, condition) for wearer in study.wearers])


def _accuracy(wearer: Wearer, condition: str) -> float:
    if condition not in wearer.evidence:
        return float("nan")
    return accuracy(wearer.evidence[condition].trial_table().sum(axis=0))


def _row(wearer: Wearer) -> dict[str, object]:
    row: dict[str, object] = {"participant": wearer.participant, **wearer.traits}
    for condition in CONDITIONS:
        row[condition] = number(_accuracy(wearer, condition))
    row["refused"] = "; ".join(f"{name}: {why}" for name, why in wearer.refused.items())
    return row


def _pictures(group: Group) -> list[tuple[Picture, str]]:
    figures = group.pooled
    return [
        (confusion_picture(figures.trial_counts, figures.gestures), "Trials asked and decided."),
        (reliability_picture(figures.reliability), "Windows by the confidence put in them."),
    ]


def _condition_rows(study: Study) -> list[Sequence[object]]:
    return [
        (
            name,
            line["participants"],
            share(line["mean"]),
            f"{share(line['low'])} to {share(line['high'])}",
            share(line["worst"]),
        )
        for name, line in study_figures(study).items()
    ]


def _test_rows(study: Study) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = []
    for first, second in COMPARED:
        a, b = _accuracies(study, first), _accuracies(study, second)
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() >= 2:  # noqa: PLR2004 - a single pair says nothing
            test = wilcoxon(a[both], b[both], "participants")
            rows.append(
                (
                    first,
                    second,
                    test.name,
                    test.pairs,
                    test.first_better,
                    test.second_better,
                    p_value(test.p_value),
                )
            )
    return rows


def _participant_rows(study: Study, traits: Sequence[str]) -> list[Sequence[object]]:
    return [
        (
            wearer.participant,
            *(wearer.traits.get(name, "-") for name in traits),
            *(share(_accuracy(wearer, condition)) for condition in CONDITIONS),
        )
        for wearer in study.wearers
    ]


def _by_condition(study: Study) -> Picture:
    figure, axes = new_axes(7.2, 3.8)
    table = np.array([_accuracies(study, condition) for condition in CONDITIONS])
    places = np.arange(len(CONDITIONS))
    for column in table.T:
        axes.plot(places, column, color=PALE, lw=0.8, marker=".", ms=4)
    means = [np.nanmean(row) if np.isfinite(row).any() else np.nan for row in table]
    axes.plot(places, means, "o", color=INK, ms=8)
    axes.set_xticks(places, [name.replace(", ", ",\n") for name in CONDITIONS], fontsize=8)
    axes.set_ylabel("share of trials right")
    axes.set_ylim(min(0.5, float(np.nanmin(table)) - 0.03), 1.02)
    return picture(figure, "Trials right by condition")


def _by_participant(study: Study) -> Picture:
    names = [wearer.participant for wearer in study.wearers]
    intervals = [
        bootstrap_interval([wearer.evidence[WITHIN].trial_table()], accuracy) for wearer in study.wearers
    ]
    shown = (WITHIN, ANEW_OLD, ANEW_NEW)
    series: dict[str, Sequence[float]] = {name: list(_accuracies(study, name)) for name in shown}
    return dots_picture(names, series, [one.low for one in intervals], [one.high for one in intervals])
