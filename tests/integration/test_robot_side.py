"""What was found against the real robot's driver: each as it happens, in simulated time, with the real core.

The world is a kinematic Stretch behind the driver's own logic; what it says to the bridge, and what reaches it, passes
through here, so that it can be false or late.
"""

from functools import partial

import pytest

from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.inputs import (
    DriverInput,
    JointStatesInput,
    OdometryInput,
    OperatorInput,
    TickInput,
)
from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES, JOINT_STATE_NAMES
from simulation.operator.stepped_bridge import SteppedBridge
from simulation.stretch.driver_logic import SimSettings
from simulation.stretch.kinematic_stretch import KinematicStretch
from tests import bridge_support

MODEL = load_robot_model()
TEN = [
    *("rest", "fist", "hand_open", "tripod_pinch", "wrist_flexion", "wrist_extension"),
    *("wrist_abduction", "wrist_adduction", "pronation", "supination"),
]
START = {**SimSettings().start, "lift": 0.6, "arm": 0.3}


def armed(mode: str = "arm", *, coarse: bool = True, body: KinematicStretch | None = None) -> SteppedBridge:
    """Arm a bridge over a robot in the middle of its reach; it rests."""
    bridge = SteppedBridge(
        MODEL, [load_gesture_map("ten_gestures", TEN, MODEL)], body or KinematicStretch(MODEL, START)
    )
    bridge.arm()
    if coarse:
        bridge.set_fine(False)
    bridge.go_to_mode(mode)
    bridge.run(1.0)
    return bridge


def at(bridge: SteppedBridge, dof: str) -> float:
    return float(bridge.positions[DOF_NAMES.index(dof)])


def say_falsely(bridge: SteppedBridge, **false: float) -> None:
    """Tell the bridge one joint state with some joints elsewhere, between two true ones."""
    body = bridge.robot.joint_states()
    positions = dict(zip(JOINT_STATE_NAMES, body, strict=True)) | false
    stamp_s = bridge.t_s + 1e-4
    bridge.core.take(JointStatesInput(bridge.t_s, stamp_s, JOINT_STATE_NAMES, list(positions.values())))


FALSE_ZERO = {"joint_lift": 0.0, "wrist_extension": 0.0}


def test_a_joint_state_of_zeros_then_a_stop_moves_nothing():
    bridge = armed()
    before = bridge.positions
    say_falsely(bridge, **FALSE_ZERO)
    bridge.core.take(OperatorInput(bridge.t_s, "stop"))
    bridge.run(3.0)
    assert bridge.positions == pytest.approx(before, abs=1e-3)


@pytest.mark.parametrize(
    "false",
    [FALSE_ZERO, {"joint_lift": 0.56}, {"wrist_extension": 0.38}, {"joint_wrist_yaw": 1.1}],
    ids=["zeros", "lift", "arm", "yaw"],
)
def test_one_implausible_joint_state_at_rest_is_a_fault_and_moves_nothing(false):
    bridge = armed()
    before = bridge.positions
    say_falsely(bridge, **false)
    bridge.run(2.0)
    assert bridge.core.safety.state == "fault"
    assert "which it cannot do" in bridge.core.safety.reason
    assert bridge.positions == pytest.approx(before, abs=1e-3)


def test_a_second_drivers_joint_states_never_drag_the_lift_and_keep_from_arming():
    bridge = armed()
    before = bridge.positions
    for _ in range(60):
        bridge.run(0.1)
        say_falsely(bridge, joint_lift=0.86)
    assert bridge.core.safety.state == "fault"
    assert bridge.positions == pytest.approx(before, abs=1e-3)
    assert bridge.core.take(OperatorInput(bridge.t_s, "prepare")).refusal is not None


class LateStretch(KinematicStretch):
    """A robot whose commands arrive late, while it tells on time where it is."""

    late_s = 0.0

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._t_s, self._due = 0.0, []
        self.set_targets = partial(self._later, self.set_targets)
        self.set_base_velocity = partial(self._later, self.set_base_velocity)

    def step(self, dt_s):
        self._t_s += dt_s
        while self._due and self._due[0][0] <= self._t_s:
            _, act, arguments = self._due.pop(0)
            act(*arguments)
        super().step(dt_s)

    def _later(self, act, *arguments):
        self._due.append((self._t_s + self.late_s, act, arguments))


@pytest.mark.parametrize("late_s", [1.0, 2.0])
@pytest.mark.parametrize("dof", ["lift", "base_translate"])
def test_commands_that_arrive_late_are_a_fault(late_s, dof):
    body = LateStretch(MODEL, START)
    bridge = armed("arm" if dof == "lift" else "drive", body=body)
    body.late_s = late_s
    gesture = bridge.maps[0].gesture_for(bridge.core.control.mode, dof, 1)
    bridge.gestures[0] = gesture
    for _ in range(30):
        bridge.run(0.1)
        if not bridge.core.safety.is_live:
            break
    assert bridge.core.safety.state == "fault"
    assert "does not follow its command" in bridge.core.safety.reason


class PushedStretch(KinematicStretch):
    """A robot that somebody pushes, or whose wheels run by themselves."""

    pushed, runaway_m_s = 0.0, 0.0

    def step(self, dt_s):
        if self.runaway_m_s:
            self.set_base_velocity(self.runaway_m_s, 0.0)
        super().step(dt_s)
        if self.pushed:
            joint = self._motors.joints["lift"]
            joint.position += self.pushed * dt_s
            joint.target = joint.position


def test_wheels_that_run_away_at_zero_command_are_a_fault_then_the_drivers_stop_then_the_run_stop():
    body = PushedStretch(MODEL, START)
    bridge = armed(body=body)
    calls = []
    take = bridge.core.take

    def noting(one):
        answer = take(one)
        calls.extend((one.t_mono_s, call) for call in answer.calls) if isinstance(one, TickInput) else None
        return answer

    bridge.core.take = noting
    body.runaway_m_s = 0.1
    began_s = bridge.t_s
    bridge.run(4.0)
    assert bridge.core.safety.state == "fault"
    assert "without a command" in bridge.core.safety.reason
    assert [call for _, call in calls] == ["stop_the_robot", "runstop"]
    assert calls[0][0] - began_s < 1.5
    assert calls[1][0] - calls[0][0] == pytest.approx(0.5, abs=0.05)


def test_a_robot_that_is_not_seen_after_a_stop_is_not_taken_to_stand():
    bridge = armed()
    body = bridge.robot.joint_states()
    bridge.core.take(OperatorInput(bridge.t_s, "stop"))
    # Nothing is heard of it for two seconds; then it is seen to roll.
    calls, t_s = [], bridge.t_s
    for tick in range(1, 101):
        calls += bridge.core.take(TickInput(t_s + 0.02 * tick)).calls
    assert calls == []
    t_s += 2.0
    for tick in range(1, 21):
        now_s = t_s + 0.02 * tick
        bridge.core.take(JointStatesInput(now_s, now_s, JOINT_STATE_NAMES, list(body)))
        bridge.core.take(OdometryInput(now_s, now_s, at(bridge, "base_translate") + 0.002 * tick, 0.0, 0.0))
        calls += bridge.core.take(TickInput(now_s)).calls
    assert calls == ["stop_the_robot"]


def test_a_lift_that_is_pushed_is_a_fault():
    body = PushedStretch(MODEL, START)
    bridge = armed(body=body)
    body.pushed = 0.1
    bridge.run(1.9)
    assert bridge.core.safety.state == "fault"
    assert bridge.core.safety.reason.startswith("the lift moved by 0.0")


class BlockedLift(KinematicStretch):
    """A robot with something on its lift."""

    blocked = False

    def step(self, dt_s):
        before = self.positions["lift"]
        super().step(dt_s)
        if self.blocked:
            self._motors.joints["lift"].stall_at(before)


def test_a_blocked_lift_is_a_fault_within_a_second_and_a_half():
    body = BlockedLift(MODEL, START)
    bridge = armed(body=body)
    body.blocked = True
    bridge.gestures[0] = bridge.maps[0].gesture_for("arm", "lift", 1)
    bridge.run(1.5)
    assert bridge.core.safety.state == "fault"
    assert "the lift does not follow its command" in bridge.core.safety.reason


def test_a_stop_beats_an_arming_that_was_asked_for_before_it():
    bridge = armed()
    core = bridge.core
    core.take(OperatorInput(bridge.t_s, "disarm"))
    bridge.run(1.5)
    assert core.take(OperatorInput(bridge.t_s, "prepare")).refusal is None
    core.take(OperatorInput(bridge.t_s, "stop"))
    assert core.take(OperatorInput(bridge.t_s, "arm")).refusal == "stopped while arming; arm again"
    assert not core.safety.is_live


def test_a_computer_that_slept_is_disarmed():
    bridge = armed()
    bridge.core.take(TickInput(bridge.t_s, 1000.0 + bridge.t_s))
    bridge.core.take(TickInput(bridge.t_s + 0.02, 1000.02 + bridge.t_s))
    assert bridge.core.safety.is_live
    bridge.core.take(TickInput(bridge.t_s + 0.04, 1090.04 + bridge.t_s))
    assert bridge.core.safety.reason == "this computer slept for 90.0 s"


@pytest.mark.parametrize(("jump_s", "words"), [(-5.0, "set back"), (5.0, "jumped forward")])
def test_a_drivers_clock_that_jumps_is_a_fault(jump_s, words):
    bridge = armed()
    bridge.run(8.0)
    body = bridge.robot.joint_states()
    bridge.core.take(JointStatesInput(bridge.t_s, bridge.t_s + jump_s, JOINT_STATE_NAMES, list(body)))
    assert bridge.core.safety.state == "fault"
    assert words in bridge.core.safety.reason


def test_a_robot_starts_fine_and_keeps_mode_and_speed_when_it_is_armed_again():
    bridge = armed("wrist", coarse=False)
    assert bridge.core.control.fine
    bridge.set_fine(False)
    bridge.core.take(OperatorInput(bridge.t_s, "stop"))
    bridge.run(2.0)
    bridge.arm()
    assert (bridge.core.control.mode, bridge.core.control.fine) == ("wrist", False)


class HoldingGripper(KinematicStretch):
    """A robot with something between its fingers: they come no closer than this."""

    thing_rad = 0.1

    def step(self, dt_s):
        super().step(dt_s)
        if self.positions["gripper"] < self.thing_rad:
            self._motors.joints["gripper"].stall_at(self.thing_rad)


def test_arming_again_keeps_the_grip_and_the_run_stop_forgets_it():
    body = HoldingGripper(MODEL, START)
    bridge = armed(body=body)
    bridge.hold("fist", 1.5)
    grip = body.target_of("gripper")
    assert grip < 0.1 - 0.02
    bridge.core.take(OperatorInput(bridge.t_s, "stop"))
    bridge.run(2.0)
    bridge.arm()
    bridge.run(0.5)
    assert body.target_of("gripper") == pytest.approx(grip, abs=1e-9)


def test_a_gesture_that_is_held_for_two_minutes_moves_no_longer_than_the_longest_hold():
    bridge = armed("drive")
    begin = at(bridge, "base_translate")
    bridge.gestures[0] = bridge.maps[0].gesture_for("drive", "base_translate", 1)
    bridge.run(120.0)
    longest_s = bridge.maps[0].max_hold_s
    assert at(bridge, "base_translate") - begin <= 0.12 * (longest_s + 1.0)
    # Rest, and it may be made again.
    bridge.gestures[0] = "rest"
    bridge.run(2.0)
    again = at(bridge, "base_translate")
    bridge.hold(bridge.maps[0].gesture_for("drive", "base_translate", 1), 1.0)
    assert at(bridge, "base_translate") > again + 0.05


@pytest.mark.parametrize("lacks", ["joint_wrist_pitch", "joint_gripper_finger_left"])
@pytest.mark.parametrize("name", ["ten_gestures", "lift_and_gripper"])
def test_arming_names_the_joint_that_is_missing_and_a_map_without_it_does_not_need_it(lacks, name):
    core = bridge_support.make_core([load_gesture_map(name, TEN, MODEL)])
    names = [joint for joint in JOINT_STATE_NAMES if joint != lacks]
    for tick in range(80):
        t = 1.0 + 0.02 * tick
        bridge_support.give_status(core, t)
        bridge_support.joints(core, names, [0.2] * len(names), t)
        bridge_support.decide(core, 0, t)
        bridge_support.tick(core, t)
    refusal = bridge_support.arm(core, t)
    needed = name == "ten_gestures" or lacks == "joint_gripper_finger_left"
    assert core.safety.is_live != needed
    assert needed == (refusal is not None and lacks in refusal)


@pytest.mark.parametrize("mode", ["trajectory", "homing", "stowing", "gamepad"])
def test_a_mode_in_which_twists_are_refused_is_answered_by_the_drivers_stop_at_once(mode):
    bridge = armed("drive")
    bridge.gestures[0] = bridge.maps[0].gesture_for("drive", "base_translate", 1)
    bridge.run(1.5)
    calls = []
    bridge.core.take(DriverInput(bridge.t_s, "mode", mode))
    for tick in range(1, 6):
        t_s = bridge.t_s + 0.02 * tick
        bridge.core.take(OdometryInput(t_s, t_s, at(bridge, "base_translate") + 0.0024 * tick, 0.0, 0.0))
        calls += bridge.core.take(TickInput(t_s)).calls
    assert bridge.core.safety.state == "fault"
    assert calls == ["stop_the_robot"]
