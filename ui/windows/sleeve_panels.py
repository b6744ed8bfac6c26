"""One sleeve in the operator's window: what is decoded, what its gestures mean, how its signal is, what was decided."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from robot_bridge.gesture_map import GestureMap
from robot_bridge.operator_link import SleeveSnapshot
from teleoperation.meaning import meanings, mode_words
from teleoperation.observer import Seen
from ui.windows.gesture_picture import GesturePicture, words
from ui.windows.theme import Theme, font
from ui.windows.widgets import Bars, GridMap, History, ThemeNow

LOUDEST_UV = 100.0
LEFT = "left"


def hand_of(sleeve: str, theme: ThemeNow) -> Callable[[], Theme]:
    """Return the look with the hand that a sleeve is worn by: a left one where the map calls the sleeve so."""
    return lambda: replace(theme(), left_hand=True) if sleeve == LEFT else theme()


class DecodedPanel(QWidget):
    """What is decoded from one sleeve at this moment.

    Parameters
    ----------
    theme : callable
        Returns the look.
    sleeve : str
        Its name; empty where there is only one, which then has the room of two.
    """

    def __init__(self, theme: ThemeNow, sleeve: str) -> None:
        super().__init__()
        self.picture = GesturePicture(hand_of(sleeve, theme))
        self.gesture = QLabel()
        self.gesture.setFont(font(13 if sleeve else 18, bold=True))
        self.gesture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.bars = Bars(theme)
        self.levels = Bars(theme)
        self.levels.setFixedHeight(36 if sleeve else 56)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        if sleeve:
            layout.setSpacing(2)
            upper = QHBoxLayout()
            upper.addWidget(self.picture, 2)
            named = QVBoxLayout()
            named.addStretch(1)
            named.addWidget(title(sleeve))
            named.addWidget(self.gesture)
            named.addStretch(1)
            upper.addLayout(named, 3)
            layout.addLayout(upper, 3)
        else:
            layout.addWidget(self.picture, 4)
            layout.addWidget(self.gesture)
        layout.addWidget(self.levels)
        layout.addSpacing(6)
        layout.addWidget(self.bars, 5 if sleeve else 4)

    def show_seen(self, seen: Seen) -> None:
        """Show what is decided now."""
        newest = seen.newest
        self.picture.show_gesture(seen.gesture)
        self.gesture.setText(words(seen.gesture) or "no decision")
        marked, shares = -1, (0.0,) * len(seen.gestures)
        if newest is not None:
            marked, shares = newest.gesture_index, newest.probabilities
        named = zip(seen.gestures, shares, strict=True)
        self.bars.show_bars([(words(gesture), share) for gesture, share in named], marked)
        sure, effort = (newest.confidence, newest.effort) if newest is not None else (0.0, 0.0)
        self.levels.show_bars([("confidence", sure), ("effort", effort)], 1)


class MeaningPanel(QWidget):
    """The mode of one sleeve, and what each gesture would do in it.

    Parameters
    ----------
    gesture_map : GestureMap
        The sleeve's.
    mode : QLabel
        Where its mode is written.
    """

    def __init__(self, gesture_map: GestureMap, mode: QLabel) -> None:
        super().__init__()
        self._map, self._mode = gesture_map, mode
        self.table = QLabel()
        self.table.setFont(font(9 if gesture_map.sleeve else 10.5))
        self.table.setTextFormat(Qt.TextFormat.RichText)
        self.table.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        if gesture_map.sleeve:
            layout.addWidget(mode)
        layout.addWidget(self.table, 1)

    def show_mode(self, sleeve: SleeveSnapshot) -> None:
        """Show the mode that the sleeve is in; with several sleeves only the gestures that mean something there."""
        whose = f"{self._map.sleeve}: " if self._map.sleeve else ""
        self._mode.setText(whose + (mode_words(sleeve) or "no mode yet"))
        rows = "".join(
            f"<tr><td align='right'>{words(gesture)}&nbsp;</td><td><b>{what}</b></td></tr>"
            for gesture, what in meanings(self._map, sleeve.mode)
            if not (self._map.sleeve and what == "—")
        )
        self.table.setText(f"<table cellspacing='1'>{rows}</table>" if sleeve.mode else "")


class SignalPanel(QWidget):
    """The heat map of one sleeve, under its name where there are several."""

    def __init__(self, theme: ThemeNow, sleeve: str) -> None:
        super().__init__()
        self.grid = GridMap(theme, turns=True)
        _below_title(self, sleeve, self.grid)

    def show_seen(self, seen: Seen) -> None:
        """Show activity and bad electrodes."""
        if seen.info is not None and seen.quality is not None:
            level = np.clip(seen.quality.measures.muscle_uv / LOUDEST_UV, 0, 1)
            self.grid.show_grid(seen.info.grid.channel_at, level, seen.quality.states)


class HistoryPanel(QWidget):
    """The last ten seconds of one sleeve's decisions, under its name where there are several."""

    def __init__(self, theme: ThemeNow, sleeve: str) -> None:
        super().__init__()
        self.history = History(theme)
        _below_title(self, sleeve, self.history)

    def show_seen(self, seen: Seen) -> None:
        """Show what was decided, up to now."""
        stamps = np.array([sample.t_lsl_s for sample in seen.history])
        self.history.show_history(
            seen.gestures,
            stamps[-1:] - stamps + seen.decision_silent_s,
            np.array([sample.gesture_index for sample in seen.history]),
            np.array([sample.confidence for sample in seen.history]),
        )


def title(sleeve: str) -> QLabel:
    """Return a heading with a sleeve's name."""
    label = QLabel(f"{sleeve} sleeve")
    label.setFont(font(11))
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label


def _below_title(panel: QWidget, sleeve: str, shown: QWidget) -> None:
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    if sleeve:
        layout.addWidget(title(sleeve))
    layout.addWidget(shown, 1)
