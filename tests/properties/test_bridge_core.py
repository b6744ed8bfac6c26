"""Whatever comes in and whenever: commands stay finite and within every limit; silence always reaches zero."""

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emg_acquisition.decision import Decision
from robot_bridge.bridge_core import BridgeCore, Listeners
from robot_bridge.control import SPEED_CONTROLS
from robot_bridge.gesture_map import load_gesture_map, load_gesture_maps
from robot_bridge.robot_model import load_robot_model
from robot_bridge.safety_inputs import SafetyLimits
from robot_bridge.stretch_interface import DOF_NAMES, JOINT_DOF, JOINT_STATE_NAMES, POSE_JOINTS

MODEL = load_robot_model()
MAP_NAME = "four_gestures"
GESTURES = ["rest", "fist", "hand_open", "wrist_flexion", "wrist_extension"]
JOINTS = {dof: MODEL.dof[dof].joint for dof in JOINT_DOF}
NUMBERS = st.one_of(st.floats(allow_nan=True, allow_infinity=True, width=32), st.floats(-0.1, 1.2))
DECISIONS = st.tuples(
    st.one_of(st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, -1.0]), NUMBERS),
    st.one_of(st.just(1.0), NUMBERS),
    st.one_of(st.just(0.03), NUMBERS),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decision"), DECISIONS),
        st.tuples(st.just("joints"), st.lists(NUMBERS, min_size=8, max_size=8)),
        st.tuples(
            st.just("act"), st.sampled_from(["arm", "stop", "disarm", "fine", "coarse", "runstop", "mode"])
        ),
        st.tuples(st.just("hold"), st.tuples(st.integers(0, 4), st.integers(1, 60))),
        # Velocities that a driver tells, true or not.
        st.tuples(st.just("speed"), NUMBERS),
        # What is a tap, and so in one way of control a step.
        st.tuples(st.just("tap"), st.integers(3, 4)),
        st.tuples(st.just("wait"), st.floats(0.0, 0.4)),
        st.tuples(st.just("follow"), st.integers(1, 10)),
    ),
    max_size=30,
)


class World:
    """The core, a robot that follows its joint targets with a lag, and oracles over every command."""

    def __init__(self, mode=0, speed_control="tiers", maps=None):
        self.core = BridgeCore(
            MODEL,
            maps or [load_gesture_map(MAP_NAME, GESTURES, MODEL)],
            SafetyLimits(),
            Listeners(lambda _: None, lambda _sleeve, _change: None),
            speed_control,
        )
        if maps is None:
            self.core.control.mode = DOF_NAMES[mode]
        self.core.safety.guard_problem = None
        self.core.on_joint_limits(
            list(JOINTS.values()),
            [MODEL.dof[dof].position_lower for dof in JOINTS],
            [MODEL.dof[dof].position_upper for dof in JOINTS],
        )
        self.t = 10.0
        self.at = {
            "lift": 0.5,
            "arm": 0.2,
            "wrist_yaw": 0.1,
            "wrist_pitch": 0.0,
            "wrist_roll": 0.0,
            "gripper": 0.1,
        }
        self.speed = 0.0
        self.before = (0.0, 0.0)
        self.before_t = self.t
        self.commands = []
        self.positions = dict(self.at)
        self.stamp = -math.inf
        for _ in range(60):
            self.tick((0,) * len(self.core.controls), 0.02)
        assert self.core.safety.arm(self.t) is None

    def report_joints(self, values=None):
        by_joint = {joint: self.at[dof] for dof, joint in JOINTS.items()}
        by_joint |= {"joint_head_pan": 0.0, "joint_head_tilt": 0.0}
        if values is not None:
            by_joint = dict(zip(POSE_JOINTS, values, strict=True))
        names = [name for name in JOINT_STATE_NAMES if name in by_joint]
        self.core.on_joint_states(
            names, [by_joint[name] for name in names], self.t, self.t, [self.speed] * len(names)
        )
        # A stamp that stands still brings no news.
        if self.t > self.stamp and all(abs(value) <= 100 for value in by_joint.values()):
            self.stamp = self.t
            self.positions = {dof: by_joint[joint] for dof, joint in JOINTS.items()}

    def tick(self, indices, dt):
        """Let time pass; one decision, or one a sleeve, None for silence."""
        self.t += dt
        for topic, value in {"mode": "navigation", "is_homed": True, "is_streaming_position": True}.items():
            self.core.safety.on_driver(topic, value, self.t)
        self.core.safety.on_driver("is_runstopped", False, self.t)
        self.report_joints()
        for sleeve, index in enumerate(indices if isinstance(indices, tuple) else (indices,)):
            if index is not None:
                self.core.on_decision(Decision(float(index), 1.0, 0.5, 1.0, age_s=0.03), self.t, sleeve)
        self.command()

    def command(self):
        command = self.core.tick(self.t)
        if command is not None:
            self.check(command)
            for dof in command.targets:
                self.at[dof] += 0.5 * (command.targets[dof] - self.at[dof])
        self.commands.append(command)

    def check(self, command):
        base = (command.translate_m_s, command.rotate_rad_s)
        assert all(map(math.isfinite, (*base, *command.targets.values(), *command.head)))
        assert abs(base[0]) + abs(base[1]) * 0.3153 / 2 <= 0.3 + 1e-9
        dt = self.t - self.before_t
        for now, before, acceleration in zip(base, self.before, (0.3, 0.76), strict=True):
            grown = abs(now) - (abs(before) if now * before > 0 else 0.0)
            assert grown <= acceleration * dt + 1e-9
        if not command.targets:
            # Nothing was measured freshly when it stopped: a stop of the wheels alone.
            assert not self.core.safety.is_live
            assert base == (0.0, 0.0)
        for dof in command.targets:
            limits, at = MODEL.dof[dof], self.positions[dof]
            target = command.targets[dof]
            if self.core.safety.is_live:
                assert abs(target - at) <= limits.stop_bound + 1e-9
            inside = limits.lower - 1e-9 <= target <= limits.upper + 1e-9
            back = min(at, limits.lower) <= target <= max(at, limits.upper)
            assert inside or back or not self.core.safety.is_live
        self.before, self.before_t = base, self.t


def play(world, steps):
    for kind, value in steps:
        PLAYED[kind](world, value)


def decide(world, value):
    index, quality, age = value
    world.core.on_decision(Decision(index, 1.0, quality, quality, age_s=age), world.t)
    world.command()


def report(world, values):
    world.report_joints(values)
    world.command()


def claim_speed(world, value):
    world.speed = value


def hold(world, value):
    index, ticks = value
    for _ in range(ticks):
        world.tick(index, 0.02)


def tap(world, index):
    hold(world, (index, 15))
    hold(world, (0, 30))


def wait(world, seconds):
    world.t += seconds
    world.command()


def follow(world, ticks):
    hold(world, (None, ticks))


def act(world, name):
    safety = world.core.safety
    if name == "arm":
        safety.arm(world.t)
    elif name == "stop":
        safety.stop(world.t)
    elif name == "disarm":
        safety.disarm(world.t)
    elif name == "runstop":
        safety.on_driver("is_runstopped", True, world.t)
    elif name == "mode":
        safety.on_driver("mode", "position", world.t)
    else:
        world.core.control.set_fine(name == "fine")
    world.command()


PLAYED = {
    "decision": decide,
    "joints": report,
    "speed": claim_speed,
    "act": act,
    "hold": hold,
    "tap": tap,
    "wait": wait,
    "follow": follow,
}


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 7), st.sampled_from(SPEED_CONTROLS), STEPS)
def test_any_input_keeps_every_limit_and_silence_reaches_zero(mode, speed_control, steps):
    world = World(mode, speed_control)
    play(world, steps)
    for _ in range(40):
        world.tick(None, 0.02)
    # 0.8 s without a decision: not armed, and the wheels' last command was zero.
    assert not world.core.safety.is_live
    said = [command for command in world.commands if command is not None]
    assert not said or (said[-1].translate_m_s, said[-1].rotate_rad_s) == (0.0, 0.0)
    assert world.core.tick(world.t) is None


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 7), st.sampled_from([3, 4]), st.booleans())
def test_a_held_gesture_moves_its_dof_alone_and_its_silence_is_zero_within_280_ms(mode, index, fine):
    world = World(mode)
    world.core.control.set_fine(fine)
    held = dict(world.at)
    for _ in range(60):
        world.tick(index, 0.02)
    command = world.commands[-1]
    moved = {"base_translate": command.translate_m_s, "base_rotate": command.rotate_rad_s}
    moved |= {dof: command.targets[dof] - held[dof] for dof in JOINT_DOF}
    sign = 1 if index == 4 else -1
    for dof, change in moved.items():
        assert (sign * change > 0) == (dof == DOF_NAMES[mode]), dof
    silent = world.t
    while world.core.safety.is_live:
        world.tick(None, 0.02)
    assert world.t - silent <= 0.28 + 1e-9
    last = world.commands[-1]
    assert (last.translate_m_s, last.rotate_rad_s) == (0.0, 0.0)
    latched = dict(last.targets)
    for _ in range(10):
        world.tick(None, 0.02)
    assert dict(world.commands[-1].targets) == latched


def test_the_grip_is_kept_at_rest_and_at_a_stop():
    world = World(DOF_NAMES.index("gripper"))
    for _ in range(50):
        world.at["gripper"] = 0.1  # a cup between the fingers
        world.tick(3, 0.02)
    grip = world.commands[-1].targets["gripper"]
    assert grip < 0.1 - 0.05
    for _ in range(20):
        world.at["gripper"] = 0.1
        world.tick(0, 0.02)
    assert world.commands[-1].targets["gripper"] == grip
    world.core.safety.stop(world.t)
    world.command()
    assert world.commands[-1].targets["gripper"] == grip


def test_the_arm_out_slows_driving():
    world = World(0)
    for _ in range(60):
        world.tick(4, 0.02)
    assert world.commands[-1].translate_m_s == 0.1
    stowed = World(0)
    stowed.at |= {"lift": 0.2, "arm": 0.0, "wrist_yaw": 3.0}
    stowed.tick(0, 0.02)
    stowed.core.safety.disarm(stowed.t)
    stowed.core.safety.arm(stowed.t)
    for _ in range(60):
        stowed.tick(4, 0.02)
    assert stowed.commands[-1].translate_m_s == 0.12


TEN = [*GESTURES, "tripod_pinch", "wrist_abduction", "wrist_adduction", "pronation", "supination"]
HELD = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 40))


@settings(deadline=None, max_examples=40)
@given(st.lists(HELD, max_size=6), st.sampled_from(SPEED_CONTROLS), st.integers(0, 1))
def test_two_sleeves_keep_every_limit_and_the_silence_of_either_is_zero_within_280_ms(held, control, silent):
    world = World(speed_control=control, maps=load_gesture_maps("two_sleeves", [TEN, TEN], MODEL))
    for left, right, ticks in held:
        for _ in range(ticks):
            world.tick((left, right), 0.02)
            assert world.core.safety.is_live
    silence = world.t
    speaking = (held[-1][:2] if held else (0, 0))[1 - silent]
    while world.core.safety.is_live:
        world.tick((None, speaking) if silent == 0 else (speaking, None), 0.02)
        assert world.t - silence <= 0.28 + 1e-9
    whose = ("left", "right")[silent]
    assert world.core.safety.reason.startswith(f"{whose} sleeve: no decision")
    # Whatever comes afterwards, from either, nothing moves until it is armed anew.
    stopped = world.commands[-1]
    for index in range(10):
        world.tick((index, index), 0.02)
        command = world.commands[-1]
        assert (command.translate_m_s, command.rotate_rad_s) == (0.0, 0.0)
        assert command.targets == stopped.targets
