"""The operator's window of a live session: what is decoded, what the robot does and why, and a stop that always works.

It observes, arms, stops and sends the heartbeat; it is not in the control path. A window that does not draw what is so
now (it hangs, it cannot look, it is minimised) sends no heartbeat, and the bridge stops the robot.
"""

import math
import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QImage, QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from robot_bridge.robot_model import load_robot_model
from teleoperation.camera_feed import CameraFeed, CameraPicture
from teleoperation.session import TeleopSession
from teleoperation.session_view import TeleopView
from teleoperation.trial_sheet import Outcome
from ui.view_models.live_traces import TraceChoice
from ui.view_models.teleop_words import checks_text, health_text, joint_rows, task_text
from ui.windows.live_traces import LiveTraces
from ui.windows.participant import ParticipantWindow
from ui.windows.running import run_until_closed
from ui.windows.sleeve_panels import DecodedPanel, HistoryPanel, MeaningPanel, SignalPanel
from ui.windows.theme import LIGHT, THEMES, Theme, apply_theme, font
from ui.windows.widgets import BigButton, CameraView, JointBars, LiveMark, StateBadge

FRAME_MS = 33
# The heartbeat lives only while this window paints fresh views: none older than this when painted, nor a longer pause.
PULSE_S = 0.15
CAMERA_WAIT_S = 5.0
STOP_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Escape)
# Of a key that is to do anything but stop: no Ctrl, Alt, Meta or Shift with it.
PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
NOTE = "What should the trial sheet say?\nSpace and Escape stop the robot, here too: write _ for a space."
KEYS = "T start · S success · F fail · N note\nP participant · D light/dark · E electrodes"
MODEL = load_robot_model()


class _Answers(QObject):
    """What a thread that waits for the bridge has to say, brought into the window's thread."""

    came = Signal(str)


class TeleopWindow(QWidget):
    """The window.

    Parameters
    ----------
    app : QApplication
        Whose keys it hears and whose look it changes.
    session : TeleopSession
        Running.
    theme : Theme
        The look to begin with.
    """

    def __init__(self, app: QApplication, session: TeleopSession, theme: Theme = LIGHT) -> None:
        super().__init__()
        self._app, self.session, self._look = app, session, theme
        apply_theme(app, theme)
        self._camera: CameraFeed | None = None
        self._pulse_s = time.monotonic()
        self._opened_s = time.monotonic()
        self._answers = _Answers()
        self._answers.came.connect(self._show_message)
        self._message, self._message_s = "", -math.inf
        self.names = [sleeve.name for sleeve in session.sleeves]
        self.participant = ParticipantWindow(self.theme, self.names)
        self._build()
        self.setWindowTitle("hdemg teleoperation")
        self.resize(1280, 800)
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self.refresh)
        # Keys work wherever the focus is, in this window and in the participant's.
        app.installEventFilter(self)

    def start(self) -> None:
        """Draw from now on, and give the heartbeat this window's pulse."""
        self._camera = CameraFeed(self.session.chain.names.namespace)
        self.session.watch_by(self.is_alive)
        self._timer.start()

    def theme(self) -> Theme:
        """Return the look."""
        return self._look

    def is_alive(self) -> bool:
        """Whether a fresh view has been painted just now."""
        return time.monotonic() - self._pulse_s < PULSE_S

    # ---- what it is made of

    def _build(self) -> None:
        sleeves = self.session.sleeves
        self.decoded = [DecodedPanel(self.theme, name) for name in self.names]
        self.signals = [SignalPanel(self.theme, name) for name in self.names]
        self.histories = [HistoryPanel(self.theme, name) for name in self.names]
        self.modes = [QLabel() for _ in sleeves]
        self.meanings = [
            MeaningPanel(sleeve.gesture_map, mode) for sleeve, mode in zip(sleeves, self.modes, strict=True)
        ]
        for mode in self.modes:
            mode.setFont(font(17 if len(sleeves) == 1 else 12, bold=True))
        self.camera = CameraView(self.theme)
        self.traces = LiveTraces(
            self.theme,
            self.session.recent_emg,
            [sleeve.decoder.metadata.filter_design for sleeve in sleeves],
        )
        # Either is what one looks at; the joints next to it stay in any case.
        self.stage = QStackedWidget()
        self.stage.addWidget(self.camera)
        self.stage.addWidget(self.traces)
        self.joints = JointBars(self.theme)
        self.badge = StateBadge(self.theme)
        self.arm_button = BigButton("Arm  [A]", self.theme)
        self.arm_button.paint_in(lambda theme: theme.good)
        self.arm_button.clicked.connect(self.arm)
        self.stop_button = BigButton("STOP  [Space]", self.theme, points=22, height=96)
        self.stop_button.paint_in(lambda theme: theme.bad)
        self.stop_button.clicked.connect(self.stop)
        self.checks = _text(10)
        self.health = _text(9.5)
        self.task = _text(11)
        self.message = _text(11)
        # Made last, it lies on top, and is painted after everything else.
        self.mark = LiveMark(self.theme, self._on_painted)
        self._lay_out()

    def _lay_out(self) -> None:
        decoded = QVBoxLayout()
        decoded.setSpacing(14)
        for panel in self.decoded:
            decoded.addWidget(panel, 1)
        robot = QVBoxLayout()
        robot.addWidget(self.stage, 5)
        if len(self.modes) == 1:
            robot.addWidget(self.modes[0])
        meant = QVBoxLayout()
        for meaning in self.meanings:
            meant.addWidget(meaning)
        meant.addStretch(1)
        lower = QHBoxLayout()
        lower.addLayout(meant, 5)
        lower.addWidget(self.joints, 5)
        robot.addLayout(lower, 3 if len(self.modes) == 1 else 4)
        signals = QWidget()
        stacked = QVBoxLayout(signals)
        stacked.setContentsMargins(0, 0, 0, 0)
        for signal in self.signals:
            stacked.addWidget(signal)
        state = QVBoxLayout()
        widget: QWidget
        for widget, stretch in (
            (self.badge, 0),
            (self.stop_button, 0),
            (self.arm_button, 0),
            (self.checks, 2),
            (signals, 3),
            (self.health, 0),
            (self.mark, 0),
        ):
            state.addWidget(widget, stretch)
        layout = QGridLayout(self)
        layout.addLayout(decoded, 0, 0)
        layout.addLayout(robot, 0, 1)
        layout.addLayout(state, 0, 2)
        for column, share in enumerate((23, 49, 28)):
            layout.setColumnStretch(column, share)
        below = QHBoxLayout()
        for history in self.histories:
            below.addWidget(history, 3 if len(self.histories) == 1 else 2)
        notes = QVBoxLayout()
        notes.addWidget(self.task)
        notes.addWidget(self.message)
        below.addLayout(notes, 2)
        layout.addLayout(below, 1, 0, 1, 3)
        layout.setRowStretch(0, 10)
        layout.setRowStretch(1, 2)

    # ---- every frame

    def refresh(self) -> None:
        """Show everything as it is now; whatever fails of it, the heartbeat ends with it."""
        if self.session.ended:
            self.close()
            return
        looked_s = time.monotonic()
        view = self.session.view()
        self.show_view(view)
        if self._camera is not None:
            self.show_camera(self._camera.take())
        self.participant.show_view(view)
        self.mark.show_time(looked_s)

    def _on_painted(self, looked_s: float) -> None:
        now_s = time.monotonic()
        # Some platforms paint what is minimised.
        if now_s - looked_s < PULSE_S and not self.isMinimized():
            self._pulse_s = now_s

    def show_view(self, view: TeleopView) -> None:
        """Show a view; waits for nothing."""
        self._show_sleeves(view)
        self._show_robot(view)
        self._show_state(view)
        self._show_task(view)

    def _show_sleeves(self, view: TeleopView) -> None:
        for k, seen in enumerate(view.seen):
            for panel in (self.decoded[k], self.histories[k], self.signals[k]):
                panel.show_seen(seen)
        self.traces.show_signal(view.seen)

    def _show_robot(self, view: TeleopView) -> None:
        robot = view.robot
        for name, meaning in zip(self.names, self.meanings, strict=True):
            meaning.show_mode(robot.sleeve(name))
        self.joints.show_joints(joint_rows(robot, MODEL))

    def _show_state(self, view: TeleopView) -> None:
        robot = view.robot
        self.badge.show_state(robot.safety_state, robot.reason)
        self.arm_button.setEnabled(view.ready and not view.live)
        self.checks.setText(checks_text(view))
        self.health.setText(health_text(view))

    def change_traces(self, choice: TraceChoice) -> None:
        """Show other traces, or the camera again."""
        self.traces.choice = choice
        self.stage.setCurrentWidget(self.camera if choice.kind == "off" else self.traces)

    def _turn_traces(self, pages: int) -> None:
        info = self.session.view().seen[self.traces.choice.sleeve].info
        if info is not None:
            self.change_traces(self.traces.choice.turned(pages, info.n_channels))

    def _show_task(self, view: TeleopView) -> None:
        self.task.setText(f"{task_text(view)}\n{KEYS}")
        if time.monotonic() - self._message_s < 8.0:  # noqa: PLR2004 - seconds that an answer is shown
            self.message.setText(self._message)
        else:
            self.message.setText(view.messages[-1].text if view.messages else "")

    def show_camera(self, picture: CameraPicture | None) -> None:
        """Show what the robot's camera sees; None where nothing new has come."""
        if picture is not None:
            form = QImage.Format.Format_RGB888
            image = QImage(picture.data, picture.width, picture.height, 3 * picture.width, form)
            self.camera.show_picture(image.copy())
            self._opened_s = math.inf
        elif time.monotonic() - self._opened_s > CAMERA_WAIT_S:
            self.camera.show_picture(None, "no camera picture (camera/image_raw)")
            self._opened_s = math.inf

    # ---- what a person does

    def arm(self) -> None:
        """Ask the bridge to arm; its answer comes later."""
        request = self.session.ask_to_arm()
        self._show_message("arming…")
        self._ask(lambda: self.session.arm(request) or "armed")

    def stop(self) -> None:
        """Stop the robot, at once and without waiting here."""
        number = self.session.begin_stop()
        self._show_message("stopping…")
        self._ask(lambda: f"NOT CONFIRMED: {why}" if (why := self.session.stop(number)) else "stopped")

    def _ask(self, act: Callable[[], str]) -> None:
        threading.Thread(
            target=lambda: self._answers.came.emit(act()), name="ask-bridge", daemon=True
        ).start()

    def _show_message(self, text: str) -> None:
        self._message, self._message_s = text, time.monotonic()
        self.message.setText(text)

    def change_theme(self) -> None:
        """Go from light to dark or back."""
        self._look = THEMES["dark" if self._look.name == "light" else "light"]
        apply_theme(self._app, self._look)
        for button in (self.arm_button, self.stop_button):
            button.restyle()
        self.traces.restyle()
        self.update()

    def note(self) -> None:
        """Ask for a note; the robot goes on meanwhile, and the heartbeat with it.

        It is not modal: the stop button must answer to the mouse all the time.
        """
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Note")
        dialog.setLabelText(NOTE)
        dialog.textValueSelected.connect(lambda text: self.session.sheet.note(text.replace("_", " ")))
        dialog.show()
        dialog.activateWindow()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Take keys before any widget does: a stop must not depend on the focus, nor on what is open."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        key, opened = event.key(), _opened()
        if key in STOP_KEYS:
            if not event.isAutoRepeat():
                self.stop()
                if key == Qt.Key.Key_Escape and opened is not None:
                    opened.close()
            return True
        if event.isAutoRepeat() or opened is not None or event.modifiers() not in PLAIN:
            return False
        return self._on_key(Qt.Key(key))

    def _on_key(self, key: Qt.Key) -> bool:
        sheet = self.session.sheet
        acts: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_A: self.arm,
            Qt.Key.Key_T: sheet.start,
            Qt.Key.Key_S: lambda: self._end_trial("success"),
            Qt.Key.Key_F: lambda: self._end_trial("fail"),
            Qt.Key.Key_N: self.note,
            Qt.Key.Key_P: self.participant.toggle,
            Qt.Key.Key_D: self.change_theme,
            Qt.Key.Key_E: lambda: self.change_traces(self.traces.choice.next_kind(len(self.names))),
            Qt.Key.Key_PageDown: lambda: self._turn_traces(1),
            Qt.Key.Key_PageUp: lambda: self._turn_traces(-1),
        }
        if key not in acts:
            return False
        acts[key]()
        return True

    def _end_trial(self, outcome: Outcome) -> None:
        try:
            if not self.session.sheet.end(outcome):
                self._show_message("no trial runs: T starts one")
        except OSError as error:
            self._show_message(f"the trial is not written, and goes on: {error}")

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the session with the window; whoever runs it stops the robot first."""
        self._timer.stop()
        self._app.removeEventFilter(self)
        self.participant.close()
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        # From here on nobody looks: the heartbeat ends, and with it, at the latest, all motion.
        self._pulse_s = -math.inf
        event.accept()
        self._app.quit()


def run_teleop_window(session: TeleopSession, stop: threading.Event) -> None:
    """Show the window until it is closed or `stop` is set.

    Parameters
    ----------
    session : TeleopSession
        Running; whoever made it closes it.
    stop : threading.Event
        Set by Ctrl-C.
    """
    run_until_closed(lambda app: TeleopWindow(app, session), stop)


def _opened() -> QWidget | None:
    """Return the menu or dialog that has the keys, if there is one."""
    focus = QApplication.focusWidget()
    written = focus.window() if focus is not None and isinstance(focus.window(), QDialog) else None
    return QApplication.activePopupWidget() or QApplication.activeModalWidget() or written


def _text(points: float) -> QLabel:
    label = QLabel()
    label.setFont(font(points))
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
