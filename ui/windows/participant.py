"""The participant's view: gesture, mode and state, nothing else, as large as the second screen."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.teleop.session import TeleopSession, TeleopView
from ui.windows.gesture_picture import GesturePicture, words
from ui.windows.theme import Theme, font
from ui.windows.widgets import StateBadge


class ParticipantWindow(QWidget):
    """A window of its own, hidden until it is asked for.

    Parameters
    ----------
    session : TeleopSession
        For the meaning of gestures.
    theme : callable
        Returns the look.
    """

    def __init__(self, session: TeleopSession, theme: Callable[[], Theme]) -> None:
        super().__init__()
        self._rest = session.gesture_map.rest
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
        robot, seen = view.robot, view.seen
        newest = seen.history[-1] if seen.history else None
        known = newest is not None and 0 <= newest.gesture_index < len(seen.gestures)
        name = seen.gestures[newest.gesture_index] if newest is not None and known else ""
        self.picture.show_gesture(name)
        self.gesture.setText(words(name) if name else "…")
        tier = {True: "fine", False: "coarse", None: ""}[robot.fine]
        self.mode.setText(f"{robot.mode.replace('_', ' ')} · {tier}")
        self.badge.show_state(robot.safety_state, "" if view.live else robot.reason)


def _line(points: float) -> QLabel:
    label = QLabel()
    label.setFont(font(points, bold=True))
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
