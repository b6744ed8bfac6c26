"""What the core publishes around a stop: never nothing, and never an old pose."""

import pytest

from emg_acquisition.decision import Decision
from robot_bridge.bridge_core import BridgeCore, Listeners
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.robot_model import DofModel, load_robot_model
from robot_bridge.safety_inputs import SafetyLimits
from robot_bridge.stretch_interface import JOINT_OF_DOF, POSE_JOINTS

GESTURES = ("rest", "fist", "hand_open", "wrist_flexion", "wrist_extension")
EXTENSION = GESTURES.index("wrist_extension")
MODEL = load_robot_model()
LIFT = POSE_JOINTS.index("joint_lift")


class World:
    """An armed core with a lift at 0.5 m."""

    def __init__(self):
        gesture_map = load_gesture_map("lift_and_gripper", GESTURES, MODEL)
        nobody = Listeners(lambda _: None, lambda _sleeve, _change: None)
        self.core = BridgeCore(MODEL, [gesture_map], SafetyLimits(), nobody)
        self.core.safety.guard_problem = None
        self.t = 10.0
        self.give_limits()
        for _ in range(60):
            self.tick(0)
        assert self.core.safety.arm(self.t) is None

    def give_limits(self):
        joints = list(JOINT_OF_DOF.values())
        dofs = [MODEL.dof[dof] for dof in JOINT_OF_DOF]
        self.core.on_joint_limits(joints, [dof.lower for dof in dofs], [dof.upper for dof in dofs])

    def joints(self, lift=0.5, stamp_s=None):
        positions = [0.0] * len(POSE_JOINTS)
        positions[LIFT] = lift
        self.core.on_joint_states(POSE_JOINTS, positions, self.t if stamp_s is None else stamp_s, self.t)

    def tick(self, index, lift=0.5):
        self.t += 0.02
        driver = {
            "mode": "navigation",
            "is_homed": True,
            "is_runstopped": False,
            "is_streaming_position": True,
        }
        for topic, value in driver.items():
            self.core.safety.on_driver(topic, value, self.t)
        self.joints(lift)
        self.core.on_decision(Decision(float(index), 1.0, 0.5, 1.0, age_s=0.03), self.t)
        return self.core.tick(self.t)

    def moving(self):
        for _ in range(10):
            command = self.tick(EXTENSION)
        assert command.targets["lift"] > 0.5
        return self


def test_limits_that_arrive_after_a_stop_do_not_swallow_it():
    world = World().moving()
    world.core.safety.stop(world.t)
    world.give_limits()
    command = world.core.tick(world.t + 0.01)
    assert command is not None
    assert command.targets["lift"] == pytest.approx(0.5)


def test_a_bridge_that_wakes_from_a_hang_sends_no_old_pose():
    world = World().moving()
    world.t += 5.0
    command = world.core.tick(world.t)
    assert world.core.safety.state == "fault"
    assert (command.translate_m_s, command.rotate_rad_s) == (0.0, 0.0)
    assert command.targets == {}


def test_a_joint_state_with_an_old_stamp_is_not_held():
    world = World().moving()
    world.t += 0.01
    world.joints(lift=0.9, stamp_s=world.t - 0.9)
    world.core.safety.stop(world.t)
    assert world.core.tick(world.t).targets["lift"] == pytest.approx(0.5)


def test_a_change_of_speed_ends_the_motion_that_is_held():
    world = World().moving()
    world.core.control.set_fine(True)
    targets = [world.tick(EXTENSION).targets["lift"] for _ in range(20)]
    assert targets == [targets[0]] * 20


@pytest.mark.parametrize(("key", "value"), [("velocity", 400.0)])
def test_millimetres_for_metres_are_refused(key, value):
    arm = MODEL.dof["arm"].model_dump() | {key: value}
    with pytest.raises(ValueError, match=f"{key} {value:g} "):
        DofModel.model_validate(arm)
