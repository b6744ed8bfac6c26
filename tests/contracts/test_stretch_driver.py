"""What stretch_driver accepts and refuses, and how it names things: each fact, against the simulated driver.

Facts of stretch_ros2's ``stretch_driver.py`` (with streaming position), ``command_groups.py`` and
``joint_qpos_conversion.py``, of stretch_body 0.7, and of the firmware's own notes. Numbers are written out here and not
taken from the code.
"""

import math

import pytest

from robot_bridge.stretch_interface import JOINT_STATE_NAMES
from simulation.stretch.variants import VARIANTS
from tests.driver_support import START, TICK_S, Driver
from ui.commands.sim_robot import ROBOTS

# ---- joint_states and joint_limits


def test_joint_states_come_in_the_drivers_order():
    assert Driver().joint_names == (
        *("wrist_extension", "joint_lift", "joint_arm_l3", "joint_arm_l2", "joint_arm_l1", "joint_arm_l0"),
        *("joint_head_pan", "joint_head_tilt", "joint_wrist_yaw", "joint_wrist_pitch", "joint_wrist_roll"),
        *("joint_gripper_finger_left", "joint_gripper_finger_right"),
    )
    assert Driver().joint_names == JOINT_STATE_NAMES


def test_each_segment_of_the_arm_has_a_quarter_of_its_extension_and_of_its_velocity():
    driver = Driver().ready()
    driver.pose(arm=0.5)
    driver.run(1.0)
    positions, velocities = driver.joint_states()
    assert positions[0] > 0.25
    assert positions[2:6] == [positions[0] / 4] * 4
    assert velocities[2:6] == [velocities[0] / 4] * 4


def test_joint_limits_name_the_command_groups_then_the_grippers_three():
    names = list(Driver().joint_limits())
    assert set(names[:-3]) == {
        *("joint_arm", "joint_lift", "joint_wrist_yaw", "joint_wrist_pitch", "joint_wrist_roll"),
        *("joint_head_pan", "joint_head_tilt"),
    }
    assert names[-3:] == ["gripper_aperture", "joint_gripper_finger_left", "joint_gripper_finger_right"]


def test_the_arm_is_joint_arm_in_joint_limits_and_wrist_extension_in_joint_states():
    driver = Driver()
    assert "wrist_extension" not in driver.joint_limits()
    assert "joint_arm" not in driver.joint_names
    assert driver.joint_limits()["joint_arm"] == (0.0, 0.52)


def test_joint_limits_are_in_no_fixed_order():
    driver = Driver()
    assert len({tuple(driver.joint_limits()) for _ in range(10)}) > 3


def test_the_grippers_limits_are_an_aperture_in_m_and_its_fingers_in_rad():
    limits = Driver().joint_limits()
    assert limits["joint_gripper_finger_left"] == limits["joint_gripper_finger_right"]
    assert limits["gripper_aperture"] == pytest.approx(
        [2 * 0.171 * finger for finger in limits["joint_gripper_finger_left"]]
    )
    # -100 % of the motor; aperture = pct x 0.09 / 70
    assert limits["gripper_aperture"][0] == pytest.approx(-100 * 0.09 / 70, abs=1e-4)
    assert limits["joint_gripper_finger_left"][0] == pytest.approx(-0.376, abs=1e-3)


LACKING = {
    "stretch3": ("eoa_wrist_dw3_tool_sg3", 10, set()),
    "stretch3-no-gripper": ("eoa_wrist_dw3_tool_nil", 9, {"gripper"}),
    "stretch2": ("tool_stretch_gripper", 8, {"wrist_pitch", "wrist_roll"}),
    "stretch2-dex-wrist": ("tool_stretch_dex_wrist", 10, set()),
}


@pytest.mark.parametrize("robot", LACKING)
def test_a_robot_without_dex_wrist_or_gripper_lacks_their_names_in_both(robot):
    tool, _, lacking = LACKING[robot]
    driver = Driver(robot=robot)
    assert driver.variant.tool == tool
    for part in ("wrist_pitch", "wrist_roll", "gripper"):
        named = [name for name in (*driver.joint_names, *driver.joint_limits()) if part in name]
        assert bool(named) == (part not in lacking)
    positions, velocities = driver.joint_states()
    assert len(driver.joint_names) == len(positions) == len(velocities) == len(driver.efforts())


@pytest.mark.parametrize("robot", LACKING)
def test_the_tool_decides_how_many_values_a_pose_has(robot, caplog):
    wanted = LACKING[robot][1]
    driver = Driver(robot=robot).ready()
    for length in {8, 9, 10} - {wanted}:
        driver.on_joint_pose([0.3] * length, driver.t_s)
        assert f"needs {wanted} values, got {length}" in caplog.text
    driver.run(1.0)
    assert driver.at("lift") == 0.6
    driver.pose(lift=0.7)
    driver.run(1.0)
    assert driver.at("lift") > 0.65


def test_the_command_offers_the_robots_that_there_are():
    assert set(ROBOTS) == set(VARIANTS) == set(LACKING)


# ---- joint_pose_cmd


@pytest.mark.parametrize(
    ("place", "joint"),
    [
        *((0, "arm"), (1, "lift"), (2, "wrist_yaw"), (3, "wrist_pitch"), (4, "wrist_roll")),
        *((5, "head_pan"), (6, "head_tilt"), (7, "gripper")),
    ],
)
def test_a_pose_has_ten_values_arm_lift_yaw_pitch_roll_pan_tilt_gripper_and_the_base(place, joint):
    driver = Driver().ready()
    pose = [0.2, 0.6, 0.5, -0.4, 0.0, 0.0, 0.0, 0.2, 0.0, 0.0]
    pose[place] += 0.1
    driver.on_joint_pose(pose, driver.t_s)
    driver.run(3.0)
    moved = {name for name, at in driver.robot.positions.items() if at != pytest.approx(START[name])}
    assert moved == {joint}
    assert driver.at(joint) == pytest.approx(pose[place])


def test_the_base_of_a_pose_is_an_increment_and_a_translation_goes_before():
    driver = Driver().ready("position")
    driver.pose(translate=0.1)
    driver.run(4.0)
    driver.pose(translate=-0.04)
    driver.run(4.0)
    assert driver.robot.base.travel_m == pytest.approx(0.06)
    driver.pose(translate=0.02, rotate=0.3)
    driver.run(4.0)
    assert driver.robot.base.travel_m == pytest.approx(0.08)
    assert driver.robot.base.heading_rad == 0.0
    driver.pose(rotate=0.3)
    driver.run(4.0)
    assert driver.robot.base.heading_rad == pytest.approx(0.3)


def test_navigation_mode_ignores_the_base_of_a_pose():
    driver = Driver().ready("navigation")
    driver.pose(translate=0.1, lift=0.7)
    driver.run(3.0)
    assert driver.robot.base.travel_m == 0.0
    assert driver.at("lift") == pytest.approx(0.7)


def test_a_pose_needs_streaming(caplog):
    driver = Driver().ready()
    assert driver.call("deactivate_streaming_position") == (True, "Deactivated streaming position.")
    driver.pose(lift=0.9)
    driver.run(1.0)
    assert driver.at("lift") == 0.6
    assert "needs streaming position" in caplog.text


@pytest.mark.parametrize("mode", ["position", "navigation", "trajectory", "gamepad"])
def test_a_pose_needs_position_or_navigation_mode(mode, caplog):
    driver = Driver().ready(mode)
    driver.pose(lift=0.7)
    driver.run(2.0)
    taken = mode in {"position", "navigation"}
    assert (driver.at("lift") == pytest.approx(0.7)) == taken
    assert ("needs position or navigation mode" in caplog.text) != taken


@pytest.mark.parametrize("length", [0, 8, 9, 11])
def test_a_pose_of_another_length_is_logged_and_dropped(length, caplog):
    driver = Driver().ready()
    driver.on_joint_pose([0.3] * length, driver.t_s)
    driver.run(1.0)
    assert dict(driver.robot.positions) == pytest.approx(
        {joint: START[joint] for joint in driver.variant.pose}
    )
    assert f"got {length}" in caplog.text


def test_a_pose_has_no_watchdog_it_is_run_to():
    driver = Driver().ready()
    driver.pose(lift=1.0)
    driver.run(10.0)
    assert driver.at("lift") == pytest.approx(1.0)


def test_a_robot_that_is_not_homed_moves_pitch_roll_and_head_only():
    driver = Driver(homed=False).ready()
    driver.pose(lift=0.7, arm=0.3, wrist_yaw=1.0, gripper=0.3, wrist_pitch=0.0, head_pan=0.5)
    driver.run(3.0)
    still = {joint: driver.at(joint) for joint in ("lift", "arm", "wrist_yaw", "gripper")}
    assert still == {joint: START[joint] for joint in still}
    assert (driver.at("wrist_pitch"), driver.at("head_pan")) == (0.0, 0.5)


# ---- streaming's blocking writes


def test_a_pose_takes_effect_once_its_writes_are_done():
    driver = Driver(pose_latency_s=0.1).ready()
    driver.pose(lift=0.9)
    driver.run(0.1)
    assert driver.at("lift") == 0.6
    driver.run(0.1)
    assert driver.at("lift") > 0.6


def order_of(count, seconds):
    """Send poses to lift targets that rise; returns by how much the lift's last target is not the newest, m."""
    driver = Driver(pose_latency_s=0.04).ready()
    for number in range(1, count + 1):
        driver.pose(lift=0.6 + 0.001 * number)
        driver.t_s += seconds
        driver.step(driver.t_s)
    driver.run(1.0)
    return 0.6 + 0.001 * count - driver.robot.target_of("lift")


@pytest.mark.parametrize("seconds", [0.005, 0.010, 0.020, 0.030])
def test_poses_sent_closely_may_be_applied_out_of_order(seconds):
    behind = [order_of(count, seconds) for count in range(20, 30)]
    assert max(behind) > 0.0005
    assert min(behind) == pytest.approx(0.0)


def test_thirty_poses_a_second_are_applied_in_order():
    assert [order_of(count, TICK_S) for count in range(20, 30)] == pytest.approx([0.0] * 10)


def test_constant_re_sending_keeps_a_contact_from_being_taken():
    pressed = {}
    for resent in (False, True):
        driver = Driver().ready()
        driver.set_faults(driver.faults.model_copy(update={"blocked": frozenset({"arm"})}))
        driver.pose(arm=0.4)
        driver.run(2.0, (lambda driver=driver: driver.pose(arm=0.4)) if resent else None)
        pressed[resent] = driver.robot.target_of("arm") - driver.at("arm")
    assert pressed[False] == 0.0
    assert pressed[True] == pytest.approx(0.2)


# ---- cmd_vel


@pytest.mark.parametrize("mode", ["position", "trajectory", "gamepad"])
def test_a_twist_needs_navigation_mode(mode, caplog):
    driver = Driver().ready(mode)
    driver.drive(1.0)
    assert driver.robot.base.travel_m == 0.0
    assert "needs navigation mode" in caplog.text


def test_a_twist_is_translation_and_rotation():
    driver = Driver().ready()
    driver.drive(3.0, 0.05, 0.2)
    assert driver.robot.base.velocity_m_s == pytest.approx(0.05)
    assert driver.robot.base.velocity_rad_s == pytest.approx(0.2)


def test_a_twist_older_than_half_a_second_tells_the_wheels_zero():
    driver = Driver().ready()
    driver.twist()
    driver.robot.told.clear()
    driver.run(0.47)
    assert set(driver.robot.told) == {("velocity", 0.1, 0.0)}
    driver.robot.told.clear()
    driver.run(2.0)
    assert driver.robot.told[-1] == ("velocity", 0.0, 0.0)
    assert ("velocity", 0.1, 0.0) not in driver.robot.told[1:]
    assert driver.robot.base.velocity_m_s == 0.0


def test_the_time_out_of_twists_covers_the_wheels_only():
    driver = Driver().ready()
    driver.twist()
    driver.pose(lift=0.9)
    driver.run(4.0)
    assert driver.robot.base.velocity_m_s == 0.0
    assert driver.at("lift") == pytest.approx(0.9)


def test_the_wheels_hear_of_a_twist_with_the_drivers_next_loop():
    driver = Driver().ready()
    driver.robot.told.clear()
    driver.twist()
    assert driver.robot.told == []
    driver.run(TICK_S)
    assert driver.robot.told == [("velocity", 0.1, 0.0)]


# ---- modes


def test_the_services_answer_as_the_drivers_do():
    driver = Driver()
    assert driver.call("switch_to_position_mode") == (True, "Now in position mode.")
    assert driver.call("switch_to_trajectory_mode") == (True, "Now in trajectory mode.")
    assert driver.call("switch_to_gamepad_mode") == (True, "Now in gamepad mode.")
    assert driver.call("switch_to_navigation_mode") == (True, "Now in navigation mode.")
    assert driver.call("activate_streaming_position") == (True, "Activated streaming position.")
    assert driver.call("get_joint_states") == (True, "")
    assert driver.call("stop_the_robot") == (True, "Stopped the robot.")
    assert driver.call("self_collision_avoidance") == (True, "is self collision avoidance enabled: True")
    assert driver.call("runstop") == (True, "is_runstopped: True")
    assert driver.call("runstop", value=False) == (True, "is_runstopped: False")
    assert driver.call("home_the_robot") == (True, "Homed.")
    assert driver.call("stow_the_robot") == (False, "Cannot stow while in mode=homing.")
    assert driver.call("home_the_robot") == (False, "Cannot home while in mode=homing.")


@pytest.mark.parametrize(
    ("service", "mode"),
    [("home_the_robot", "homing"), ("stow_the_robot", "stowing"), ("runstop", "runstopped")],
)
def test_homing_stowing_and_run_stopped_are_modes_in_which_commands_are_refused(service, mode, caplog):
    driver = Driver().ready()
    driver.call(service)
    assert driver.mode == mode
    driver.drive(0.3)
    driver.pose(lift=0.9)
    assert driver.robot.base.travel_m == 0.0
    assert driver.robot.target_of("lift") != 0.9
    assert f"needs navigation mode; the mode is {mode}" in caplog.text
    assert f"needs position or navigation mode; the mode is {mode}" in caplog.text


def test_switching_to_navigation_zeroes_what_the_wheels_are_told():
    driver = Driver().ready()
    driver.twist()
    driver.run(TICK_S)
    driver.call("switch_to_navigation_mode")
    driver.robot.told.clear()
    driver.run(TICK_S)
    assert driver.robot.told == [("velocity", 0.0, 0.0)]


def test_switching_to_position_enables_the_wheels_increments_there_and_then():
    driver = Driver().ready()
    driver.drive(2.0)
    driver.robot.told.clear()
    driver.call("switch_to_position_mode")
    assert driver.robot.told == [("by", 0.0, 0.0)]
    driver.run(5.0)
    assert driver.robot.told == [("by", 0.0, 0.0)]
    assert driver.robot.base.velocity_m_s == 0.0


@pytest.mark.parametrize(
    "service",
    ["switch_to_trajectory_mode", "switch_to_gamepad_mode", "home_the_robot", "stow_the_robot"],
)
def test_other_modes_tell_the_wheels_nothing_and_they_run_on_for_the_firmwares_second(service, caplog):
    driver = Driver().ready()
    driver.drive(2.0)
    driver.robot.told.clear()
    driver.call(service)
    travel_m = driver.robot.base.travel_m
    driver.run(0.9, lambda: driver.twist(0.0))
    assert driver.robot.told == []
    assert driver.robot.base.velocity_m_s == pytest.approx(0.1)
    assert driver.robot.base.travel_m - travel_m == pytest.approx(0.09, abs=1e-3)
    assert "cmd_vel needs navigation mode" in caplog.text
    # then the firmware, and not the driver, ends it
    driver.run(1.2)
    assert driver.robot.told == [("velocity", 0.0, 0.0)]
    assert driver.robot.base.velocity_m_s == 0.0


def test_a_routine_brings_the_former_mode_back_and_homes():
    driver = Driver(homed=False).ready()
    driver.call("home_the_robot")
    driver.run(30.0)
    assert (driver.mode, driver.homed) == ("navigation", True)


# ---- gamepad

STILL = ([0.0] * 6, [0] * 14)


def joy(driver, axis=None, value=1.0, button=None):
    axes, buttons = [*STILL[0]], [*STILL[1]]
    if axis is not None:
        axes[axis] = value
    if button is not None:
        buttons[button] = 1
    driver.on_gamepad_joy(axes, buttons, driver.t_s)


@pytest.mark.parametrize("mode", ["position", "navigation", "trajectory"])
def test_a_joy_needs_gamepad_mode(mode, caplog):
    driver = Driver().ready(mode)
    driver.run(1.0, lambda: joy(driver, 1))
    assert driver.robot.base.travel_m == 0.0
    assert "gamepad_joy needs gamepad mode" in caplog.text


@pytest.mark.parametrize(
    ("axis", "joint", "sign"),
    [(1, "translate", 1), (0, "rotate", -1), (2, "arm", 1), (3, "lift", 1)],
)
def test_the_sticks_drive_the_base_and_move_arm_and_lift(axis, joint, sign):
    driver = Driver(start_mode="gamepad")
    driver.run(2.0, lambda: joy(driver, axis))
    base = driver.robot.base
    way = {"translate": base.travel_m, "rotate": base.heading_rad}.get(joint)
    way = driver.at(joint) - START[joint] if way is None else way
    assert sign * way > 0.1


@pytest.mark.parametrize(
    ("button", "joint", "sign"),
    [
        *((6, "wrist_yaw", 1), (7, "wrist_yaw", -1), (11, "wrist_pitch", 1), (10, "wrist_pitch", -1)),
        *((13, "wrist_roll", 1), (12, "wrist_roll", -1), (3, "gripper", 1), (2, "gripper", -1)),
    ],
)
def test_the_buttons_move_wrist_and_gripper(button, joint, sign):
    driver = Driver(start_mode="gamepad")
    driver.run(0.6, lambda: joy(driver, button=button))
    assert sign * (driver.at(joint) - START[joint]) > 0.05
    driver.run(3.0)
    at = driver.at(joint)
    driver.run(1.0)
    assert driver.at(joint) == pytest.approx(at)


def test_a_joy_is_stale_after_half_a_second_and_one_of_another_length_counts_as_nothing_pressed():
    driver = Driver(start_mode="gamepad")
    driver.run(1.0, lambda: joy(driver, 1))
    driver.run(2.5)
    assert driver.robot.base.velocity_m_s == 0.0
    travel_m = driver.robot.base.travel_m
    driver.run(1.0, lambda: driver.on_gamepad_joy([1.0] * 8, [0] * 14, driver.t_s))
    assert driver.robot.base.travel_m == travel_m


# ---- stop_the_robot


def test_stop_the_robot_moves_base_arm_lift_head_yaw_and_gripper_by_nothing_once():
    driver = Driver().ready()
    moving = {"lift": 0.9, "arm": 0.5, "wrist_yaw": 2.5, "head_pan": -2.0, "head_tilt": -1.5, "gripper": 0.6}
    driver.pose(**moving)
    driver.drive(0.4)
    at = dict(driver.robot.positions)
    driver.robot.told.clear()
    driver.call("stop_the_robot")
    assert driver.robot.told == [("by", 0.0, 0.0)]
    for joint in moving:
        assert driver.robot.target_of(joint) == at[joint]
    # braked, overshot and returned to
    driver.run(TICK_S)
    assert all(driver.at(joint) != at[joint] for joint in moving)
    driver.run(4.0)
    assert dict(driver.robot.positions) == pytest.approx(at)


def test_stop_the_robot_forgets_wrist_pitch_and_roll():
    driver = Driver().ready()
    driver.pose(wrist_pitch=0.4, wrist_roll=1.0)
    driver.run(0.2)
    driver.call("stop_the_robot")
    driver.run(3.0)
    assert (driver.at("wrist_pitch"), driver.at("wrist_roll")) == (0.4, 1.0)


def test_a_pose_or_twist_after_stop_the_robot_moves_it_again():
    driver = Driver().ready()
    driver.call("stop_the_robot")
    driver.pose(lift=0.7)
    driver.drive(1.0)
    assert driver.at("lift") > 0.62
    assert driver.robot.base.travel_m > 0.02


def test_in_navigation_mode_the_last_twist_is_told_again_after_stop_the_robot():
    driver = Driver().ready()
    driver.twist()
    driver.call("stop_the_robot")
    driver.robot.told.clear()
    driver.run(TICK_S)
    assert driver.robot.told == [("velocity", 0.1, 0.0)]


# ---- run-stop


def test_at_a_run_stop_wheels_and_arm_roll_on_the_lift_floats_and_the_gripper_lets_go():
    driver = Driver().ready()
    driver.pose(arm=0.5, lift=0.9, gripper=-0.2)
    driver.drive(2.0, 0.12)
    at, travel_m = dict(driver.robot.positions), driver.robot.base.travel_m
    driver.call("runstop")
    driver.run(2.0)
    assert (driver.mode, driver.runstopped) == ("runstopped", True)
    assert driver.at("arm") > at["arm"] + 0.01
    assert driver.robot.base.travel_m > travel_m + 0.01
    assert driver.at("lift") == at["lift"]
    assert driver.at("gripper") > 0.3


def test_wheels_and_arm_of_a_run_stopped_robot_can_be_pushed_and_stay_there():
    driver = Driver().ready()
    driver.call("runstop")
    driver.set_faults(driver.faults.model_copy(update={"pushed": {"arm": 0.1}}))
    driver.run(1.0)
    driver.set_faults(driver.faults.model_copy(update={"pushed": {}}))
    driver.run(1.0)
    assert driver.at("arm") == pytest.approx(0.3, abs=0.005)
    driver.call("runstop", value=False)
    driver.run(1.0)
    assert driver.at("arm") == pytest.approx(0.3, abs=0.005)


@pytest.mark.parametrize("mode", ["position", "navigation", "trajectory", "gamepad"])
def test_releasing_the_run_stop_restores_the_former_mode_and_streaming_stays(mode):
    driver = Driver().ready(mode)
    driver.call("runstop")
    assert driver.streaming
    driver.run(1.0)
    driver.call("runstop", value=False)
    assert (driver.mode, driver.streaming) == (mode, True)


def test_a_low_battery_presses_the_run_stop_and_lets_go_of_what_is_held():
    driver = Driver().ready()
    driver.set_faults(driver.faults.model_copy(update={"battery_v": 10.4}))
    driver.run(2.0)
    assert (driver.mode, driver.runstopped) == ("runstopped", True)
    assert driver.at("gripper") > 0.3
    # and again, as long as it is low
    driver.call("runstop", value=False)
    driver.run(TICK_S)
    assert driver.runstopped


def test_the_collision_manager_is_off_by_default():
    driver = Driver()
    assert not driver.collision_avoidance
    driver.call("self_collision_avoidance")
    assert driver.collision_avoidance


# ---- all of it together


def test_navigation_mode_streaming_and_cmd_vel_run_all_eight_dof_without_another_mode():
    driver = Driver().ready("navigation")
    targets = {
        "lift": 0.7,
        "arm": 0.3,
        "wrist_yaw": 1.0,
        "wrist_pitch": 0.0,
        "wrist_roll": 0.5,
        "gripper": 0.3,
    }
    driver.pose(**targets)
    driver.drive(4.0, 0.05, 0.1)
    assert {joint: driver.at(joint) for joint in targets} == pytest.approx(targets)
    assert driver.robot.base.travel_m > 0.1
    assert driver.robot.base.heading_rad > 0.2
    assert driver.mode == "navigation"


def test_nothing_that_is_not_finite_is_run_to():
    driver = Driver().ready()
    driver.pose(lift=math.nan, arm=math.inf)
    driver.twist(math.nan, 0.0)
    driver.run(0.4)
    driver.twist(math.inf, 0.0)
    driver.run(1.0)
    assert (driver.at("lift"), driver.at("arm"), driver.robot.base.travel_m) == (0.6, 0.2, 0.0)
