"""The ten gestures as pictures of one hand, drawn from limbs; others get the plain hand with their name.

A limb is a thick line with round ends. All are drawn twice: wide in the outline's colour, then narrower in the
skin's, so that neighbouring limbs join without a seam. Coordinates are those of a picture of 200 x 200, a right hand.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.windows.theme import Theme, font

SIDE = 200.0
OUTLINE = 5.0
WRIST = QPointF(100, 138)


@dataclass(frozen=True)
class Limb:
    """A thick line through points; `line` is in the outline's colour (a crease, a nail), a `ball` is held."""

    points: tuple[tuple[float, float], ...]
    width: float
    line: bool = False
    ball: bool = False


@dataclass(frozen=True)
class Arrow:
    """An arc with a head: centre, radius, from and to in degrees (0 to the right, counted clockwise)."""

    x: float
    y: float
    radius: float
    begin: float
    end: float
    flat: float = 1.0


@dataclass(frozen=True)
class Picture:
    """What is drawn: a table below, limbs from back to front, groups apart, and arrows over them."""

    layers: tuple[tuple[Limb, ...], ...]
    arrows: tuple[Arrow, ...] = ()
    table: bool = False


FOREARM = Limb(((100, 215), (100, 150)), 44)
PALM = Limb(((100, 128), (100, 108)), 62)


def _finger(base: tuple[float, float], length: float, angle: float, width: float = 15) -> Limb:
    x, y = base
    turn = math.radians(angle)
    return Limb(((x, y), (x + length * math.sin(turn), y - length * math.cos(turn))), width)


def _fingers(lengths: Sequence[float], angles: Sequence[float]) -> tuple[Limb, ...]:
    bases = ((77, 92), (92, 86), (108, 87), (123, 94))
    return tuple(_finger(*one) for one in zip(bases, lengths, angles, strict=True))


THUMB_OUT = Limb(((80, 128), (58, 112), (44, 92)), 17)
THUMB_BESIDE = Limb(((80, 128), (64, 112), (62, 92)), 17)
STRAIGHT = _fingers((50, 58, 54, 42), (-4, -1, 2, 6))
CREASES = (
    Limb(((78, 104), (96, 112), (124, 100)), 2.5, line=True),
    Limb(((86, 134), (90, 116), (80, 104)), 2.5, line=True),
    Limb(((84, 120), (104, 124), (120, 116)), 2.5, line=True),
)
NAILS = tuple(
    Limb(((x, y), (x, y - 1)), 7, line=True) for x, y in ((73.5, 46), (91, 32), (109.9, 37), (127, 56))
)


def _turned(limbs: Sequence[Limb], angle: float) -> tuple[Limb, ...]:
    """Turn what lies beyond the wrist about it."""
    turn = QTransform().translate(WRIST.x(), WRIST.y()).rotate(angle).translate(-WRIST.x(), -WRIST.y())
    turned = []
    for limb in limbs:
        points = tuple((p.x(), p.y()) for p in (turn.map(QPointF(*point)) for point in limb.points))
        turned.append(Limb(points, limb.width, limb.line))
    return tuple(turned)


def _mirrored(limbs: Sequence[Limb]) -> tuple[Limb, ...]:
    return tuple(Limb(tuple((SIDE - x, y) for x, y in limb.points), limb.width, limb.line) for limb in limbs)


def _side(bend: float) -> tuple[tuple[Limb, ...], ...]:
    """Return a hand seen from the thumb's side, palm down, bent at the wrist (degrees, down is positive)."""
    wrist = (92.0, 104.0)
    turn = math.radians(bend)

    def out(along: float, aside: float = 0.0) -> tuple[float, float]:
        return (
            wrist[0] + along * math.cos(turn) - aside * math.sin(turn),
            wrist[1] + along * math.sin(turn) + aside * math.cos(turn),
        )

    forearm = Limb(((-15, 104), (78, 104)), 42)
    palm = Limb((out(4), out(38)), 36)
    fingers = Limb((out(40, -6), out(92, -3)), 17)
    thumb = Limb((out(16, 14), out(40, 22), out(62, 18)), 15)
    return ((forearm, palm, fingers), (thumb,))


# Three fingertips round a ball; the other fingers are curled in.
PINCH = (
    (Limb(((-15, 116), (60, 116)), 42), Limb(((72, 114), (104, 106)), 44)),
    (Limb(((112, 116), (132, 130)), 18), Limb(((104, 122), (122, 138)), 18)),
    (Limb(((112, 100), (160, 90), (180, 112)), 16),),
    (Limb(((108, 92), (144, 76), (166, 100)), 17),),
    (Limb(((166, 120), (166.5, 120)), 20, ball=True),),
    (Limb(((76, 128), (112, 152), (150, 132)), 18),),
)
TABLE = Limb(((-10, 163), (210, 163)), 6)
# On a table, nothing held: the fingers hang as they like.
RESTING = (
    (Limb(((-15, 112), (70, 112)), 42), Limb(((80, 114), (112, 122)), 38)),
    (Limb(((112, 112), (146, 118), (166, 140)), 16),),
    (Limb(((110, 116), (138, 126), (156, 148)), 16),),
    (Limb(((92, 126), (112, 142), (132, 150)), 16),),
)
FIST = (
    (FOREARM, PALM, *_fingers((14, 17, 16, 12), (-4, -1, 2, 6)), Limb(((78, 130), (72, 118)), 18)),
    (Limb(((72, 116), (84, 104), (106, 106)), 17),),
)

PICTURES: dict[str, Picture] = {
    "rest": Picture(RESTING, table=True),
    "fist": Picture(FIST),
    "hand_open": Picture(((FOREARM, PALM, *_fingers((54, 60, 57, 48), (-20, -6, 8, 24)), THUMB_OUT),)),
    "tripod_pinch": Picture(PINCH),
    "wrist_flexion": Picture(_side(52), (Arrow(92, 104, 96, -28, 18),)),
    "wrist_extension": Picture(_side(-48), (Arrow(92, 104, 96, 28, -16),)),
    "wrist_abduction": Picture(
        ((FOREARM, *_turned((PALM, *STRAIGHT, THUMB_BESIDE), -24)),), (Arrow(100, 138, 126, -58, -84),)
    ),
    "wrist_adduction": Picture(
        ((FOREARM, *_turned((PALM, *STRAIGHT, THUMB_BESIDE), 26)),), (Arrow(100, 138, 126, -122, -96),)
    ),
    "pronation": Picture(
        ((FOREARM, PALM, *STRAIGHT, THUMB_BESIDE, *NAILS),), (Arrow(100, 166, 60, 10, 156, 0.34),)
    ),
    "supination": Picture(
        (_mirrored((FOREARM, PALM, *STRAIGHT, THUMB_BESIDE, *CREASES)),),
        (Arrow(100, 166, 60, 170, 24, 0.34),),
    ),
}
PLAIN = Picture(((FOREARM, PALM, *STRAIGHT, THUMB_BESIDE),))


def words(gesture: str) -> str:
    """Return a gesture's name as people read it."""
    return gesture.replace("_", " ")


def paint_gesture(painter: QPainter, gesture: str, box: QRectF, theme: Theme) -> None:
    """Draw a gesture into a box, of the hand that the look says."""
    known = PICTURES.get(gesture)
    picture = known or PLAIN
    if known is None:
        _name_it(painter, gesture, box, theme)
        box = QRectF(box.x(), box.y(), box.width(), 0.82 * box.height())
    side = min(box.width(), box.height())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.center().x() - side / 2, box.center().y() - side / 2)
    painter.scale(side / SIDE, side / SIDE)
    painter.setClipRect(QRectF(0, 0, SIDE, SIDE))
    if theme.left_hand:
        painter.translate(SIDE, 0)
        painter.scale(-1, 1)
    if picture.table:
        _stroke(painter, TABLE, TABLE.width, theme.faint)
    for layer in picture.layers:
        limbs = [limb for limb in layer if not limb.line]
        for extra, color in ((2 * OUTLINE, theme.skin_line), (0.0, theme.skin)):
            for limb in limbs:
                _stroke(painter, limb, limb.width + extra, theme.accent if limb.ball and not extra else color)
        for limb in layer:
            if limb.line:
                _stroke(painter, limb, limb.width, theme.skin_line)
    for arrow in picture.arrows:
        _paint_arrow(painter, arrow, theme.accent)
    painter.restore()


def _stroke(painter: QPainter, limb: Limb, width: float, color: QColor) -> None:
    pen = QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF([QPointF(*point) for point in limb.points]))


def _paint_arrow(painter: QPainter, arrow: Arrow, color: QColor) -> None:
    def at(degrees: float) -> QPointF:
        turn = math.radians(degrees)
        return QPointF(
            arrow.x + arrow.radius * math.cos(turn), arrow.y + arrow.flat * arrow.radius * math.sin(turn)
        )

    steps = 24
    path = QPainterPath(at(arrow.begin))
    for k in range(1, steps + 1):
        path.lineTo(at(arrow.begin + (arrow.end - arrow.begin) * k / steps))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color, 8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawPath(path)
    tip = at(arrow.end + (8 if arrow.end > arrow.begin else -8))
    back = at(arrow.end - (10 if arrow.end > arrow.begin else -10))
    heading = math.atan2(tip.y() - back.y(), tip.x() - back.x())
    points = [tip]
    for side in (1, -1):
        turn = heading + side * 2.45
        points.append(QPointF(tip.x() + 24 * math.cos(turn), tip.y() + 24 * math.sin(turn)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF(points))


def _name_it(painter: QPainter, gesture: str, box: QRectF, theme: Theme) -> None:
    painter.save()
    painter.setFont(font(max(8.0, box.height() / 14), bold=True))
    painter.setPen(theme.text)
    flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom | Qt.TextFlag.TextWordWrap
    painter.drawText(box, int(flags), words(gesture))
    painter.restore()


class GesturePicture(QWidget):
    """A gesture, as large as there is room.

    Parameters
    ----------
    theme : callable
        Returns the look.
    """

    def __init__(self, theme: Callable[[], Theme], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._gesture = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 80)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Qt asks."""
        return QSize(220, 220)

    def show_gesture(self, gesture: str) -> None:
        """Draw another gesture; empty draws nothing."""
        if gesture != self._gesture:
            self._gesture = gesture
            self.setAccessibleName(words(gesture))
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Qt asks."""
        if self._gesture:
            painter = QPainter(self)
            paint_gesture(painter, self._gesture, QRectF(self.rect()), self._theme())
