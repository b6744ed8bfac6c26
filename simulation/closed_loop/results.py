"""A campaign's attempts as CSV, its figures as JSON, and both as one HTML page without scripts or links."""

import csv
import html
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from emg_acquisition.errors import InputError
from simulation.closed_loop.attempt import Attempt
from simulation.closed_loop.campaign import CampaignResult, CampaignSettings
from simulation.closed_loop.figures import Estimate, Summary, by_label, nominal_bits, summarise
from simulation.demo_report import STYLE

ATTEMPTS_FILE, RESULTS_FILE, REPORT_FILE = "attempts.csv", "closed_loop.json", "closed_loop.html"
SCHEMA_VERSION = 1
UNKNOWN = "?"
TITLES = {
    "fitts": "Targets on one degree of freedom",
    "tac": "Target achievement over several degrees of freedom",
    "household": "Household tasks",
}
CAVEAT = """The user is a model, the robot is simulated and the time is simulated. What the model cannot show: fatigue,
attention, and how a person's contraction changes when the robot does not obey."""


@dataclass(frozen=True)
class Written:
    """Where a campaign was written."""

    attempts: Path
    results: Path
    report: Path


def condition_of(one: Attempt) -> str:
    """Return the group in which an attempt is counted: a target's DoF, or the label of a posture or a task."""
    return next(iter(one.targets)) if one.task == "fitts" else one.label


def figures_of(results: Sequence[CampaignResult], settings: CampaignSettings) -> dict[str, object]:
    """Return everything that the tables show, ready for JSON; an estimate is value, low and high."""
    attempts = [one for result in results for one in result.attempts]
    return {
        "schema_version": SCHEMA_VERSION,
        "task": settings.task,
        "map": settings.gesture_map,
        "trials": settings.trials,
        "physics": settings.physics,
        "seed": settings.seed,
        "user": settings.user.model_dump(),
        "simulated_s": sum(result.simulated_s for result in results),
        "all": _plain(summarise("all", attempts, settings.seed)),
        "participants": [
            _plain(summarise(result.participant, result.attempts, settings.seed)) for result in results
        ],
        "conditions": [_plain(one) for one in by_label(attempts, condition_of, settings.seed)],
    }


def write_results(results: Sequence[CampaignResult], settings: CampaignSettings, folder: Path) -> Written:
    """Write all three files into a folder.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    written = Written(folder / ATTEMPTS_FILE, folder / RESULTS_FILE, folder / REPORT_FILE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_csv(results, written.attempts)
        text = json.dumps(figures_of(results, settings), indent=1, allow_nan=False)
        written.results.write_text(text + os.linesep, encoding="utf-8")
        written.report.write_text(_page(results, settings), encoding="utf-8")
    except OSError as error:
        msg = f"{folder} cannot be written: {error.strerror}"
        raise InputError(msg) from error
    return written


def _write_csv(results: Sequence[CampaignResult], path: Path) -> None:
    """One row an attempt; what belongs to a DoF is ``dof=value`` joined by spaces."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer: csv.DictWriter[str] | None = None
        for result in results:
            for one in result.attempts:
                row = {"participant": result.participant, **{k: _cell(v) for k, v in asdict(one).items()}}
                if writer is None:
                    writer = csv.DictWriter(file, list(row))
                    writer.writeheader()
                writer.writerow(row)


def _cell(value: object) -> object:
    if isinstance(value, Mapping):
        return " ".join(f"{dof}={number:.6g}" for dof, number in value.items())
    return f"{value:.6g}" if isinstance(value, float) else value


def _plain(summary: Summary) -> dict[str, object]:
    """Return a summary without NaN, which JSON does not know."""
    return {name: _without_nan(value) for name, value in asdict(summary).items()}


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nan(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


# ---- the page


def _page(results: Sequence[CampaignResult], settings: CampaignSettings) -> str:
    attempts = [one for result in results for one in result.attempts]
    title = f"Closed loop: {TITLES[settings.task].lower()}"
    overall = summarise("all", attempts, settings.seed)
    by_participant = [summarise(r.participant, r.attempts, settings.seed) for r in results]
    parts = [
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{html.escape(title)}</title>",
        f"<style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1>",
        f"<p>{html.escape(_in_words(overall, results, settings))}</p>",
        _table("By participant", [*by_participant, overall]),
        _table("By condition", by_label(attempts, condition_of, settings.seed)),
        _scatter(attempts) if settings.task == "fitts" else "",
        _failures(results),
        f"<p>{html.escape(CAVEAT)}</p></body></html>",
    ]
    return "".join(parts)


def _in_words(overall: Summary, results: Sequence[CampaignResult], settings: CampaignSettings) -> str:
    minutes = sum(result.simulated_s for result in results) / 60
    text = (
        f"{len(results)} participant(s) with the map {settings.gesture_map}, {minutes:.0f} simulated minutes, "
        f"{'in physics' if settings.physics else 'kinematic'}: "
        f"{overall.completed} of {overall.attempts} completed ({_percent(overall.completion)}), "
        f"median time {_shown(overall.time_s, 1)} s."
    )
    if overall.throughput_bit_s is not None:
        text += f" Throughput {_shown(overall.throughput_bit_s, 2)} bit/s with effective width."
    return text


def _table(caption: str, rows: Sequence[Summary]) -> str:
    heads = ["", "completed", "rate", "time, s", "efficiency", "overshoots", "modes", "speeds", "stops"]
    with_throughput = any(row.throughput_bit_s is not None for row in rows)
    heads += ["throughput, bit/s", "nominal"] if with_throughput else []
    heads += ["decoder wrong", "none", "user wrong"]
    body = "".join(_row(row, with_throughput=with_throughput) for row in rows)
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in heads)
    return (
        f"<table><caption>{caption}; medians and means, 95 % intervals</caption><tr>{head}</tr>{body}</table>"
    )


def _row(row: Summary, *, with_throughput: bool) -> str:
    cells = [
        f"{row.completed}/{row.attempts}",
        _percent(row.completion),
        _shown(row.time_s, 1),
        _number(row.path_efficiency, 2),
        _number(row.overshoots, 2),
        _number(row.mode_switches, 1),
        _number(row.speed_switches, 1),
        str(row.stops),
    ]
    if with_throughput:
        throughput = row.throughput_bit_s
        cells.append("" if throughput is None else _shown(throughput, 2))
        cells.append("" if row.nominal_throughput_bit_s is None else _number(row.nominal_throughput_bit_s, 2))
    cells += [f"{row.wrong_decisions:.1%}", f"{row.missing_decisions:.1%}", str(row.wrong_gestures)]
    inner = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr><th scope='row'>{html.escape(row.label)}</th>{inner}</tr>"


def _failures(results: Sequence[CampaignResult]) -> str:
    lines = [
        f"<li>{html.escape(f'{result.participant}, {one.label}: {one.reason}')}</li>"
        for result in results
        for one in result.attempts
        if not one.completed
    ]
    return f"<h2>What was not completed, and why</h2><ul>{''.join(lines) or '<li>nothing</li>'}</ul>"


def _scatter(attempts: Sequence[Attempt]) -> str:
    """Movement time over nominal difficulty, with the line of least squares."""
    done = [one for one in attempts if one.completed]
    if len(done) < 2:  # noqa: PLR2004 - a line needs two points
        return ""
    bits = np.array([nominal_bits(one) for one in done])
    times_s = np.array([one.time_s for one in done])
    slope, start = np.polyfit(bits, times_s, 1)
    width, height, left = 640.0, 320.0, 40.0
    x = left + (width - left - 10) * bits / max(float(bits.max()), 1e-6)
    y = height - 30 - (height - 50) * times_s / max(float(times_s.max()), 1e-6)
    dots = "".join(
        f"<circle cx='{a:.1f}' cy='{b:.1f}' r='2' fill='var(--ink)' fill-opacity='.4'/>"
        for a, b in zip(x, y, strict=True)
    )
    ends = [float(bits.min()), float(bits.max())]
    line = " ".join(
        f"{left + (width - left - 10) * b / max(float(bits.max()), 1e-6):.1f},"
        f"{height - 30 - (height - 50) * (start + slope * b) / max(float(times_s.max()), 1e-6):.1f}"
        for b in ends
    )
    caption = (
        f"Movement time over nominal difficulty: {start:.2f} s + {slope:.2f} s a bit, {len(done)} targets."
    )
    return (
        f"<figure><svg viewBox='0 0 {width:g} {height:g}' role='img' aria-label='{caption}'>{dots}"
        f"<polyline points='{line}'/><line x1='{left}' y1='{height - 30}' x2='{width - 10}' y2='{height - 30}'/>"
        f"<line x1='{left}' y1='20' x2='{left}' y2='{height - 30}'/>"
        f"<text x='{width - 130}' y='{height - 8}'>up to {bits.max():.1f} bit</text>"
        f"<text x='{left + 4}' y='16'>up to {times_s.max():.1f} s</text></svg>"
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _shown(estimate: Estimate, digits: int) -> str:
    if not math.isfinite(estimate.value):
        return UNKNOWN
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"


def _percent(estimate: Estimate) -> str:
    if not math.isfinite(estimate.value):
        return UNKNOWN
    return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else UNKNOWN
