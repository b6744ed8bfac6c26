"""What windows are made of: each draws one thing, from plain values, as large as there is room."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from emg_acquisition.quality.monitor import ChannelState
from emg_acquisition.quality.picture import SYMBOLS
from ui.windows.theme import Theme, font

ThemeNow = Callable[[], Theme]
CENTRE, LEFT = Qt.AlignmentFlag.AlignCenter, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
# Word, and the corners of a shape on the unit circle (0 is a ring), so that colour is never alone.
STATES = {
    "disarmed": ("DISARMED", 0),
    "armed": ("ARMED", 4),
    "moving": ("MOVING", 3),
    "stopped": ("STOPPED", 8),
    "fault": ("FAULT", 3),
    "": ("NO BRIDGE", 0),
}
MARGIN = 8
MOVES = "▶ "
# Of the state's word: large enough to be read from a chair next to the robot.
REASON_SHARE = 0.54


class Drawn(QWidget):
    """A widget that paints itself from what it was last shown."""

    def __init__(self, theme: ThemeNow, hint: tuple[int, int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._hint = QSize(*hint)
        self.setMinimumSize(hint[0] // 2, hint[1] // 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Qt asks."""
        return self._hint

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Qt asks."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw(painter, self.theme())

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw; to be overridden."""
        raise NotImplementedError


def state_color(theme: Theme, state: str) -> QColor:
    """Return the colour of a state of the safety machine."""
    return {
        "armed": theme.warn,
        "moving": theme.accent,
        "stopped": theme.bad,
        "fault": theme.bad,
    }.get(state, theme.faint)


class StateBadge(Drawn):
    """Armed, stopped and why: word, shape and colour."""

    def __init__(self, theme: ThemeNow, *, points: float = 22, parent: QWidget | None = None) -> None:
        super().__init__(theme, (300, 96), parent)
        self._points = points
        self._state, self._reason = "", ""

    def show_state(self, state: str, reason: str) -> None:
        """Show another state and its reason, which may be empty."""
        if (state, reason) != (self._state, self._reason):
            self._state, self._reason = state, reason
            self.setAccessibleName(f"{STATES.get(state, STATES[''])[0]}: {reason}")
            self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the badge."""
        word, corners = STATES.get(self._state, (self._state.upper(), 0))
        color, box = state_color(theme, self._state), QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(color, 3))
        painter.setBrush(theme.panel)
        painter.drawRoundedRect(box, 10, 10)
        # With nothing to explain, the word has the whole badge.
        share = 0.48 if self._reason else 0.9
        upper = QRectF(box.x(), box.y() + 4, box.width(), share * box.height())
        radius = 0.16 * box.height()
        self._shape(painter, QPointF(box.x() + 16 + radius, upper.center().y()), radius, corners, color)
        painter.setPen(color)
        painter.setFont(font(self._points, bold=True))
        painter.drawText(upper.adjusted(28 + 2 * radius, 0, -4, 0), int(LEFT), word)
        painter.setPen(theme.text)
        painter.setFont(font(REASON_SHARE * self._points))
        lower = QRectF(box.x() + 14, upper.bottom(), box.width() - 22, box.bottom() - upper.bottom() - 4)
        flags = int(LEFT | Qt.TextFlag.TextWordWrap)
        painter.drawText(lower, flags, self._reason)

    def _shape(self, painter: QPainter, at: QPointF, radius: float, corners: int, color: QColor) -> None:
        painter.setPen(QPen(color, 4))
        painter.setBrush(color if corners else Qt.BrushStyle.NoBrush)
        if corners == 0:
            painter.drawEllipse(at, radius, radius)
            return
        turned = math.pi / 8 if corners == STATES["stopped"][1] else 0.0
        up = -math.pi / 2 if self._state == "fault" else 0.0
        points = []
        for k in range(corners):
            turn = up + turned + 2 * math.pi * k / corners
            points.append(QPointF(at.x() + radius * math.cos(turn), at.y() + radius * math.sin(turn)))
        painter.drawPolygon(QPolygonF(points))


class Bars(Drawn):
    """Named bars from 0 to 1; one of them is marked.

    Parameters
    ----------
    theme : callable
        Returns the look.
    largest : float
        Points of the writing, where there is room.
    row : float
        Maximum height of a bar, in pixels.
    """

    def __init__(
        self, theme: ThemeNow, parent: QWidget | None = None, *, largest: float = 10.5, row: float = 26.0
    ) -> None:
        super().__init__(theme, (260, 230), parent)
        self._largest, self._row = largest, row
        self._rows: list[tuple[str, float]] = []
        self._marked = -1

    def show_bars(self, rows: Sequence[tuple[str, float]], marked: int) -> None:
        """Show other values; `marked` is -1 for none."""
        self._rows, self._marked = list(rows), marked
        self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the bars."""
        if not self._rows:
            return
        height = min(self._row, self.height() / len(self._rows))
        painter.setFont(font(max(7.0, min(self._largest, 0.44 * height))))
        names = 0.5 * self.width()
        for k, (name, value) in enumerate(self._rows):
            row = QRectF(0, k * height, self.width(), height)
            painter.setPen(theme.text if k == self._marked else theme.faint)
            painter.drawText(row.adjusted(2, 0, names - self.width() - 6, 0), int(RIGHT), name)
            track = QRectF(names, row.y() + 0.2 * height, self.width() - names - 4, 0.6 * height)
            painter.setPen(QPen(theme.line, 1))
            painter.setBrush(theme.panel)
            painter.drawRect(track)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.accent if k == self._marked else theme.faint)
            share = min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
            painter.drawRect(QRectF(track.x(), track.y(), share * track.width(), track.height()))


class History(Drawn):
    """The last ten seconds of decisions: a lane for each gesture, its height the confidence."""

    def __init__(self, theme: ThemeNow, parent: QWidget | None = None) -> None:
        super().__init__(theme, (700, 150), parent)
        self._gestures: Sequence[str] = ()
        self._ages = np.zeros(0)
        self._index = np.zeros(0, dtype=int)
        self._confidence = np.zeros(0)
        self._span_s = 10.0

    def show_history(
        self, gestures: Sequence[str], ages_s: np.ndarray, index: np.ndarray, confidence: np.ndarray
    ) -> None:
        """Show decisions by their age in seconds; index -1 is none."""
        self._gestures, self._ages, self._index, self._confidence = gestures, ages_s, index, confidence
        self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the lanes."""
        n = len(self._gestures)
        if n == 0:
            return
        names, lane = 118.0, self.height() / n
        painter.setFont(font(max(6.5, min(9.0, 0.62 * lane))))
        width = self.width() - names - 4
        for k, name in enumerate(self._gestures):
            painter.setPen(theme.faint)
            text = QRectF(0, k * lane, names - 6, lane)
            painter.drawText(text, int(RIGHT), name.replace("_", " "))
            painter.setPen(QPen(theme.line, 1))
            painter.drawLine(
                QPointF(names, (k + 1) * lane - 0.5), QPointF(names + width, (k + 1) * lane - 0.5)
            )
        painter.setPen(Qt.PenStyle.NoPen)
        step = max(1.5, width / 380)
        for age, index, sure in zip(self._ages, self._index, self._confidence, strict=True):
            if index < 0 or not 0 <= age <= self._span_s:
                continue
            height = max(2.0, sure * (lane - 2))
            painter.setBrush(theme.faint if index == 0 else theme.accent)
            x = names + width * (1 - age / self._span_s) - step
            painter.drawRect(QRectF(x, (index + 1) * lane - 1 - height, step + 0.5, height))


class GridMap(Drawn):
    """The electrode grid: activity as shade, a bad electrode as the letter of its state.

    Parameters
    ----------
    theme : callable
        Returns the look.
    turns : bool
        Whether a grid that is longer than wide lies on its side where the room does, its first row on the right.
    """

    def __init__(self, theme: ThemeNow, parent: QWidget | None = None, *, turns: bool = False) -> None:
        super().__init__(theme, (260, 130), parent)
        self._turns = turns
        self._layout: Sequence[Sequence[int]] = ()
        self._level = np.zeros(0)
        self._states = np.zeros(0, dtype=int)

    def show_grid(self, channel_at: Sequence[Sequence[int]], level: np.ndarray, states: np.ndarray) -> None:
        """Show levels (0 to 1) and states of all channels; `channel_at` by row and column, -1 for none."""
        self._layout, self._level, self._states = channel_at, level, states
        self.update()

    def turned(self) -> bool:
        """Whether it has more room on its side."""
        rows, columns = len(self._layout), len(self._layout[0]) if self._layout else 0
        return (rows > columns) != (self.height() > self.width())

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the cells."""
        if not self._layout:
            painter.setPen(theme.faint)
            painter.drawText(self.rect(), int(CENTRE), "no signal yet")
            return
        layout = self._layout
        if self._turns and self.turned():
            layout = tuple(zip(*reversed(layout), strict=True))
        rows, columns = len(layout), len(layout[0])
        cell = min((self.width() - 2) / columns, (self.height() - 2) / rows)
        left, top = (self.width() - cell * columns) / 2, (self.height() - cell * rows) / 2
        painter.setFont(font(max(6.0, 0.42 * cell), bold=True))
        symbols = {state.value: symbol for state, symbol in SYMBOLS.items()}
        for row, line in enumerate(layout):
            for column, channel in enumerate(line):
                if channel < 0:
                    continue
                box = QRectF(left + column * cell, top + row * cell, cell, cell).adjusted(1, 1, -1, -1)
                state = int(self._states[channel]) if len(self._states) else ChannelState.GOOD.value
                good = state == ChannelState.GOOD.value
                painter.setPen(QPen(theme.line if good else theme.bad, 1 if good else 2))
                painter.setBrush(
                    _blend(theme.panel, theme.accent, float(self._level[channel])) if good else theme.back
                )
                painter.drawRect(box)
                if not good:
                    painter.setPen(theme.bad)
                    painter.drawText(box, int(CENTRE), symbols[state])


class JointBars(Drawn):
    """Each DoF: where it is between its limits, and in words."""

    def __init__(self, theme: ThemeNow, parent: QWidget | None = None) -> None:
        super().__init__(theme, (260, 190), parent)
        self._rows: list[tuple[str, float | None, str, bool]] = []

    def show_joints(self, rows: Sequence[tuple[str, float | None, str, bool]]) -> None:
        """Show rows of name, place in its range (None for the wheels), text, and whether it moves."""
        self._rows = list(rows)
        self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the rows."""
        if not self._rows:
            return
        height = self.height() / len(self._rows)
        painter.setFont(font(max(7.0, min(9.0, 0.4 * height))))
        # As much room as the longest writing takes, and the rest for the bars.
        wide = painter.fontMetrics().horizontalAdvance
        names = MARGIN + max(wide(MOVES + name) for name, *_ in self._rows)
        texts = MARGIN + max(wide(text) for _, _, text, _ in self._rows)
        for k, (name, place, text, moves) in enumerate(self._rows):
            row = QRectF(0, k * height, self.width(), height)
            painter.setPen(theme.accent if moves else theme.text)
            painter.drawText(
                row.adjusted(0, 0, names - self.width() - 6, 0), int(RIGHT), (MOVES if moves else "") + name
            )
            painter.drawText(row.adjusted(self.width() - texts + 6, 0, 0, 0), int(LEFT), text)
            track = QRectF(names, row.y() + 0.3 * height, self.width() - names - texts, 0.4 * height)
            if place is None:
                continue
            painter.setPen(QPen(theme.line, 1))
            painter.setBrush(theme.panel)
            painter.drawRect(track)
            painter.setPen(Qt.PenStyle.NoPen)
            at_limit = place < 0.02 or place > 0.98  # noqa: PLR2004 - the ends of the bar
            painter.setBrush(theme.warn if at_limit else theme.accent)
            x = track.x() + min(1.0, max(0.0, place)) * track.width()
            painter.drawRect(QRectF(x - 3, track.y() - 3, 6, track.height() + 6))


class CameraView(Drawn):
    """The robot's picture, or why there is none."""

    def __init__(self, theme: ThemeNow, parent: QWidget | None = None) -> None:
        super().__init__(theme, (480, 330), parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._image: QImage | None = None
        self._words = "no picture"

    @property
    def has_picture(self) -> bool:
        """Whether a picture is shown."""
        return self._image is not None

    def show_picture(self, image: QImage | None, words: str = "no picture") -> None:
        """Show a picture, or words in its place."""
        self._image, self._words = image, words
        self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the picture, filling the width or height."""
        painter.fillRect(self.rect(), theme.panel)
        if self._image is None:
            painter.setPen(theme.faint)
            painter.setFont(font(11))
            painter.drawText(self.rect(), int(CENTRE), self._words)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        x, y = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        painter.drawImage(QRectF(x, y, size.width(), size.height()), self._image)


class LiveMark(Drawn):
    """A block that runs along a line while the picture is alive, and says when it was painted.

    It is shown a time once everything else has been shown, and is painted with it, so a picture that freezes, for
    whatever reason, neither moves it nor reports anything.

    Parameters
    ----------
    theme : callable
        Returns the look.
    on_painted : callable
        Called with each shown time (s), once, when it has been painted.
    """

    def __init__(self, theme: ThemeNow, on_painted: Callable[[float], None]) -> None:
        super().__init__(theme, (300, 8))
        self.setFixedHeight(8)
        self._on_painted = on_painted
        self._shown_s = self._painted_s = -math.inf

    def show_time(self, t_mono_s: float) -> None:
        """Show another moment."""
        self._shown_s = t_mono_s
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Qt asks."""
        super().paintEvent(event)
        if self._shown_s > self._painted_s:
            self._painted_s = self._shown_s
            self._on_painted(self._shown_s)

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the block; it takes two seconds from end to end."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.line)
        painter.drawRect(QRectF(0, 3, self.width(), 2))
        if math.isfinite(self._shown_s):
            painter.setBrush(theme.accent)
            part = self._shown_s / 2 % 1
            painter.drawRect(QRectF(part * (self.width() - 24), 1, 24, 6))


class BigButton(QPushButton):
    """A button large enough for a switch or an eye tracker, its key in its text."""

    def __init__(self, text: str, theme: ThemeNow, *, points: float = 15, height: int = 60) -> None:
        super().__init__(text)
        self._theme = theme
        self._color: Callable[[Theme], QColor] = lambda now: now.accent
        self.setFont(font(points, bold=True))
        self.setMinimumHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def paint_in(self, color: Callable[[Theme], QColor]) -> None:
        """Fill it with a colour of the look."""
        self._color = color
        self.restyle()

    def restyle(self) -> None:
        """Follow a change of the look."""
        theme = self._theme()
        fill, ink = self._color(theme), theme.panel
        self.setStyleSheet(
            f"QPushButton {{ background: {fill.name()}; color: {ink.name()}; border-radius: 10px; padding: 6px; }}"
            f"QPushButton:disabled {{ background: {theme.line.name()}; color: {theme.faint.name()}; }}"
            f"QPushButton:focus {{ border: 4px solid {theme.text.name()}; }}"
        )


def _blend(low: QColor, high: QColor, share: float) -> QColor:
    share = min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
    pairs = ((low.red(), high.red()), (low.green(), high.green()), (low.blue(), high.blue()))
    return QColor(*(round(a + share * (b - a)) for a, b in pairs))
