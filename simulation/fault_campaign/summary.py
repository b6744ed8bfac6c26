"""Outcomes -> the figures of the last line, and tables for people."""

from collections.abc import Sequence
from typing import Any

from robot_bridge.stretch_interface import DOF_NAMES
from simulation.fault_campaign.bounds import ZERO_LIMIT_S
from simulation.fault_campaign.kinds import FAULT_KINDS
from simulation.fault_campaign.outcome import Outcome

METRES = {"base_translate", "lift", "arm"}
DEGREES = 57.29577951308232


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what ``--json`` prints; travel in m and rad, only of the DoF that a fault met in motion."""
    zeros = [outcome.zero_ms for outcome in outcomes if outcome.zero_ms is not None]
    worst = {}
    for dof in DOF_NAMES:
        distances = [outcome.travel[dof] for outcome in outcomes if outcome.dof == dof]
        if distances:
            worst[dof] = max(distances)
    return {
        "injected": len(outcomes),
        "kinds": len({outcome.kind for outcome in outcomes}),
        "missed": sum(outcome.missed for outcome in outcomes),
        "worst_zero_ms": max(zeros, default=None),
        "worst_travel": worst,
        "moved_before_rearm": sum(outcome.moved_before_rearm for outcome in outcomes),
    }


def all_in_bounds(outcomes: Sequence[Outcome]) -> bool:
    """Whether every promise was kept by every injection."""
    return all(outcome.in_bounds for outcome in outcomes)


def kinds_table(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Return a header and one row a kind."""
    rows = [
        [
            "kind",
            "what happens",
            "injected",
            "missed",
            "zero command, median",
            "worst",
            "still, worst",
            "travel, worst of bound",
            "moved before arming",
        ]
    ]
    for kind in FAULT_KINDS:
        of_kind = [outcome for outcome in outcomes if outcome.kind == kind.name]
        if not of_kind:
            continue
        zeros = sorted(outcome.zero_ms for outcome in of_kind if outcome.zero_ms is not None)
        part = max(outcome.travel[outcome.dof] / outcome.bound[outcome.dof] for outcome in of_kind)
        rows.append(
            [
                kind.name,
                kind.what,
                str(len(of_kind)),
                str(sum(outcome.missed for outcome in of_kind)),
                f"{zeros[len(zeros) // 2]:.0f} ms" if zeros else "none",
                f"{zeros[-1]:.0f} ms" if zeros else "none",
                f"{max(outcome.still_ms for outcome in of_kind):.0f} ms",
                f"{100 * part:.0f} %",
                str(sum(outcome.moved_before_rearm for outcome in of_kind)),
            ]
        )
    return rows


def travel_table(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Return a header and one row a DoF and speed tier: the worst travel, of what was allowed in that injection."""
    rows = [["DoF", "speed", "injected", "worst travel", "its bound", "worst part of a bound"]]
    for dof in DOF_NAMES:
        for fine in (False, True):
            of_dof = [outcome for outcome in outcomes if (outcome.dof, outcome.fine) == (dof, fine)]
            if not of_dof:
                continue
            worst = max(of_dof, key=lambda outcome: outcome.travel[outcome.dof])
            part = max(outcome.travel[dof] / outcome.bound[dof] for outcome in of_dof)
            rows.append(
                [
                    dof,
                    "fine" if fine else "coarse",
                    str(len(of_dof)),
                    length(dof, worst.travel[dof]),
                    length(dof, worst.bound[dof]),
                    f"{100 * part:.0f} %",
                ]
            )
    return rows


def void_attempts(outcomes: Sequence[Outcome]) -> int:
    """Count the faults that were made again: the robot had stopped by itself just before them."""
    return sum(outcome.attempts - 1 for outcome in outcomes)


def broken(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for each injection that broke a promise."""
    return [_complaint(outcome) for outcome in outcomes if not outcome.in_bounds]


def markdown(table: Sequence[Sequence[str]]) -> str:
    """Return a table for ``docs/``."""
    header, *rows = table
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def plain(table: Sequence[Sequence[str]]) -> str:
    """Return a table for a terminal."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )


def length(dof: str, value: float) -> str:
    """Return a distance of a DoF, given in m or rad, in mm or degrees."""
    return f"{1e3 * value:.1f} mm" if dof in METRES else f"{DEGREES * value:.1f}°"


def _complaint(outcome: Outcome) -> str:
    faults = []
    if outcome.missed:
        faults.append("missed")
    if outcome.zero_ms is not None and outcome.zero_ms > 1e3 * ZERO_LIMIT_S:
        faults.append(f"zero command after {outcome.zero_ms:.0f} ms")
    far = [dof for dof, distance in outcome.travel.items() if distance > outcome.bound[dof]]
    faults += [
        f"{dof} went {length(dof, outcome.travel[dof])} of {length(dof, outcome.bound[dof])}" for dof in far
    ]
    faults += [
        f"{dof} moved by {length(dof, distance)} before it was armed"
        for dof, distance in outcome.moved_later.items()
    ]
    if outcome.armed_in_gesture:
        faults.append("was armed while a gesture was made")
    said = outcome.reason or "nothing"
    return f"injection {outcome.index}, {outcome.kind}, {outcome.dof}: {'; '.join(faults)} (the bridge said: {said})"
