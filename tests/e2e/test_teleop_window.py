"""The teleoperation window off screen: what it shows of a session in each of its states, and that it is readable."""

from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
pytest.importorskip("rclpy")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from benchmarks.bench_teleop import count_frames
from teleoperation.session import TeleopSession
from teleoperation.settings import TeleopSettings
from tests.e2e.conftest import OTHER_WEARER, WEARER
from tools.screenshots.teleop_states import States
from ui import CLI_MODULE
from ui.windows.teleop import TeleopWindow

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
