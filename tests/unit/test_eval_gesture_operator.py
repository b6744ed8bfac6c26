"""An operator who sees the robot gets it where it should be, however late and however wrongly gestures are decided."""

from collections import deque
from itertools import product

import numpy as np
import pytest

from emg_acquisition.errors import InputError, StreamLostError
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.operator.cup_task import GESTURES, MAP, cup_gestures
from simulation.operator.every_dof import every_dof
from simulation.operator.gesture_operator import AT_ONCE, GESTURE_HZ, WITH_MUSCLES, GestureOperator, RobotView
from simulation.operator.stepped_bridge import SteppedBridge
from simulation.stretch.driver_logic import SimSettings
from simulation.stretch.kinematic_stretch import KinematicStretch
from simulation.stretch.pose import Pose

MODEL = load_robot_model()
GESTURE_MAP = load_gesture_map(MAP, GESTURES, MODEL)


class World:
    """A bridge and a robot without physics; gestures reach the bridge late, and some as others."""

    def __init__(self, reflexes, delay_s):
        self.bridge = SteppedBridge(MODEL, [GESTURE_MAP], KinematicStretch(MODEL, SimSettings().start))
        self.bridge.arm()
        self.operator = GestureOperator(GESTURE_MAP, MODEL, self.look, reflexes)
        self._late = deque([GESTURE_MAP.rest] * round(delay_s * GESTURE_HZ))
        self.taken_for = deque()
        self.deaf_to = ""

    def look(self):
        control = self.bridge.core.control
        return RobotView(tuple(self.bridge.positions.tolist()), control.mode, control.fine)

    def perform(self, script):
        for gesture in script:
            self._late.append(gesture)
            self.bridge.gestures[0] = self._late.popleft()
            if self.taken_for and gesture != GESTURE_MAP.rest:
                self.bridge.gestures[0] = self.taken_for.popleft()
            if self.bridge.gestures[0] == self.deaf_to:
                self.bridge.gestures[0] = GESTURE_MAP.rest
            self.bridge.run(1 / GESTURE_HZ)
            assert self.bridge.core.safety.is_live


def held(world, dof, *directions, fine=False):
    """Hold a DoF's gestures for a second each; returns what each hold brought."""
    holds = []

    def script(direction):
        holds.append((yield from world.operator.hold(dof, direction, 1.0, fine=fine)))

    for direction in directions:
        world.perform(script(direction))
    return holds


@pytest.mark.parametrize(("reflexes", "delay_s"), [(AT_ONCE, 0.0), (WITH_MUSCLES, 0.26)])
@pytest.mark.parametrize(
    ("dof", "way", "tolerance"),
    [("lift", 0.15, 0.008), ("lift", -0.02, 0.008), ("arm", 0.1, 0.008), ("base_translate", 0.4, 0.008)],
)
def test_a_dof_gets_where_it_should_be(reflexes, delay_s, dof, way, tolerance):
    world = World(reflexes, delay_s)
    target = world.operator.position(dof) + way
    world.perform(world.operator.go(dof, target, tolerance))
    assert world.operator.position(dof) == pytest.approx(target, abs=reflexes.precision * tolerance)


def test_a_mode_that_changes_in_mid_hold_is_noticed_and_left_again():
    world = World(AT_ONCE, 0.0)
    world.perform(world.operator.go("lift", world.operator.position("lift") + 0.05, 0.02))
    target = world.operator.position("lift") + 0.2
    n_tap = round(0.3 * GESTURE_HZ)
    world.taken_for.extend(["wrist_extension"] * 10 + ["rest"] * 5 + ["tripod_pinch"] * n_tap + ["rest"] * 5)
    world.perform(world.operator.go("lift", target, 0.02, limit_s=20.0))
    assert world.operator.position("lift") == pytest.approx(target, abs=0.02)
    assert world.bridge.t_s < 15.0


def test_a_hold_that_was_not_decided_is_made_again():
    world = World(AT_ONCE, 0.0)
    begin = world.operator.position("gripper")
    world.taken_for.extend(["rest"] * GESTURE_HZ)
    (hold,) = held(world, "gripper", -1)
    assert hold.achieved
    assert world.operator.position("gripper") < begin - 0.2


def test_a_gesture_that_is_never_decided_is_told_and_no_endless_loop():
    world = World(AT_ONCE, 0.0)
    world.taken_for.extend(["rest"] * 100_000)
    (hold,) = held(world, "gripper", -1, fine=True)
    assert not hold.achieved
    assert hold.words == "gripper -1 hardly moved while fist was held (fine: +0.0000)"


@pytest.mark.parametrize("dof", ["arm", "lift", "base_translate"])
def test_a_way_back_is_as_long_as_the_way_there_though_the_robot_brakes_for_long(dof):
    """What was left of the way there was once taken for a part of the way back."""
    world = World(WITH_MUSCLES, 0.26)
    there, back = held(world, dof, 1, -1)
    assert there.achieved
    assert back.achieved
    assert back.moved == pytest.approx(-there.moved, rel=0.02)


def test_every_dof_is_touched_both_ways_in_both_tiers_whatever_is_decided_wrongly():
    world, holds = World(WITH_MUSCLES, 0.26), []
    # The first hold is not decided.
    world.taken_for.extend(["rest"] * (3 * GESTURE_HZ))
    world.perform(every_dof(GESTURE_MAP, world.operator, holds.append))
    assert all(hold.achieved for hold in holds)
    touched = {(hold.dof, hold.direction, hold.fine) for hold in holds}
    assert touched == set(product(DOF_NAMES, (1, -1), (False, True)))
    for hold in holds:
        others = np.delete(hold.displacement, DOF_NAMES.index(hold.dof))
        np.testing.assert_allclose(others, 0, atol=1e-6, err_msg=str(hold))


def test_a_gripper_that_never_closes_ends_the_cup_task():
    world = World(WITH_MUSCLES, 0.26)
    world.deaf_to = GESTURE_MAP.gesture_for("arm", "gripper", -1)
    cup = Pose(np.array([0.1, -0.75, 0.75]), np.array([1.0, 0.0, 0.0, 0.0]))
    with pytest.raises(StreamLostError, match="gripper -1 hardly moved while fist was held"):
        world.perform(cup_gestures(world.operator, lambda: cup))


def test_what_no_gesture_moves_is_an_error():
    lift_only = load_gesture_map("lift_and_gripper", GESTURES, MODEL)
    world = World(AT_ONCE, 0.0)
    operator = GestureOperator(
        lift_only, MODEL, lambda: RobotView((0.0,) * 8, lift_only.mode_names[0], fine=False)
    )
    with pytest.raises(InputError, match="no gesture calls next_mode"):
        world.perform(operator.go("arm", 0.3, 0.01))
