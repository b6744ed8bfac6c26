"""The window of a calibration: from the signal check to the accepted decoder.

It decides nothing: thirty times a second it lets the session go on, draws what `CalibrationSession.view` says, and
hands back what a person does. Reading, recording, judging and training happen elsewhere.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from calibration.session_ports import Traces
from calibration.session_view import Action, ActionKind, Phase, SessionView, Step
from emg_acquisition.streams.outlet import lsl_clock_s
from ui.view_models.calibration_controls import STAGES, Chooser, Control, controls_of, stage_of
from ui.windows.calibration_pages import (
    CuePage,
    DisplayOptions,
    HaltPage,
    Page,
    ResultPage,
    SignalPage,
    TrainingPage,
    TryOutPage,
)
from ui.windows.calibration_widgets import StepTrail
from ui.windows.control_bar import ControlBar, KeyedButton
from ui.windows.cue_sounds import CueSounds
from ui.windows.running import run_until_closed
from ui.windows.theme import LIGHT, THEMES, Theme, apply_theme

FRAME_MS = 33
# A press that was meant for the screen before must not do what the new one's button says.
GUARD_S = 0.6
TEXT_SCALES = (1.0, 1.15, 1.3)
# How long an unattended calibration shows its end.
END_SHOWN_S = 2.0
ENDED = {Step.DONE, Step.STOPPED}


class Calibration(Protocol):
    """What the window drives: `calibration.session.CalibrationSession`."""

    def tick(self, now_s: float) -> None:
        """Go on."""
        ...

    def view(self) -> SessionView:
        """Return what is to be shown."""
        ...

    def handle(self, action: Action) -> None:
        """Do what a person asks."""
        ...

    def traces(self, seconds: float) -> Traces:
        """Return the newest EMG."""
        ...


class CalibrationWindow(QWidget):
    """The window.

    Parameters
    ----------
    app : QApplication
        Whose look it changes.
    session : Calibration
        Open; whoever opened it closes it.
    follow : callable, optional
        Called with the time after each tick: a simulated person.
    clock : callable
        LSL's clock.
    theme : Theme
        The look to begin with.
    """

    def __init__(
        self,
        app: QApplication,
        session: Calibration,
        follow: Callable[[float], None] | None = None,
        *,
        clock: Callable[[], float] = lsl_clock_s,
        theme: Theme = LIGHT,
    ) -> None:
        super().__init__()
        self._app, self._session, self._follow, self._clock = app, session, follow, clock
        self._look, self.options, self.chooser = theme, DisplayOptions(), Chooser()
        self.sounds = CueSounds()
        self._step: Step | None = None
        self._step_since_s = 0.0
        self._phase: Phase | None = None
        self._view: SessionView | None = None
        apply_theme(app, theme)
        self._build()
        self.resize(1280, 800)
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self.refresh)

    def theme(self) -> Theme:
        """Return the look."""
        return self._look

    def start(self) -> None:
        """Go on by itself from now on."""
        self._timer.start()

    # ---- what it is made of

    def _build(self) -> None:
        self.trail = StepTrail(self.theme, STAGES)
        self.signal = SignalPage(self.theme, self.options, self._session.traces)
        self.cue = CuePage(self.theme, self.options)
        self.halt = HaltPage(self.theme, self.options)
        self.training = TrainingPage(self.theme, self.options)
        self.result = ResultPage(self.theme, self.options)
        self.result.picked.connect(self.chooser.pick)
        self.try_out = TryOutPage(self.theme, self.options)
        self._pages: dict[Step, Page] = {
            Step.CONNECTING: self.signal,
            Step.SIGNAL_CHECK: self.signal,
            Step.CUE: self.cue,
            Step.WAITING: self.cue,
            Step.TRAINING: self.training,
            Step.RESULT: self.result,
            Step.TRY_OUT: self.try_out,
        }
        self.stack = QStackedWidget()
        for page in dict.fromkeys((*self._pages.values(), self.halt)):
            self.stack.addWidget(page)
        self.bar = ControlBar(self.theme, self._press)
        header = QHBoxLayout()
        header.addWidget(self.trail, 1)
        self._options: dict[str, tuple[KeyedButton, Callable[[], None]]] = {}
        for key, act, width in (
            ("D", self.change_theme, 76),
            ("H", self.change_hand, 104),
            ("W", self.change_words, 104),
            ("O", self.change_sounds, 104),
            ("+", self.change_text_scale, 76),
        ):
            button = KeyedButton(self.theme, points=11, height=48)
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            button.setFixedWidth(width)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.paint_in(lambda theme: theme.faint)
            button.clicked.connect(act)
            self._options[key] = (button, act)
            header.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 14, 20, 16)
        layout.addLayout(header)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.bar)
        self._name_options()

    def _name_options(self) -> None:
        sounds = "No sound" if not self.sounds.possible else f"Sound {'on' if self.options.sounds else 'off'}"
        for key, text in (
            ("D", "Dark" if self._look.name == "light" else "Light"),
            ("H", "Left hand" if self._look.left_hand else "Right hand"),
            ("W", f"Words {'on' if self.options.words else 'off'}"),
            ("O", sounds),
            ("+", f"A {self._look.text_scale:.0%}"),
        ):
            self._options[key][0].show_words(text, key)

    # ---- every frame

    def refresh(self) -> None:
        """Let the session go on, and show it; waits for nothing."""
        now_s = self._clock()
        self._session.tick(now_s)
        if self._follow is not None:
            self._follow(now_s)
        view = self._session.view()
        self.show_view(view)
        quit_by_person = view.step is Step.STOPPED and not view.problems
        shown_s = now_s - self._step_since_s
        unattended = self._follow is not None and view.step in ENDED and shown_s >= END_SHOWN_S
        if quit_by_person or unattended:
            self.close()

    def show_view(self, view: SessionView) -> None:
        """Show a view."""
        if view.step is not self._step:
            self._step, self._step_since_s = view.step, self._clock()
            self.setWindowTitle(f"hdemg calibration · {view.participant} · {view.protocol}")
        self._view = view
        page = self._pages.get(view.step, self.halt)
        if page is not self.stack.currentWidget():
            self.stack.setCurrentWidget(page)
        choice = self.chooser.choice(view)
        if page is self.result:
            self.result.show_choice(view, choice)
        else:
            page.show_view(view)
        stage = stage_of(view.step)
        if stage is not None:
            self.trail.show_step(stage)
        self.bar.show_controls(controls_of(view, choice))
        self._sound(view)

    def _sound(self, view: SessionView) -> None:
        phase = view.cue.phase if view.cue is not None and view.step is Step.CUE else None
        if phase is not self._phase:
            self._phase = phase
            if phase is not None and self.options.sounds:
                self.sounds.play(phase)

    # ---- what a person does

    def _press(self, control: Control) -> None:
        """Do what a button says, unless it has only just come under the finger."""
        if self._clock() - self._step_since_s >= GUARD_S:
            self.do(control)

    def do(self, control: Control) -> None:
        """Do what a control says."""
        if control.action.kind is ActionKind.QUIT:
            self.close()
            return
        self._session.handle(control.action)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Take every key, wherever the focus is."""
        if event.isAutoRepeat():
            return
        key = event.key()
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        chooses = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            control = self.bar.focused()
            if control is not None:
                self._press(control)
        elif key == Qt.Key.Key_Escape:
            self._pause()
        elif key in moves:
            self.bar.move_focus(moves[Qt.Key(key)])
        elif key in chooses:
            self.chooser.move(chooses[Qt.Key(key)])
        else:
            self._letter(event.text().upper())

    def _letter(self, letter: str) -> None:
        control = self.bar.by_key(letter)
        if control is not None:
            self.do(control)
        elif letter in self._options:
            self._options[letter][1]()

    def _pause(self) -> None:
        if self._view is not None and ActionKind.PAUSE in self._view.allowed:
            self._session.handle(Action(ActionKind.PAUSE))

    def change_theme(self) -> None:
        """Go from light to dark or back."""
        other = THEMES["dark" if self._look.name == "light" else "light"]
        scale, left = self._look.text_scale, self._look.left_hand
        self._take_look(replace(other, text_scale=scale, left_hand=left))

    def change_hand(self) -> None:
        """Show the gestures of the other hand."""
        self._take_look(replace(self._look, left_hand=not self._look.left_hand))

    def change_text_scale(self) -> None:
        """Write larger; after the largest, as usual."""
        at = TEXT_SCALES.index(self._look.text_scale)
        self._take_look(replace(self._look, text_scale=TEXT_SCALES[(at + 1) % len(TEXT_SCALES)]))

    def change_words(self) -> None:
        """Hide or show the words next to the pictures."""
        self.options.words = not self.options.words
        self._name_options()

    def change_sounds(self) -> None:
        """Be silent, or not."""
        self.options.sounds = not self.options.sounds
        self._name_options()

    def _take_look(self, look: Theme) -> None:
        self._look = look
        apply_theme(self._app, look)
        for page in (*dict.fromkeys(self._pages.values()), self.halt):
            page.restyle()
        self.bar.restyle()
        for button, _act in self._options.values():
            button.restyle()
        self._name_options()
        self.update()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Quit; everything recorded is kept, and ``--resume`` goes on."""
        self._timer.stop()
        self._session.handle(Action(ActionKind.QUIT))
        self.sounds.close()
        event.accept()


def show_calibration(
    session: Calibration, follow: Callable[[float], None] | None, stop: threading.Event
) -> None:
    """Show the window until it is closed or `stop` is set.

    Parameters
    ----------
    session : Calibration
        Open; whoever opened it closes it.
    follow : callable, optional
        Called with the time after each tick: a simulated person.
    stop : threading.Event
        Set by Ctrl-C.
    """
    run_until_closed(lambda app: CalibrationWindow(app, session, follow), stop)
