"""The state machine on an injected clock: each fault, each refusal, and that nothing re-arms by itself."""

import math

import pytest

from emg_acquisition.decision import Decision
from robot_bridge.decision_watch import DecisionWatch
from robot_bridge.safety import SafetyMachine
from robot_bridge.safety_inputs import SafetyLimits

NAN = float("nan")
GOOD = {"index": 0, "confidence": 0.9, "effort": 0.2, "quality": 1.0, "age_s": 0.03}


class World:
    """A machine whose inputs are all fresh unless one is named in `without`."""

    def __init__(self, **limits):
        self.transitions = []
        self.machine = SafetyMachine(
            [DecisionWatch(5, 0, SafetyLimits(**limits))], SafetyLimits(**limits), self.transitions.append
        )
        self.machine.guard_problem = None
        self.machine.limits_problem = None
        self.t = 100.0
        self.index = 0

    def feed(self, without=(), **decision):
        m = self.machine
        if "decision" not in without:
            m.on_decision(Decision(**(GOOD | {"index": self.index} | decision)), self.t)
        if "joints" not in without:
            m.on_joint_states((0.1,) * 8, self.t, self.t)
        for topic, value in {
            "mode": "navigation",
            "is_homed": True,
            "is_runstopped": False,
            "is_streaming_position": True,
        }.items():
            if topic not in without:
                m.on_driver(topic, value, self.t)
        if "heartbeat" not in without:
            m.on_heartbeat(self.t)
        m.tick(self.t)

    def run(self, seconds, without=(), **decision):
        for _ in range(round(seconds / 0.02)):
            self.t += 0.02
            self.feed(without, **decision)

    def armed(self):
        self.run(1.1)
        assert self.machine.arm(self.t) is None
        assert self.machine.state == "armed"
        return self


def test_it_starts_disarmed_and_never_arms_by_itself():
    world = World()
    world.run(5)
    assert world.machine.state == "disarmed"
    assert world.transitions == []


def test_armed_moving_and_back_are_told_with_a_reason():
    world = World().armed()
    world.machine.set_moving(True, world.t)
    world.machine.set_moving(False, world.t)
    world.machine.disarm(world.t)
    assert [(t.old, t.new) for t in world.transitions] == [
        ("disarmed", "armed"),
        ("armed", "moving"),
        ("moving", "armed"),
        ("armed", "disarmed"),
    ]
    assert all(t.reason for t in world.transitions)


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (("decision",), "no decision for"),
        (("joints",), "no new joint state"),
        (("mode",), "'mode' is silent"),
        (("is_homed",), "'is_homed' is silent"),
        (("is_runstopped",), "'is_runstopped' is silent"),
        (("is_streaming_position",), "'is_streaming_position' is silent"),
        (("heartbeat",), "heartbeat"),
    ],
)
@pytest.mark.parametrize("moving", [False, True])
def test_each_input_that_falls_silent_is_a_fault_within_280_ms(without, said, moving):
    world = World().armed()
    world.machine.set_moving(moving, world.t)
    silent_since = world.t
    world.run(0.28, without)
    assert world.machine.state == "fault"
    assert said in world.machine.reason
    assert world.transitions[-1].t_mono_s - silent_since <= 0.28
    assert world.transitions[-1].t_mono_s - silent_since > 0.2


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ({"index": NAN}, "not finite"),
        ({"confidence": math.inf}, "not finite"),
        ({"quality": NAN}, "not finite"),
        ({"probabilities": (0.5, NAN)}, "not finite"),
        ({"index": 5}, "gesture index 5"),
        ({"index": -2}, "gesture index -2"),
        ({"index": 1.5}, "gesture index 1.5"),
        ({"age_s": -0.2}, "future"),
        ({"age_s": 0.4}, "0.40 s old"),
    ],
)
def test_a_bad_decision_is_a_fault_at_once_and_keeps_from_arming(decision, said):
    world = World().armed()
    world.run(0.02, **decision)
    assert world.machine.state == "fault"
    assert said in world.machine.reason
    assert said in world.machine.arm(world.t)


def test_a_decision_that_grows_old_while_it_is_the_latest_is_a_fault():
    world = World().armed()
    world.run(0.02, age_s=0.2)
    world.run(0.06, without=("decision",))
    assert world.machine.state == "fault"
    assert "0.26 s old" in world.machine.reason


def test_poor_quality_stops_motion_at_once_and_faults_when_it_stays():
    world = World().armed()
    world.run(0.02, quality=0.1)
    assert not world.machine.signal_is_good()
    assert world.machine.state == "armed"
    world.run(0.02)
    assert world.machine.signal_is_good()
    world.run(0.2, quality=0.1)
    assert world.machine.state == "fault"
    assert "signal is poor" in world.machine.reason


@pytest.mark.parametrize(
    ("topic", "value", "said"),
    [
        ("mode", "position", "'position'"),
        ("mode", "runstopped", "run-stop"),
        ("is_runstopped", True, "run-stop"),
        ("is_homed", False, "not homed"),
        ("is_streaming_position", False, "streaming"),
    ],
)
def test_what_the_driver_says_is_a_fault_at_once(topic, value, said):
    world = World().armed()
    world.machine.on_driver(topic, value, world.t)
    assert world.machine.state == "fault"
    assert said in world.machine.reason


@pytest.mark.parametrize("positions", [(0.1, NAN), (math.inf, 0.1), None])
def test_unusable_joint_states_are_a_fault_at_once(positions):
    world = World().armed()
    world.machine.on_joint_states(positions, world.t, world.t)
    assert world.machine.state == "fault"


def test_joint_states_whose_stamp_stands_still_are_not_fresh():
    world = World().armed()
    stamp = world.t
    for _ in range(14):
        world.t += 0.02
        world.feed(without=("joints",))
        world.machine.on_joint_states((0.1,) * 8, stamp, world.t)
    assert world.machine.state == "fault"
    assert "joint state" in world.machine.reason


def test_a_bridge_that_hung_faults_at_its_next_tick():
    world = World().armed()
    world.t += 0.2
    world.feed()
    assert world.machine.state == "fault"
    assert "hung for 0.20 s" in world.machine.reason


@pytest.mark.parametrize("attribute", ["guard_problem", "publisher_problem"])
def test_guard_and_other_publishers_are_faults_and_keep_from_arming(attribute):
    world = World().armed()
    setattr(world.machine, attribute, "something is wrong")
    world.run(0.02)
    assert world.machine.state == "fault"
    assert world.machine.arm(world.t) == "something is wrong"


def test_a_fault_latches_with_its_first_reason_until_a_deliberate_act_with_all_in_order():
    world = World().armed()
    world.run(0.3, without=("decision",))
    reason = world.machine.reason
    world.machine.stop(world.t)
    world.run(10)
    assert (world.machine.state, world.machine.reason) == ("fault", reason)
    assert world.machine.arm(world.t) is None
    assert world.machine.stops == 1


def test_a_stop_latches():
    world = World().armed()
    world.machine.stop(world.t)
    world.run(5)
    assert world.machine.state == "stopped"
    assert world.machine.stops == 1


def test_a_heartbeat_that_never_was_is_not_missed_unless_it_is_required():
    without = World()
    without.run(1.1, without=("heartbeat",))
    assert without.machine.arm(without.t) is None
    required = World(require_heartbeat=True)
    required.run(1.1, without=("heartbeat",))
    assert "heartbeat" in required.machine.arm(required.t)


def test_arming_needs_rest_for_300_ms():
    world = World()
    world.index = 3
    world.run(1)
    assert "not at rest" in world.machine.arm(world.t)
    world.index = 0
    world.run(0.28)
    assert "not at rest" in world.machine.arm(world.t)
    world.run(0.06)
    assert world.machine.arm(world.t) is None


def test_no_decision_is_not_rest():
    world = World()
    world.index = -1
    world.run(1)
    assert "not at rest" in world.machine.arm(world.t)


def test_arming_says_what_is_missing():
    world = World()
    assert "no decision" in world.machine.arm(world.t)
    world.run(0.5, without=("joints",))
    assert "joint" in world.machine.arm(world.t)
    world.run(0.5)
    assert "steadily for 0.5 s only" in world.machine.arm(world.t)
    world.run(0.6)
    world.machine.limits_problem = "limits unread"
    assert world.machine.arm(world.t) == "limits unread"
    assert world.machine.state == "disarmed"


def test_no_limit_can_be_set_beyond_what_300_ms_allow():
    with pytest.raises(ValueError, match="decision_s"):
        SafetyLimits(decision_s=0.3)


def test_a_joint_state_that_waited_on_the_way_is_a_fault_whatever_the_clocks():
    world = World().armed()
    offset_s = -3.0  # the robot's clock need not be ours

    def report(lag_s):
        world.t += 0.02
        world.feed(without=("joints",))
        return world.machine.on_joint_states((0.1,) * 8, world.t + offset_s - lag_s, world.t)

    world.machine.disarm(world.t)
    for _ in range(70):
        report(0.01)
    assert world.machine.arm(world.t) is None
    assert report(0.02) is True
    assert report(0.30) is False
    assert world.machine.state == "fault"
    assert "late" in world.machine.reason


def test_a_clock_that_was_set_can_be_armed_with_again():
    world = World()
    world.run(1.2)
    for _ in range(120):  # the robot's clock was set back by half a second
        world.t += 0.02
        world.feed(without=("joints",))
        world.machine.on_joint_states((0.1,) * 8, world.t - 0.5, world.t)
    assert world.machine.arm(world.t) is None


def test_a_heartbeat_that_came_after_arming_is_missed_too():
    world = World()
    world.run(1.1, without=("heartbeat",))
    assert world.machine.arm(world.t) is None
    world.run(1.0, without=("heartbeat",))
    assert world.machine.state == "armed"
    world.run(0.1)
    world.run(0.4, without=("heartbeat",))
    assert world.machine.state == "fault"
    assert "heartbeat" in world.machine.reason
