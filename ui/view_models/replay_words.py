"""What is at the cursor of a replay window, in words: rows of a name, a text, and how it is meant."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evaluation.session_timeline import Cue, Decisions, Happening, Mistake, Track
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import BASE_DOF, DOF_NAMES

Tone = Literal["text", "faint", "accent", "warn", "bad"]
EVENTS_SHOWN = 5
LONGEST_EVENT = 30


@dataclass(frozen=True)
class Row:
    """A line of a table."""

    name: str
    text: str
    tone: Tone = "text"


def decided_rows(
    cues: Sequence[Cue], recorded: Decisions | None, replayed: Decisions | None, t_s: float
) -> list[Row]:
    """Return what was asked for and what was decided at a time; what the session does not hold has no row."""
    cue = next((cue for cue in reversed(cues) if cue.begin_s <= t_s <= cue.end_s), None)
    rows = [Row("cue", _words(cue.gesture) if cue is not None else "none")]
    for name, decisions, tone in (("recorded", recorded, "accent"), ("replayed", replayed, "warn")):
        if decisions is not None:
            found = decisions.at(t_s)
            text = f"{_words(found[0])} {found[1]:.2f}" if found is not None else "none yet"
            rows.append(Row(name, text, tone))  # type: ignore[arg-type]
    return rows


def mistake_text(mistakes: Sequence[Mistake], t_s: float) -> str:
    """Say which of the stretches that differ from their cue the cursor is in, or how many there are."""
    if not mistakes:
        return "nothing differs from its cue"
    before = bisect_right([one.begin_s for one in mistakes], t_s)
    one = mistakes[before - 1]
    if before == 0 or t_s > one.end_s:
        return f"{len(mistakes)} stretches differ from their cue, {before} of them before here"
    lasts_ms = 1000 * (one.end_s - one.begin_s)
    return (
        f"{before} of {len(mistakes)}: {_words(one.decided)} instead of {_words(one.cued)}, {lasts_ms:.0f} ms"
    )


def robot_rows(joints: Track | None, commands: Track | None, model: RobotModel, t_s: float) -> list[Row]:
    """Return each DoF's position and command at a time; of the wheels only the commanded speed is known."""
    rows = []
    position = joints.at(t_s) if joints is not None else None
    command = commands.at(t_s) if commands is not None else None
    for k, name in enumerate(DOF_NAMES):
        unit = model.dof[name].unit
        if name in BASE_DOF:
            text = _measure(command[k], f"{unit}/s") if command is not None else "-"
        else:
            is_there = _measure(position[k], unit) if position is not None else "-"
            wanted = _measure(command[k], unit) if command is not None else "-"
            text = f"{is_there} → {wanted}"
        rows.append(Row(_words(name), text))
    return rows


def _measure(value: float, unit: str) -> str:
    return f"{value:+.2f} {unit}" if math.isfinite(value) else "-"


def event_rows(happenings: Sequence[Happening], t_s: float) -> list[Row]:
    """Return the events around a time, those that are still to come in a fainter writing."""
    before = bisect_right([one.t_s for one in happenings], t_s)
    first = max(0, min(before - EVENTS_SHOWN + 1, len(happenings) - EVENTS_SHOWN))
    rows = []
    for k in range(first, min(first + EVENTS_SHOWN, len(happenings))):
        one = happenings[k]
        text = one.text if len(one.text) <= LONGEST_EVENT else f"{one.text[: LONGEST_EVENT - 1]}…"
        tone: Tone = "bad" if one.bad else ("text" if k < before else "faint")
        rows.append(Row(clock(one.t_s), text, tone))
    return rows


def clock(t_s: float) -> str:
    """Write a time as minutes, seconds and milliseconds."""
    t_ms = round(1000 * t_s)
    return f"{t_ms // 60000}:{t_ms // 1000 % 60:02d}.{t_ms % 1000:03d}"


def _words(name: str) -> str:
    return name.replace("_", " ")
