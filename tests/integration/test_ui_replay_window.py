"""The replay window driven by keys and the mouse as a person would, over a recorded session on disk."""

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QTextDocument, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from decoding.decoder_file import load_decoder
from emg_acquisition.recording.session import load_session, open_session
from tests.replay_support import HOP_S, SECONDS, write_session
from ui.view_models.replay import ReplaySettings
from ui.windows.replay import BUTTONS, ReplayWindow

Key, Shift = Qt.Key, Qt.KeyboardModifier.ShiftModifier
LIMIT_MS = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_session(tmp_path_factory.mktemp("sessions") / "ses-look")


@pytest.fixture(scope="module")
def decoder(folder, tmp_path_factory):
    """Another decoder, trained on the same recording; it knows fist from hand_open where the recorded one did not."""
    out = tmp_path_factory.mktemp("decoder") / "decoder.onnx"
    settings = TrainSettings(after_cue_s=0.5, before_next_s=0.5, model="lda")
    return load_decoder(train_decoder([load_session(folder)], out, settings, lambda _s, _p: None).decoder)


class Driven:
    """The window, a clock that goes on when it is told to, and hands."""

    def __init__(self, qtbot, folder, decoder=None, *, judges_replay=False):
        self.qtbot, self.now_s = qtbot, 0.0
        settings = ReplaySettings(open_session(folder), decoder, judges_replay, 1.0, 0.5)
        self.window = ReplayWindow(QApplication.instance(), settings, now_s=lambda: self.now_s)
        qtbot.addWidget(self.window)
        with qtbot.waitActive(self.window, timeout=LIMIT_MS):
            self.window.show()
            self.window.activateWindow()
        self.window.start()
        qtbot.waitUntil(self.model.reader.done.is_set, timeout=LIMIT_MS)
        self.refresh()

    @property
    def model(self):
        return self.window.model

    @property
    def place(self):
        return self.model.place

    def press(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        self.qtbot.keyClick(QApplication.focusWidget() or self.window, key, modifier)
        self.refresh()

    def click(self, words):
        (button,) = [one for one in self.window.findChildren(QPushButton) if one.text().startswith(words)]
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        self.refresh()

    def refresh(self):
        self.window.refresh()
        wanted = (self.place.begin_s, self.place.end_s, self.place.cursor_s)

        def answered():
            shown = self.model.reader.shown
            # Never None: that is an assertion's success to qtbot.
            return (
                shown is not None
                and (shown.request.begin_s, shown.request.end_s, shown.request.cursor_s) == wanted
            )

        self.qtbot.waitUntil(answered, timeout=LIMIT_MS)
        self.window.refresh()

    @property
    def words(self):
        panel = self.window.panel
        return " ".join(label.text() for label in panel.findChildren(QLabel))


@pytest.fixture
def driven(qtbot, folder):
    one = Driven(qtbot, folder)
    yield one
    one.window.close()


def test_through_the_errors_by_keys_alone(driven):
    assert "2 stretches differ from their cue, 0 of them before here" in driven.words
    driven.press(Key.Key_N)
    assert driven.place.cursor_s == pytest.approx(22.0)
    assert "1 of 2: hand open instead of fist" in driven.words
    assert driven.place.begin_s <= 22.0 <= driven.place.end_s
    driven.press(Key.Key_N)
    assert "none instead of hand open" in driven.words
    driven.press(Key.Key_P)
    assert driven.place.cursor_s == pytest.approx(22.0)
    driven.press(Key.Key_Left)
    assert driven.place.cursor_s == pytest.approx(22.0 - HOP_S)
    driven.press(Key.Key_Right, Shift)
    assert driven.place.cursor_s == pytest.approx(23.0 - HOP_S)
    driven.press(Key.Key_End)
    assert driven.place.cursor_s == pytest.approx(driven.place.seconds)
    driven.press(Key.Key_Home)
    assert driven.place.cursor_s == 0.0


def test_the_buttons_do_what_their_keys_do(driven):
    driven.click("Next error")
    assert driven.place.cursor_s == pytest.approx(22.0)
    driven.click("Previous error")
    driven.click("Next event")
    assert driven.place.cursor_s == pytest.approx(35.0)
    driven.click("Whole session")
    assert (driven.place.begin_s, driven.place.end_s) == (0.0, driven.place.seconds)
    driven.click("Closer")
    assert driven.place.end_s - driven.place.begin_s == pytest.approx(driven.place.seconds / 2)
    driven.click("Step back")
    assert driven.place.cursor_s == pytest.approx(35.0 - HOP_S)


def test_playing_and_the_electrodes_at_the_cursor(driven):
    level = driven.window.panel.map._level
    assert level.max() < 0.5  # the first tenths of a second are not read yet
    driven.press(Key.Key_Space)
    assert driven.window.state.text().startswith("playing")
    for _ in range(10):
        driven.now_s += 0.5
        driven.refresh()
    assert driven.place.cursor_s == pytest.approx(5.0)
    # Channel 1 is loud in cue 1, from 4 to 8 s.
    assert int(driven.window.panel.map._level.argmax()) == 1
    driven.press(Key.Key_Space)
    driven.now_s += 5.0
    driven.refresh()
    assert driven.place.cursor_s == pytest.approx(5.0)


def test_the_mouse_goes_there_and_zooms_about_where_it_points(driven):
    plot = driven.window.decisions
    at_s = 12.0
    point = plot.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(at_s, 3.0)))
    driven.qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=point)
    driven.refresh()
    assert driven.place.cursor_s == pytest.approx(at_s, abs=0.1)
    before_s = driven.place.end_s - driven.place.begin_s
    where = (at_s - driven.place.begin_s) / before_s
    wheel = QWheelEvent(
        QPointF(point),
        QPointF(plot.viewport().mapToGlobal(point)),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(plot.viewport(), wheel)
    driven.refresh()
    span_s = driven.place.end_s - driven.place.begin_s
    assert span_s < before_s
    assert (at_s - driven.place.begin_s) / span_s == pytest.approx(where, abs=0.02)


def test_another_decoder_is_held_against_the_recorded_one(qtbot, folder, decoder):
    driven = Driven(qtbot, folder, decoder, judges_replay=True)
    try:
        assert "replayed decisions: nothing differs from its cue" in driven.words
        driven.press(Key.Key_R)
        assert "recorded decisions: 2 stretches" in driven.words
        driven.press(Key.Key_N)
        assert "hand open 0.90" in driven.words
        name, confidence = driven.model.reader.replayed.at(driven.place.cursor_s)
        assert name == "fist"
        assert f"fist {confidence:.2f}" in driven.words
    finally:
        driven.window.close()


def test_what_is_drawn_is_what_was_recorded(driven):
    driven.press(Key.Key_0)
    _, y = driven.window.traces._curve.getData()
    lanes = y.reshape(8, -1)
    moved = np.nanmax(lanes, axis=1) - np.nanmin(lanes, axis=1)
    assert moved.min() > 0.5
    x, y = driven.window.robot._measured.getData()
    lift = y[np.isfinite(y) & (y > 5) & (y < 6)]  # the third lane from the top
    assert np.all(np.diff(lift) >= 0)
    assert lift[-1] - lift[0] > 0.2
    x, _ = driven.window.decisions._mistakes.getData()
    assert x.tolist() == pytest.approx([22.0, 22.5, 29.0, 31.5])


def cut_off(window):
    """Return every writing that does not fit into its label or button."""
    found = []
    for label in window.findChildren(QLabel):
        document = QTextDocument()
        document.setDocumentMargin(0)
        document.setDefaultFont(label.font())
        document.setHtml(label.text())
        room = label.contentsRect().adjusted(label.margin(), label.margin(), -label.margin(), -label.margin())
        document.setTextWidth(room.width())
        size = document.size()
        if label.isVisible() and (size.width() > room.width() + 1 or size.height() > room.height() + 1):
            found.append(f"{label.text()} {size} in {room}")
    for button in window.findChildren(QPushButton):
        lines = button.text().split("\n")
        widest = max(button.fontMetrics().horizontalAdvance(line) for line in lines)
        if widest > button.width() - 8 or button.fontMetrics().height() * len(lines) > button.height():
            found.append(button.text())
    return found


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_nothing_is_cut_off_in_either_look_also_with_help(driven, size):
    driven.window.resize(*size)
    for _ in range(2):
        driven.press(Key.Key_D)
        driven.press(Key.Key_H)
        assert driven.window.help.isVisible()
        QApplication.processEvents()
        driven.window.grab()
        assert (driven.window.width(), driven.window.height()) == size
        assert cut_off(driven.window) == []
        driven.press(Key.Key_Escape)
        assert not driven.window.help.isVisible()


def test_every_key_of_a_button_does_something(driven):
    assert {key for _, key in BUTTONS} <= set(driven.window.acts)
    driven.press(Key.Key_Q)
    assert not driven.window.isVisible()


def test_a_session_without_decisions_says_what_is_missing(qtbot, folder, tmp_path):
    from tests.replay_support import write_emg_only

    driven = Driven(qtbot, write_emg_only(tmp_path / "ses-bare"))
    try:
        assert "no decisions: name a decoder with --decoder" in driven.window.state.text()
        driven.press(Key.Key_N)
        assert driven.place.cursor_s == 0.0
        driven.press(Key.Key_Right)
        assert 0 < driven.place.cursor_s < SECONDS
    finally:
        driven.window.close()
