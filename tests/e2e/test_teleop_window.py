"""The teleoperation window off screen: what it shows of a session in each of its states, and that it is readable."""

import errno
import json
import shutil
import time
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
pytest.importorskip("rclpy")

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QMenu

from benchmarks.bench_teleop import count_frames
from emg_acquisition.recording.session import SESSION_FILE
from teleoperation.session import DISK_EVERY_S, TeleopSession
from teleoperation.settings import TeleopSettings
from tests.e2e.conftest import OTHER_WEARER, WEARER
from tools.screenshots.teleop_states import States
from ui import CLI_MODULE
from ui.windows.teleop import PULSE_S, TeleopWindow

SIZES = ((1280, 800), (1920, 1080))
POSITIONS = (12.34, -2.0, 0.6, 0.2, 0.5, -0.4, 0.0, 0.2)
STATES = ("ready", "armed", "moving", "stopped", "fault", "signal_lost", "part_lost", "preflight")


def session_of(folder, lsl_session, **settings):
    """Of nothing that runs: the windows are shown made-up views."""
    return TeleopSession(
        TeleopSettings(**settings, record=False), folder, CLI_MODULE, lsl_session=lsl_session
    )


@pytest.fixture(scope="module")
def session(simulated_decoder: Path, lsl_session: str, ros_domain: int, tmp_path_factory):
    session = session_of(tmp_path_factory.mktemp("session"), lsl_session, decoder=simulated_decoder)
    yield session
    session.close()


@pytest.fixture(scope="module")
def two(simulated_decoder: Path, other_decoder: Path, lsl_session: str, ros_domain: int, tmp_path_factory):
    """Two sleeves: a session, and its states."""
    folder = tmp_path_factory.mktemp("two")
    source = (f"simulated --wearer {WEARER}", f"simulated --wearer {OTHER_WEARER}")
    decoders = (simulated_decoder, other_decoder)
    emg = (f"simulated-{WEARER}", f"simulated-{OTHER_WEARER}")
    session = session_of(folder, lsl_session, decoder=decoders, source=source, emg=emg, map="two_sleeves")
    yield session, States(session.sleeves, folder, POSITIONS)
    session.close()


@pytest.fixture
def two_window(qtbot, two):
    window = TeleopWindow(QApplication.instance(), two[0])
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


@pytest.fixture(scope="module")
def states(session, tmp_path_factory):
    return States(session.sleeves, tmp_path_factory.mktemp("recording"), POSITIONS)


@pytest.fixture(scope="module")
def views(states):
    return states.all()


@pytest.fixture
def window(qtbot, session):
    window = TeleopWindow(QApplication.instance(), session)
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


def labels(widget):
    return [label for label in widget.findChildren(QLabel) if label.isVisible() and label.text()]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
def test_every_text_fits_its_place(window, views, state, size):
    everything_fits(window, views[state], size)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
def test_every_text_fits_its_place_with_two_sleeves(two_window, two, state, size):
    everything_fits(two_window, two[1].all()[state], size)


def test_each_sleeve_has_its_gesture_mode_and_meaning(two_window, two):
    view = two[1].all()["moving"]
    two_window.participant.show()
    two_window.show_view(view)
    two_window.participant.show_view(view)
    assert [panel.gesture.text() for panel in two_window.decoded] == ["wrist extension", "wrist abduction"]
    assert [mode.text() for mode in two_window.modes] == ["left: drive · coarse", "right: arm · coarse"]
    left, right = (panel.table.text() for panel in two_window.meanings)
    assert "drive forward" in left
    assert "arm out" in right
    assert "—" not in left + right
    columns = two_window.participant.sleeves
    assert [column.gesture.text() for column in columns] == ["wrist extension", "wrist abduction"]
    assert [column.mode.text() for column in columns] == ["drive · coarse", "arm · coarse"]


def test_of_two_sleeves_the_lost_one_is_named_and_only_its_decision_is_gone(two_window, two):
    two_window.show_view(two[1].all()["part_lost"])
    assert [panel.gesture.text() for panel in two_window.decoded] == ["rest", "no decision"]
    assert "right sleeve: decisions arrive" in two_window.checks.text()
    assert "right decoder: restarting" in two_window.checks.text()
    assert two_window.badge.accessibleName() == "FAULT: right sleeve: no decision for 0.15 s"
    assert not two_window.arm_button.isEnabled()


def test_traces_show_one_sleeve_after_the_other(qtbot, two_window, two):
    two_window.traces.signal = two[1].recent_emg
    titles = []
    for _ in range(4):
        qtbot.keyClick(two_window, Qt.Key.Key_E)
        for _ in range(2):
            two_window.show_view(two[1].all()["moving"])
        titles.append(two_window.traces.title.text().partition("</b>")[0].removeprefix("<b>"))
    assert titles == ["left raw EMG", "left filtered EMG", "right raw EMG", "right filtered EMG"]


def test_the_benchmark_counts_what_the_window_paints(qtbot, window, views):
    frames = [0]
    painted = count_frames(window, frames)
    window.show()
    window.show_view(views["moving"])
    qtbot.waitUntil(lambda: frames[0] > 0, timeout=60_000)
    assert painted.parent() is window


def everything_fits(window, view, size):
    window.participant.show()
    for shown in (window, window.participant):
        shown.resize(*size)
    for _ in range(4):
        window.show_view(view)
        window.participant.show_view(view)
        QApplication.processEvents()
    for shown in (window, window.participant):
        assert (shown.width(), shown.height()) == size
        for label in labels(shown):
            needs = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
            assert label.height() >= needs, label.text()
            assert label.wordWrap() or label.width() >= label.sizeHint().width(), label.text()


@pytest.mark.parametrize(
    ("state", "badge", "may_arm"),
    [
        ("ready", "DISARMED: not armed yet", True),
        ("armed", "ARMED: no gesture is held", False),
        ("moving", "MOVING: a gesture is held", False),
        ("stopped", "STOPPED: stopped by the operator", True),
        ("fault", "FAULT: the operator's window sends no heartbeat", True),
        ("preflight", "DISARMED: not armed yet", False),
    ],
)
def test_state_and_whether_it_may_be_armed(window, views, state, badge, may_arm):
    window.show_view(views[state])
    assert window.badge.accessibleName() == badge
    assert window.decoded[0].gesture.text() == ("wrist extension" if state == "moving" else "rest")
    assert window.arm_button.isEnabled() is may_arm
    assert window.stop_button.isEnabled()


@pytest.mark.parametrize("state", ["signal_lost", "part_lost"])
def test_an_old_decision_is_not_shown_as_the_present_one(window, views, state):
    window.participant.show()
    window.show_view(views[state])
    window.participant.show_view(views[state])
    assert window.decoded[0].gesture.text() == "no decision"
    assert window.participant.sleeves[0].gesture.text() == "…"
    assert not window.arm_button.isEnabled()


def test_what_is_wrong_is_said_with_what_to_do(window, views):
    window.show_view(views["preflight"])
    said = window.checks.text()
    assert "run-stop: pressed — release it on the robot" in said
    assert "disk: 1.1 GB free — free 2 GB" in said
    assert "electrodes" in said
    assert "signal arrives" not in said


def test_health_tells_latency_recording_and_battery(window, views):
    window.show_view(views["ready"])
    said = window.health.text().replace("\u00a0", " ")
    assert "latency 9 ms (p99 14)" in said
    assert "recording 47 MB" in said
    assert "battery 13.0 V" in said


def test_traces_come_and_go_by_a_key_and_name_bad_electrodes(qtbot, window, states, views):
    window.traces.signal = states.recent_emg
    assert window.stage.currentWidget() is window.camera
    shown = []
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_E)
        assert window.stage.currentWidget() is window.traces
        for _ in range(2):
            window.show_view(views["preflight"])
        shown.append(window.traces.title.text())
        assert "E1 detached, E2, E3 detached" in window.traces.names.accessibleName()
    assert "raw EMG" in shown[0]
    assert "filtered EMG" in shown[1]
    window.change_traces(window.traces.choice.turned(1, 64))
    for _ in range(2):
        window.show_view(views["preflight"])
    assert "electrodes 9 to 16 of 64" in window.traces.title.text()
    qtbot.keyClick(window, Qt.Key.Key_E)
    assert window.stage.currentWidget() is window.camera


# ---- keys


@pytest.fixture
def acts(window, monkeypatch):
    """What the keys asked for, in order."""
    done = []
    monkeypatch.setattr(window, "arm", lambda: done.append("arm"))
    monkeypatch.setattr(window, "stop", lambda: done.append("stop"))
    return done


def opened_note(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: isinstance(QApplication.focusWidget(), QLineEdit))
    return QApplication.focusWidget()


@pytest.mark.parametrize("modifier", ["Control", "Alt", "Meta", "Shift"])
def test_only_the_plain_key_arms(qtbot, window, acts, modifier):
    with_it = getattr(Qt.KeyboardModifier, f"{modifier}Modifier")
    qtbot.keyClick(window, Qt.Key.Key_A, with_it)
    held = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a", autorep=True)
    QApplication.sendEvent(window, held)
    assert acts == []
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert acts == ["arm"]
    # A stop needs no such care.
    qtbot.keyClick(window, Qt.Key.Key_Space, with_it)
    assert acts == ["arm", "stop"]


def test_space_stops_while_a_note_is_typed_and_is_not_written(qtbot, window, acts, monkeypatch):
    notes = []
    monkeypatch.setattr(window.session.sheet, "note", notes.append)
    line = opened_note(qtbot, window)
    dialog = line.window()
    assert "Space and Escape stop the robot" in dialog.labelText()
    qtbot.keyClicks(line, "cup")
    qtbot.keyClick(line, Qt.Key.Key_Space)
    assert acts == ["stop"]
    assert line.text() == "cup"
    # The letters of other keys are only written, wherever in the dialog the focus is; and the mouse still stops.
    qtbot.keyClicks(line, "_at")
    qtbot.keyClick(dialog, Qt.Key.Key_A)
    assert acts == ["stop"]
    assert not dialog.isModal()
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert notes == ["cup at"]


def test_escape_stops_and_closes_whatever_is_open(qtbot, window, acts):
    line = opened_note(qtbot, window)
    dialog = line.window()
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert acts == ["stop"]
    qtbot.waitUntil(lambda: not [one for one in window.findChildren(QDialog) if one.isVisible()])
    menu = QMenu(window)
    menu.addAction("anything")
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Escape):
        menu.popup(window.pos())
        qtbot.waitUntil(menu.isVisible)
        qtbot.keyClick(menu, key)
    assert acts == ["stop"] * 3
    assert not menu.isVisible()
    modal = QDialog(window)
    modal.setModal(True)
    modal.show()
    qtbot.waitExposed(modal)
    for key in (Qt.Key.Key_A, Qt.Key.Key_Space, Qt.Key.Key_Escape):
        qtbot.keyClick(modal, key)
    assert acts == ["stop"] * 5
    assert not modal.isVisible()
    del dialog


def test_a_stop_beats_an_arm_whose_thread_has_not_begun(window, monkeypatch):
    asked = []
    monkeypatch.setattr(window, "_ask", asked.append)
    window.arm()
    window.stop()
    monkeypatch.setattr(type(window.session), "view", lambda _: views_that_allow_it())
    try:
        assert asked[0]() == "stopped"
    finally:
        window.session.chain.link._orders.confirm(window.session.chain.link._orders.asked)


def views_that_allow_it():
    class View:
        checks = ()

    return View


# ---- a window that does not draw is not alive


def lives(qtbot, window, seconds):
    """Refresh as the window's timer does, and return whether it lived at the end."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        with suppress(OSError):
            window.refresh()
        qtbot.wait(10)
    return window.is_alive()


@pytest.fixture
def shown(qtbot, window, views, monkeypatch):
    monkeypatch.setattr(window.session, "view", lambda: views["moving"])
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: lives(qtbot, window, 0.05), timeout=20_000)
    return window


def test_a_window_that_paints_fresh_views_lives(qtbot, shown):
    assert lives(qtbot, shown, 2 * PULSE_S)
    qtbot.wait(round(1.2e3 * PULSE_S))
    assert not shown.is_alive()


def test_a_window_that_cannot_look_is_not_alive(qtbot, shown, monkeypatch):
    def fails():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shown.session, "view", fails)
    assert not lives(qtbot, shown, 2 * PULSE_S)


def test_a_window_that_is_refreshed_but_not_painted_is_not_alive(qtbot, shown):
    shown.setUpdatesEnabled(False)
    assert not lives(qtbot, shown, 2 * PULSE_S)


@pytest.mark.parametrize("hide", ["hide", "showMinimized"])
def test_a_window_that_nobody_can_see_is_not_alive(qtbot, shown, hide):
    getattr(shown, hide)()
    assert not lives(qtbot, shown, 2 * PULSE_S)
    shown.showNormal()
    qtbot.waitUntil(lambda: lives(qtbot, shown, 0.05), timeout=20_000)


def test_a_full_disk_is_told_and_the_picture_goes_on(
    simulated_decoder, lsl_session, ros_domain, tmp_path, monkeypatch
):
    session = TeleopSession(
        TeleopSettings(decoder=simulated_decoder, out=tmp_path / "data"),
        tmp_path,
        CLI_MODULE,
        lsl_session=lsl_session,
    )
    try:
        session.recording.mkdir(parents=True)
        (session.recording / SESSION_FILE).touch()

        def full(_source, copy):
            Path(copy).write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(shutil, "copy2", full)
            for _ in range(3):
                session._disk = (session._disk[0] - DISK_EVERY_S, *session._disk[1:])
                view = session.view()
        told = [message.text for message in view.messages]
        assert told == ["the session folder cannot be completed: No space left on device"]
        # Half a decoder is not left for one.
        assert [path.name for path in session.recording.iterdir()] == [SESSION_FILE]
        session._disk = (session._disk[0] - DISK_EVERY_S, *session._disk[1:])
        session.view()
        assert (session.recording / "decoder.onnx").read_bytes() == simulated_decoder.read_bytes()
    finally:
        session.close()


def test_what_a_session_was_asked_and_told_is_on_disk_without_a_recording(
    simulated_decoder, lsl_session, ros_domain, tmp_path
):
    session = session_of(tmp_path, lsl_session, decoder=simulated_decoder)
    session.incidents.start()
    assert session.arm().startswith("signal arrives")
    session.begin_stop()
    session.tell("the decoder ended (status 1): out of memory")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "decode.log").write_text("first\nout of memory\n")
    session.close()
    lines = [json.loads(line) for line in session.incidents.path.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["arm", "stop", "message", "log"]
    assert lines[0]["refusal"].startswith("signal arrives: no samples")
    assert lines[2]["text"].endswith("out of memory")
    assert (lines[3]["part"], lines[3]["lines"]) == ("decode", ["first", "out of memory"])
