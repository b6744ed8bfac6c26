"""The screens after the cues: training, result and try-out."""

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout

from calibration.session_view import SessionView, Step
from emg_acquisition.events import REST
from ui.view_models.calibration_controls import Choice, choices
from ui.windows.calibration_pages import Page, problem_lines, set_text
from ui.windows.calibration_widgets import ConfusionMatrix, FittedLine, ProgressBar, Words
from ui.windows.gesture_picture import GesturePicture, words
from ui.windows.widgets import CENTRE, Bars


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
        told = "Nothing was held out to measure it on."
        if result.window_accuracy is not None:
            told = (
                f"{result.window_accuracy:.1%} of all moments, on repetitions that it had not learned from; "
                f"trained in {result.seconds:.0f} s."
            )
        set_text(self.accuracy, told)
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


@dataclass
class Chooser:
    """Which gesture of a result a person looks at; begins at the weakest."""

    _choices: tuple[Choice, ...] = ()
    _at: int = 0

    def choice(self, view: SessionView) -> Choice | None:
        """Return the choice for a view."""
        if view.step is not Step.RESULT:
            return None
        found = choices(view)
        if found != self._choices:
            self._choices, self._at = found, 0
            if view.result is not None and view.result.weakest is not None:
                self.pick(view.result.weakest.gesture)
        return found[self._at] if found else None

    def move(self, steps: int) -> None:
        """Look at another gesture."""
        if self._choices:
            self._at = (self._at + steps) % len(self._choices)

    def pick(self, gesture: str) -> None:
        """Look at this gesture, if it may be parted with."""
        names = [choice.gesture for choice in self._choices]
        if gesture in names:
            self._at = names.index(gesture)
