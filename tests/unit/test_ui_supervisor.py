"""The supervisor stops the robot before anything else, restarts a part, and gives up on one that keeps dying."""

import threading

import pytest

from robot_bridge.errors import CommandRejectedError
from teleoperation import supervisor as room
from teleoperation.supervisor import PartState, Supervisor

LIMIT_S = 10.0


class Parts:
    """What the supervisor asks of a chain: which parts have died, and to start them again."""

    def __init__(self, *, restart_helps):
        self.part_names = ("decode", "record")
        self.source_ended = False
        self.done, self.changed = [], threading.Condition()
        self.processes, self.link = self, self
        self._dead, self._restart_helps = {}, restart_helps

    def dead(self):
        return dict(self._dead)

    def die(self, name):
        self._dead[name] = -9

    def last_words(self, _name):
        return "out of memory"

    def stop(self, _timeout_s):
        self.note("stop")

    def restart(self, name):
        self.note(f"restart {name}")
        if self._restart_helps:
            del self._dead[name]

    def note(self, text):
        with self.changed:
            self.done.append(text)
            self.changed.notify_all()

    def wait_for(self, n):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.done) >= n, LIMIT_S), self.done
            return self.done[:n]


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(room, "RESTART_AFTER_S", 0.01)
    started = []

    def watch(parts):
        told = []
        supervisor = Supervisor(parts, told.append, lambda: parts.restart("record"))
        started.append(supervisor)
        supervisor.start()
        return supervisor, told

    yield watch
    for supervisor in started:
        supervisor.close()


def test_the_robot_is_stopped_first_then_the_part_restarted(watched):
    parts = Parts(restart_helps=True)
    supervisor, told = watched(parts)
    parts.die("decode")
    assert parts.wait_for(2) == ["stop", "restart decode"]
    supervisor.close()
    assert [(part.state, part.restarts) for part in supervisor.parts] == [("running", 1), ("running", 0)]
    assert "the decoder ended (status -9): out of memory" in told[0]


def test_a_sleeve_s_part_is_named_with_its_sleeve():
    titles = [
        PartState(name, "running").title for name in ("decode", "decode-left", "acquire-right", "sim-robot")
    ]
    assert titles == ["decoder", "left decoder", "right acquisition", "simulated robot"]


def test_a_recorder_is_restarted_its_own_way(watched):
    parts = Parts(restart_helps=True)
    watched(parts)
    parts.die("record")
    assert parts.wait_for(2) == ["stop", "restart record"]


def test_a_part_that_keeps_dying_stays_down(watched):
    parts = Parts(restart_helps=False)
    supervisor, told = watched(parts)
    parts.die("decode")
    assert parts.wait_for(7) == [*["stop", "restart decode"] * 3, "stop"]
    supervisor.close()
    assert supervisor.parts[0].state == "gone"
    assert "stays down: out of memory" in told[-1]


def test_a_bridge_that_cannot_answer_is_restarted_all_the_same(watched, monkeypatch):
    parts = Parts(restart_helps=True)

    def refuse(_timeout_s):
        parts.note("stop")
        raise CommandRejectedError("the bridge did not answer")

    monkeypatch.setattr(parts, "stop", refuse)
    watched(parts)
    parts.die("decode")
    assert parts.wait_for(2) == ["stop", "restart decode"]


def test_a_recording_at_its_end_ends_the_session_with_the_robot_stopped(watched):
    parts = Parts(restart_helps=True)
    supervisor, told = watched(parts)
    parts.source_ended = True
    assert supervisor.ended.wait(LIMIT_S)
    assert parts.wait_for(1) == ["stop"]
    assert told == ["the recording has been played to its end"]
