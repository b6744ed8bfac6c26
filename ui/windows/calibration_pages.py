"""The screens of a calibration: each draws one step from a `SessionView`, and knows nothing of the others."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from calibration.session_ports import Traces
from calibration.session_view import Phase, Problem, SessionView, Severity, SignalView, Step
from emg_acquisition.events import REST
from emg_acquisition.quality.monitor import ChannelState
from emg_acquisition.quality.picture import SYMBOLS
from ui.view_models.calibration_controls import Choice
from ui.windows.calibration_widgets import (
    PHASE_WORDS,
    ActivityGauge,
    ConfusionMatrix,
    CountdownRing,
    FittedLine,
    ProgressBar,
    Words,
    phase_color,
)
from ui.windows.gesture_picture import GesturePicture, paint_gesture, words
from ui.windows.theme import Theme
from ui.windows.trace_plot import TracePlot
from ui.windows.widgets import CENTRE, Bars, Drawn, GridMap, ThemeNow

SIGNS = {Severity.ERROR: "✖", Severity.WARNING: "▲", Severity.ADVICE: "●"}
MAX_PROBLEMS = 5
TRACES_S = 2.0
# Every how many frames the traces are drawn: fifteen times a second.
TRACE_EVERY = 2
# The shade is relative to the liveliest electrode, but noise alone stays pale.
MIN_SCALE_UV = 20.0


@dataclass
class DisplayOptions:
    """What a person has turned on and off."""

    words: bool = True
    sounds: bool = True


class Page(QWidget):
    """A screen.

    Parameters
    ----------
    theme : callable
        Returns the look.
    options : DisplayOptions
        Looked at in every frame.
    """

    def __init__(self, theme: ThemeNow, options: DisplayOptions) -> None:
        super().__init__()
        self.theme, self.options = theme, options
        self.build()

    def build(self) -> None:
        """Make its widgets; to be overridden."""
        raise NotImplementedError

    def show_view(self, view: SessionView) -> None:
        """Show a view; to be overridden."""
        raise NotImplementedError

    def restyle(self) -> None:
        """Follow a change of the look."""
        for label in self.findChildren(Words):
            label.restyle()
        for plot in self.findChildren(TracePlot):
            plot.restyle()


def set_text(label: Words, text: str) -> None:
    """Write, but only where it changes: each change lays the window out again."""
    if label.text() != text:
        label.setText(text)


def problem_lines(problems: tuple[Problem, ...]) -> str:
    """Return what is wrong and what to do, a line each."""
    lines = [
        f"{SIGNS[one.severity]} {one.what}. {one.do[:1].upper()}{one.do[1:]}."
        for one in problems[:MAX_PROBLEMS]
    ]
    if len(problems) > MAX_PROBLEMS:
        lines.append(f"and {len(problems) - MAX_PROBLEMS} more")
    return "\n".join(lines)


class SignalPage(Page):
    """Signal check: traces, the grid and what to do about bad electrodes.

    Parameters
    ----------
    traces : callable
        Returns the newest seconds of EMG.
    """

    def __init__(self, theme: ThemeNow, options: DisplayOptions, traces: Callable[[float], Traces]) -> None:
        self._traces, self._frame = traces, 0
        super().__init__(theme, options)

    def build(self) -> None:
        """Make its widgets."""
        self.title = Words(self.theme, 24, bold=True)
        self.plot = TracePlot(self.theme)
        self.plot_words = Words(self.theme, 12, color=lambda theme: theme.faint)
        self.grid = GridMap(self.theme, turns=True)
        self.grid.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.legend = Words(self.theme, 12, color=lambda theme: theme.faint)
        self.advice = Words(self.theme, 15)
        self.advice.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self.plot, 1)
        left.addWidget(self.plot_words)
        right.addWidget(self.grid, 4)
        right.addWidget(self.legend)
        right.addWidget(self.advice, 3)
        columns = QHBoxLayout()
        columns.addLayout(left, 11)
        columns.addSpacing(12)
        columns.addLayout(right, 9)
        layout = QVBoxLayout(self)
        layout.addWidget(self.title)
        layout.addLayout(columns, 1)

    def show_view(self, view: SessionView) -> None:
        """Show the electrodes."""
        signal = view.signal
        set_text(self.title, _signal_title(view))
        advice = problem_lines(view.problems)
        if not advice and signal is not None:
            advice = "✓ All electrodes are good. Relax your arm, then start."
        set_text(self.advice, advice)
        self._frame += 1
        rms_uv = float(np.median(signal.rms_uv)) if signal is not None and signal.rms_uv else np.nan
        if self._frame % TRACE_EVERY == 0:
            self.plot.show_traces(self._traces(TRACES_S), rms_uv)
        if signal is not None:
            self._show_grid(signal)

    def _show_grid(self, signal: SignalView) -> None:
        rms_uv = np.array(signal.rms_uv)
        level = rms_uv / max(MIN_SCALE_UV, float(np.nanmax(rms_uv, initial=0.0)))
        states = np.array([ChannelState[state.upper()].value for state in signal.states])
        self.grid.show_grid(signal.channel_at, level, states)
        bad = sorted({state for state in signal.states if state != "good"})
        shade = "darker or brighter: more muscle activity" + (
            "; first row on the right" if self.grid.turned() else ""
        )
        letters = [f"{SYMBOLS[ChannelState[state.upper()]]} {state}" for state in bad]
        set_text(self.legend, " · ".join([shade, *letters]))
        set_text(
            self.plot_words,
            f"{len(signal.states)} channels at {signal.fs_hz:g} Hz, the last {TRACES_S:g} s; "
            f"a lane is {self.plot.lane_uv:g} µV",
        )


def _signal_title(view: SessionView) -> str:
    if view.step is Step.CONNECTING:
        return "… Connecting: the recording is being opened"
    if view.signal is None:
        return "… Listening to the electrodes"
    good, n = view.signal.states.count("good"), len(view.signal.states)
    sign = "✓" if view.signal.good_enough else "▲"
    return f"{sign} Signal check: {good} of {n} electrodes are good"


class FramedPicture(Drawn):
    """A gesture, framed by the phase: thinly in rest, dashed to get ready, a line to build up, a thick one to hold."""

    def __init__(self, theme: ThemeNow) -> None:
        super().__init__(theme, (520, 420))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._gesture, self._phase = "", Phase.REST

    def show_gesture(self, gesture: str, phase: Phase) -> None:
        """Show another gesture or phase."""
        if (gesture, phase) != (self._gesture, self._phase):
            self._gesture, self._phase = gesture, phase
            self.setAccessibleName(f"{PHASE_WORDS[phase]}: {words(gesture)}")
            self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the picture and its frame."""
        frame = {Phase.GET_READY: (6, Qt.PenStyle.DashLine), Phase.RAMP: (7, Qt.PenStyle.SolidLine)}
        wide, style = frame.get(self._phase, (14, Qt.PenStyle.SolidLine))
        box = QRectF(self.rect()).adjusted(8, 8, -8, -8)
        painter.setBrush(theme.panel)
        rest = self._phase is Phase.REST
        painter.setPen(
            QPen(theme.line if rest else phase_color(theme, self._phase), 2 if rest else wide, style)
        )
        painter.drawRoundedRect(box, 18, 18)
        if self._gesture:
            paint_gesture(painter, self._gesture, box.adjusted(20, 16, -20, -16), theme)


class CuePage(Page):
    """What is asked for now: picture, name, countdown, activity, progress."""

    def build(self) -> None:
        """Make its widgets."""
        self.picture = FramedPicture(self.theme)
        self.name = FittedLine(self.theme, 44)
        self.ring = CountdownRing(self.theme)
        self.gauge = ActivityGauge(self.theme)
        self.next_picture = GesturePicture(self.theme)
        self.next_picture.setFixedSize(120, 120)
        self.next_name = Words(self.theme, 17)
        self.message = Words(self.theme, 17, color=lambda theme: theme.warn)
        self.progress = ProgressBar(self.theme)
        follows = QHBoxLayout()
        follows.addWidget(self.next_picture)
        follows.addWidget(self.next_name, 1)
        middle = QVBoxLayout()
        middle.addWidget(self.ring, 1)
        middle.addLayout(follows)
        left = QVBoxLayout()
        left.addWidget(self.picture, 1)
        left.addWidget(self.name)
        columns = QHBoxLayout()
        columns.addLayout(left, 14)
        columns.addLayout(middle, 8)
        columns.addWidget(self.gauge, 3)
        layout = QVBoxLayout(self)
        layout.addLayout(columns, 1)
        layout.addWidget(self.message)
        layout.addWidget(self.progress)

    def show_view(self, view: SessionView) -> None:
        """Show a cue."""
        cue, with_words = view.cue, self.options.words
        if cue is None:
            return
        resting = cue.phase is Phase.REST
        waiting = view.step is Step.WAITING
        shown = cue.upcoming if cue.upcoming and (waiting or not resting) else REST
        self.picture.show_gesture(shown, cue.phase)
        self.ring.show_cue(cue, with_words=with_words)
        self.gauge.show_activity(view.activity, with_words=with_words)
        strength = f", {cue.level}" if cue.level and shown != REST else ""
        self.name.show_text(words(shown) + strength if with_words else "")
        follows = cue.upcoming if resting and not waiting else ""
        self.next_picture.show_gesture(follows)
        self.next_name.setVisible(with_words)
        note = f"again: attempt {cue.attempt}" if cue.attempt > 1 else ""
        if waiting:
            note = "next gesture when you are ready"
        set_text(self.next_name, f"next: {words(follows)}" if follows else note)
        problems = problem_lines(view.problems[:1])
        set_text(self.message, (view.message or problems) if with_words else "")
        minutes = f"{cue.minutes_left:.0f} min left" if cue.minutes_left >= 1 else "less than a minute left"
        self.progress.show_share(
            cue.progress, f"{cue.trial} of {cue.n_trials} · {minutes}" if with_words else ""
        )


class TrainingPage(Page):
    """How far the training is."""

    def build(self) -> None:
        """Make its widgets."""
        self.picture = GesturePicture(self.theme)
        self.title = Words(self.theme, 36, bold=True, align=CENTRE)
        self.bar = ProgressBar(self.theme, height=56)
        self.text = Words(self.theme, 19, align=CENTRE)
        layout = QVBoxLayout(self)
        layout.addWidget(self.picture, 4)
        layout.addWidget(self.title)
        layout.addSpacing(16)
        layout.addWidget(self.bar)
        layout.addSpacing(16)
        layout.addWidget(self.text)
        layout.addStretch(1)

    def show_view(self, view: SessionView) -> None:
        """Show the progress."""
        self.picture.show_gesture(REST)
        set_text(self.title, "Learning your gestures")
        set_text(self.text, "Relax your arm; this takes less than a minute.")
        if view.training is not None:
            now = view.training
            self.bar.show_share(now.share, f"{now.stage or 'starting'} · {now.seconds:.0f} s")


class ResultPage(Page):
    """Held-out confusion, the weakest pair with advice, and a gesture to drop or to merge."""

    picked = Signal(str)

    def build(self) -> None:
        """Make its widgets."""
        self.matrix = ConfusionMatrix(self.theme)
        self.matrix.chosen.connect(self.picked)
        self.title = Words(self.theme, 30, bold=True)
        self.accuracy = Words(self.theme, 17)
        self.advice = Words(self.theme, 17)
        self.picture = GesturePicture(self.theme)
        self.chosen = Words(self.theme, 14, color=lambda theme: theme.faint)
        right = QVBoxLayout()
        for widget, stretch in (
            (self.title, 0),
            (self.accuracy, 0),
            (self.advice, 0),
            (self.picture, 1),
            (self.chosen, 0),
        ):
            right.addWidget(widget, stretch)
        layout = QHBoxLayout(self)
        layout.addWidget(self.matrix, 11)
        layout.addSpacing(16)
        layout.addLayout(right, 8)

    def show_choice(self, view: SessionView, choice: Choice | None) -> None:
        """Show a result with the gesture that a person looks at."""
        result = view.result
        self.matrix.setVisible(result is not None)
        if result is None:
            set_text(self.title, "✖ No decoder yet")
            set_text(self.accuracy, problem_lines(view.problems))
            set_text(self.advice, view.message)
        row = choice.gesture if choice else ""
        self.picture.show_gesture(row)
        framed = "is framed" if result is not None else "is shown"
        set_text(
            self.chosen,
            f"{words(row)} {framed}; ↑ and ↓ choose another gesture to drop or merge." if row else "",
        )
        if result is None:
            return
        self.matrix.show_result(result, row)
        right = result.trial_accuracy
        set_text(self.title, f"{right:.0%} of the gestures right" if right is not None else "Decoder made")
        measured = "Nothing was held out to measure it on."
        if result.window_accuracy is not None:
            measured = (
                f"{result.window_accuracy:.1%} of all moments, on repetitions that it had not learned from; "
                f"trained in {result.seconds:.0f} s."
            )
        set_text(self.accuracy, measured)
        advice = result.weakest.text if result.weakest else "✓ No two gestures are confused often."
        set_text(self.advice, f"▲ {advice}" if result.weakest else advice)

    def show_view(self, view: SessionView) -> None:
        """Show a result without a choice."""
        self.show_choice(view, None)


class TryOutPage(Page):
    """What is decoded now."""

    def build(self) -> None:
        """Make its widgets."""
        self.title = Words(self.theme, 19, color=lambda theme: theme.faint)
        self.picture = GesturePicture(self.theme)
        self.name = FittedLine(self.theme, 44)
        self.bars = Bars(self.theme, largest=15.0, row=54.0)
        self.bars.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.levels = Bars(self.theme, largest=15.0, row=42.0)
        self.levels.setFixedHeight(88)
        self.message = Words(self.theme, 15, color=lambda theme: theme.warn)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self.picture, 1)
        left.addWidget(self.name)
        right.addWidget(self.bars, 1)
        right.addWidget(self.levels)
        columns = QHBoxLayout()
        columns.addLayout(left, 10)
        columns.addLayout(right, 9)
        layout = QVBoxLayout(self)
        layout.addWidget(self.title)
        layout.addLayout(columns, 1)
        layout.addWidget(self.message)

    def show_view(self, view: SessionView) -> None:
        """Show a decision."""
        now = view.try_out
        if now is None:
            return
        set_text(self.title, "Try each gesture: the picture shows what is decoded.")
        self.picture.show_gesture(now.decoded or REST)
        self.name.show_text(words(now.decoded) if now.decoded else "no decision")
        marked = now.gestures.index(now.decoded) if now.decoded in now.gestures else -1
        rows = [(words(name), p) for name, p in zip(now.gestures, now.probabilities, strict=True)]
        self.bars.show_bars(rows, marked)
        self.levels.show_bars([("sure", now.confidence), ("effort", now.effort)], 1)
        set_text(self.message, view.message or problem_lines(view.problems[:1]))


class HaltSign(Drawn):
    """Why nothing is asked for, as a shape: two bars for a pause, a broken line for a lost signal, a tick, a square."""

    def __init__(self, theme: ThemeNow) -> None:
        super().__init__(theme, (240, 200))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._step = Step.PAUSED

    def show_step(self, step: Step) -> None:
        """Show another step."""
        if step is not self._step:
            self._step = step
            self.update()

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw the shape."""
        side = 0.7 * min(self.width(), self.height())
        x, y = (self.width() - side) / 2, (self.height() - side) / 2
        color = {Step.PAUSED: theme.accent, Step.DONE: theme.good, Step.STOPPED: theme.faint}
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color.get(self._step, theme.bad))
        if self._step is Step.PAUSED:
            for left in (0.12, 0.58):
                painter.drawRoundedRect(QRectF(x + left * side, y, 0.3 * side, side), 12, 12)
        elif self._step is Step.STOPPED:
            painter.drawRoundedRect(
                QRectF(x + 0.08 * side, y + 0.08 * side, 0.84 * side, 0.84 * side), 12, 12
            )
        else:
            pen = QPen(painter.brush().color(), 0.13 * side, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            lines = {Step.DONE: ((0.1, 0.55, 0.4, 0.85), (0.4, 0.85, 0.95, 0.15))}
            broken = ((0.0, 0.5, 0.3, 0.5), (0.7, 0.5, 1.0, 0.5), (0.42, 0.2, 0.58, 0.8))
            for x0, y0, x1, y1 in lines.get(self._step, broken):
                painter.drawLine(
                    round(x + x0 * side), round(y + y0 * side), round(x + x1 * side), round(y + y1 * side)
                )


class HaltPage(Page):
    """Paused, signal lost, done, stopped: a sign, what it means and what to do."""

    def build(self) -> None:
        """Make its widgets."""
        self.sign = HaltSign(self.theme)
        self.title = Words(self.theme, 40, bold=True, align=CENTRE)
        self.text = Words(self.theme, 19, align=CENTRE)
        self.progress = ProgressBar(self.theme)
        layout = QVBoxLayout(self)
        layout.addWidget(self.sign, 3)
        layout.addWidget(self.title)
        layout.addSpacing(10)
        layout.addWidget(self.text)
        layout.addStretch(2)
        layout.addWidget(self.progress)

    def show_view(self, view: SessionView) -> None:
        """Show why nothing is asked for."""
        self.sign.show_step(view.step)
        title, text = _halt_words(view)
        set_text(self.title, title)
        set_text(self.text, text)
        self.progress.setVisible(view.cue is not None)
        if view.cue is not None:
            self.progress.show_share(view.cue.progress, f"{view.cue.trial} of {view.cue.n_trials}")


def _halt_words(view: SessionView) -> tuple[str, str]:
    problems = problem_lines(view.problems)
    if view.step is Step.PAUSED:
        kept = "Everything recorded so far is kept. The gesture that was under way comes again."
        return "Paused", "\n\n".join(text for text in (kept, view.message, problems) if text)
    if view.step is Step.STREAM_LOST:
        kept = "Everything recorded so far is kept; this gesture comes again when the signal is back."
        return "Signal lost", "\n\n".join(text for text in (problems, kept) if text)
    if view.step is Step.DONE and view.result is not None:
        path = Path(view.result.decoder)
        place = f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
        return "Ready to use", f"The decoder is saved in\n{place}\n\nThank you. You can close this window."
    kept = "Everything recorded so far is kept: start again with --resume to go on."
    return "Stopped", "\n\n".join(text for text in (problems, kept) if text)
