"""The EMG of a few electrodes while a session runs, on demand, raw or as the decoder filters it."""

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from calibration.session_ports import Traces
from decoding.filters import FilterDesign
from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.quality.monitor import ChannelState
from teleoperation.observer import Seen
from ui.view_models.live_traces import SHOWN_S, TraceChoice, shown_traces
from ui.windows.theme import Theme, font
from ui.windows.trace_plot import TracePlot
from ui.windows.widgets import RIGHT, Drawn, ThemeNow

# Every how many frames it is drawn: fifteen times a second.
DRAW_EVERY = 2


class LiveTraces(QWidget):
    """Traces over each other, with their names.

    Parameters
    ----------
    theme : callable
        Returns the look.
    signal : callable
        Returns the newest samples of some channels of a sleeve, which goes by its number.
    designs : sequence of FilterDesign
        Each sleeve's decoder's filter.
    """

    def __init__(
        self,
        theme: ThemeNow,
        signal: Callable[[int, IntArray], Float32Array],
        designs: Sequence[FilterDesign],
    ) -> None:
        super().__init__()
        self.signal, self._designs, self._frame = signal, designs, 0
        self.choice = TraceChoice()
        self.title = QLabel()
        self.title.setFont(font(10.5))
        self.names = _LaneNames(theme)
        self.plot = TracePlot(theme)
        below = QHBoxLayout()
        below.addWidget(self.names)
        below.addWidget(self.plot, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.title)
        layout.addLayout(below, 1)

    def show_signal(self, every: Sequence[Seen]) -> None:
        """Draw what has come of the chosen sleeve, if it is wanted."""
        self._frame += 1
        sleeve = self.choice.sleeve
        seen = every[sleeve]
        if self.choice.kind == "off" or seen.info is None or self._frame % DRAW_EVERY:
            return
        channels = self.choice.channels(seen.info.n_channels)
        fs_hz = seen.info.fs_hz
        emg_uv = shown_traces(self.signal(sleeve, channels), fs_hz, self.choice.kind, self._designs[sleeve])
        spread_uv = float(np.median(emg_uv.std(axis=0))) if len(emg_uv) else np.nan
        self.plot.show_traces(Traces(emg_uv, fs_hz), spread_uv)
        self.names.show_names(_named(seen, channels))
        self.title.setText(
            f"<b>{seen.sleeve} {self.choice.kind} EMG</b>, {SHOWN_S:g} s, {self.plot.lane_uv:g} µV a lane, electrodes"
            f" {channels[0] + 1} to {channels[-1] + 1} of {seen.info.n_channels} · E next · Page Up, Page Down"
        )

    def restyle(self) -> None:
        """Follow a change of the look."""
        self.plot.restyle()


def _named(seen: Seen, channels: IntArray) -> list[tuple[str, bool]]:
    """Return each electrode's label, with its fault, and whether it is good."""
    if seen.info is None:
        return []
    named = []
    for channel in channels:
        state = ChannelState(seen.quality.states[channel]) if seen.quality else ChannelState.GOOD
        good = state is ChannelState.GOOD
        label = seen.info.channel_labels[channel]
        named.append((label if good else f"{label} {state.name.lower()}", good))
    return named


class _LaneNames(Drawn):
    """Names next to the lanes."""

    def __init__(self, theme: ThemeNow) -> None:
        super().__init__(theme, (110, 200))
        self.setFixedWidth(110)
        self._names: list[tuple[str, bool]] = []

    def show_names(self, names: list[tuple[str, bool]]) -> None:
        """Show other names; those that are not good stand out."""
        if names != self._names:
            self._names = names
            self.setAccessibleName(", ".join(name for name, _ in names))
            self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the names."""
        height = self.height() / max(1, len(self._names))
        for k, (name, good) in enumerate(self._names):
            painter.setFont(font(9.5, bold=not good))
            painter.setPen(theme.text if good else theme.bad)
            painter.drawText(QRectF(0, k * height, self.width() - 4, height), int(RIGHT), name)
