"""What stands beside the plots of the replay window: everything at the cursor, in words and as a heat map."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from emg_acquisition.arrays import Float32Array
from emg_acquisition.grid import ElectrodeGrid
from ui.view_models.emg_outline import RMS_S
from ui.view_models.replay_words import Row
from ui.windows.theme import font
from ui.windows.widgets import GridMap, ThemeNow

WIDTH = 300


class ReplayPanel(QWidget):
    """The panel.

    Parameters
    ----------
    theme : callable
        Returns the look.
    grid : ElectrodeGrid
        Where the electrodes lie.
    """

    def __init__(self, theme: ThemeNow, grid: ElectrodeGrid) -> None:
        super().__init__()
        self._theme, self._grid = theme, grid
        self.time = _label(15, bold=True)
        self.decided = _label(11)
        self.mistake = _label(10)
        self.map_title = _label(9)
        self.map = GridMap(theme, turns=True)
        self.robot = _label(9)
        self.events = _label(9)
        self.setFixedWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.time, self.decided, self.mistake, self.map_title):
            layout.addWidget(widget)
        layout.addWidget(self.map, 1)
        layout.addWidget(self.robot)
        layout.addWidget(self.events)

    def show_electrodes(self, rms_uv: Float32Array, loud_uv: float) -> None:
        """Show the RMS of every electrode, on a scale up to `loud_uv`."""
        top_uv = loud_uv if math.isfinite(loud_uv) and loud_uv > 0 else float(max(1.0, rms_uv.max()))
        self.map_title.setText(f"RMS of {1000 * RMS_S:.0f} ms, 0 to {top_uv:.0f} µV")
        self.map.show_grid(self._grid.channel_at, np.clip(rms_uv / top_uv, 0, 1), np.zeros(0, dtype=int))

    def show_words(
        self, time: str, decided: Sequence[Row], mistake: str, robot: Sequence[Row], events: Sequence[Row]
    ) -> None:
        """Show what is at the cursor."""
        self.time.setText(time)
        self.decided.setText(self._table(decided))
        self.mistake.setText(mistake)
        self.robot.setText(self._table(robot))
        self.events.setText(self._table(events))

    def _table(self, rows: Sequence[Row]) -> str:
        theme = self._theme()
        lines = "".join(
            f"<tr><td align='right' style='color:{theme.faint.name()}'>{escape(row.name)}&nbsp;</td>"
            f"<td style='color:{getattr(theme, row.tone).name()}'>{escape(row.text)}</td></tr>"
            for row in rows
        )
        return f"<table cellspacing='1'>{lines}</table>" if rows else ""


def _label(points: float, *, bold: bool = False) -> QLabel:
    label = QLabel()
    label.setFont(font(points, bold=bold))
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label
