"""A window from its opening to its end."""

import threading
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

LOOK_MS = 100


class StartableWindow(Protocol):
    """A window that draws once it is started."""

    def show(self) -> None:
        """Put it on the screen."""

    def start(self) -> None:
        """Begin to draw."""

    def close(self) -> bool:
        """Take it from the screen; whether it is gone."""
        ...


def run_until_closed(make: Callable[[QApplication], StartableWindow], stop: threading.Event) -> None:
    """Show the window that `make` makes until it is closed or `stop` is set (by Ctrl-C); raises as `make` does."""
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication([])
    window = make(app)
    window.show()
    window.start()
    watch = QTimer(interval=LOOK_MS)
    watch.timeout.connect(lambda: window.close() if stop.is_set() else None)
    watch.start()
    app.exec()
    watch.stop()
