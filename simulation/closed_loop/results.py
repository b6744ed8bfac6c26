"""A campaign's attempts as CSV, its figures as JSON, and both as one HTML page without scripts or links."""

import csv
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from emg_acquisition.errors import InputError
from evaluation.reports.page import write_page
from simulation.closed_loop.attempt import Attempt
from simulation.closed_loop.campaign import CampaignResult, CampaignSettings
from simulation.closed_loop.figures import Estimate, Summary, by_label, nominal_bits, summarise

ATTEMPTS_FILE, RESULTS_FILE, REPORT_FILE = "attempts.csv", "closed_loop.json", "closed_loop.html"
SCHEMA_VERSION = 1
UNKNOWN = "?"
TITLES = {
    "fitts": "Targets on one degree of freedom",
    "tac": "Target achievement over several degrees of freedom",
    "household": "Household tasks",
}
TEMPLATE = Path(__file__).with_name("results.html.j2")
WIDTH, HEIGHT, LEFT = 640, 320, 40


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
        write_page(written.report, TEMPLATE, **_page(results, settings))
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


def _page(results: Sequence[CampaignResult], settings: CampaignSettings) -> dict[str, object]:
    attempts = [one for result in results for one in result.attempts]
    overall = summarise("all", attempts, settings.seed)
    by_participant = [summarise(r.participant, r.attempts, settings.seed) for r in results]
    by_condition = by_label(attempts, condition_of, settings.seed)
    return {
        "title": f"Closed loop: {TITLES[settings.task].lower()}",
        "in_words": _in_words(overall, results, settings),
        "tables": [
            _table("By participant", [*by_participant, overall]),
            _table("By condition", by_condition),
        ],
        "scatter": _scatter(attempts) if settings.task == "fitts" else None,
        "failures": [
            f"{result.participant}, {one.label}: {one.reason}"
            for result in results
            for one in result.attempts
            if not one.completed
        ],
    }


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


def _table(caption: str, rows: Sequence[Summary]) -> tuple[str, list[str], list[list[str]]]:
    with_throughput = any(row.throughput_bit_s is not None for row in rows)
    heads = ["", "completed", "rate", "time, s", "efficiency", "overshoots", "modes", "speeds", "stops"]
    heads += ["throughput, bit/s", "nominal"] if with_throughput else []
    heads += ["decoder wrong", "none", "user wrong"]
    return caption, heads, [_row(row, with_throughput=with_throughput) for row in rows]


def _row(row: Summary, *, with_throughput: bool) -> list[str]:
    cells = [
        row.label,
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
    return [
        *cells,
        f"{row.wrong_decisions:.1%}",
        f"{row.missing_decisions:.1%}",
        str(row.wrong_gestures),
    ]


def _scatter(attempts: Sequence[Attempt]) -> dict[str, object] | None:
    """Movement time over nominal difficulty, with the line of least squares."""
    done = [one for one in attempts if one.completed]
    if len(done) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    bits = np.array([nominal_bits(one) for one in done])
    times_s = np.array([one.time_s for one in done])
    slope, start = np.polyfit(bits, times_s, 1)

    def place(bit: float, time_s: float) -> tuple[str, str]:
        x = LEFT + (WIDTH - LEFT - 10) * bit / max(float(bits.max()), 1e-6)
        y = HEIGHT - 30 - (HEIGHT - 50) * time_s / max(float(times_s.max()), 1e-6)
        return f"{x:.1f}", f"{y:.1f}"

    ends = (float(bits.min()), float(bits.max()))
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "dots": [place(bit, time_s) for bit, time_s in zip(bits, times_s, strict=True)],
        "line": " ".join(",".join(place(bit, start + slope * bit)) for bit in ends),
        "most_bits": f"{bits.max():.1f}",
        "most_s": f"{times_s.max():.1f}",
        "caption": f"Movement time over nominal difficulty: {start:.2f} s + {slope:.2f} s a bit, {len(done)} targets.",
    }


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
