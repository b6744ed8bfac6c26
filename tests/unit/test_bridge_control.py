"""Taps, holds, modes and speeds on an injected clock."""

import pytest

from robot_bridge.control import Controller
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.robot_model import load_robot_model

MODEL = load_robot_model()
FOUR = ["rest", "fist", "hand_open", "wrist_flexion", "wrist_extension"]
TEN = [*FOUR, "tripod_pinch", "wrist_abduction", "wrist_adduction", "pronation", "supination"]


class Wearer:
    def __init__(self, name="four_gestures", gestures=FOUR, speed_control="tiers"):
        self.changes = []
        self.gestures = gestures
        self.control = Controller(
            load_gesture_map(name, gestures, MODEL), MODEL, self.changes.append, speed_control
        )
        # It starts fine; these tests are about the coarse speeds but where they say so.
        self.control.set_fine(False)
        self.changes.clear()
        self.effort = 1.0
        self.t = 50.0

    def make(self, gesture, seconds, live=True, trusted=True):
        """Hold a gesture; returns what moved at the end of it."""
        index = -1 if gesture is None else self.gestures.index(gesture)
        moved = {}
        for _ in range(round(seconds / 0.02)):
            self.t += 0.02
            self.control.on_decision(index, self.t, live=live, effort=self.effort, trusted=trusted)
            moved = {dof: v for dof, v in self.control.desired(self.t).items() if v}
        return moved


@pytest.mark.parametrize(("held", "mode"), [(0.06, 0), (0.2, 1), (0.5, 1), (0.8, 0)])
def test_a_tap_is_between_a_tenth_and_six_tenths_of_a_second(held, mode):
    wearer = Wearer()
    wearer.make("rest", 0.1)
    wearer.make("fist", held)
    wearer.make("rest", 0.1)
    assert wearer.control.mode == ["base_translate", "base_rotate"][mode]


def test_hand_open_goes_back_around_the_end():
    wearer = Wearer()
    wearer.make("hand_open", 0.3)
    wearer.make("rest", 0.1)
    assert wearer.control.mode == "gripper"


@pytest.mark.parametrize("then", ["wrist_extension", None])
def test_a_gesture_passed_through_is_no_tap(then):
    wearer = Wearer()
    wearer.make("fist", 0.3)
    wearer.make(then, 0.16)
    wearer.make("rest", 0.1)
    assert wearer.control.mode == "base_translate"


@pytest.mark.parametrize(("gap_s", "mode"), [(0.02, 1), (0.08, 1), (0.12, 0), (1.0, 0)])
def test_a_tap_may_end_in_a_moment_without_a_decision(gap_s, mode):
    wearer = Wearer()
    wearer.make("rest", 0.1)
    wearer.make("fist", 0.3)
    assert wearer.make(None, gap_s) == {}
    wearer.make("rest", 0.1)
    assert wearer.control.mode == ["base_translate", "base_rotate"][mode]


@pytest.mark.parametrize(("parts", "mode"), [((0.08, 0.08), 1), ((0.2, 0.2), 1), ((0.3, 0.3), 0)])
def test_a_tap_may_hold_such_a_moment_and_is_as_long_as_the_whole(parts, mode):
    wearer = Wearer()
    wearer.make("rest", 0.1)
    wearer.make("fist", parts[0])
    wearer.make(None, 0.06)
    wearer.make("fist", parts[1])
    wearer.make("rest", 0.1)
    assert wearer.control.mode == ["base_translate", "base_rotate"][mode]


@pytest.mark.parametrize("interrupt", ["poor signal", "another gesture", "disarmed", "stopped", "speed"])
def test_nothing_else_may_lie_in_that_moment(interrupt):
    wearer = Wearer()
    wearer.make("rest", 0.1)
    wearer.make("fist", 0.3)
    wearer.make(None, 0.02)
    if interrupt == "poor signal":
        wearer.make(None, 0.02, trusted=False)
    elif interrupt == "another gesture":
        wearer.make("wrist_flexion", 0.02)
        wearer.make(None, 0.02)
    elif interrupt == "disarmed":
        wearer.make(None, 0.02, live=False)
    elif interrupt == "stopped":
        wearer.control.release()
    else:
        wearer.control.set_fine(True)
    wearer.make("rest", 0.1)
    assert wearer.control.mode == "base_translate"


def test_poor_signal_itself_ends_a_tap():
    wearer = Wearer()
    wearer.make("rest", 0.1)
    wearer.make("fist", 0.3)
    wearer.make(None, 0.02, trusted=False)
    wearer.make("rest", 0.1)
    assert wearer.control.mode == "base_translate"


def test_a_moment_without_decisions_is_no_moment_without_a_decision():
    wearer = Wearer()
    wearer.make("rest", 0.1)
    wearer.make("fist", 0.3)
    wearer.t += 0.15  # silence
    wearer.make(None, 0.02)
    wearer.make("rest", 0.1)
    assert wearer.control.mode == "base_translate"


@pytest.mark.parametrize("speed_control", ["tiers", "steps", "effort"])
def test_no_motion_and_no_step_begins_or_goes_on_over_such_a_moment(speed_control):
    wearer = Wearer(speed_control=speed_control)
    wearer.make("rest", 0.1)
    wearer.make("wrist_extension", 0.3)
    assert wearer.make(None, 0.04) == {}
    assert wearer.make("rest", 0.1) == {}
    assert wearer.control.take_step() is None
    wearer.make("wrist_extension", 0.5)
    wearer.make(None, 0.04)
    # In steps a motion waits until a tap is over, and begins anew to count.
    moved = wearer.make("wrist_extension", 0.3)
    assert moved == ({} if speed_control == "steps" else {"base_translate": 0.12})


def test_a_long_hold_toggles_the_speed_once_and_is_no_tap():
    wearer = Wearer()
    wearer.make("fist", 5.0)
    wearer.make("rest", 0.2)
    assert [(c.mode, c.fine) for c in wearer.changes] == [("base_translate", True)]
    assert wearer.make("wrist_extension", 0.1) == {"base_translate": 0.05}


def test_motion_lasts_only_while_held():
    wearer = Wearer()
    assert wearer.make("wrist_extension", 0.1) == {"base_translate": 0.12}
    assert wearer.make("wrist_flexion", 0.02) == {"base_translate": -0.12}
    assert wearer.make(None, 0.02) == {}
    assert wearer.make("wrist_flexion", 0.02) == {"base_translate": -0.12}
    assert wearer.make("rest", 0.02) == {}


def test_what_is_held_when_it_is_armed_must_be_made_anew():
    wearer = Wearer()
    wearer.make("wrist_extension", 0.3, live=False)
    assert wearer.make("wrist_extension", 0.3) == {}
    wearer.make("rest", 0.1)
    assert wearer.make("wrist_extension", 0.1) == {"base_translate": 0.12}


def test_nothing_changes_mode_while_disarmed():
    wearer = Wearer()
    wearer.make("fist", 0.3, live=False)
    wearer.make("rest", 0.1, live=False)
    wearer.make("fist", 3.0, live=False)
    assert (wearer.control.mode, wearer.control.fine, wearer.changes) == ("base_translate", False, [])


def test_a_gesture_with_a_move_and_a_tap_moves_only_after_the_tap_is_over(tmp_path):
    path = tmp_path / "both.yaml"
    path.write_text(
        "covers: [lift]\nmodes:\n"
        "  a:\n    fist: {move: lift +, tap: next_mode}\n    hand_open: {move: lift -}\n"
        "  b:\n    fist: {tap: next_mode}\n"
    )
    wearer = Wearer(path)
    assert wearer.make("fist", 0.58) == {}
    assert wearer.make("fist", 0.1) == {"lift": 0.11}
    wearer.make("rest", 0.1)
    assert wearer.control.mode == "a"
    wearer.make("fist", 0.3)
    wearer.make("rest", 0.1)
    assert wearer.control.mode == "b"


def test_ten_gestures_cycle_modes_and_keep_the_speed():
    wearer = Wearer("ten_gestures", TEN)
    wearer.control.set_fine(True)
    seen = []
    for _ in range(3):
        wearer.make("tripod_pinch", 0.3)
        wearer.make("rest", 0.1)
        seen.append(wearer.control.mode)
    assert seen == ["arm", "wrist", "drive"]
    assert wearer.control.fine
    assert wearer.make("pronation", 0.1) == {"base_rotate": 0.30}


@pytest.mark.parametrize(("effort", "part"), [(0.0, 0.25), (0.1, 0.25), (0.5, 0.5), (1.0, 1.0), (3.0, 1.0)])
@pytest.mark.parametrize("fine", [False, True])
def test_effort_scales_within_its_tier(effort, part, fine):
    wearer = Wearer(speed_control="effort")
    wearer.control.set_fine(fine)
    wearer.make("rest", 0.1)
    wearer.effort = effort
    speed = 0.05 if fine else 0.12
    assert wearer.make("wrist_extension", 0.2) == {"base_translate": pytest.approx(part * speed)}


@pytest.mark.parametrize(("fine", "size"), [(False, 0.04), (True, 0.005)])
def test_a_tap_is_one_step_and_a_hold_moves_on(fine, size):
    wearer = Wearer(speed_control="steps")
    wearer.control.set_fine(fine)
    wearer.make("rest", 0.1)
    assert wearer.make("wrist_flexion", 0.3) == {}
    assert wearer.control.take_step() is None  # not before the rest that ends it
    wearer.make("rest", 0.1)
    step = wearer.control.take_step()
    assert (step.dof, step.size) == ("base_translate", -size)
    assert wearer.control.take_step() is None
    assert wearer.make("wrist_flexion", 0.8) == {"base_translate": -wearer_speed(fine)}
    wearer.make("rest", 0.1)
    assert wearer.control.take_step() is None


def wearer_speed(fine):
    return 0.05 if fine else 0.12


def test_no_step_is_left_over_from_before_a_stop():
    wearer = Wearer(speed_control="steps")
    wearer.make("rest", 0.1)
    wearer.make("wrist_flexion", 0.3)
    wearer.make("rest", 0.02)
    wearer.control.release()
    assert wearer.control.take_step() is None
