"""The figures of an evaluation as CSV, a row a session or a trial, and as one JSON object."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation.evaluate import Evaluation
from evaluation.judging.evidence import Evidence
from evaluation.judging.figures import Figures, Measured
from evaluation.reports.page import write_whole
from evaluation.reports.verdict import verdict_of


def figures_json(figures: Figures) -> dict[str, object]:
    """Return figures as JSON takes them; what is unknown is null."""
    behaviour, holds = figures.behaviour, figures.holds
    return {
        "gestures": list(figures.gestures),
        "participants": figures.participants,
        "sessions": figures.sessions,
        "trials": figures.trials,
        "windows": figures.windows,
        "trials_too_short": figures.left_out,
        "trial_accuracy": _measured(figures.trial_accuracy),
        "trial_balanced_accuracy": _measured(figures.trial_balanced),
        "trial_macro_f1": number(figures.trial_macro_f1),
        "window_accuracy": _measured(figures.window_accuracy),
        "window_balanced_accuracy": _measured(figures.window_balanced),
        "window_macro_f1": number(figures.window_macro_f1),
        "mean_over_participants": _measured(figures.over_participants),
        "trial_confusion": figures.trial_counts.tolist(),
        "window_confusion": figures.window_counts.tolist(),
        "expected_calibration_error": number(figures.reliability.expected_error),
        "reliability": {
            "confidence": [number(x) for x in figures.reliability.confidence],
            "correct": [number(x) for x in figures.reliability.correct],
            "count": figures.reliability.count.tolist(),
        },
        "rejection": {
            "threshold": figures.rejection.threshold.tolist(),
            "kept": [number(x) for x in figures.rejection.kept],
            "accuracy": [number(x) for x in figures.rejection.accuracy],
        },
        "onset_delay_ms": number(figures.onset_delay_ms),
        "onset_delay_p90_ms": number(figures.onset_delay_p90_ms),
        "beginnings_from_rest": len(behaviour.delays_from_rest_ms) if behaviour else None,
        "beginnings_from_gesture": len(behaviour.delays_from_gesture_ms) if behaviour else None,
        "through_third_share": number(figures.through_third_share),
        "false_activations_per_h": number(figures.false_activations_per_h),
        "false_activations_per_h_at_most": number(figures.false_activations_bound_per_h),
        "rest_s": number(behaviour.rest_s) if behaviour else None,
        "usable_commands": number(holds.usable_commands),
        "wrong_commands": number(holds.wrong_commands),
        "stability": number(holds.stability),
        "interruptions_per_hold": number(holds.interruptions_per_hold),
        "bits_per_trial": number(figures.bits_per_trial),
        "wolpaw_bits_per_trial": number(figures.wolpaw_bits_per_trial),
        "bits_per_min": number(figures.bits_per_min),
    }


def number(value: float | None) -> float | None:
    """Round for a file; None for what is unknown or infinite, which JSON does not know."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), 6)


def _measured(measured: Measured) -> dict[str, float | None]:
    low, high = measured.interval
    return {"value": number(measured.value), "low": number(low), "high": number(high)}


def session_rows(evaluation: Evaluation) -> list[dict[str, object]]:
    """Return a row for each session and decoder."""
    rows = []
    for group in evaluation.groups:
        for one, figures in zip(group.evidence, group.by_session, strict=True):
            rows.append(
                {
                    "decoder": group.name,
                    "participant": one.participant,
                    "session": one.session,
                    "trials": figures.trials,
                    "trial_accuracy": number(figures.trial_accuracy.value),
                    "trial_accuracy_low": number(figures.trial_accuracy.interval.low),
                    "trial_accuracy_high": number(figures.trial_accuracy.interval.high),
                    "balanced_accuracy": number(figures.trial_balanced.value),
                    "macro_f1": number(figures.trial_macro_f1),
                    "windows": figures.windows,
                    "window_accuracy": number(figures.window_accuracy.value),
                    "window_balanced_accuracy": number(figures.window_balanced.value),
                    "expected_calibration_error": number(figures.reliability.expected_error),
                    "onset_delay_ms": number(figures.onset_delay_ms),
                    "false_activations_per_h": number(figures.false_activations_per_h),
                    "usable_commands": number(figures.holds.usable_commands),
                    "wrong_commands": number(figures.holds.wrong_commands),
                    "stability": number(figures.holds.stability),
                    "bits_per_min": number(figures.bits_per_min),
                    "remarks": "; ".join(one.remarks),
                    "folder": one.folder,
                }
            )
    return rows


def trial_rows(evidence: Iterable[Evidence]) -> list[dict[str, object]]:
    """Return a row for each judged trial."""
    rows = []
    for one in evidence:
        for k in one.judged:
            trial, places = one.cued[k], one.steady_hops(k)
            best = one.hops.probabilities[places].argmax(axis=1)
            rows.append(
                {
                    "decoder": one.decoder,
                    "participant": one.participant,
                    "session": one.session,
                    "trial": trial.trial,
                    "repetition": trial.repetition,
                    "asked": trial.gesture,
                    "decided": one.outcomes[k].decided,
                    "windows": len(places),
                    "windows_right": number(float(np.mean(best == one.truth(k)))),
                    "begins_s": number(trial.start / one.fs_hz),
                }
            )
    return rows


def evaluation_json(evaluation: Evaluation) -> dict[str, object]:
    """Return all that was found."""
    return {
        "title": evaluation.title,
        "decoders": [
            {
                "name": group.name,
                "of_training_data": group.of_training_data,
                "answer": verdict_of(group.pooled, of_training_data=group.of_training_data).answer,
                "pooled": figures_json(group.pooled),
            }
            for group in evaluation.groups
        ],
        "comparisons": [
            {
                "first": pair.first,
                "second": pair.second,
                "tests": [
                    {
                        "name": test.name,
                        "first_better": test.first_better,
                        "second_better": test.second_better,
                        "pairs": test.pairs,
                        "p_value": number(test.p_value),
                    }
                    for test in pair.tests
                ],
            }
            for pair in evaluation.comparisons
        ],
        "learning_curve": [
            {
                "participant": point.participant,
                "session": point.session,
                "repetitions": point.repetitions,
                "window_accuracy": [number(x) for x in point.window_accuracy],
            }
            for point in evaluation.curves
        ],
        "sessions": session_rows(evaluation),
        "failed": [{"session": one.folder, "reason": one.reason} for one in evaluation.failures],
    }


def write_json(path: Path, values: Mapping[str, object]) -> None:
    """Write one object, whole or not at all."""
    write_whole(path, json.dumps(values, indent=1) + "\n")


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows that have the same keys, whole or not at all; no file without rows."""
    if not rows:
        return
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue())
