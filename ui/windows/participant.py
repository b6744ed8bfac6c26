"""The participant's view: gesture, mode and state, nothing else, as large as the second screen."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.teleop.meaning import mode_words
from ui.teleop.session import TeleopView
from ui.windows.gesture_picture import GesturePicture, words
from ui.windows.theme import Theme, font
from ui.windows.widgets import StateBadge


class ParticipantWindow(QWidget):
    """A window of its own, hidden until it is asked for.

    Parameters
    ----------
    theme : callable
        Returns the look.
    """

    def __init__(self, theme: Callable[[], Theme]) -> None:
        super().__init__()
        self.setWindowTitle("hdemg")
        self.resize(1000, 760)
        self.picture = GesturePicture(theme)
        self.gesture = _line(40)
        self.mode = _line(32)
        self.badge = StateBadge(theme, points=40)
        self.badge.setMinimumHeight(150)
        layout = QVBoxLayout(self)
        layout.addWidget(self.picture, 6)
        layout.addWidget(self.gesture)
        layout.addWidget(self.mode)
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
        robot, name = view.robot, view.seen.gesture
        self.picture.show_gesture(name)
        self.gesture.setText(words(name) or "…")
        self.mode.setText(mode_words(robot))
        self.badge.show_state(robot.safety_state, "" if view.live else robot.reason)


def _line(points: float) -> QLabel:
    label = QLabel()
    label.setFont(font(points, bold=True))
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
