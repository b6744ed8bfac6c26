"""Figures as pictures that stand in the page itself: SVG by matplotlib, the same bytes for the same figures."""

import base64
import io
from collections.abc import Sequence
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emg_acquisition.arrays import IntArray
from evaluation.figures_of_merit.confidence import RejectionCurve, Reliability
from evaluation.judging.cross_validation import CurvePoint

INK, SECOND, PALE = "#1f6fb2", "#b3430b", "#9aa4ad"
Picture: TypeAlias = Markup
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "hdemg",
    "svg.fonttype": "path",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
}


def picture(figure: Figure, text: str) -> Picture:
    """Return an ``img`` element that holds the figure; `text` is read out to people who do not see it."""
    out = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(out, format="svg", metadata={"Date": None})
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return Markup("<img alt='{}' src='data:image/svg+xml;base64,{}'>").format(text, data)


def new_axes(width: float, height: float) -> tuple[Figure, Axes]:
    """Make a figure of so many inches with one panel; no window, no global state."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()


def confusion_picture(counts: IntArray, gestures: Sequence[str]) -> Picture:
    """Draw trials by what was asked (rows) and decided (columns), coloured by share of the row."""
    there = np.flatnonzero(counts.sum(axis=1) > 0)
    shown = counts[there]
    share = shown / shown.sum(axis=1, keepdims=True)
    names = [*gestures, "no decision"]
    size = 1.6 + 0.5 * len(names)
    figure, axes = new_axes(size + 0.6, size)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(shown > 0):
        colour = "white" if share[row, column] > 0.6 else "black"  # noqa: PLR2004 - legible on the blue
        axes.text(column, row, str(shown[row, column]), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right")
    axes.set_yticks(range(len(there)), [gestures[int(k)] for k in there])
    axes.set_xlabel("decided")
    axes.set_ylabel("asked")
    return picture(figure, "Confusion of trials")


def reliability_picture(found: Reliability) -> Picture:
    """Draw share right against confidence; on the diagonal, probabilities mean what they say."""
    figure, axes = new_axes(4.2, 3.6)
    full = found.count > 0
    axes.plot([0, 1], [0, 1], color=PALE, lw=1)
    sizes = 15 + 120 * np.sqrt(found.count[full] / found.count.sum())
    axes.scatter(found.confidence[full], found.correct[full], s=sizes, color=INK, alpha=0.7)
    axes.plot(found.confidence[full], found.correct[full], color=INK, lw=0.8)
    axes.set(xlabel="confidence", ylabel="share of windows right", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.set_title(f"expected calibration error {found.expected_error:.3f}", fontsize=10)
    return picture(figure, "Reliability diagram")


def rejection_picture(curve: RejectionCurve, threshold: float) -> Picture:
    """Draw what a confidence threshold keeps, and how right the kept are; the decoder's own is marked."""
    figure, axes = new_axes(4.2, 3.6)
    axes.plot(curve.threshold, curve.accuracy, color=INK, label="of the kept, right")
    axes.plot(curve.threshold, curve.kept, color=SECOND, ls="--", label="kept")
    axes.axvline(threshold, color=PALE, lw=1)
    axes.set(xlabel="confidence threshold", ylabel="share of windows", ylim=(0, 1.02))
    axes.legend(frameon=False, loc="lower left")
    return picture(figure, "Rejection curve")


def delays_picture(delays_ms: Sequence[float]) -> Picture:
    """Draw how soon after the muscle's onset gestures out of rest were decided; those never decided are counted."""
    figure, axes = new_axes(4.2, 3.6)
    finite = np.sort([delay for delay in delays_ms if np.isfinite(delay)])
    axes.step(finite, np.arange(1, len(finite) + 1) / len(delays_ms), where="post", color=INK)
    axes.axvline(300.0, color=PALE, lw=1)
    missed = len(delays_ms) - len(finite)
    axes.set(xlabel="ms after muscle onset", ylabel="share of beginnings decided", ylim=(0, 1.02))
    axes.set_title(f"{len(delays_ms)} beginnings out of rest, {missed} never decided", fontsize=10)
    return picture(figure, "Delay from muscle onset")


def dots_picture(
    names: Sequence[str], series: dict[str, Sequence[float]], low: Sequence[float], high: Sequence[float]
) -> Picture:
    """Draw a share by name; the first series with its interval, the others as further marks."""
    figure, axes = new_axes(7.2, 1.2 + 0.24 * len(names))
    places = np.arange(len(names))[::-1]
    first = next(iter(series.values()))
    axes.hlines(places, np.nan_to_num(low, nan=0), np.nan_to_num(high, nan=0), color=PALE, lw=3)
    marks = "os^Dv"
    for k, (name, values) in enumerate(series.items()):
        colour = INK if values is first else SECOND
        axes.plot(values, places, marks[k % len(marks)], color=colour, ms=5, label=name, alpha=0.85)
    axes.set_yticks(places, names, fontsize=8)
    axes.set_xlim(min(0.5, float(np.nanmin([np.nanmin(values) for values in series.values()])) - 0.05), 1.02)
    axes.set_xlabel("share right")
    axes.grid(axis="x", color="#e3e6e8")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=8)
    return picture(figure, "Share right by session")


def curve_picture(points: Sequence[CurvePoint]) -> Picture:
    """Draw the learning curve: a thin line a session, a thick one for their mean."""
    figure, axes = new_axes(4.2, 3.6)
    by_session: dict[tuple[str, str], dict[int, float]] = {}
    for one in points:
        own = by_session.setdefault((one.participant, one.session), {})
        own[one.repetitions] = float(np.mean(one.window_accuracy))
    for line in by_session.values():
        axes.plot(list(line), list(line.values()), color=PALE, lw=0.8)
    counts = sorted({one.repetitions for one in points})
    means = [np.mean([line[n] for line in by_session.values() if n in line]) for n in counts]
    axes.plot(counts, means, "o-", color=INK)
    axes.set(xlabel="repetitions of each gesture trained on", ylabel="share of windows right")
    axes.set_xticks(counts)
    return picture(figure, "Learning curve")
