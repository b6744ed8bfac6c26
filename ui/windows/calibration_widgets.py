"""What the calibration window is made of beyond `ui.windows.widgets`: countdown, gauge, confusion, progress, steps."""

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from calibration.session_view import ActivityView, CueView, Phase, ResultView
from ui.windows.gesture_picture import words
from ui.windows.theme import Theme, font
from ui.windows.widgets import CENTRE, LEFT, RIGHT, Drawn, ThemeNow

FULL_TURN = 16 * 360
PHASE_WORDS = {
    Phase.REST: "Rest",
    Phase.GET_READY: "Get ready",
    Phase.RAMP: "Build up",
    Phase.HOLD: "Hold",
}
# The gauge ends a little above what is asked for.
GAUGE_TOP = 1.25
MIN_POINTS = 6.0


def draw_fitted(
    painter: QPainter, box: QRectF, flags: int, text: str, points: float, *, bold: bool = False
) -> None:
    """Write one line as large as asked for, or as fits into the box."""
    while points > MIN_POINTS:
        metrics = QFontMetricsF(font(points, bold=bold))
        if metrics.horizontalAdvance(text) <= box.width() and metrics.height() <= box.height() + 2:
            break
        points -= 0.5
    painter.setFont(font(points, bold=bold))
    painter.drawText(box, flags, text)


class Words(QLabel):
    """Wrapped writing that follows the look and its text scale."""

    def __init__(
        self,
        theme: ThemeNow,
        points: float,
        *,
        bold: bool = False,
        align: Qt.AlignmentFlag = LEFT,
        color: Callable[[Theme], QColor] = lambda theme: theme.text,
    ) -> None:
        super().__init__()
        self._theme, self._points, self._bold, self._color = theme, points, bold, color
        self.setWordWrap(True)
        self.setAlignment(align)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.restyle()

    def restyle(self) -> None:
        """Follow a change of the look."""
        theme = self._theme()
        self.setFont(font(self._points * theme.text_scale, bold=self._bold))
        palette = self.palette()
        palette.setColor(self.foregroundRole(), self._color(theme))
        self.setPalette(palette)


class FittedLine(Drawn):
    """One line of writing in the middle, smaller where it would not fit; it keeps its place when it is empty."""

    def __init__(self, theme: ThemeNow, points: float, parent: QWidget | None = None) -> None:
        super().__init__(theme, (400, round(2.0 * points)), parent)
        self.setFixedHeight(round(2.0 * points))
        self._points, self._text = points, ""

    def show_text(self, text: str) -> None:
        """Write something else."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the line."""
        painter.setPen(theme.text)
        box = QRectF(self.rect())
        draw_fitted(painter, box, int(CENTRE), self._text, self._points * theme.text_scale, bold=True)


class StepTrail(Drawn):
    """Where one stands: steps that are done with a tick, this one filled, those to come as rings."""

    def __init__(self, theme: ThemeNow, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(theme, (700, 44), parent)
        self._names, self._at = tuple(names), 0
        self.setMinimumHeight(40)

    def show_step(self, at: int) -> None:
        """Show another step, counted from 0."""
        if at != self._at:
            self._at = at
            self.setAccessibleName(f"step {at + 1} of {len(self._names)}: {self._names[at]}")
            self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the steps from left to right."""
        width = self.width() / len(self._names)
        radius = 9.0
        for k, name in enumerate(self._names):
            centre = QPointF(k * width + radius + 3, self.height() / 2)
            color = theme.accent if k == self._at else theme.good if k < self._at else theme.faint
            painter.setPen(QPen(color, 2.5))
            painter.setBrush(theme.accent if k == self._at else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, radius, radius)
            if k < self._at:
                tick = [centre + QPointF(*at) for at in ((-4.5, 0.5), (-1, 4.5), (5, -4.5))]
                painter.drawPolyline(QPolygonF(tick))
            painter.setPen(theme.text if k == self._at else theme.faint)
            box = QRectF(centre.x() + radius + 6, 0, width - 2 * radius - 12, self.height())
            draw_fitted(painter, box, int(LEFT), name, 13 * theme.text_scale, bold=k == self._at)


class CountdownRing(Drawn):
    """The seconds that a phase has left: a ring that empties, the figure in it, the phase in words below."""

    def __init__(self, theme: ThemeNow, parent: QWidget | None = None) -> None:
        super().__init__(theme, (300, 260), parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._share, self._figure, self._phase, self._with_words = 0.0, "", Phase.REST, True

    def show_cue(self, cue: CueView, *, with_words: bool) -> None:
        """Show the phase of a cue."""
        self._share = cue.seconds_left / cue.phase_seconds if cue.phase_seconds > 0 else 0.0
        self._figure = f"{math.ceil(cue.seconds_left)}"
        self._phase, self._with_words = cue.phase, with_words
        self.setAccessibleName(f"{PHASE_WORDS[cue.phase]}, {self._figure} s")
        self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the ring."""
        below = 0.22 * self.height() if self._with_words else 0.0
        side = min(self.width(), self.height() - below) - 24
        ring = QRectF((self.width() - side) / 2, 12, side, side)
        color = phase_color(theme, self._phase)
        thick = 0.11 * side
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.line, thick))
        painter.drawEllipse(ring.adjusted(thick / 2, thick / 2, -thick / 2, -thick / 2))
        painter.setPen(QPen(color, thick, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        inner = ring.adjusted(thick / 2, thick / 2, -thick / 2, -thick / 2)
        painter.drawArc(inner, FULL_TURN // 4, -round(self._share * FULL_TURN))
        painter.setPen(theme.text)
        draw_fitted(painter, ring, int(CENTRE), self._figure, 0.3 * side, bold=True)
        if self._with_words:
            painter.setPen(color)
            text = QRectF(0, ring.bottom() + 4, self.width(), below - 6)
            draw_fitted(painter, text, int(CENTRE), PHASE_WORDS[self._phase].upper(), 0.5 * below, bold=True)


def phase_color(theme: Theme, phase: Phase) -> QColor:
    """Return the colour of a phase; its word, and the frame of the picture, say the same."""
    return {
        Phase.REST: theme.faint,
        Phase.GET_READY: theme.warn,
        Phase.RAMP: theme.accent,
        Phase.HOLD: theme.good,
    }[phase]


class ActivityGauge(Drawn):
    """The muscle's activity as a column next to the band that is asked for; the word below says more or less."""

    def __init__(self, theme: ThemeNow, parent: QWidget | None = None) -> None:
        super().__init__(theme, (150, 380), parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._activity: ActivityView | None = None
        self._with_words = True

    def show_activity(self, activity: ActivityView | None, *, with_words: bool) -> None:
        """Show another activity; None before rest is known."""
        self._activity, self._with_words = activity, with_words
        self.setAccessibleName(f"muscle activity: {self.word()}")
        self.update()

    def word(self) -> str:
        """Return what the column says, in a word."""
        activity = self._activity
        if activity is None:
            return "wait"
        if activity.in_target:
            return "good"
        return "more" if activity.level < activity.target_low else "less"

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the column from below."""
        foot = 44.0 if self._with_words else 8.0
        column = QRectF(0.34 * self.width(), 8, 0.4 * self.width(), self.height() - 8 - foot)
        painter.setPen(QPen(theme.line, 2))
        painter.setBrush(theme.panel)
        painter.drawRoundedRect(column, 8, 8)
        activity = self._activity
        if activity is not None:
            self._draw_levels(painter, theme, column, activity)
        if self._with_words:
            word = self.word()
            sign = {"good": "✓ ", "more": "▲ ", "less": "▼ "}.get(word, "")
            painter.setPen(theme.good if word == "good" else theme.warn)
            text = QRectF(0, column.bottom() + 4, self.width(), foot - 6)
            draw_fitted(painter, text, int(CENTRE), sign + word, 19 * theme.text_scale, bold=True)

    def _draw_levels(self, painter: QPainter, theme: Theme, column: QRectF, activity: ActivityView) -> None:
        top = GAUGE_TOP * max(1.6, activity.target_high)

        def height(level: float) -> float:
            return column.bottom() - min(1.0, max(0.0, level / top)) * column.height()

        upper, lower = height(activity.target_high), height(activity.target_low)
        band = QRectF(column.x() - 8, upper, column.width() + 16, lower - upper)
        level = height(activity.level if math.isfinite(activity.level) else 0.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.good if activity.in_target else theme.warn)
        painter.drawRoundedRect(
            QRectF(column.x() + 4, level, column.width() - 8, column.bottom() - level - 2), 6, 6
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.text, 3, Qt.PenStyle.DashLine))
        painter.drawRect(band)
        painter.setPen(theme.text)
        name = QRectF(0, (upper + lower) / 2 - 12, band.x() - 4, 24)
        if self._with_words:
            draw_fitted(painter, name, int(RIGHT), "aim", 13)


class ProgressBar(Drawn):
    """A share of something long, with words in it."""

    def __init__(self, theme: ThemeNow, *, height: int = 34, parent: QWidget | None = None) -> None:
        super().__init__(theme, (500, height), parent)
        self.setFixedHeight(height)
        self._share, self._text = 0.0, ""

    def show_share(self, share: float, text: str) -> None:
        """Show another share (0 to 1)."""
        self._share, self._text = min(1.0, max(0.0, share)), text
        self.setAccessibleName(f"{share:.0%} {text}")
        self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the bar; the words change colour where it is filled."""
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(theme.line, 2))
        painter.setBrush(theme.panel)
        painter.drawRoundedRect(box, 8, 8)
        filled = QRectF(box.x(), box.y(), self._share * box.width(), box.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.accent)
        painter.drawRoundedRect(filled, 8, 8)
        empty = QRectF(filled.right(), box.y(), box.right() - filled.right(), box.height())
        for part, ink in ((empty, theme.text), (filled, theme.panel)):
            painter.save()
            painter.setClipRect(part)
            painter.setPen(ink)
            draw_fitted(painter, box, int(CENTRE), self._text, 14 * theme.text_scale, bold=True)
            painter.restore()


class ConfusionMatrix(Drawn):
    """Held-out shares by asked gesture (rows) and decoded gesture (columns); one row is chosen."""

    chosen = Signal(str)

    def __init__(self, theme: ThemeNow, parent: QWidget | None = None) -> None:
        super().__init__(theme, (620, 520), parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._result: ResultView | None = None
        self._row = ""

    def show_result(self, result: ResultView, row: str) -> None:
        """Show a result, with a frame round the row of a gesture."""
        if (result, row) != (self._result, self._row):
            self._result, self._row = result, row
            self.update()

    def _cells(self) -> tuple[QRectF, float, float]:
        """Return the place of the cells and the size of one."""
        n = len(self._result.gestures) if self._result else 1
        names, head = 0.23 * self.width(), 112.0
        box = QRectF(names, head, self.width() - names - 44, self.height() - head - 4)
        return box, box.width() / n, min(52.0, box.height() / n)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose the row that was pressed."""
        box, _wide, high = self._cells()
        row = int((event.position().y() - box.y()) // high)
        if self._result is not None and 0 <= row < len(self._result.gestures):
            self.chosen.emit(self._result.gestures[row])

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the cells."""
        result = self._result
        if result is None:
            return
        box, wide, high = self._cells()
        painter.setPen(theme.faint)
        draw_fitted(painter, QRectF(0, 0, box.x() - 8, 40), int(RIGHT), "asked ↓   decoded →", 11)
        for k, name in enumerate(result.gestures):
            self._draw_names(painter, theme, words(name), k)
            for other, share in enumerate(result.confusion[k]):
                cell = QRectF(box.x() + other * wide, box.y() + k * high, wide, high).adjusted(1, 1, -1, -1)
                color = theme.good if other == k else theme.bad
                painter.setPen(QPen(theme.line, 1))
                painter.setBrush(theme.panel)
                painter.drawRect(cell)
                painter.setOpacity(0.12 + 0.73 * share if share >= 0.005 else 0.0)  # noqa: PLR2004 - 0 % in words
                painter.fillRect(cell, color)
                painter.setOpacity(1.0)
                if share >= 0.005:  # noqa: PLR2004 - 0 % in words
                    painter.setPen(theme.text)
                    draw_fitted(painter, cell, int(CENTRE), f"{share:.0%}", 12, bold=other == k)
        if self._row in result.gestures:
            k = result.gestures.index(self._row)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.accent, 4))
            painter.drawRect(QRectF(2, box.y() + k * high, box.right() - 2, high))

    def _draw_names(self, painter: QPainter, theme: Theme, name: str, k: int) -> None:
        box, wide, high = self._cells()
        painter.setPen(theme.text)
        row = QRectF(8, box.y() + k * high, box.x() - 16, high)
        draw_fitted(painter, row, int(RIGHT), name, 13)
        head = QRectF(box.x() + k * wide, 0, wide, box.y() - 4)
        painter.save()
        painter.translate(head.center().x(), head.bottom() - 4)
        painter.rotate(-60)
        draw_fitted(painter, QRectF(0, -11, 118, 22), int(LEFT), name, 11)
        painter.restore()
