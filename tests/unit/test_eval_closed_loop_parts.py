"""Parts of the closed loop against what can be computed by hand or by another library."""

import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.transform import Rotation

from emg_acquisition.errors import InputError
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.closed_loop.attempt import Attempt
from simulation.closed_loop.figures import _effective_throughput, nominal_bits, summarise, throughput, wilson
from simulation.closed_loop.hand import bring_to, finger_rad, hand_of
from simulation.closed_loop.household_world import Grip, Surface, Thing
from simulation.closed_loop.trial_bank import FADE_S, BankMuscle, BankSettings, TrialBank
from tests.dec_support import FS_HZ, cues, session

ATTEMPT = Attempt(
    task="fitts",
    label="lift D=0.2 W=0.1",
    completed=True,
    reason="",
    time_s=2.0,
    starts={"lift": 0.3},
    ends={"lift": 0.5},
    targets={"lift": 0.5},
    widths={"lift": 0.1},
    path_efficiency=1.0,
    overshoots=0,
    mode_switches=0,
    speed_switches=0,
    stops=0,
    decisions=100,
    wrong_decisions=0,
    missing_decisions=0,
    gestures=1,
    wrong_gestures=0,
    lapses=0,
    unanswered=0,
    surprises=0,
)


# ---- recorded trials as a muscle


@pytest.fixture(scope="module")
def bank() -> TrialBank:
    return TrialBank([session(cues(3))], BankSettings(after_cue_s=0.5, before_next_s=0.2))


def rms(emg_uv: np.ndarray) -> np.ndarray:
    return np.sqrt((emg_uv.astype(np.float64) ** 2).mean(axis=0))


def test_a_bank_plays_the_intended_gesture_without_a_step(bank: TrialBank) -> None:
    muscle = BankMuscle(bank, 0, "rest")
    rest = muscle.read(2000)
    muscle.intend("fist")
    fist = muscle.read(4000)
    settled = fist[round(FADE_S * FS_HZ) :]
    # 6 uV at rest; 60 uV on the first four electrodes; the recordings' offset of 30 mV is gone.
    assert rms(rest) == pytest.approx(np.full(8, 6.0), rel=0.1)
    assert rms(settled) == pytest.approx([60.0] * 4 + [6.0] * 4, rel=0.1)
    assert np.abs(np.concatenate([rest, fist])).max() < 60.0 * 6


def test_noise_keeps_its_power_while_trials_are_joined(bank: TrialBank) -> None:
    muscle = BankMuscle(bank, 1, "rest")
    windows = []
    for _ in range(200):
        # To rest again and again, each time in another trial: a fade is under way all the time.
        muscle.intend("fist")
        muscle.intend("rest")
        windows.append(muscle.read(70)[:, 4:])
    assert rms(np.concatenate(windows)) == pytest.approx(np.full(4, 6.0), rel=0.1)


def test_a_bank_does_not_depend_on_how_it_is_read(bank: TrialBank) -> None:
    def play(sizes: list[int]) -> np.ndarray:
        muscle = BankMuscle(bank, 3, "rest")
        parts = [muscle.read(500)]
        muscle.intend("hand_open")
        parts += [muscle.read(n) for n in sizes]
        return np.concatenate(parts)

    whole, pieces = play([6000]), play([1, 7, 992, 2500, 0, 2500])
    np.testing.assert_allclose(whole, pieces, atol=1e-3)
    assert not np.array_equal(whole, np.roll(whole, 1))


def test_a_bank_says_what_it_lacks(bank: TrialBank) -> None:
    with pytest.raises(InputError, match=r"hold no pinch.*fist, hand_open, rest"):
        bank.require(["rest", "pinch"])
    with pytest.raises(InputError, match="no trial is 1 s long"):
        TrialBank([session(cues(1))], BankSettings(after_cue_s=2.5))


def test_repetitions_choose_trials() -> None:
    recorded = session(cues(3))
    assert len(TrialBank([recorded]).trials["fist"]) == 3
    assert len(TrialBank([recorded], BankSettings(repetitions=(2,))).trials["fist"]) == 1


# ---- figures


def test_wilson_is_scipys() -> None:
    for successes, n in ((0, 5), (5, 5), (19, 20), (7, 13)):
        ours = wilson(successes, n)
        theirs = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_throughput_by_hand() -> None:
    # Ways of 0.2 on average, ends 10 mm apart about the middle: width 4.133 x 0.01.
    ends = (0.49, 0.50, 0.51)
    attempts = [
        replace(ATTEMPT, ends={"lift": end}, time_s=t) for end, t in zip(ends, (1.0, 2.0, 3.0), strict=True)
    ]
    found = throughput(attempts)
    assert found.value == pytest.approx(math.log2(0.2 / (4.133 * 0.01) + 1) / 2.0)
    assert found.low < found.value < found.high
    assert nominal_bits(ATTEMPT) == pytest.approx(math.log2(3))


def test_ends_beyond_and_before_the_middle_count_along_the_way() -> None:
    # Upward 10 mm beyond, downward 10 mm beyond: the same end, as seen along the way.
    up = replace(ATTEMPT, ends={"lift": 0.51})
    down = replace(ATTEMPT, starts={"lift": 0.7}, ends={"lift": 0.49})
    spread = replace(ATTEMPT, ends={"lift": 0.52})
    assert throughput([up, down, spread]).value == pytest.approx(
        math.log2(np.mean([0.21, 0.21, 0.22]) / (4.133 * np.std([0.01, 0.01, 0.02], ddof=1)) + 1) / 2.0
    )


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """95 of 100 in the long run; with ten ends a condition the bootstrap is a little narrow."""
    rng = np.random.default_rng(0)
    truth = math.log2(0.2 / (4.133 * 0.01) + 1) / 2.0
    covered = 0
    for draw in range(30):
        attempts = [
            replace(ATTEMPT, ends={"lift": float(end)}, time_s=float(t))
            for end, t in zip(rng.normal(0.5, 0.01, 20), rng.normal(2.0, 0.2, 20), strict=True)
        ]
        found = throughput(attempts, seed=draw)
        covered += found.low <= truth <= found.high
    assert covered >= 24


def test_what_failed_is_counted_and_explained() -> None:
    failed = replace(ATTEMPT, completed=False, reason="time-out: the way was too long for the time")
    summary = summarise("lift", [ATTEMPT, ATTEMPT, failed])
    assert (summary.attempts, summary.completed) == (3, 2)
    assert summary.time_s.value == 2.0
    assert summary.failures == {failed.reason: 1}


# ---- the hand


def test_the_hand_is_where_the_robots_own_description_says() -> None:
    """Against the URDF's chain of joints, computed link by link."""
    urdf = pytest.importorskip("stretch_urdf")
    name = "SE3/stretch_description_SE3_eoa_wrist_dw3_tool_sg3.urdf"
    root = ET.parse(Path(str(resources.files(urdf) / name))).getroot()  # noqa: S314 - an installed package's own
    joints = {joint.find("child").get("link"): joint for joint in root.findall("joint")}
    rng = np.random.default_rng(0)
    for _ in range(20):
        at = {
            "base_translate": 0.0,
            "base_rotate": 0.0,
            "lift": rng.uniform(0.2, 1.0),
            "arm": rng.uniform(0.0, 0.5),
            "wrist_yaw": rng.uniform(-1.0, 4.0),
            "wrist_pitch": rng.uniform(-1.5, 0.4),
            "wrist_roll": rng.uniform(-2.0, 2.0),
            "gripper": 0.2,
        }
        hand = hand_of(tuple(at[dof] for dof in DOF_NAMES), (0.0, 0.0, 0.0))
        angles = {f"joint_{dof}": at[dof] for dof in ("lift", "wrist_yaw", "wrist_pitch", "wrist_roll")}
        angles |= {f"joint_arm_l{k}": at["arm"] / 4 for k in range(4)}
        expected = _link_place("link_grasp_center", joints, angles)
        assert (hand.x_m, hand.y_m, hand.z_m) == pytest.approx(expected, abs=0.003)


def _link_place(link: str, joints: dict, angles: dict) -> np.ndarray:
    pose = np.eye(4)
    while link in joints:
        joint = joints[link]
        pose = _joint_pose(joint, angles.get(joint.get("name"), 0.0)) @ pose
        link = joint.find("parent").get("link")
    return pose[:3, 3]


def _joint_pose(joint: ET.Element, value: float) -> np.ndarray:
    origin, axis = joint.find("origin"), joint.find("axis")
    fixed, moved = np.eye(4), np.eye(4)
    fixed[:3, 3] = [float(v) for v in origin.get("xyz").split()]
    fixed[:3, :3] = Rotation.from_euler("xyz", [float(v) for v in origin.get("rpy").split()]).as_matrix()
    if axis is not None:
        along = np.array([float(v) for v in axis.get("xyz").split()])
        if joint.get("type") == "prismatic":
            moved[:3, 3] = value * along
        elif joint.get("type") in {"revolute", "continuous"}:
            moved[:3, :3] = Rotation.from_rotvec(value * along).as_matrix()
    return fixed @ moved


def test_the_hand_is_brought_to_a_place_whatever_the_posture() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        base = (float(rng.normal()), float(rng.normal()), float(rng.uniform(-3, 3)))
        positions = (0.3, base[2], 0.5, 0.2, *rng.uniform(-0.4, 0.4, 3).tolist(), 0.1)
        place = tuple(rng.uniform(-1, 1, 3).tolist())
        wanted = bring_to(positions, base, place)
        along = wanted["base_translate"] - positions[0]
        moved = (base[0] + along * math.cos(base[2]), base[1] + along * math.sin(base[2]), base[2])
        there = (*positions[:2], wanted["lift"], wanted["arm"], *positions[4:])
        hand = hand_of(there, moved)
        assert (hand.x_m, hand.y_m, hand.z_m) == pytest.approx(place, abs=1e-9)


# ---- things


TABLE = Surface("table", 0.7, (-1.0, 1.0), (-2.0, -0.5))


def hand_at(x: float, y: float, z: float, aperture: float, roll: float = 0.0):
    at = bring_to((0.0,) * 8, (0.0, 0.0, 0.0), (x, y, z))
    positions = (at["base_translate"], 0.0, at["lift"], at["arm"], 0.0, 0.0, roll, finger_rad(aperture))
    return hand_of(positions, (at["base_translate"], 0.0, 0.0))


def grip(*, full: bool = False) -> Grip:
    return Grip(Thing("cup", 0.2, -0.7, 0.75, 0.07, 0.1), (TABLE,), full=full)


def grasped(*, full: bool = False) -> Grip:
    one = grip(full=full)
    for y, aperture in ((-0.5, 0.12), (-0.6, 0.12), (-0.69, 0.12), (-0.69, 0.09), (-0.69, 0.06)):
        one.update(hand_at(0.2, y, 0.75, aperture))
    return one


def test_a_thing_that_fingers_close_on_is_held_and_carried() -> None:
    one = grasped()
    assert one.held
    one.update(hand_at(0.3, -0.6, 0.9, 0.06))
    assert (one.thing.x_m, one.thing.z_m) == pytest.approx((0.3, 0.9))
    assert not one.failure


def test_it_is_dropped_in_the_air_and_placed_on_a_table() -> None:
    one = grasped()
    one.update(hand_at(0.2, -0.69, 0.95, 0.06))
    one.update(hand_at(0.2, -0.69, 0.95, 0.09))
    assert one.failure == "the cup was dropped"
    other = grasped()
    other.update(hand_at(0.4, -0.69, 0.77, 0.06))
    other.update(hand_at(0.4, -0.69, 0.77, 0.09))
    assert other.placed
    assert not other.failure
    assert other.thing.bottom_m == pytest.approx(0.7)


@pytest.mark.parametrize(("x", "aperture"), [(0.2, 0.03), (0.235, 0.12)])
def test_closed_or_misplaced_fingers_knock_it_over(x: float, aperture: float) -> None:
    one = grip()
    for y in (-0.5, -0.6, -0.66):
        one.update(hand_at(x, y, 0.75, aperture))
    assert "knocked over the cup" in one.failure


def test_a_full_cup_spills_when_it_is_tilted_and_the_table_is_in_the_way() -> None:
    one = grasped(full=True)
    one.update(hand_at(0.2, -0.69, 0.9, 0.06, roll=0.6))
    assert "spilled" in one.failure
    other = grasped()
    other.update(hand_at(0.2, -0.69, 0.71, 0.06))
    assert "pressed into the table" in other.failure


def test_ends_that_are_drawn_again_have_no_spread_whatever_rounding_leaves():
    # Three times 0.1 + 0.2 has a standard deviation of 3e-17, which would be 50 bits.
    rows = np.array([[0.2, 0.1 + 0.2, 2.0]] * 3)
    assert math.isnan(_effective_throughput(rows))
