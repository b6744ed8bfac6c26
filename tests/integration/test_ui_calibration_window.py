"""The calibration window driven by keys and clicks as a person would, over a real session in virtual time."""

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from calibration.session import SessionSetup
from calibration.session_view import ActionKind, Phase, Step
from calibration.trial_verdict import label_from_event
from emg_acquisition.decision import Decision
from emg_acquisition.events import Event
from tests.calibration_support import PROTOCOL, TICK_S, VirtualCalibration
from ui.windows.calibration import GUARD_S, CalibrationWindow

Key = Qt.Key
LIMIT_MS = 60_000


class Driven:
    """A window over a session whose time goes on when it is told to, and a person who follows the cues."""

    def __init__(self, qtbot, calibration):
        self.qtbot, self.calibration = qtbot, calibration
        self.window = CalibrationWindow(
            QApplication.instance(), calibration.session, clock=lambda: calibration.now_s
        )
        qtbot.addWidget(self.window)
        with qtbot.waitActive(self.window, timeout=LIMIT_MS):
            self.window.show()
            self.window.activateWindow()

    @property
    def view(self):
        return self.calibration.view

    def go_on(self):
        one = self.calibration
        one.now_s += TICK_S
        one.feed.gesture = one.does(one.view)
        one.feed.advance(one.now_s)
        self.window.refresh()

    def until(self, condition, limit_s=200.0):
        end_s = self.calibration.now_s + limit_s
        while not condition(self.view):
            assert self.calibration.now_s < end_s, f"still {self.view}"
            self.go_on()
        # What came under the finger just now is not pressed by accident.
        for _ in range(int(GUARD_S / TICK_S) + 2):
            self.go_on()
        return self.view

    def at(self, step, limit_s=200.0):
        return self.until(lambda view: view.step is step, limit_s)

    def press(self, key):
        self.qtbot.keyClick(QApplication.focusWidget() or self.window, key)
        self.window.refresh()

    def to_cues(self):
        self.at(Step.SIGNAL_CHECK)
        self.press(Key.Key_Return)
        assert self.view.step in {Step.CUE, Step.WAITING}

    def to_hold(self, trial=1):
        return self.until(lambda view: view.cue and view.cue.trial == trial and view.cue.phase is Phase.HOLD)

    def verdicts(self):
        return [label["verdict"] for label in self.calibration.labels if label["gesture"] != "rest"]

    def events(self, kind):
        return [fields for one in self.calibration.recordings for fields in one.of(kind)]


@pytest.fixture
def driven(qtbot, tmp_path):
    return Driven(qtbot, VirtualCalibration(tmp_path))


def buttons_of(window):
    return [button.text() for button in window.bar.buttons if button.isVisible()]


def test_from_the_signal_check_to_the_accepted_decoder_by_keys_alone(driven):
    window = driven.window
    driven.at(Step.SIGNAL_CHECK)
    assert window.signal.isVisible()
    assert "8 of 8" in window.signal.title.text()
    driven.press(Key.Key_Space)
    seen = set()
    while driven.view.step is Step.CUE:
        driven.go_on()
        if driven.view.cue is not None and driven.view.cue.phase is Phase.HOLD:
            seen.add(window.cue.picture.accessibleName())
    assert seen == {"Hold: fist", "Hold: hand open"}
    driven.at(Step.RESULT)
    assert window.result.title.text() == "100% of the gestures right"
    assert "fist and hand open" in window.result.advice.text()
    driven.press(Key.Key_T)
    driven.calibration.feed.decision = Decision(2, 0.9, 0.6, 1.0, (0.05, 0.05, 0.9))
    driven.at(Step.TRY_OUT)
    assert window.try_out.name.accessibleName() == "hand open"
    driven.press(Key.Key_Return)  # accept has the focus
    driven.at(Step.DONE)
    assert driven.calibration.session.decoder.read_bytes() == b"decoder"
    assert "decoder.onnx" in window.halt.text.text()
    driven.press(Key.Key_Q)
    assert not window.isVisible()
    assert set(driven.verdicts()) == {"good"}


@pytest.mark.parametrize("key", [Key.Key_P, Key.Key_Escape, Key.Key_Return])
def test_pause_in_mid_trial_offers_it_again_and_goes_on(driven, key):
    driven.to_cues()
    driven.to_hold()
    driven.press(key)
    assert driven.view.step is Step.PAUSED
    assert driven.window.halt.title.text() == "Paused"
    driven.at(Step.PAUSED)
    driven.press(Key.Key_P)
    assert driven.view.step is Step.CUE
    driven.at(Step.RESULT)
    assert driven.verdicts().count("paused") == 1
    assert driven.verdicts().count("good") == len(PROTOCOL.trials())
    assert len(driven.events("pause")) == len(driven.events("resume")) == 1


def test_repeat_and_skip_in_mid_trial(driven):
    driven.to_cues()
    first = driven.to_hold().cue.upcoming
    driven.press(Key.Key_R)
    assert driven.to_hold().cue.upcoming == first
    driven.press(Key.Key_S)
    driven.at(Step.RESULT)
    assert driven.verdicts().count("repeated") == driven.verdicts().count("skipped") == 1


def test_a_lost_stream_is_told_and_the_trial_comes_again_when_it_is_back(driven):
    driven.to_cues()
    driven.to_hold()
    driven.calibration.feed.connected = False
    driven.at(Step.STREAM_LOST)
    assert driven.window.halt.title.text() == "Signal lost"
    assert "No signal from test-0001" in driven.window.halt.text.text()
    # A switch's press in the meantime must not end the calibration.
    driven.press(Key.Key_Space)
    assert driven.view.step is Step.STREAM_LOST
    driven.calibration.feed.connected = True
    driven.at(Step.CUE)
    assert "back" in driven.window.cue.message.text()
    driven.at(Step.RESULT)
    assert driven.verdicts().count("good") == len(PROTOCOL.trials())


def test_closing_in_mid_session_loses_nothing_and_resuming_asks_for_the_rest(qtbot, driven, tmp_path):
    driven.to_cues()
    driven.to_hold(trial=3)
    driven.window.close()
    assert driven.view.step is Step.STOPPED
    assert len(driven.events("quit")) == 1
    labels = tuple(
        label_from_event(Event(t_s, kind, fields))
        for one in driven.calibration.recordings
        for t_s, kind, fields in one.events
        if kind == "label"
    )
    assert sum(label.verdict.value == "good" and label.gesture != "rest" for label in labels) == 2
    setup = SessionSetup("P01", "T1", PROTOCOL, tmp_path / "sub-P01" / "ses-T1", labels=labels, next_part=2)
    again = Driven(qtbot, VirtualCalibration(tmp_path, setup=setup))
    again.to_cues()
    again.at(Step.RESULT)
    assert again.verdicts().count("good") == len(PROTOCOL.trials()) - 2


def test_stop_pauses_first_and_only_then_ends_the_cues(driven):
    driven.to_cues()
    driven.to_hold(trial=3)
    driven.press(Key.Key_X)
    assert driven.view.step is Step.PAUSED
    assert any("End and train" in text for text in buttons_of(driven.window))
    driven.press(Key.Key_X)
    driven.at(Step.RESULT)
    assert driven.verdicts().count("good") == 2


def test_a_press_meant_for_the_screen_before_does_nothing(driven):
    driven.to_cues()
    driven.until(lambda view: view.step is Step.TRAINING)
    driven.at(Step.RESULT)
    driven.press(Key.Key_T)
    driven.press(Key.Key_Return)  # would accept what nobody has tried yet
    assert driven.view.step is Step.TRY_OUT
    assert not driven.events("accepted")


def test_a_switch_that_scans_reaches_every_button(driven):
    driven.to_cues()
    driven.to_hold()
    reached = []
    for _ in driven.window.bar.controls:
        reached.append(driven.window.bar.focused().action.kind)
        driven.press(Key.Key_Right)
    assert set(reached) >= {ActionKind.PAUSE, ActionKind.SKIP, ActionKind.QUIT}
    assert driven.window.bar.focused().action.kind is reached[0]
    driven.press(Key.Key_Left)
    assert driven.window.bar.focused().action.kind is ActionKind.QUIT


def test_large_buttons_do_what_their_keys_do(driven):
    driven.to_cues()
    driven.to_hold()
    button = driven.window.bar.buttons[0]
    assert button.height() >= 88
    driven.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert driven.view.step is Step.PAUSED


def test_a_gesture_is_chosen_dropped_and_merged(qtbot, tmp_path):
    protocol = PROTOCOL.model_copy(update={"gestures": ("fist", "hand_open", "pronation")})
    calibration = VirtualCalibration(tmp_path, protocol)
    outcome = calibration.trainer.outcome
    gestures = ("rest", "fist", "hand_open", "pronation")
    confusion = ((9, 0, 0, 0), (0, 9, 1, 0), (0, 0, 9, 0), (0, 0, 4, 5))
    calibration.trainer.outcome = outcome.__class__(gestures=gestures, confusion=confusion)
    calibration.does = lambda view: "fist" if view.cue and view.cue.gesture != "rest" else "rest"
    driven = Driven(qtbot, calibration)
    driven.to_cues()
    driven.at(Step.RESULT)
    assert any(text.startswith("Drop pronation") for text in buttons_of(driven.window))  # the weakest
    driven.press(Key.Key_Down)
    driven.go_on()
    assert any(text.startswith("Drop fist") for text in buttons_of(driven.window))
    driven.press(Key.Key_Up)
    driven.press(Key.Key_G)
    driven.at(Step.RESULT)
    assert calibration.trainer.jobs[-1].merge == (("hand_open", "pronation"),)
    driven.press(Key.Key_E)
    driven.at(Step.RESULT)
    assert calibration.trainer.jobs[-1].drop == ("pronation",)


def test_a_caregiver_lets_each_gesture_go(qtbot, tmp_path):
    protocol = PROTOCOL.model_copy(update={"pace": "caregiver"})
    driven = Driven(qtbot, VirtualCalibration(tmp_path, protocol))
    driven.to_cues()
    for _ in protocol.trials():
        driven.at(Step.WAITING)
        upcoming = driven.view.cue.upcoming
        assert driven.window.cue.picture.accessibleName() == f"Rest: {upcoming.replace('_', ' ')}"
        driven.press(Key.Key_Return)
        driven.at(Step.CUE)
    driven.at(Step.RESULT)


def test_words_look_and_size_change_at_any_time(driven):
    driven.to_cues()
    driven.to_hold()
    window = driven.window
    assert window.cue.name.accessibleName() == driven.view.cue.gesture.replace("_", " ")
    driven.press(Key.Key_W)
    driven.go_on()
    assert window.cue.name.accessibleName() == ""
    assert not window.cue.message.text()
    driven.press(Key.Key_D)
    assert window.theme().name == "dark"
    before = window.halt.title.font().pointSizeF()
    driven.qtbot.keyClicks(window, "+")
    assert window.halt.title.font().pointSizeF() > before
    assert driven.view.step is Step.CUE


def test_what_stops_it_stays_on_the_screen(driven):
    driven.to_cues()
    driven.to_hold()
    driven.calibration.recordings[-1].failure = "recording.xdf cannot be written any more"
    driven.at(Step.STOPPED)
    assert driven.window.isVisible()
    assert "cannot be written any more. Make room" in driven.window.halt.text.text()
