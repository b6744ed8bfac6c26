"""The buttons of a step, large enough for a switch or an eye tracker, each with its letter on the keyboard."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui.view_models.calibration_controls import Control, Tone
from ui.windows.theme import Theme, font
from ui.windows.widgets import BigButton, ThemeNow

HEIGHT = 92
POINTS, MIN_POINTS = 16.0, 8.0
PADDING = 24
MIN_STRETCH = 11


class KeyedButton(BigButton):
    """A button that leaves all keys to its window, and writes as large as its width allows."""

    def __init__(self, theme: ThemeNow, *, points: float = POINTS, height: int = HEIGHT) -> None:
        super().__init__("", theme, points=points, height=height)
        self._points = points
        self.setMaximumHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_words(self, text: str, key: str) -> None:
        """Write other words and their key."""
        written = f"{text} [{key}]" if "\n" in text else f"{text}\n[{key}]"
        if written != self.text():
            self.setText(written)
            self.setAccessibleName(f"{text.replace(chr(10), ' ')}, key {key}")
            self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the key to the window, which knows what all of them do."""
        event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fit the writing."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        lines = self.text().split("\n")
        points = self._points
        while points > MIN_POINTS:
            metrics = QFontMetrics(font(points, bold=True))
            width = max(metrics.horizontalAdvance(line) for line in lines)
            if width <= self.width() - PADDING and metrics.height() * len(lines) <= self.height() - 12:
                break
            points -= 0.5
        self.setFont(font(points, bold=True))


class ControlBar(QWidget):
    """Buttons for controls; it asks `press` when one is pressed.

    Parameters
    ----------
    theme : callable
        Returns the look.
    press : callable
        Called with the control.
    """

    def __init__(self, theme: ThemeNow, press: Callable[[Control], None]) -> None:
        super().__init__()
        self._theme, self._press = theme, press
        self.controls: tuple[Control, ...] = ()
        self.buttons: list[KeyedButton] = []
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(12)
        self.setFixedHeight(HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def show_controls(self, controls: tuple[Control, ...]) -> None:
        """Show other buttons; the one that is usually wanted gets the focus where there are others than before."""
        if controls == self.controls:
            return
        same = [control.key for control in controls] == [control.key for control in self.controls]
        self.controls = controls
        while len(self.buttons) < len(controls):
            self._add_button(len(self.buttons))
        for k, button in enumerate(self.buttons):
            button.setVisible(k < len(controls))
            if k < len(controls):
                control = controls[k]
                button.paint_in(_fill(control.tone))
                button.show_words(control.text, control.key)
                # Room by what is written, so that long words need not be small.
                longest = max(len(line) for line in control.text.split("\n"))
                self._layout.setStretchFactor(button, max(MIN_STRETCH, longest))
        if not same and controls:
            # Where nothing is usually wanted, a switch must not end the calibration with its next press.
            (self.buttons[0] if controls[0].tone == "main" else self).setFocus()

    def focused(self) -> Control | None:
        """Return the control that has the focus."""
        for button, control in zip(self.buttons, self.controls, strict=False):
            if button.hasFocus():
                return control
        return None

    def move_focus(self, steps: int) -> None:
        """Give the focus to the next button, round and round: for a switch that scans."""
        n = len(self.controls)
        if n == 0:
            return
        at = next((k for k in range(n) if self.buttons[k].hasFocus()), -1 if steps > 0 else 0)
        self.buttons[(at + steps) % n].setFocus()

    def by_key(self, key: str) -> Control | None:
        """Return the control of a letter."""
        return next((control for control in self.controls if control.key == key), None)

    def restyle(self) -> None:
        """Follow a change of the look."""
        for button in self.buttons:
            button.restyle()

    def _add_button(self, k: int) -> None:
        button = KeyedButton(self._theme)
        button.clicked.connect(lambda: self._press(self.controls[k]) if k < len(self.controls) else None)
        self.buttons.append(button)
        self._layout.addWidget(button, 1)


def _fill(tone: Tone) -> Callable[[Theme], QColor]:
    if tone == "main":
        return lambda theme: theme.accent
    return (lambda theme: theme.bad) if tone == "stop" else (lambda theme: theme.faint)
