"""A recorded session to look at: go anywhere in it, see all of that moment, find where decisions were wrong."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from html import escape

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from emg_acquisition.arrays import Float32Array
from emg_acquisition.grid import ElectrodeGrid
from robot_bridge.robot_model import load_robot_model
from ui.view_models.outline import RMS_S
from ui.view_models.replay import ReplayModel, ReplaySettings
from ui.view_models.replay_reader import ViewRequest
from ui.view_models.replay_words import Row, clock, decided_rows, event_rows, mistake_text, robot_rows
from ui.windows.control_bar import KeyedButton
from ui.windows.replay_plots import AXIS_WIDTH, DecisionsPlot, RobotPlot, TracesPlot, WholePlot
from ui.windows.running import run_until_closed
from ui.windows.theme import LIGHT, THEMES, Theme, apply_theme, font
from ui.windows.widgets import GridMap, ThemeNow

FRAME_MS = 33
BUTTON_HEIGHT, BUTTON_POINTS = 46, 10.0
PIXELS_A_COLUMN = 2
PANEL_WIDTH = 300
# Words and key of each button; what a key does is the model's, or the window's.
BUTTONS = (
    ("Play or pause", "Space"),
    ("Step back", "Left"),
    ("Step on", "Right"),
    ("Previous error", "P"),
    ("Next error", "N"),
    ("Next event", "E"),
    ("Closer", "+"),
    ("Wider", "-"),
    ("Whole session", "0"),
    ("Judge other", "R"),
    ("Light or dark", "D"),
    ("Help", "H"),
)
HELP = """
<b>Mouse</b>: click to go there, drag to move, wheel to zoom<br>
<b>Space</b> play or pause &nbsp; <b>← →</b> one decision &nbsp; <b>Shift ← →</b> one second<br>
<b>Home End</b> beginning, end &nbsp; <b>+ -</b> zoom &nbsp; <b>0</b> the whole session<br>
<b>N P</b> next, previous stretch of decisions that differ from their cue<br>
<b>E Shift E</b> next, previous event (mode, arm, stop, fault, note)<br>
<b>R</b> judge the recorded decisions, or those of the replay<br>
<b>D</b> light or dark &nbsp; <b>H</b> this help &nbsp; <b>Q</b> close<br><br>
Decisions: <span style='color:{accent}'>recorded live</span> above,
<span style='color:{warn}'>of the replay</span> below; grey areas are cues.<br>
Robot: <span style='color:{accent}'>where a joint was</span> between its limits,
<span style='color:{warn}'>where it was commanded to</span>;<br>of the wheels the commanded speed.
"""


class ReplayPanel(QWidget):
    """Next to the plots: everything at the cursor, in words and as a heat map.

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
        self.setFixedWidth(PANEL_WIDTH)
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


class ReplayWindow(QWidget):
    """The window.

    Parameters
    ----------
    app : QApplication
        Whose look it changes.
    settings : ReplaySettings
        What is looked at.
    now_s : callable
        A monotonic clock.

    Raises
    ------
    InputError
        If a cue of the session is damaged.
    """

    def __init__(
        self, app: QApplication, settings: ReplaySettings, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._app, self._look, self._now_s, self._last_s = app, LIGHT, now_s, now_s()
        apply_theme(app, LIGHT)
        self.model = ReplayModel(settings)
        self._robot_model = load_robot_model()
        self.acts: dict[str, Callable[[], object]] = {
            **self.model.acts(),
            "D": self.change_theme,
            "H": self.toggle_help,
            "F1": self.toggle_help,
            "Q": self.close,
        }
        self._build()
        # What is drawn, so that it is drawn again only where it changes.
        self._drawn: dict[str, object] = {}
        self.setWindowTitle(f"hdemg replay: {settings.session.folder.name}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.resize(1280, 800)
        self._restyle()
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self.refresh)

    def start(self) -> None:
        """Read and draw from now on."""
        self.model.reader.start()
        self._last_s = self._now_s()
        self._timer.start()

    def theme(self) -> Theme:
        """Return the look."""
        return self._look

    # ---- what it is made of

    def _build(self) -> None:
        model, info = self.model, self.model.settings.session.emg.info
        theme, place = self.theme, model.place
        self.whole = WholePlot(theme, place, model.happenings)
        self.traces = TracesPlot(theme, place, info.channel_labels)
        self.decisions = DecisionsPlot(theme, place, model.gestures, model.cues)
        self.robot = RobotPlot(theme, place, self._robot_model)
        for plot in (self.traces, self.decisions, self.robot):
            plot.add_happenings(model.happenings)
        self.decisions.show_decisions(model.recorded, replayed=False)
        self.panel = ReplayPanel(theme, info.grid)
        self.state = QLabel()
        self.state.setFont(font(10))
        self.help = QLabel(self)
        self.help.setFont(font(12))
        self.help.setMargin(24)
        self.help.hide()
        self.buttons = {key: self._button(text, key) for text, key in BUTTONS}
        self._lay_out()

    def _button(self, text: str, key: str) -> KeyedButton:
        button = KeyedButton(self.theme, points=BUTTON_POINTS, height=BUTTON_HEIGHT)
        button.paint_in(lambda look: look.accent)
        button.show_words(text, {"Left": "←", "Right": "→"}.get(key, key))
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda _checked: self.acts[key]())
        return button

    def _lay_out(self) -> None:
        plots = QVBoxLayout()
        plots.setSpacing(3)
        for plot, stretch in ((self.whole, 0), (self.traces, 34), (self.decisions, 32), (self.robot, 26)):
            plots.addWidget(plot, stretch)
        upper = QHBoxLayout()
        upper.addLayout(plots, 1)
        upper.addWidget(self.panel)
        bar = QHBoxLayout()
        for button in self.buttons.values():
            bar.addWidget(button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.addLayout(upper, 1)
        layout.addWidget(self.state)
        layout.addLayout(bar)

    # ---- every frame

    def refresh(self) -> None:
        """Show everything as it is now; waits for nothing."""
        now_s, place, reader = self._now_s(), self.model.place, self.model.reader
        place.advance(now_s - self._last_s)
        self._last_s = now_s
        columns = max(1, (self.traces.width() - AXIS_WIDTH) // PIXELS_A_COLUMN)
        reader.ask(ViewRequest(place.begin_s, place.end_s, columns, place.cursor_s))
        for plot in (self.whole, self.traces, self.decisions, self.robot):
            plot.follow()
        self._show_decisions()
        self._show_robot(columns)
        self._show_electrodes()
        self._show_words()

    def _is_new(self, what: str, value: object) -> bool:
        if what in self._drawn and self._drawn[what] == value:
            return False
        self._drawn[what] = value
        return True

    def _show_decisions(self) -> None:
        model, replayed = self.model, self.model.reader.replayed
        if replayed is not None and self._is_new("replayed", id(replayed)):
            self.decisions.show_decisions(replayed, replayed=True)
            model.judge()
        if self._is_new("mistakes", model.mistakes):
            self.decisions.show_mistakes(model.mistakes)
            self.whole.show_mistakes(model.mistakes)

    def _show_robot(self, columns: int) -> None:
        reader, place = self.model.reader, self.model.place
        tracks = (id(reader.joints), id(reader.commands))
        if self._is_new("robot", (tracks, place.begin_s, place.end_s, columns)):
            self.robot.show_tracks(reader.joints, reader.commands, columns)

    def _show_electrodes(self) -> None:
        shown, outline = self.model.reader.shown, self.model.reader.outline
        if shown is not None and self._is_new("electrodes", (shown, outline.filled)):
            self.traces.show_outline(shown.outline, outline.usual_rms_uv)
            self.panel.show_electrodes(shown.rms_uv, outline.loud_rms_uv)

    def _show_words(self) -> None:
        model, reader, cursor_s = self.model, self.model.reader, self.model.place.cursor_s
        mistake = mistake_text(model.mistakes, cursor_s)
        self.panel.show_words(
            f"{clock(cursor_s)} of {clock(model.place.seconds)}",
            decided_rows(model.cues, model.recorded, reader.replayed, cursor_s),
            f"{model.judged_name} decisions: {mistake}" if model.judged is not None and model.cues else "",
            robot_rows(reader.joints, reader.commands, self._robot_model, cursor_s),
            event_rows(model.happenings, cursor_s),
        )
        self.state.setText(f"{model.state} · an EMG lane is {self.traces.lane_uv:.0f} µV high")

    # ---- what a person does

    def toggle_help(self) -> None:
        """Show or hide what keys and mouse do."""
        self.help.setVisible(not self.help.isVisible())
        self._place_help()

    def change_theme(self) -> None:
        """Go from light to dark or back."""
        self._look = THEMES["dark" if self._look.name == "light" else "light"]
        apply_theme(self._app, self._look)
        self._restyle()

    def _restyle(self) -> None:
        look = self._look
        for plot in (self.whole, self.traces, self.decisions, self.robot):
            plot.restyle()
        for button in self.buttons.values():
            button.restyle()
        self.help.setText(HELP.format(accent=look.accent.name(), warn=look.warn.name()))
        self.help.setStyleSheet(
            f"background: {look.panel.name()}; color: {look.text.name()}; border: 2px solid {look.line.name()};"
        )
        self.update()

    def _place_help(self) -> None:
        self.help.adjustSize()
        self.help.move((self.width() - self.help.width()) // 2, (self.height() - self.help.height()) // 2)
        self.help.raise_()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Do what a key stands for."""
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        name = QKeySequence(event.key()).toString()
        act = self.acts.get(f"Shift+{name}" if shift else name) or self.acts.get(name)
        if act is not None:
            act()
        elif event.key() == Qt.Key.Key_Escape:
            self.help.hide()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the help in the middle."""
        super().resizeEvent(event)
        self._place_help()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End what still reads."""
        self._timer.stop()
        self.model.reader.close()
        event.accept()
        self._app.quit()


def run_replay_window(settings: ReplaySettings, stop: threading.Event) -> None:
    """Show the window until it is closed or `stop` is set (by Ctrl-C); raises as `ReplayWindow` does."""
    run_until_closed(lambda app: ReplayWindow(app, settings), stop)
