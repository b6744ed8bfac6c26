"""Live EMG of every channel, one lane each, as the outline of each column: cheap with 64 channels at 4 kHz."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QVBoxLayout, QWidget

from calibration.session_ports import Traces
from ui.view_models.outline import lane_uv, outline
from ui.windows.widgets import ThemeNow

COLUMNS = 240


class TracePlot(QWidget):
    """The newest seconds; channel 1 on top.

    Parameters
    ----------
    theme : callable
        Returns the look.
    """

    def __init__(self, theme: ThemeNow) -> None:
        super().__init__()
        self._theme = theme
        self.lane_uv = 0.0
        self._plot = pg.PlotWidget()
        self._plot.setMenuEnabled(False)
        self._plot.setMouseEnabled(False, False)
        self._plot.hideButtons()
        for side in ("left", "bottom"):
            self._plot.hideAxis(side)
        self._plot.getViewBox().setDefaultPadding(0.0)
        # One item for all: a curve a channel costs more than its drawing.
        self._curve = pg.PlotCurveItem(connect="finite", skipFiniteCheck=False, antialias=False)
        self._plot.addItem(self._curve)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)
        self.setMinimumSize(300, 200)
        self.restyle()

    def restyle(self) -> None:
        """Follow a change of the look."""
        theme = self._theme()
        self._plot.setBackground(theme.panel)
        self._curve.setPen(pg.mkPen(theme.accent, width=1))

    def show_traces(self, traces: Traces, rms_uv: float) -> None:
        """Show other traces; `rms_uv` of a usual channel sets how high a lane is."""
        low, high = outline(traces.emg_uv, COLUMNS)
        n_columns, n_channels = low.shape
        if n_columns == 0:
            return
        self.lane_uv = lane_uv(rms_uv)
        lanes = np.arange(n_channels, 0, -1) - 0.5
        # Up and down in every column, then a break before the next channel.
        y = np.empty((n_channels, 2 * n_columns + 1), dtype=np.float32)
        y[:, 0:-1:2] = (np.clip(low / self.lane_uv, -0.5, 0.5) + lanes).T
        y[:, 1:-1:2] = (np.clip(high / self.lane_uv, -0.5, 0.5) + lanes).T
        y[:, -1] = np.nan
        x = np.append(np.repeat(np.arange(n_columns, dtype=np.float32), 2), np.float32(n_columns))
        self._curve.setData(np.tile(x, n_channels), y.ravel())
        self._plot.setRange(xRange=(0, n_columns), yRange=(0, n_channels), padding=0)
