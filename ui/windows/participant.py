"""The participant's view: gesture and mode of each sleeve, and state; nothing else, as large as the second screen."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from robot_bridge.operator_link import SleeveSnapshot
from teleoperation.meaning import mode_words
from teleoperation.observer import Seen
from teleoperation.session_view import TeleopView
from ui.windows.gesture_picture import GesturePicture, words
from ui.windows.sleeve_panels import hand_of
from ui.windows.theme import Theme, font
from ui.windows.widgets import StateBadge


class ParticipantWindow(QWidget):
    """A window of its own, hidden until it is asked for.

    Parameters
    ----------
    theme : callable
        Returns the look.
    sleeves : sequence of str
        Their names; an only one has none.
    """

    def __init__(self, theme: Callable[[], Theme], sleeves: Sequence[str]) -> None:
        super().__init__()
        self.setWindowTitle("hdemg")
        self.resize(1000, 760)
        self.sleeves = [_SleeveColumn(theme, sleeve) for sleeve in sleeves]
        self.badge = StateBadge(theme, points=40)
        self.badge.setMinimumHeight(150)
        layout = QVBoxLayout(self)
        columns = QHBoxLayout()
        for column in self.sleeves:
            columns.addWidget(column, 1)
        layout.addLayout(columns, 6)
        layout.addWidget(self.badge, 2)

    def toggle(self) -> None:
        """Show or hide it, on a second screen where there is one."""
        if self.isVisible():
            self.hide()
            return
        screens = self.screen().virtualSiblings()
        if len(screens) > 1:
            self.setGeometry(screens[1].availableGeometry())
        self.show()

    def show_view(self, view: TeleopView) -> None:
        """Show a view, if anybody can see it."""
        if not self.isVisible():
            return
        robot = view.robot
        for column, seen in zip(self.sleeves, view.seen, strict=True):
            column.show_sleeve(seen, robot.sleeve(seen.sleeve))
        self.badge.show_state(robot.safety_state, "" if view.live else robot.reason)


class _SleeveColumn(QWidget):
    """Gesture and mode of one sleeve, under its name where there are several."""

    def __init__(self, theme: Callable[[], Theme], sleeve: str) -> None:
        super().__init__()
        self.picture = GesturePicture(hand_of(sleeve, theme))
        # Two sleeves share the width.
        self.gesture, self.mode = (_line(30), _line(24)) if sleeve else (_line(40), _line(32))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        if sleeve:
            name = _line(24)
            name.setText(sleeve)
            layout.addWidget(name)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.gesture)
        layout.addWidget(self.mode)

    def show_sleeve(self, seen: Seen, sleeve: SleeveSnapshot) -> None:
        """Show what is decoded, and the mode."""
        self.picture.show_gesture(seen.gesture)
        self.gesture.setText(words(seen.gesture) or "…")
        self.mode.setText(mode_words(sleeve))


def _line(points: float) -> QLabel:
    label = QLabel()
    label.setFont(font(points, bold=True))
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
