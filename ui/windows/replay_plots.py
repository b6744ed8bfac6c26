"""The plots of the replay window, all over the same seconds: EMG, decisions, robot, and a strip of the whole."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent, MouseDragEvent
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsSceneWheelEvent

from calibration.outcomes import UNDECIDED
from emg_acquisition.arrays import Float64Array
from evaluation.session_timeline import Cue, Decisions, Happening, Mistake, Track
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import BASE_DOF, DOF_NAMES
from ui.view_models.outline import Outline, lane_uv
from ui.view_models.replay import ReplayPlace
from ui.windows.gesture_picture import words
from ui.windows.theme import Theme, font
from ui.windows.widgets import ThemeNow

AXIS_WIDTH = 112
WHEEL_FACTOR = 1.0 / 1.25
WHEEL_NOTCH = 120
Segment = tuple[float, float, float]
AXIS_HEIGHT, WHOLE_HEIGHT = 20, 54
# What a DoF's line fills of its lane.
LANE_FILL = 0.8
MAX_CHANNEL_NAMES = 8


class _TimeBox(pg.ViewBox):
    """Mouse: the wheel zooms about where it points, dragging moves, a click goes there."""

    def __init__(self, place: ReplayPlace, *, whole: bool) -> None:
        super().__init__(enableMenu=False)
        self._place, self._whole = place, whole
        self.setDefaultPadding(0.0)
        self.setMouseEnabled(False, False)

    def wheelEvent(self, ev: QGraphicsSceneWheelEvent, axis: int | None = None) -> None:  # noqa: ARG002, N802 - pyqtgraph's names
        self._place.zoom(WHEEL_FACTOR ** (ev.delta() / WHEEL_NOTCH), self.mapToView(ev.pos()).x())
        ev.accept()

    def mouseDragEvent(self, ev: MouseDragEvent, axis: int | None = None) -> None:  # noqa: ARG002, N802
        ev.accept()
        at_s, before_s = (self.mapToView(point).x() for point in (ev.pos(), ev.lastPos()))
        if self._whole:
            self._place.seek(at_s)
        else:
            moved_s = before_s - at_s
            self._place.show(self._place.begin_s + moved_s, self._place.end_s + moved_s)

    def mouseClickEvent(self, ev: MouseClickEvent) -> None:  # noqa: N802
        if ev.button() == Qt.MouseButton.LeftButton:
            ev.accept()
            self._place.seek(self.mapToView(ev.pos()).x())


class _TimeAxis(pg.AxisItem):
    """Minutes and seconds."""

    def tickStrings(self, values: Sequence[float], _scale: float, spacing: float) -> list[str]:  # noqa: N802
        digits = 0 if spacing >= 1 else math.ceil(-math.log10(spacing))
        return [
            f"{int(value // 60)}:{value % 60:0{digits + 3 if digits else 2}.{digits}f}" for value in values
        ]


class TimePlot(pg.PlotWidget):
    """Something over time, with the cursor.

    Parameters
    ----------
    theme : callable
        Returns the look.
    place : ReplayPlace
        Where the person is; the mouse changes it.
    rows : float
        How many lanes there are, the first on top.
    whole : bool
        Whether always the whole session is shown.
    """

    def __init__(self, theme: ThemeNow, place: ReplayPlace, rows: float, *, whole: bool = False) -> None:
        super().__init__(viewBox=_TimeBox(place, whole=whole), axisItems={"bottom": _TimeAxis("bottom")})
        self._theme, self._place, self._whole, self.rows = theme, place, whole, rows
        self._pens: list[tuple[pg.PlotCurveItem, Callable[[Theme], QColor], float]] = []
        self._brushes: list[tuple[pg.BarGraphItem, Callable[[Theme], QColor]]] = []
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        left = self.getAxis("left")
        left.setWidth(AXIS_WIDTH)
        left.setStyle(tickLength=0, tickFont=font(8), maxTickLevel=0, hideOverlappingLabels=False)
        self.getAxis("bottom").setStyle(showValues=False, tickLength=0)
        self.getAxis("bottom").setHeight(1)
        self.setMinimumHeight(40)
        self._cursor = pg.InfiniteLine(angle=90)
        self._cursor.setZValue(10)
        self.addItem(self._cursor, ignoreBounds=True)

    def follow(self) -> None:
        """Show the stretch and the cursor as they are now."""
        begin_s, end_s = (
            (0.0, self._place.seconds) if self._whole else (self._place.begin_s, self._place.end_s)
        )
        self.setRange(xRange=(begin_s, end_s), yRange=(0, self.rows), padding=0)
        self._cursor.setValue(self._place.cursor_s)

    def restyle(self) -> None:
        """Follow a change of the look."""
        theme = self._theme()
        self.setBackground(theme.panel)
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(theme.line)
            self.getAxis(side).setTextPen(theme.text)
        self._cursor.setPen(pg.mkPen(theme.text, width=2))
        for curve, color, width in self._pens:
            curve.setPen(pg.mkPen(color(theme), width=width))
        for bars, color in self._brushes:
            fill = QColor(color(theme))
            fill.setAlpha(70)
            bars.setOpts(brush=fill, pen=None)

    def name_rows(self, names: Sequence[tuple[int, str]]) -> None:
        """Name lanes, counted from the top."""
        self.getAxis("left").setTicks([[(self.rows - row - 0.5, name) for row, name in names]])

    def add_curve(self, color: Callable[[Theme], QColor], width: float, connect: str) -> pg.PlotCurveItem:
        """Add a line in a colour of the look: ``pairs`` of points, or all that are ``finite``."""
        curve = pg.PlotCurveItem(connect=connect, skipFiniteCheck=False, antialias=False)
        self._pens.append((curve, color, width))
        self.addItem(curve, ignoreBounds=True)
        return curve

    def add_bars(self, segments: Sequence[Segment], color: Callable[[Theme], QColor]) -> None:
        """Fill lanes: begin and end in seconds, and the lane."""
        begins, ends, rows = np.array(segments, dtype=float).reshape(-1, 3).T
        low = self.rows - rows - 1
        bars = pg.BarGraphItem(x0=begins, x1=ends, y0=low, y1=low + 1)
        self._brushes.append((bars, color))
        self.addItem(bars, ignoreBounds=True)

    def show_segments(self, curve: pg.PlotCurveItem, segments: Sequence[Segment]) -> None:
        """Draw a line in a lane for each begin, end and place of the lanes."""
        begins, ends, rows = np.array(segments, dtype=float).reshape(-1, 3).T
        y = self.rows - rows
        curve.setData(np.stack([begins, ends], axis=1).ravel(), np.repeat(y, 2))

    def add_happenings(self, happenings: Sequence[Happening]) -> None:
        """Draw a line from top to bottom for each; a bad one in another colour."""
        for bad in (False, True):
            times = np.array([one.t_s for one in happenings if one.bad == bad])
            color = (lambda theme: theme.bad) if bad else (lambda theme: theme.faint)
            curve = self.add_curve(color, 2 if bad else 1, "pairs")
            curve.setData(np.repeat(times, 2), np.tile([0.0, self.rows], len(times)))


class TracesPlot(TimePlot):
    """Every channel's outline in a lane of its own, channel 1 on top."""

    def __init__(self, theme: ThemeNow, place: ReplayPlace, labels: Sequence[str]) -> None:
        super().__init__(theme, place, len(labels))
        step = math.ceil(len(labels) / MAX_CHANNEL_NAMES)
        self.name_rows([(k, labels[k]) for k in range(step // 2, len(labels), step)])
        self._curve = self.add_curve(lambda theme: theme.accent, 1, "finite")
        self.lane_uv = 0.0

    def show_outline(self, outline: Outline, usual_rms_uv: float) -> None:
        """Show another outline; the RMS of a usual channel sets how high a lane is."""
        n_columns, n_channels = outline.low.shape
        if n_columns == 0:
            self._curve.setData([], [])
            return
        self.lane_uv = lane_uv(usual_rms_uv)
        lanes = np.arange(n_channels, 0, -1) - 0.5
        y = np.empty((n_channels, 2 * n_columns + 1), dtype=np.float32)
        y[:, 0:-1:2] = (np.clip(outline.low / self.lane_uv, -0.5, 0.5) + lanes).T
        y[:, 1:-1:2] = (np.clip(outline.high / self.lane_uv, -0.5, 0.5) + lanes).T
        y[:, -1] = np.nan
        x = np.append(np.repeat(outline.t_s, 2), outline.t_s[-1])
        self._curve.setData(np.tile(x, n_channels), y.ravel())


class DecisionsPlot(TimePlot):
    """A lane a gesture: cues as areas, decisions as lines; below, where they differ."""

    def __init__(
        self, theme: ThemeNow, place: ReplayPlace, gestures: Sequence[str], cues: Sequence[Cue]
    ) -> None:
        super().__init__(theme, place, len(gestures) + 2)
        self._lanes = {name: k for k, name in enumerate((*gestures, UNDECIDED))}
        self.name_rows(
            [(k, words(name)) for name, k in self._lanes.items()] + [(len(self._lanes), "differs from cue")]
        )
        self.add_bars(
            [
                (cue.begin_s, cue.end_s, self._lanes[cue.gesture])
                for cue in cues
                if cue.gesture in self._lanes
            ],
            lambda theme: theme.faint,
        )
        self._recorded = self.add_curve(lambda theme: theme.accent, 4, "pairs")
        self._replayed = self.add_curve(lambda theme: theme.warn, 4, "pairs")
        self._mistakes = self.add_curve(lambda theme: theme.bad, 9, "pairs")

    def show_decisions(self, decisions: Decisions | None, *, replayed: bool) -> None:
        """Show decisions: those recorded in the upper half of a lane, those of a replay in the lower."""
        curve, offset = (self._replayed, 0.7) if replayed else (self._recorded, 0.3)
        if decisions is None:
            return
        lanes = [self._lanes[decisions.name(index)] for index in range(len(decisions.gestures))]
        none = self._lanes[UNDECIDED]
        self.show_segments(
            curve,
            [(b, e, (lanes[index] if index >= 0 else none) + offset) for b, e, index in decisions.runs()],
        )

    def show_mistakes(self, mistakes: Sequence[Mistake]) -> None:
        """Show where decisions differ from their cue."""
        self.show_segments(self._mistakes, [(one.begin_s, one.end_s, self.rows - 0.5) for one in mistakes])


class RobotPlot(TimePlot):
    """A lane a DoF between its limits: where it is, and what was commanded; of the wheels their commanded speed."""

    def __init__(self, theme: ThemeNow, place: ReplayPlace, model: RobotModel) -> None:
        super().__init__(theme, place, len(DOF_NAMES))
        self.name_rows([(k, words(name)) for k, name in enumerate(DOF_NAMES)])
        self._ranges = [_range(model, name) for name in DOF_NAMES]
        # The lowest plot says what time it is for all of them.
        self.getAxis("bottom").setStyle(showValues=True, tickFont=font(8))
        self.getAxis("bottom").setHeight(AXIS_HEIGHT)
        self._commanded = self.add_curve(lambda theme: theme.warn, 1, "finite")
        self._measured = self.add_curve(lambda theme: theme.accent, 2, "finite")

    def show_tracks(self, joints: Track | None, commands: Track | None, columns: int) -> None:
        """Show what there is of both in the stretch that is shown now."""
        for curve, track in ((self._measured, joints), (self._commanded, commands)):
            if track is not None:
                curve.setData(*self._lines(track, columns))

    def _lines(self, track: Track, columns: int) -> tuple[Float64Array, Float64Array]:
        first = max(0, int(np.searchsorted(track.t_s, self._place.begin_s)) - 1)
        stop = int(np.searchsorted(track.t_s, self._place.end_s)) + 1
        t_s, values = track.t_s[first:stop], track.values[first:stop]
        together = math.ceil(len(t_s) / columns)
        if together > 1:
            starts = np.arange(0, len(t_s), together)
            low, high = (reduce.reduceat(values, starts, axis=0) for reduce in (np.fmin, np.fmax))
            t_s = np.repeat(t_s[starts], 2)
            values = np.stack([low, high], axis=1).reshape(-1, values.shape[1])
        gap = np.array([np.nan])
        x: list[Float64Array] = []
        y: list[Float64Array] = []
        for k, (lowest, highest) in enumerate(self._ranges):
            part = np.clip((values[:, k] - lowest) / (highest - lowest), 0, 1)
            x += [t_s, gap]
            y += [self.rows - k - 1 + (1 - LANE_FILL) / 2 + LANE_FILL * part, gap]
        return np.concatenate(x), np.concatenate(y)


def _range(model: RobotModel, name: str) -> tuple[float, float]:
    dof = model.dof[name]
    if name in BASE_DOF:
        return -dof.coarse, dof.coarse
    return dof.position_lower, dof.position_upper


class WholePlot(TimePlot):
    """The whole session in one strip: what is shown of it, where decisions differ from cues, and what happened."""

    def __init__(self, theme: ThemeNow, place: ReplayPlace, happenings: Sequence[Happening]) -> None:
        super().__init__(theme, place, 2, whole=True)
        self.setFixedHeight(WHOLE_HEIGHT)
        self.name_rows([(0, "differs from cue"), (1, "events")])
        self._mistakes = self.add_curve(lambda theme: theme.bad, 2, "pairs")
        self._region = pg.LinearRegionItem(movable=False)
        self._region.setZValue(-5)
        self.addItem(self._region, ignoreBounds=True)
        for bad in (False, True):
            times = np.array([one.t_s for one in happenings if one.bad == bad])
            color = (lambda theme: theme.bad) if bad else (lambda theme: theme.faint)
            self.add_curve(color, 2, "pairs").setData(np.repeat(times, 2), np.tile([0.1, 0.9], len(times)))

    def follow(self) -> None:
        """Show the cursor, and which stretch the other plots show."""
        super().follow()
        self._region.setRegion((self._place.begin_s, self._place.end_s))

    def restyle(self) -> None:
        """Follow a change of the look."""
        super().restyle()
        fill = QColor(self._theme().accent)
        fill.setAlpha(60)
        self._region.setBrush(fill)
        for line in self._region.lines:
            line.setPen(self._theme().accent)

    def show_mistakes(self, mistakes: Sequence[Mistake]) -> None:
        """Show where decisions differ from their cue."""
        times = np.array([one.begin_s for one in mistakes])
        self._mistakes.setData(np.repeat(times, 2), np.tile([1.1, 1.9], len(times)))
