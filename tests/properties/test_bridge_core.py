"""Whatever comes in and whenever: commands stay finite and within every limit; silence always reaches zero."""

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robot_bridge.control import SPEED_CONTROLS
from robot_bridge.gesture_map import load_gesture_map, load_gesture_maps
from robot_bridge.stretch_interface import DOF_NAMES, JOINT_DOF, JOINT_STATE_NAMES, POSE_JOINTS
from tests import bridge_support as bridge
from tests.bridge_support import MODEL

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

    def __init__(self, mode=0, speed_control="tiers", maps=None, **at):
        self.core = bridge.make_core(maps or [load_gesture_map(MAP_NAME, GESTURES, MODEL)], speed_control)
        if maps is None:
            self.core.control.mode = DOF_NAMES[mode]
        self.t = 10.0
        self.at = {
            "lift": 0.5,
            "arm": 0.2,
            "wrist_yaw": 0.1,
            "wrist_pitch": 0.0,
            "wrist_roll": 0.0,
            "gripper": 0.1,
        } | at
        self.speed = 0.0
        self.before = (0.0, 0.0)
        self.before_t = self.t
        self.commands = []
        self.targets = {}
        self.base = [0.0, 0.0]
        self.reported_t, self.pose_t = -math.inf, -math.inf
        # How far from the truth the last report may be, and yet be what a robot could do.
        self.doubt_s = 0.0
        for _ in range(60):
            self.tick((0,) * len(self.core.controls), 0.02)
        assert bridge.arm(self.core, self.t) is None

    def report_joints(self, values=None):
        by_joint = {joint: self.at[dof] for dof, joint in JOINTS.items()}
        by_joint |= {"joint_head_pan": 0.0, "joint_head_tilt": 0.0}
        if values is not None:
            by_joint = dict(zip(POSE_JOINTS, values, strict=True))
        names = [name for name in JOINT_STATE_NAMES if name in by_joint]
        bridge.joints(
            self.core,
            names,
            [by_joint[name] for name in names],
            self.t,
            velocities=[self.speed] * len(names),
        )
        self.doubt_s = 0.0 if values is None else max(self.doubt_s, self.t - self.reported_t)
        self.reported_t = self.t

    def tick(self, indices, dt):
        """Let time pass; one decision, or one a sleeve, None for silence."""
        self.t += dt
        self.follow(dt)
        bridge.give_status(self.core, self.t, tuple(self.base))
        self.report_joints()
        for sleeve, index in enumerate(indices if isinstance(indices, tuple) else (indices,)):
            if index is not None:
                bridge.decide(self.core, index, self.t, sleeve)
        self.command()

    def follow(self, dt):
        """Move as the robot would: towards the last targets as fast as it can, and on by the wheels' last command."""
        for dof, target in self.targets.items():
            most = MODEL.dof[dof].velocity * dt
            self.at[dof] += max(-most, min(most, 0.5 * (target - self.at[dof])))
        for index, velocity in enumerate(self.before):
            self.base[index] += velocity * dt

    def command(self):
        command = bridge.tick(self.core, self.t)
        if command is not None:
            self.check(command)
            self.targets |= command.targets
        self.commands.append(command)

    def check(self, command):
        base = (command.translate_m_s, command.rotate_rad_s)
        assert all(map(math.isfinite, (*base, *command.targets.values(), *command.head)))
        assert abs(base[0]) + abs(base[1]) * 0.3153 / 2 <= 0.3 + 1e-9
        dt = self.t - self.before_t
        for now, before, acceleration in zip(base, self.before, (0.3, 0.76), strict=True):
            grown = abs(now) - (abs(before) if now * before > 0 else 0.0)
            assert grown <= acceleration * dt + 1e-9
        if not command.targets and self.t - self.pose_t >= 0.034:
            # Nothing was measured freshly when it stopped: a stop of the wheels alone.
            assert not self.core.safety.is_live
            assert base == (0.0, 0.0)
        if command.targets:
            self.pose_t = self.t
        for dof in command.targets:
            limits, at = MODEL.dof[dof], self.at[dof]
            target = command.targets[dof]
            # Where the robot truly is; a false report counts only as far as a robot could have moved since the last.
            doubt = 1.5 * limits.velocity * min(0.5, self.doubt_s) + (0.01 if limits.unit == "m" else 0.1)
            assert abs(target - at) <= limits.stop_bound + (doubt if self.doubt_s else 0.0) + 1e-9
            inside = limits.lower - 1e-9 <= target <= limits.upper + 1e-9
            back = min(at, limits.lower) <= target <= max(at, limits.upper)
            assert inside or back or not self.core.safety.is_live
        self.before, self.before_t = base, self.t


def play(world, steps):
    for kind, value in steps:
        PLAYED[kind](world, value)


def decide(world, value):
    index, quality, age = value
    bridge.decide(world.core, index, world.t, effort=quality, quality=quality, age_s=age)
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
    if name == "runstop":
        bridge.give_status(world.core, world.t, is_runstopped=True)
    elif name == "mode":
        bridge.give_status(world.core, world.t, mode="position")
    elif name == "arm":
        bridge.arm(world.core, world.t)
    else:
        bridge.act(world.core, name, world.t)
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
    assert bridge.tick(world.core, world.t) is None


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 7), st.sampled_from([3, 4]), st.booleans())
def test_a_held_gesture_moves_its_dof_alone_and_its_silence_is_zero_within_280_ms(mode, index, fine):
    world = World(mode)
    bridge.act(world.core, "fine" if fine else "coarse", world.t)
    held = dict(world.at)
    for _ in range(60):
        world.tick(index, 0.02)
    command = world.commands[-1]
    moved = {"base_translate": command.translate_m_s, "base_rotate": command.rotate_rad_s}
    moved |= {dof: world.targets[dof] - held[dof] for dof in JOINT_DOF}
    sign = 1 if index == 4 else -1
    for dof, change in moved.items():
        assert (sign * change > 0) == (dof == DOF_NAMES[mode]), dof
    silent = world.t
    while world.core.safety.is_live:
        world.tick(None, 0.02)
    assert world.t - silent <= 0.28 + 1e-9
    last = world.commands[-1]
    assert (last.translate_m_s, last.rotate_rad_s) == (0.0, 0.0)
    world.tick(None, 0.034)
    latched = dict(world.commands[-1].targets)
    assert latched
    for _ in range(10):
        world.tick(None, 0.034)
        assert dict(world.commands[-1].targets) == latched


def test_the_grip_is_kept_at_rest_and_at_a_stop():
    world = World(DOF_NAMES.index("gripper"))
    bridge.act(world.core, "coarse", world.t)
    for _ in range(50):
        world.at["gripper"] = 0.1  # a cup between the fingers
        world.tick(3, 0.02)
    grip = world.targets["gripper"]
    assert grip < 0.1 - 0.05
    for _ in range(20):
        world.at["gripper"] = 0.1
        world.tick(0, 0.02)
    assert world.targets["gripper"] == grip
    bridge.act(world.core, "stop", world.t)
    world.tick(0, 0.034)
    assert world.commands[-1].targets["gripper"] == grip


def test_the_arm_out_slows_driving():
    world = World(0)
    bridge.act(world.core, "coarse", world.t)
    for _ in range(60):
        world.tick(4, 0.02)
    assert world.commands[-1].translate_m_s == 0.1
    stowed = World(0, lift=0.2, arm=0.0, wrist_yaw=3.0)
    bridge.act(stowed.core, "coarse", stowed.t)
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
    world.tick((None, None), 0.034)
    stopped = world.commands[-1]
    assert stopped.targets
    for index in range(10):
        world.tick((index, index), 0.034)
        command = world.commands[-1]
        assert (command.translate_m_s, command.rotate_rad_s) == (0.0, 0.0)
        assert command.targets == stopped.targets
