"""Robot model and gesture maps: the bundled ones, and one clear line for each way to get one wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from emg_acquisition.errors import InputError
from robot_bridge.gesture_map import BUNDLED_MAPS, load_gesture_map, load_gesture_maps
from robot_bridge.robot_model import BUNDLED_ROBOT, load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES, joint_pose, read_joint_limits, read_joint_states

MODEL = load_robot_model()
TEN = ["rest", "fist", "hand_open", "tripod_pinch", "wrist_flexion", "wrist_extension"]
TEN += ["wrist_abduction", "wrist_adduction", "pronation", "supination"]
FOUR = ["rest", "fist", "hand_open", "wrist_flexion", "wrist_extension"]


def write(path: Path, values: object) -> Path:
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path


def moves_of(name: str, gestures: list[str]) -> dict[str, dict[str, tuple[str, int]]]:
    loaded = load_gesture_map(name, gestures, MODEL)
    return {
        mode: {g: (acts.move.dof, acts.move.sign) for g, acts in by.items() if acts.move}
        for mode, by in loaded.modes.items()
    }


def test_speeds_are_the_published_ones_and_limits_win():
    # Reference: stretch.md. The lift's coarse 0.13 is above the robot's default profile of 0.11.
    expected = {"base_translate": (0.12, 0.05), "base_rotate": (0.76, 0.30), "lift": (0.11, 0.04)}
    expected |= {"arm": (0.14, 0.04), "wrist_yaw": (1.5, 0.075), "wrist_pitch": (1.0, 0.05)}
    expected |= {"wrist_roll": (2.0, 0.10)}
    for dof, (coarse, fine) in expected.items():
        assert (MODEL.dof[dof].speed(fine=False), MODEL.dof[dof].speed(fine=True)) == (coarse, fine)


def test_a_target_leads_by_the_way_to_brake_and_a_tenth_of_a_second():
    lift, arm = MODEL.dof["lift"], MODEL.dof["arm"]
    # v²/2a + 0.1 s x v, by hand: 0.11²/0.4 + 0.011, 0.04²/0.4 + 0.004, 0.14²/0.28 + 0.014
    assert lift.lead_bound(0.11) == pytest.approx(0.04125)
    assert lift.lead_bound(-0.04) == pytest.approx(0.008)
    assert arm.stop_bound == pytest.approx(0.084)
    # However fast something is said to move, no target leads by more than at coarse speed.
    assert all(MODEL.dof[dof].lead_bound(1e9) == MODEL.dof[dof].stop_bound for dof in DOF_NAMES[2:])
    assert MODEL.dof["base_translate"].stop_bound == 0.0


def test_the_robots_limits_tighten_ours_and_never_widen_them():
    tightened = MODEL.with_robot_limits({"lift": (-1.0, 0.9), "arm": (0.1, 2.0)})
    assert (tightened.dof["lift"].lower, tightened.dof["lift"].upper) == (0.0, 0.9)
    assert (tightened.dof["arm"].lower, tightened.dof["arm"].upper) == (0.1, 0.52)


@pytest.mark.parametrize("limits", [(float("nan"), 1.0), (0.0, float("inf")), (2.0, 3.0), (0.5, 0.5)])
def test_robot_limits_that_are_no_interval_of_ours_are_refused(limits):
    with pytest.raises(ValueError, match="limits of lift"):
        MODEL.with_robot_limits({"lift": limits})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r["dof"].pop("lift"), "lift"),
        (lambda r: r["dof"]["lift"].pop("profile_velocity"), "dof.lift"),
        (lambda r: r["dof"]["lift"].update(lead_s=0.5), "dof.lift.lead_s"),
        (lambda r: r["dof"]["lift"].update(step_fine=5.0), "steps must rise"),
        (lambda r: r["dof"]["lift"].update(lower=2.0), "below upper"),
        (lambda r: r["dof"]["lift"].update(fine=1.0), "above the coarse"),
        (lambda r: r["dof"]["lift"].update(joint="joint_mast"), "joint_mast"),
        (lambda r: r["dof"]["arm"].update(velocity=float("nan")), "dof.arm.velocity"),
        (lambda r: r.update(colour="red"), "colour"),
    ],
)
def test_a_bad_robot_file_is_one_line_that_names_file_and_key(tmp_path, change, said):
    robot = yaml.safe_load(BUNDLED_ROBOT.read_text())
    change(robot)
    with pytest.raises(InputError) as error:
        load_robot_model(write(tmp_path / "robot.yaml", robot))
    assert said in str(error.value)
    assert "robot.yaml" in str(error.value)
    assert "\n" not in str(error.value)


def test_ten_gestures_move_every_dof_both_ways_and_fist_closes_the_gripper_everywhere():
    moves = moves_of("ten_gestures", TEN)
    assert list(moves) == ["drive", "arm", "wrist"]
    reached = {move for mode in moves.values() for move in mode.values()}
    assert reached == {(dof, sign) for dof in DOF_NAMES for sign in (1, -1)}
    for mode in moves.values():
        assert mode["fist"] == ("gripper", -1)
        assert mode["hand_open"] == ("gripper", 1)


def test_four_gestures_have_one_dof_a_mode_and_a_way_both_ways():
    loaded = load_gesture_map("four_gestures", FOUR, MODEL)
    assert loaded.mode_names == DOF_NAMES
    for mode in loaded.mode_names:
        assert loaded.gesture_for(mode, mode, 1) == "wrist_extension"
        assert loaded.gesture_for(mode, mode, -1) == "wrist_flexion"
        assert loaded.gesture_to(mode, "next_mode") == ("fist", "tap")
        assert loaded.gesture_to(mode, "toggle_speed") == ("fist", "hold")
        assert loaded.gesture_to(mode, "previous_mode") == ("hand_open", "tap")


def test_lift_and_gripper_is_a_partial_map_of_one_mode():
    assert moves_of("lift_and_gripper", FOUR) == {
        "reach": {
            "wrist_extension": ("lift", 1),
            "wrist_flexion": ("lift", -1),
            "hand_open": ("gripper", 1),
            "fist": ("gripper", -1),
        }
    }


def test_nothing_depends_on_the_ten_names(tmp_path):
    path = write(
        tmp_path / "own.yaml",
        {
            "rest": "nix",
            "covers": ["arm"],
            "modes": {"only": {"auf": {"move": "arm +"}, "zu": {"move": "arm -"}}},
        },
    )
    assert load_gesture_map(path, ["auf", "zu", "nix"], MODEL).gesture_for("only", "arm", 1) == "auf"


def changed(values, key, value):
    *path, last = key
    for part in path:
        values = values[part]
    if value is None:
        del values[last]
    else:
        values[last] = value


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            ("modes", "arm", "thumbs_up"),
            {"move": "lift +"},
            ["mode arm", "thumbs_up", "unknown to this decoder"],
        ),
        (("modes", "arm", "wrist_flexion"), {"move": "leg -"}, ["mode arm", "wrist_flexion", "'leg'"]),
        (("modes", "arm", "wrist_flexion"), {"move": "lift"}, ["modes.arm.wrist_flexion", "'lift'"]),
        (("modes", "arm", "wrist_flexion"), {"move": "lift +"}, ["'lift -'"]),
        (("modes", "drive", "fist"), {"move": "base_translate +"}, ["mode drive", "fist", "two meanings"]),
        (("modes", "arm", "fist"), {"hold": "toggle_speed"}, ["mode arm", "fist", "both move gripper"]),
        (("modes", "arm", "rest"), {"move": "lift +"}, ["mode arm", "rest", "do nothing"]),
        (("modes", "arm", "wrist_flexion"), {}, ["mode arm", "wrist_flexion", "means nothing"]),
        (("every_mode", "tripod_pinch"), {"hold": "toggle_speed"}, ["mode drive", "no way out"]),
        (("covers",), ["lift", "tail"], ["'tail'", "covers"]),
        (("covers",), ["lift"], ["covers leaves out"]),
        (("covers",), [], ["covers: names no DoF"]),
        (("covers",), "lift", ["covers: a list is required"]),
        (("modes", "arm"), "lift +", ["modes.arm: a mapping of keys is required"]),
        (("modes", "arm", "wrist_flexion"), "lift -", ["wrist_flexion: a mapping of keys is required"]),
        (("rest",), "relax", ["'relax'", "rest"]),
        (("tap_max_s",), 2.0, ["tap_max_s"]),
        (("tap_max_s",), "soon", ["tap_max_s"]),
        (("modes", "arm", "wrist_flexion"), {"wiggle": "lift -"}, ["modes.arm.wrist_flexion.wiggle"]),
        (("every_mode", "tripod_pinch"), {"tap": "fly"}, ["every_mode.tripod_pinch.tap"]),
    ],
)
def test_a_bad_map_is_one_line_that_names_file_mode_and_gesture(tmp_path, key, value, said):
    values = yaml.safe_load((BUNDLED_MAPS / "ten_gestures.yaml").read_text())
    changed(values, key, value)
    with pytest.raises(InputError) as error:
        load_gesture_map(write(tmp_path / "mine.yaml", values), TEN, MODEL)
    message = str(error.value)
    assert "\n" not in message
    for part in ["mine.yaml", *said]:
        assert part in message


def test_a_mode_that_cannot_be_left_is_named(tmp_path):
    values = yaml.safe_load((BUNDLED_MAPS / "ten_gestures.yaml").read_text())
    pinch = values["every_mode"].pop("tripod_pinch")
    for mode in ("drive", "arm"):
        values["modes"][mode]["tripod_pinch"] = dict(pinch)
    with pytest.raises(InputError, match="mode wrist: no way out"):
        load_gesture_map(write(tmp_path / "mine.yaml", values), TEN, MODEL)


def test_a_gesture_given_twice_in_one_mode_is_refused(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("modes:\n  a:\n    fist: {move: lift +}\n    fist: {move: lift -}\n")
    with pytest.raises(InputError, match=r"twice\.yaml: line 4: 'fist' stands here twice"):
        load_gesture_map(path, FOUR, MODEL)


def test_a_mode_without_a_gesture_is_refused(tmp_path):
    path = write(tmp_path / "idle.yaml", {"covers": ["lift"], "modes": {"only": {}}})
    with pytest.raises(InputError, match=r"idle\.yaml: mode only: has no gesture"):
        load_gesture_map(path, FOUR, MODEL)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "file: a mapping of keys is required"),
        ("[1, 2", "is no YAML"),
        ("- a", "file: a mapping of keys is required"),
        ("modes: {}", "file: needs either modes"),
    ],
)
def test_a_file_that_is_no_map_is_one_line(tmp_path, text, said):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"bad\.yaml: {said}") as error:
        load_gesture_map(path, FOUR, MODEL)
    assert "\n" not in str(error.value)


def test_an_unknown_map_lists_the_bundled_ones():
    with pytest.raises(InputError, match="four_gestures, lift_and_gripper, ten_gestures"):
        load_gesture_map("nine_gestures", TEN, MODEL)


def test_joint_pose_has_the_drivers_order_and_a_zero_base():
    targets = {
        "lift": 2.0,
        "arm": 1.0,
        "wrist_yaw": 3.0,
        "wrist_pitch": 4.0,
        "wrist_roll": 5.0,
        "gripper": 8.0,
    }
    assert joint_pose(targets, (6.0, 7.0)) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 0.0, 0.0]


def test_joint_states_are_read_by_name_and_a_missing_joint_is_named():
    names = ["joint_gripper_finger_left", "joint_wrist_roll", "joint_wrist_pitch", "joint_wrist_yaw"]
    names += ["joint_head_tilt", "joint_head_pan", "joint_lift", "wrist_extension"]
    reading = read_joint_states(names, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert reading.positions == {
        "lift": 0.7,
        "arm": 0.8,
        "wrist_yaw": 0.4,
        "wrist_pitch": 0.3,
        "wrist_roll": 0.2,
        "gripper": 0.1,
    }
    assert reading.head == (0.6, 0.5)
    assert read_joint_states(names[1:], [0.0] * 7).missing == {"gripper"}
    assert read_joint_states(names, [0.0] * 7) is None
    assert read_joint_limits(["joint_lift", "x"], [0.0, 1.0], [1.1, 2.0]) == {"lift": (0.0, 1.1)}
    # The driver's own name for the arm's limits; in joint_states it is wrist_extension.
    assert read_joint_limits(["joint_arm"], [0.0], [0.5]) == {"arm": (0.0, 0.5)}


def test_pure_modules_need_neither_ros_nor_torch():
    code = (
        "import sys, robot_bridge.gesture_map, robot_bridge.bridge_core, simulation.stretch;"
        "sys.exit(any(m in sys.modules for m in ('rclpy', 'torch', 'onnxruntime')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def two_sleeves(tmp_path, change=lambda _: None):
    values = yaml.safe_load((BUNDLED_MAPS / "two_sleeves.yaml").read_text())
    change(values)
    return load_gesture_maps(write(tmp_path / "two.yaml", values), [TEN, TEN], MODEL)


@pytest.mark.parametrize("name", ["left arm", "left;", "2nd", ""])
def test_a_sleeve_s_name_must_do_for_topics_and_files(tmp_path, name):
    with pytest.raises(InputError, match="sleeves"):
        two_sleeves(tmp_path, lambda values: values["sleeves"].update({name: values["sleeves"].pop("left")}))


def test_two_sleeves_share_every_dof_out(tmp_path):
    left, right = two_sleeves(tmp_path)
    assert (left.sleeve, right.sleeve) == ("left", "right")
    assert set(left.covers) == {"base_translate", "base_rotate"}
    assert set(left.covers) | set(right.covers) == set(DOF_NAMES)
    assert not set(left.covers) & set(right.covers)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda m: m["sleeves"]["left"]["modes"]["drive"].update(
                fist={"move": "gripper -"}, hand_open={"move": "gripper +"}
            ),
            "sleeves left and right both move gripper",
        ),
        (
            lambda m: m["sleeves"]["left"]["modes"]["drive"].pop("pronation"),
            "sleeve left: no gesture in any mode",
        ),
        (
            lambda m: m["sleeves"]["right"]["every_mode"].pop("tripod_pinch"),
            "sleeve right: mode arm: no way out",
        ),
        (lambda m: m["sleeves"].pop("right"), "is for 1 decoder(s) (left), got 2"),
        (lambda m: m.update(modes={"a": {"fist": {"move": "lift +"}}}), "either modes"),
    ],
)
def test_a_bad_map_of_two_sleeves_is_one_line_that_names_the_sleeve(tmp_path, change, said):
    with pytest.raises(InputError) as error:
        two_sleeves(tmp_path, change)
    assert said in str(error.value)


def test_a_map_of_one_sleeve_refuses_two_decoders():
    with pytest.raises(InputError, match=r"is for 1 decoder\(s\) \(one sleeve\), got 2"):
        load_gesture_maps("ten_gestures", [TEN, TEN], MODEL)
