"""From each ready-made map every DoF moves both ways, coarse and fine, as the robot's table says."""

import numpy as np
import pytest

from benchmarks.motion_table import motion_table
from robot_bridge.gesture_map import load_gesture_map, load_gesture_maps
from robot_bridge.inputs import OperatorInput
from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.operator.stepped_bridge import SteppedBridge
from simulation.stretch.kinematic_stretch import KinematicStretch

MODEL = load_robot_model()
FOUR = ["rest", "fist", "hand_open", "wrist_flexion", "wrist_extension"]
TEN = [*FOUR, "tripod_pinch", "wrist_abduction", "wrist_adduction", "pronation", "supination"]
DECODERS = {"ten_gestures": [TEN], "four_gestures": [FOUR], "two_sleeves": [TEN, TEN]}
START = {"lift": 0.55, "arm": 0.26, "wrist_yaw": 1.5, "wrist_pitch": -0.5, "wrist_roll": 0.0, "gripper": 0.14}
# From the reference's table of coarse and fine speeds; the lift's coarse is above its default profile's 0.11.
TABLE = {
    "base_translate": (0.12, 0.05),
    "base_rotate": (0.76, 0.30),
    "lift": (0.11, 0.04),
    "arm": (0.14, 0.04),
    "wrist_yaw": (1.5, 0.075),
    "wrist_pitch": (1.0, 0.05),
    "wrist_roll": (2.0, 0.10),
    "gripper": (0.376, 0.056),
}


def maps_of(name):
    return load_gesture_maps(name, DECODERS[name], MODEL)


def judge(table):
    for motion in table:
        where = (motion.dof, motion.direction, motion.fine)
        unit = MODEL.dof[motion.dof].unit
        assert motion.speed == pytest.approx(TABLE[motion.dof][motion.fine], rel=0.05), where
        # Rest ends it within its own braking way and what passes until the command; nothing else has moved.
        limits = MODEL.dof[motion.dof]
        braking = motion.wanted**2 / (2 * limits.ramp) + 0.15 * motion.wanted
        assert -0.002 <= motion.after <= braking, where
        assert all(abs(moved) < 2e-3 for moved in motion.others.values()), (where, motion.others)
        # Steps: repeatable to 2 mm and 1 degree, and as long as they are said to be.
        allowed = 0.002 if unit == "m" else np.radians(1.0)
        assert np.ptp(motion.steps) <= allowed, where
        assert np.abs(motion.steps - motion.step).max() <= allowed, where


@pytest.mark.parametrize(
    "name", ["ten_gestures", pytest.param("four_gestures", marks=pytest.mark.slow), "two_sleeves"]
)
def test_every_dof_moves_as_the_table_says(name):
    table = motion_table(maps_of(name), MODEL, KinematicStretch, lambda *_: None)
    assert {(m.dof, m.direction, m.fine) for m in table} == {
        (dof, sign, fine) for dof in DOF_NAMES for sign in (1, -1) for fine in (True, False)
    }
    judge(table)


def physical(model, positions):
    from simulation.stretch.mujoco_stretch import MujocoStretch

    return MujocoStretch(model, positions, "empty")


def test_the_stretch_of_mujoco_moves_as_the_table_says():
    pytest.importorskip("mujoco")
    judge(motion_table(maps_of("ten_gestures"), MODEL, physical, lambda *_: None, ("arm", "wrist_yaw")))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(DECODERS))
def test_the_stretch_of_mujoco_moves_every_dof_of_every_map_as_the_table_says(name):
    pytest.importorskip("mujoco")
    judge(motion_table(maps_of(name), MODEL, physical, lambda *_: None))


def test_two_sleeves_move_at_the_same_time_and_either_s_silence_stops_both():
    bridge = SteppedBridge(MODEL, maps_of("two_sleeves"), KinematicStretch(MODEL, START))
    bridge.arm()
    before = bridge.positions
    bridge.gestures[:] = ["wrist_extension", "wrist_flexion"]
    bridge.run(1.0)
    moved = dict(zip(DOF_NAMES, bridge.positions - before, strict=True))
    assert moved["base_translate"] > 0.03
    assert moved["lift"] < -0.03
    bridge.silent = {1}
    bridge.run(0.3)
    assert bridge.core.safety.state == "fault"
    assert bridge.core.safety.reason.startswith("right sleeve: no decision for")
    bridge.run(1.5)
    still = bridge.positions
    bridge.silent = set()
    bridge.run(1.0)
    np.testing.assert_array_equal(bridge.positions, still)


def test_a_sleeve_that_does_not_rest_keeps_from_arming():
    bridge = SteppedBridge(MODEL, maps_of("two_sleeves"), KinematicStretch(MODEL, START))
    bridge.gestures[1] = "fist"
    bridge.run(2.0)
    assert "right sleeve: the muscles are not at rest" in bridge.core.safety.refusal_before_setup(bridge.t_s)


@pytest.mark.parametrize("cut", ["gesture", "stop"])
def test_a_step_under_way_ends_at_another_gesture_and_at_a_stop(cut):
    maps = [load_gesture_map("ten_gestures", TEN, MODEL)]
    bridge = SteppedBridge(MODEL, maps, KinematicStretch(MODEL, START), "steps")
    bridge.arm()
    bridge.go_to_mode("arm")
    bridge.run(0.5)
    before = bridge.positions
    bridge.gestures[0] = "wrist_extension"
    bridge.run(0.3)
    bridge.gestures[0] = "rest"
    bridge.run(0.15)
    if cut == "stop":
        bridge.core.take(OperatorInput(bridge.t_s, "stop"))
    else:
        bridge.gestures[0] = "supination"  # means nothing in this mode
    bridge.run(2.0)
    moved = (bridge.positions - before)[DOF_NAMES.index("lift")]
    assert 0 < moved < 0.75 * MODEL.dof["lift"].step_coarse


class StuckLift(KinematicStretch):
    """A robot with something on its lift: whatever it is told, the lift stays."""

    def step(self, dt_s):
        at = self.positions["lift"]
        super().step(dt_s)
        self._motors.joints["lift"].stall_at(at)


@pytest.mark.parametrize(
    "fine", [False, True]
)  # a fine step's target reaches its end, a coarse one's does not
@pytest.mark.parametrize("end", ["time", "gesture"])
def test_a_step_that_is_blocked_does_not_go_on_pressing(fine, end):
    maps = [load_gesture_map("ten_gestures", TEN, MODEL)]
    body = StuckLift(MODEL, START)
    bridge = SteppedBridge(MODEL, maps, body, "steps")
    bridge.arm()
    bridge.set_fine(fine)
    bridge.go_to_mode("arm")
    bridge.run(0.5)
    bridge.hold("wrist_extension", 0.3)
    step = MODEL.dof["lift"].step_fine if fine else MODEL.dof["lift"].step_coarse
    assert body.target_of("lift") - body.positions["lift"] > 0.25 * step
    if end == "time":
        bridge.run(5.0)
    else:
        bridge.hold("supination", 0.3)  # means nothing in this mode
    # What keeps pressing without an effect for a second is stopped for good; what ended before stays armed.
    assert (bridge.core.safety.state, end) in {("fault", "time"), ("armed", "gesture")}
    assert body.target_of("lift") == pytest.approx(body.positions["lift"], abs=1e-6)


def test_effort_drives_within_the_tier():
    maps = [load_gesture_map("ten_gestures", TEN, MODEL)]
    speeds = []
    for effort in (0.3, 0.6, 1.0):
        bridge = SteppedBridge(MODEL, maps, KinematicStretch(MODEL, {**START, "lift": 0.1}), "effort")
        bridge.arm()
        bridge.go_to_mode("arm")
        bridge.set_fine(False)
        bridge.effort = effort
        bridge.gestures[0] = "wrist_extension"
        bridge.run(2.0)
        at = bridge.positions
        bridge.run(1.0)
        speeds.append((bridge.positions - at)[DOF_NAMES.index("lift")])
    assert speeds == pytest.approx([0.033, 0.066, 0.11], rel=0.05)
