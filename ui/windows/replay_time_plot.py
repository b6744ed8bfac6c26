"""What every plot of the replay window is: something over the session's seconds, with the cursor and a mouse."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent, MouseDragEvent
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsSceneWheelEvent

from evaluation.session_timeline import Happening
from ui.view_models.replay_place import ReplayPlace
from ui.windows.theme import Theme, font
from ui.windows.widgets import ThemeNow

AXIS_WIDTH = 112
WHEEL_FACTOR = 1.0 / 1.25
WHEEL_NOTCH = 120
Segment = tuple[float, float, float]


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
