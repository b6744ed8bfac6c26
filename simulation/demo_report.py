"""The demo's report: one HTML file without scripts or links, readable on screen and on paper."""

from pathlib import Path

import numpy as np

from calibration.outcomes import UNDECIDED, confusion_counts
from emg_acquisition.arrays import Float64Array
from evaluation.reports.page import write_page
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.demo import DemoResult

TEMPLATE = Path(__file__).with_name("demo_report.html.j2")
PLOT_WIDTH, PLOT_HEIGHT, PLOT_LEFT = 900, 70, 130
MAX_POINTS = 1500


def write_report(result: DemoResult, path: Path) -> Path:
    """Write the report of a demo to `path` and return it."""
    names = list(result.gestures)
    truth = np.array([names.index(one.trial.gesture) for one in result.outcomes], dtype=np.int64)
    decided = np.array([one.index for one in result.outcomes], dtype=np.int64)
    confusion = confusion_counts(truth, decided, len(names)).tolist()
    t_s = result.track.t_lsl_s - result.track.t_lsl_s[0]
    return write_page(
        path,
        TEMPLATE,
        title="hdemg demo",
        summary=_summary(result),
        motions=[_motion(result, name) for name in DOF_NAMES],
        plots=[_plot(result, name, t_s) for name in DOF_NAMES],
        width=PLOT_WIDTH,
        height=PLOT_HEIGHT,
        left=PLOT_LEFT,
        seconds=float(t_s[-1]),
        decided=(*names, UNDECIDED),
        confusion=list(zip(names, confusion, strict=True)),
    )


def _summary(result: DemoResult) -> list[tuple[str, str]]:
    identical = {True: "identical", False: "DIFFERENT", None: "nothing was recorded"}[result.identical]
    held_out = result.training.trial_accuracy
    return [
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
    ]


def _motion(result: DemoResult, name: str) -> tuple[str, list[tuple[float, bool]]]:
    """Return a DoF with its unit, and how far it moved in each hold, coarse before fine, forward before back."""
    metres = result.model.dof[name].unit == "m"
    holds = sorted((h for h in result.holds if h.dof == name), key=lambda h: (h.fine, -h.direction))
    moved = [(hold.moved * 1e3 if metres else float(np.degrees(hold.moved)), hold.achieved) for hold in holds]
    return f"{name} ({'mm' if metres else '°'})", moved


def _plot(result: DemoResult, name: str, t_s: Float64Array) -> dict[str, str]:
    position = result.track.positions[:, DOF_NAMES.index(name)]
    unit = "m" if result.model.dof[name].unit == "m" else "rad"
    low, high = float(position.min()), float(position.max())
    x = PLOT_LEFT + (PLOT_WIDTH - PLOT_LEFT - 10) * t_s / max(float(t_s[-1]), 1e-6)
    y = 10 + (PLOT_HEIGHT - 20) * (1 - (position - low) / max(high - low, 1e-6))
    step = max(1, len(x) // MAX_POINTS)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[::step], y[::step], strict=True))
    return {"name": name, "range": f"{low:.2f} … {high:.2f} {unit}", "points": points}
