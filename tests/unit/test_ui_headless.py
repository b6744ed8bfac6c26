"""A session's keys on a terminal: a stop is heard whatever else is typed or under way."""

import threading
from types import SimpleNamespace

from robot_bridge.operator_link import RobotSnapshot, SleeveSnapshot
from ui.headless import TerminalKeys, status_text

LIMIT_S = 30.0


class Session:
    """The session's two questions to the bridge; an arming lasts until it is let go."""

    def __init__(self):
        self.asked = []
        self.arming_begun, self.arming_over, self.stopped = (threading.Event() for _ in range(3))
        self.problem = None

    def ask_to_arm(self):
        self.asked.append("arm")
        return "request"

    def arm(self, request):
        assert request == "request"
        self.arming_begun.set()
        assert self.arming_over.wait(LIMIT_S)

    def begin_stop(self):
        self.asked.append("stop")
        return 1

    def stop(self, number):
        assert number == 1
        self.stopped.set()
        return self.problem


class Said:
    def __init__(self):
        self.texts, self.new = [], threading.Event()

    def __call__(self, text):
        self.texts.append(text)
        self.new.set()


def keys_of(session):
    said = Said()
    return TerminalKeys(session, threading.Event(), said), said


def test_a_stop_is_heard_while_an_arming_is_under_way():
    session = Session()
    keys, _ = keys_of(session)
    keys.take("a")
    assert session.arming_begun.wait(LIMIT_S)
    keys.take(" ")
    assert session.stopped.wait(LIMIT_S)
    assert not session.arming_over.is_set()
    session.arming_over.set()


def test_a_stop_among_other_keys_is_all_that_counts():
    for typed in ("aaa ", " a", "\x1b[a"):
        session = Session()
        keys, said = keys_of(session)
        keys.take(typed)
        assert said.new.wait(LIMIT_S)
        assert (session.asked, said.texts) == (["stop"], ["stopped"])


def test_a_stop_that_is_not_confirmed_says_so():
    session = Session()
    session.problem = "the bridge does not answer"
    keys, said = keys_of(session)
    keys.take("\x1b")
    assert said.new.wait(LIMIT_S)
    assert said.texts == ["NOT CONFIRMED: the bridge does not answer"]


def test_the_status_line_tells_each_sleeve_and_of_the_mode_only_what_is_known():
    robot = RobotSnapshot(safety_state="armed", reason="r", sleeves={"left": SleeveSnapshot(mode="drive")})
    seen = [SimpleNamespace(sleeve=name, newest=None) for name in ("left", "right")]
    sheet = SimpleNamespace(running=False)
    view = SimpleNamespace(robot=robot, checks=(), seen=seen, recording=None, sheet=sheet)
    assert status_text(view) == "ARMED: r | left no decision, drive · coarse | right no decision"
