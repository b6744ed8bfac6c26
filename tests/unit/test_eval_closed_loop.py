"""The closed loop as a whole, with a muscle of synthetic trials: the user reaches, errs, corrects, and can fail."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from decoding.decoder_file import DecoderFile, load_decoder
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.closed_loop.achievement import run_achievement
from simulation.closed_loop.attempt import Attempt, Rig, Rules, attempt
from simulation.closed_loop.campaign import START, CampaignResult, CampaignSettings
from simulation.closed_loop.fitts import conditions, run_fitts
from simulation.closed_loop.goal import Aim, Goal
from simulation.closed_loop.household import draw_task, run_task, start_of
from simulation.closed_loop.loop import ClosedLoop, View
from simulation.closed_loop.results import write_results
from simulation.closed_loop.trial_bank import BankMuscle, BankSettings, TrialBank
from simulation.closed_loop.user_settings import UserSettings
from simulation.closed_loop.virtual_user import VirtualUser
from simulation.stretch.kinematic_stretch import KinematicStretch
from tests.dec_support import cues, metadata, session, write_decoder

MODEL = load_robot_model()
GESTURES = ("rest", "fist", "hand_open", "wrist_flexion", "wrist_extension")
SURE = UserSettings(wrong_gesture=0.0, lapse_per_s=0.0)


def amplitude(gesture: str):
    import numpy as np

    strength = np.full(8, 6.0)
    if gesture != "rest":
        start = 2 * (GESTURES.index(gesture) - 1)
        strength[start : start + 2] = 60.0
    return strength


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> DecoderFile:
    import tests.dec_support as support

    path = tmp_path_factory.mktemp("closed_loop") / "decoder.onnx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(support, "amplitude_of", amplitude)
        return load_decoder(write_decoder(path, metadata(gestures=GESTURES)))


@pytest.fixture(scope="module")
def bank() -> TrialBank:
    recorded = session(cues(3, GESTURES), amplitude=amplitude, seed=7)
    return TrialBank([recorded], BankSettings(after_cue_s=0.5, before_next_s=0.2))


def rig(decoder, bank, *, seed: int = 0, user: UserSettings = SURE, start=None) -> Rig:
    gesture_map = load_gesture_map("four_gestures", GESTURES, MODEL)
    body = KinematicStretch(MODEL, start or START)
    loop = ClosedLoop(BankMuscle(bank, seed, "rest"), decoder, gesture_map, MODEL, body)
    loop.begin()
    return Rig(loop, VirtualUser(user, gesture_map, MODEL, seed), MODEL)


def fitts(decoder, bank, *, seed: int = 0, user: UserSettings = SURE, trials: int = 2) -> list[Attempt]:
    driven = rig(decoder, bank, seed=seed, user=user)
    return list(run_fitts(driven, ("lift",), trials, lambda _s, _p: None))


@pytest.fixture(scope="module")
def once(decoder, bank) -> list[Attempt]:
    return fitts(decoder, bank, trials=1)


@pytest.fixture(scope="module")
def reached(decoder, bank) -> list[Attempt]:
    return fitts(decoder, bank)


def test_targets_are_reached_and_held(reached) -> None:
    attempts = reached
    assert len(attempts) == 2 * len(conditions("lift", MODEL))
    for one in attempts:
        assert one.completed, one
        assert abs(one.ends["lift"] - one.targets["lift"]) <= one.widths["lift"] / 2 + 1e-9
        # No faster than light: the way at coarse speed, and a reaction before it.
        way = abs(one.targets["lift"] - one.starts["lift"]) - one.widths["lift"] / 2
        assert one.time_s > way / MODEL.dof["lift"].speed(fine=False) + 0.3
        assert 0.3 < one.path_efficiency <= 1.0


def test_the_same_seed_repeats_everything(decoder, bank, once) -> None:
    def first_two(seed: int) -> list[Attempt]:
        attempts = run_fitts(rig(decoder, bank, seed=seed), ("lift",), 1, lambda _s, _p: None)
        return list(itertools.islice(attempts, 2))

    assert first_two(0) == once[:2]
    assert first_two(1) != once[:2]


def test_harder_targets_take_longer(reached) -> None:
    labels = [condition.label for condition in conditions("lift", MODEL)]

    def mean_s(label: str) -> float:
        times = [one.time_s for one in reached if one.label == label]
        return sum(times) / len(times)

    assert mean_s(labels[0]) < mean_s(labels[-1])


def test_a_slower_user_is_slower_and_one_who_errs_makes_more_gestures(decoder, bank, once) -> None:
    sure = once
    slower = SURE.model_copy(update={"perception_s": 0.5, "choice_s_per_bit": 0.4})
    slow = fitts(decoder, bank, user=slower, trials=1)
    errs = fitts(decoder, bank, user=SURE.model_copy(update={"wrong_gesture": 0.4}), trials=1)
    assert sum(one.time_s for one in slow) > sum(one.time_s for one in sure) + 0.5 * len(sure)
    assert sum(one.wrong_gestures for one in errs) > 0
    assert all(one.completed for one in errs)
    assert sum(one.path_efficiency for one in errs) < sum(one.path_efficiency for one in sure)


def test_modes_are_changed_until_every_aim_is_reached(decoder, bank) -> None:
    driven = rig(decoder, bank)
    attempts = list(run_achievement(driven, ("lift", "gripper"), 2, 0, lambda _s, _p: None))
    assert [one.completed for one in attempts] == [True, True]
    # Lift and gripper lie five modes apart in this map, three the shorter way round.
    assert all(one.mode_switches >= 3 for one in attempts)
    assert {dof for one in attempts for dof in one.targets} == {"lift", "gripper"}


def test_a_decoder_that_confuses_two_gestures_fails_and_the_reason_says_so(decoder, bank) -> None:
    swapped = TrialBank.__new__(TrialBank)
    swapped.info = bank.info
    both = bank.trials["wrist_flexion"]
    swapped.trials = {**bank.trials, "wrist_extension": both}
    driven = rig(decoder, swapped)
    up = Goal({"base_translate": Aim(0.5, 0.02)})
    one = attempt(driven, up, Rules(1.0, 12.0), "fitts", "forward")
    assert not one.completed
    assert "times the robot did something else than the gesture says" in one.reason
    assert one.surprises >= 3
    assert one.ends["base_translate"] < 0.1


def test_a_stop_is_counted_and_the_robot_is_armed_again(decoder, bank) -> None:
    driven = rig(decoder, bank)
    loop = driven.loop
    loop.core.safety.stop(loop.t_s)
    one = attempt(driven, Goal({"lift": Aim(0.7, 0.02)}), Rules(1.0, 60.0), "fitts", "up")
    assert one.completed
    # Nobody moves until it is armed again, three seconds later.
    assert one.time_s > 3.0
    assert loop.counts.stop_reasons == ("stopped by the operator",)


def test_a_household_task_is_done_step_by_step(decoder, bank) -> None:
    task = draw_task("switch", 0, 0)
    driven = rig(decoder, bank, start=start_of("switch"))
    one = run_task(driven, task)
    assert one.completed, one.reason
    assert task.pressed
    assert one.mode_switches > 5


def test_results_are_written_and_can_be_read(reached, tmp_path: Path) -> None:
    import csv
    import json

    attempts = reached
    failed = replace(attempts[0], completed=False, reason="time-out: <the way> was too long")
    result = CampaignResult("P01", (*attempts, failed), 100.0)
    written = write_results([result], CampaignSettings("fitts", "four_gestures", 2), tmp_path / "out")
    rows = list(csv.DictReader(written.attempts.read_text().splitlines()))
    assert len(rows) == len(attempts) + 1
    assert rows[0]["targets"].startswith("lift=")
    figures = json.loads(written.results.read_text())
    assert figures["all"]["completed"] == len(attempts)
    assert figures["conditions"][0]["label"] == "lift"
    page = written.report.read_text()
    assert "&lt;the way&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page


def test_what_is_seen_is_late(decoder, bank) -> None:
    driven = rig(decoder, bank)
    loop = driven.loop
    for _ in range(50):
        loop.step("wrist_extension")
    late, now = loop.seen(0.2), loop.view
    assert now.t_s - late.t_s == pytest.approx(0.2)
    assert late.positions[0] < now.positions[DOF_NAMES.index("base_translate")]


@pytest.mark.parametrize(("grows_s", "last_s"), [(0.0, 0.25), (0.03, 0.35)])
def test_short_gestures_without_effect_are_held_longer_up_to_the_middle_of_what_is_short(
    grows_s, last_s
) -> None:
    settings = SURE.model_copy(update={"tap_sd_s": 0.0, "tap_grows_s": grows_s})
    gesture_map = load_gesture_map("four_gestures", GESTURES, MODEL)
    user = VirtualUser(settings, gesture_map, MODEL, 0)
    positions = tuple(START.get(dof, 0.0) for dof in DOF_NAMES)
    user.pursue(Goal({"lift": Aim(0.9, 0.02)}), 0.0)
    mode = gesture_map.mode_names[0]
    made = []
    for step in range(3000):
        t_s = step / 100
        # A robot that never changes its mode.
        made.append(
            user.act(t_s, lambda delay_s, now_s=t_s: View(now_s - delay_s, positions, mode, False, True))
        )
    held_s = [len(list(run)) / 100 for gesture, run in itertools.groupby(made) if gesture != "rest"][:-1]
    assert len(held_s) >= 6
    assert all(after > before - 0.011 for before, after in itertools.pairwise(held_s))  # a step is 10 ms
    assert held_s[0] == pytest.approx(0.25, abs=0.011)
    assert held_s[-1] == pytest.approx(last_s, abs=0.011)
