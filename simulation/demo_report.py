"""The demo's report: one HTML file without scripts or links, readable on screen and on paper."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.metrics import NO_DECISION, confusion
from robot_bridge.stretch_interface import DOF_NAMES

if TYPE_CHECKING:
    from simulation.demo import DemoResult
    from simulation.operator.gesture_operator import Hold

STYLE = """
:root { color-scheme: light dark; --line: #8888; --good: #0a7d5a; --bad: #b3430b; --ink: #1f6fb2; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; } caption { text-align: left; font-weight: 600; }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: right; }
th:first-child, td:first-child, table.summary td { text-align: left; }
table.confusion th[scope=col] { writing-mode: vertical-rl; text-align: left; }
.ok { color: var(--good); } .no { color: var(--bad); font-weight: 600; } td.zero { opacity: .35; }
figure { margin: 0 0 1rem; } figcaption { font-size: .9rem; } svg { width: 100%; height: auto; }
svg polyline { fill: none; stroke: var(--ink); stroke-width: 1.5; } svg line { stroke: var(--line); }
svg text { font-size: 12px; fill: currentColor; }
@media print { body { max-width: none; margin: 0; } }
"""
CAVEAT = """Wearer and robot are simulated, the wearer by default as one whose gestures are distinct: this
shows that the chain works on this machine, not how well a person would do."""
_PLOT_WIDTH, _PLOT_HEIGHT, _PLOT_LEFT = 900, 70, 130


def write_report(result: "DemoResult", path: Path) -> Path:
    """Write the report of a demo to `path` and return it."""
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>hdemg demo</title>",
        f"<style>{STYLE}</style></head><body><h1>hdemg demo</h1>",
        _summary(result),
        _motion_table(result),
        _plots(result),
        _confusion_table(result),
        f"<p>{CAVEAT}</p></body></html>",
    ]
    path.write_text("".join(parts), encoding="utf-8")
    return path


def _summary(result: "DemoResult") -> str:
    identical = {True: "identical", False: "DIFFERENT", None: "nothing was recorded"}[result.identical]
    held_out = result.training.trial_accuracy
    rows = (
        ("Gestures", ", ".join(result.gestures)),
        (
            "Calibration, held-out repetitions",
            "not estimated" if held_out is None else f"{held_out:.3f} of trials right",
        ),
        ("Live, by trial", f"{result.trial_accuracy:.3f} of {len(result.outcomes)} trials right"),
        (
            "Newest electrode sample → ROS 2 command",
            f"median {result.final.latency_ms_median:.1f} ms, p99 {result.final.latency_ms_p99:.1f} ms",
        ),
        ("DoF moved both ways, coarse and fine", f"{len(result.dof_moved)} of {len(DOF_NAMES)}"),
        ("Decisions live and in replay", f"{identical} ({result.decisions})"),
        ("Stops", f"{result.final.stops} (the last one is the operator's)"),
        ("Time", f"{result.seconds:.0f} s"),
    )
    body = "".join(
        f"<tr><th scope='row'>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows
    )
    return f"<table class='summary'>{body}</table>"


def _motion_table(result: "DemoResult") -> str:
    head = "".join(f"<th scope='col'>{tier} {way}</th>" for tier in ("coarse", "fine") for way in ("+", "-"))
    rows = []
    for name in DOF_NAMES:
        unit = "mm" if result.model.dof[name].unit == "m" else "°"
        holds = sorted((h for h in result.holds if h.dof == name), key=lambda h: (h.fine, -h.direction))
        cells = "".join(_motion_cell(hold, unit) for hold in holds)
        rows.append(f"<tr><th scope='row'>{name} ({unit})</th>{cells}</tr>")
    caption = "<caption>Net motion in each hold; ✓ where it was the map's DoF and direction</caption>"
    return f"<table>{caption}<tr><th></th>{head}</tr>{''.join(rows)}</table>"


def _motion_cell(hold: "Hold", unit: str) -> str:
    shown = hold.moved * 1e3 if unit == "mm" else np.degrees(hold.moved)
    return f"<td class='{'ok' if hold.achieved else 'no'}'>{shown:+.1f} {'✓' if hold.achieved else '✗'}</td>"


def _plots(result: "DemoResult") -> str:
    t_s = result.track.t_lsl_s - result.track.t_lsl_s[0]
    figures = "".join(
        _plot(name, t_s, result.track.positions[:, k], "m" if result.model.dof[name].unit == "m" else "rad")
        for k, name in enumerate(DOF_NAMES)
    )
    seconds = f"{t_s[-1]:.0f}"
    return f"<figure>{figures}<figcaption>Position of each DoF over {seconds} s.</figcaption></figure>"


def _plot(name: str, t_s: np.ndarray, position: np.ndarray, unit: str) -> str:
    low, high = float(position.min()), float(position.max())
    span = max(high - low, 1e-6)
    x = _PLOT_LEFT + (_PLOT_WIDTH - _PLOT_LEFT - 10) * t_s / max(float(t_s[-1]), 1e-6)
    y = 10 + (_PLOT_HEIGHT - 20) * (1 - (position - low) / span)
    step = max(1, len(x) // 1500)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[::step], y[::step], strict=True))
    return (
        f"<svg viewBox='0 0 {_PLOT_WIDTH} {_PLOT_HEIGHT}' role='img' aria-label='{name} over time'>"
        f"<text x='0' y='30'>{name}</text><text x='0' y='48'>{low:.2f} … {high:.2f} {unit}</text>"
        f"<line x1='{_PLOT_LEFT}' y1='{_PLOT_HEIGHT - 4}' x2='{_PLOT_WIDTH - 10}' y2='{_PLOT_HEIGHT - 4}'/>"
        f"<polyline points='{points}'/></svg>"
    )


def _confusion_table(result: "DemoResult") -> str:
    counts = confusion(result.outcomes, result.gestures)
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in (*result.gestures, NO_DECISION))
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th>{_count_cells(row, k)}</tr>"
        for k, (name, row) in enumerate(zip(result.gestures, counts, strict=True))
        if row.sum()
    )
    caption = "<caption>Live trials: asked (rows), decided (columns)</caption>"
    return f"<table class='confusion'>{caption}<tr><th></th>{head}</tr>{rows}</table>"


def _count_cells(row: Sequence[int], own: int) -> str:
    kinds = ["zero" if count == 0 else "ok" if k == own else "no" for k, count in enumerate(row)]
    return "".join(f"<td class='{kind}'>{count}</td>" for kind, count in zip(kinds, row, strict=True))
