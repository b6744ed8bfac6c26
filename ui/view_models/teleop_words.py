"""What a live session's window says in words: checks, health, the trial, and where each DoF is."""

import math

from robot_bridge.operator_link import RobotSnapshot
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES
from teleoperation.session_view import TeleopView

# Slower than anybody sees, m/s or rad/s.
STANDS = 1e-3


def checks_text(view: TeleopView) -> str:
    """Return a line for each check that is not good, with what to do."""
    lines = [
        f"✗ {check.name}: {check.found}" + (f" — {check.remedy}" if check.remedy else "")
        for check in view.checks
        if not check.good
    ]
    return "\n".join(lines) if lines else f"✓ all {len(view.checks)} checks are good"


def health_text(view: TeleopView) -> str:
    """Return latency, gaps, stops, recording, battery and restarts."""
    robot = view.robot
    parts = [
        f"latency {_number(robot.latency_ms_median)} ms (p99 {_number(robot.latency_ms_p99)})",
        f"gaps {sum(seen.gaps for seen in view.seen)}",
        f"stops {robot.stops}",
        f"recording {view.recorded_bytes / 1e6:.0f} MB" if view.recording is not None else "NOT recorded",
    ]
    if math.isfinite(robot.battery_v):
        parts.append(f"battery {robot.battery_v:.1f} V")
    restarts = sum(part.restarts for part in view.parts)
    if restarts:
        parts.append(f"restarts {restarts}")
    # A line ends between two figures, never within one.
    return " · ".join(part.replace(" ", "\u00a0") for part in parts)


def task_text(view: TeleopView) -> str:
    """Return task, trial and clock."""
    sheet = view.sheet
    name = sheet.task.name if sheet.task is not None else "free driving"
    clock = f"{sheet.seconds:.0f} s" + (" — OVER TIME" if sheet.over_time else "")
    state = f"trial {sheet.trial}, {clock}" if sheet.running else "next trial: T"
    total = f" · {sheet.done} of {sheet.total} done" if sheet.total else ""
    return f"{name}: {state}{total}"


def joint_rows(robot: RobotSnapshot, model: RobotModel) -> list[tuple[str, float | None, str, bool]]:
    """Return for each DoF its name, place in its range (None for the wheels), position, and whether it moves."""
    if robot.positions is None:
        return []
    speeds = robot.velocities or (0.0,) * len(DOF_NAMES)
    rows = []
    for name, position, speed in zip(DOF_NAMES, robot.positions, speeds, strict=True):
        limits = model.dof[name]
        text = f"{position:+.2f} m" if limits.unit == "m" else f"{math.degrees(position):+.0f}°"
        place = None
        if limits.joint:
            place = (position - limits.position_lower) / (limits.position_upper - limits.position_lower)
        rows.append((name.replace("_", " "), place, text, abs(speed) > STANDS))
    return rows


def _number(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else "?"
