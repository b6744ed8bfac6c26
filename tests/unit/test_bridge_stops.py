"""What the core publishes around a stop: never nothing, and never an old pose."""

import pytest

from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.robot_model import DofModel
from robot_bridge.stretch_interface import POSE_JOINTS
from tests import bridge_support as bridge
from tests.bridge_support import MODEL

GESTURES = ("rest", "fist", "hand_open", "wrist_flexion", "wrist_extension")
EXTENSION = GESTURES.index("wrist_extension")
LIFT = POSE_JOINTS.index("joint_lift")


class World:
    """An armed core with a lift at 0.5 m."""

    def __init__(self):
        self.core = bridge.make_core([load_gesture_map("lift_and_gripper", GESTURES, MODEL)])
        self.t = 10.0
        for _ in range(60):
            self.tick(0)
        assert bridge.arm(self.core, self.t) is None

    def joints(self, lift=0.5, stamp_s=None):
        positions = [0.0] * len(POSE_JOINTS)
        positions[LIFT] = lift
        bridge.joints(self.core, POSE_JOINTS, positions, self.t, stamp_s=stamp_s)

    def tick(self, index, lift=0.5):
        """Let a pose's time pass, so that each command holds one."""
        self.t += 0.034
        bridge.give_status(self.core, self.t)
        self.joints(lift)
        bridge.decide(self.core, index, self.t)
        return bridge.tick(self.core, self.t)

    def moving(self):
        for _ in range(10):
            command = self.tick(EXTENSION)
        assert command.targets["lift"] > 0.5
        return self


def test_limits_that_arrive_after_a_stop_do_not_swallow_it():
    world = World().moving()
    bridge.act(world.core, "stop", world.t)
    bridge.give_limits(world.core, world.t)
    command = bridge.tick(world.core, world.t + 0.034)
    assert command is not None
    assert command.targets["lift"] == pytest.approx(0.5)


def test_a_bridge_that_wakes_from_a_hang_sends_no_old_pose():
    world = World().moving()
    world.t += 5.0
    command = bridge.tick(world.core, world.t)
    assert world.core.safety.state == "fault"
    assert (command.translate_m_s, command.rotate_rad_s) == (0.0, 0.0)
    assert command.targets == {}


def test_a_joint_state_with_an_old_stamp_is_not_held():
    world = World().moving()
    world.t += 0.01
    world.joints(lift=0.9, stamp_s=world.t - 0.9)
    bridge.act(world.core, "stop", world.t)
    assert bridge.tick(world.core, world.t + 0.034).targets["lift"] == pytest.approx(0.5)


def test_a_change_of_speed_ends_the_motion_that_is_held():
    world = World().moving()
    bridge.act(world.core, "coarse", world.t)
    targets = [world.tick(EXTENSION).targets["lift"] for _ in range(20)]
    assert targets == [targets[0]] * 20


@pytest.mark.parametrize(("key", "value"), [("velocity", 400.0)])
def test_millimetres_for_metres_are_refused(key, value):
    arm = MODEL.dof["arm"].model_dump() | {key: value}
    with pytest.raises(ValueError, match=f"{key} {value:g} "):
        DofModel.model_validate(arm)
