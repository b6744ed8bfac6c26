"""No word of any screen of the calibration is cut off, at the sizes and looks that are promised."""

from dataclasses import replace

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from tests import calibration_views
from ui.windows import calibration_widgets
from ui.windows.calibration import CalibrationWindow
from ui.windows.theme import DARK, LIGHT, font

VIEWS = calibration_views.views()
LIMIT_MS = 60_000


class Shown:
    def tick(self, now_s):
        pass

    def handle(self, action):
        pass

    def view(self):
        return next(iter(VIEWS.values()))

    def traces(self, seconds):
        return calibration_views.TRACES


def clipped(window):
    """Name every label and button whose writing does not fit into it."""
    found = []
    for label in window.findChildren(QLabel):
        if not label.isVisible() or not label.text():
            continue
        widest = max(label.fontMetrics().horizontalAdvance(word) for word in label.text().split())
        if label.heightForWidth(label.width()) > label.height() or widest > label.width():
            found.append(f"label {label.text()!r} in {label.size().toTuple()}")
    for button in window.findChildren(QPushButton):
        if not button.isVisible():
            continue
        lines = button.text().split("\n")
        widest = max(button.fontMetrics().horizontalAdvance(line) for line in lines)
        high = button.fontMetrics().height() * len(lines)
        if widest > button.width() - 12 or high > button.height():
            found.append(f"button {button.text()!r} in {button.size().toTuple()}")
    return found


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize(
    "look", [LIGHT, DARK, replace(LIGHT, text_scale=1.3)], ids=["light", "dark", "large"]
)
def test_nothing_is_cut_off(qtbot, monkeypatch, size, look):
    drawn = []
    draw = calibration_widgets.draw_fitted

    def watched(painter, box, flags, text, points, *, bold=False):
        draw(painter, box, flags, text, points, bold=bold)
        if QFontMetricsF(painter.font()).horizontalAdvance(text) > box.width():
            drawn.append(f"{text!r} in {box.width():.0f}")

    monkeypatch.setattr(calibration_widgets, "draw_fitted", watched)
    window = CalibrationWindow(QApplication.instance(), Shown(), clock=lambda: 0.0, theme=look)
    qtbot.addWidget(window)
    window.resize(*size)
    with qtbot.waitExposed(window, timeout=LIMIT_MS):
        window.show()
    for name, view in VIEWS.items():
        for _ in range(2):
            window.show_view(view)
            QApplication.processEvents()
        window.grab()
        assert (window.width(), window.height()) == size, f"{name} needs more room"
        assert clipped(window) == [], name
        assert drawn == [], name


def test_the_check_sees_what_is_cut_off(qtbot):
    label = QLabel("supination and pronation")
    label.setFont(font(40))
    label.setWordWrap(True)
    qtbot.addWidget(label)
    label.setFixedSize(90, 40)
    label.show()
    holder = type("Holder", (), {"findChildren": lambda _self, kind: [label] if kind is QLabel else []})()
    assert len(clipped(holder)) == 1
