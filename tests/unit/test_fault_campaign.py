"""The campaign's own judgement, on records that were made by hand: what is measured must not flatter the bridge."""

import json
from pathlib import Path

import numpy as np
import pytest

from emg_acquisition.errors import InputError
from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.fault_campaign.bounds import travel_bound
from simulation.fault_campaign.campaign import CampaignSettings, read_outcomes, run_campaign
from simulation.fault_campaign.judge import Recorded, last_motion_s, travel, was_moving, zero_command_s
from simulation.fault_campaign.kinds import FAULT_KINDS, KIND_OF_NAME
from simulation.fault_campaign.lsl_relay import EmgFaults, GestureFaults
from simulation.fault_campaign.outcome import Outcome
from simulation.fault_campaign.relay_link import NONE
from simulation.fault_campaign.summary import (
    all_in_bounds,
    broken,
    figures,
    kinds_table,
    length,
    markdown,
    travel_table,
)

TICK_S = 0.02
FAULT_S = 10.0


def commands(stop_s, *, end_s=12.0, wheels=0.0, lift_m_s=0.0, poses_end_with_stop=False):
    """Ticks from 9 s to `end_s`: the wheels' and the joints' commands, moving until `stop_s`."""
    t = np.arange(9.0, end_s, TICK_S)
    moving = t < stop_s
    twists = np.column_stack([t, wheels * moving, np.zeros_like(t)])
    poses = np.zeros((len(t), 11))
    poses[:, 0] = t + 0.001
    poses[:, 2] = 0.5 + lift_m_s * (np.minimum(t, stop_s) - 9.0)
    if poses_end_with_stop:
        poses = poses[moving]
    return twists, poses


def states(stop_s, *, speed=0.0, lift_m_s=0.0, late=0.0):
    """Robot at 100 Hz: runs until `stop_s`; the lift moves again by `late` at 11.5 s."""
    t = np.arange(9.0, 12.0, 0.01)
    run_s = np.minimum(t, stop_s)
    base = np.column_stack([t, speed * run_s, np.zeros_like(t), np.zeros_like(t)])
    joints = np.zeros((len(t), 7))
    joints[:, 0] = t
    joints[:, 1] = lift_m_s * run_s + late * (t >= 11.5)
    return base, joints


def record(twists, poses, base=None, joints=None):
    still = states(0.0)
    return Recorded(twists, poses, still[0] if base is None else base, still[1] if joints is None else joints)


def zero_after(**motion):
    return zero_command_s(record(*commands(10.2, **motion)), FAULT_S, 11.5)


def test_the_zero_command_is_the_first_after_which_none_moves_anything():
    assert zero_after(wheels=0.1) == pytest.approx(0.2, abs=TICK_S)
    assert zero_after(lift_m_s=0.1) == pytest.approx(0.2, abs=2 * TICK_S)
    # Where nothing is known of where the joints are, the bridge commands the wheels alone from then on.
    assert zero_after(lift_m_s=0.1, poses_end_with_stop=True) == pytest.approx(0.2, abs=2 * TICK_S)


def test_commands_that_just_end_are_no_zero_command():
    assert zero_command_s(record(*commands(20.0, end_s=10.1, wheels=0.1)), FAULT_S, 11.5) is None
    assert zero_command_s(record(*commands(20.0, end_s=10.1, lift_m_s=0.1)), FAULT_S, 11.5) is None
    assert zero_command_s(record(*commands(20.0, end_s=9.9, wheels=0.1)), FAULT_S, 11.5) is None


@pytest.mark.parametrize("motion", [{"wheels": 0.1}, {"lift_m_s": 0.1}])
def test_a_robot_that_had_stopped_before_the_fault_was_not_moving(motion):
    recorded = record(*commands(10.2, **motion))
    assert was_moving(recorded, FAULT_S)
    assert not was_moving(recorded, 10.4)
    assert not was_moving(record(*commands(20.0, end_s=9.5, **motion)), FAULT_S)


def test_a_zero_in_between_does_not_count():
    twists, poses = commands(11.0, wheels=0.1)
    twists[(twists[:, 0] > 10.1) & (twists[:, 0] < 10.3), 1] = 0.0
    assert zero_command_s(record(twists, poses), FAULT_S, 11.5) == pytest.approx(1.0, abs=TICK_S)


def test_travel_is_the_largest_distance_from_where_the_robot_was_at_the_fault():
    base, joints = states(10.2, speed=-0.1, lift_m_s=0.05)
    recorded = record(*commands(10.2), base, joints)
    found = travel(recorded, FAULT_S, 11.0)
    assert found["base_translate"] == pytest.approx(0.02, abs=1e-3)
    assert found["lift"] == pytest.approx(0.01, abs=1e-3)
    assert set(found) == set(DOF_NAMES)
    assert last_motion_s(recorded, FAULT_S, 11.0) == pytest.approx(0.2, abs=0.02)
    assert travel(recorded, 11.0, 11.9)["lift"] == 0.0
    back = np.copy(joints)
    back[joints[:, 0] > 10.5, 1] = joints[joints[:, 0] <= FAULT_S, 1][-1]
    assert travel(record(*commands(10.2), base, back), FAULT_S, 11.0)["lift"] == pytest.approx(0.01, abs=1e-3)


def test_motion_that_comes_late_is_seen_unless_the_robot_let_go_itself():
    base, joints = states(10.2, late=0.001)
    recorded = record(*commands(10.2), base, joints)
    assert travel(recorded, 11.0, 11.9)["lift"] == pytest.approx(0.001)
    assert last_motion_s(recorded, FAULT_S, 11.9) == pytest.approx(1.5, abs=0.02)
    assert last_motion_s(recorded, FAULT_S, 11.9, ("lift",)) == 0.0


def test_bounds_are_those_of_the_safety_page():
    model = load_robot_model()
    # 0.11 m/s for 300 ms and two ticks of the driver, and 41 mm of lead.
    assert travel_bound(model, "lift", fine=False) == pytest.approx(0.0816, abs=1e-4)
    # 0.12 m/s as long, and 60 mm on the driver's ramp of 0.12 m/s².
    assert travel_bound(model, "base_translate", fine=False) == pytest.approx(0.104, abs=1e-4)
    for dof in DOF_NAMES:
        assert travel_bound(model, dof, fine=True) < travel_bound(model, dof, fine=False)
        longer = travel_bound(model, dof, fine=False, cut_off_s=0.5) - travel_bound(model, dof, fine=False)
        cut_off = dof.startswith("base")
        assert longer == pytest.approx(0.5 * model.dof[dof].speed(fine=False) if cut_off else 0.0)


def test_the_safety_page_states_the_bounds_that_are_kept():
    model = load_robot_model()
    page = (Path(__file__).parents[2] / "docs" / "safety.md").read_text(encoding="utf-8")
    for dof in DOF_NAMES:
        stated = [length(dof, travel_bound(model, dof, fine=fine)) for fine in (False, True)]
        assert f"| {dof} | {stated[0]} | {stated[1]} |" in page


def outcome(index=0, kind="source_killed", dof="lift", **changes):
    fields = {
        "fine": False,
        "reason": "no decision for 0.25 s",
        "noticed": True,
        "zero_ms": 250.0,
        "still_ms": 400.0,
        "travel": dict.fromkeys(DOF_NAMES, 0.0) | {dof: 0.03},
        "bound": dict.fromkeys(DOF_NAMES, 2e-4) | {dof: 0.06},
        "moved_before_rearm": False,
        "attempts": 1,
        "seconds": 4.0,
    }
    return Outcome(index, kind, dof, **(fields | changes))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"noticed": False}, "missed"),
        ({"zero_ms": None}, "missed"),
        ({"zero_ms": 301.0}, "zero command after 301 ms"),
        ({"travel": dict.fromkeys(DOF_NAMES, 0.0) | {"lift": 0.07}}, "lift went 70.0 mm of 60.0 mm"),
        ({"travel": dict.fromkeys(DOF_NAMES, 0.0) | {"gripper": 0.1}}, "gripper went"),
        ({"moved_before_rearm": True, "moved_later": {"lift": 0.001}}, "lift moved by 1.0 mm before"),
        ({"moved_before_rearm": True, "armed_in_gesture": True}, "armed while a gesture was made"),
    ],
)
def test_each_promise_that_is_broken_is_told(changes, complaint):
    good, bad = outcome(), outcome(1, **changes)
    assert all_in_bounds([good])
    assert not broken([good])
    assert not all_in_bounds([good, bad])
    (line,) = broken([good, bad])
    assert complaint in line
    assert "injection 1" in line


def test_figures_and_tables_hold_the_worst():
    outcomes = [
        outcome(),
        outcome(1, zero_ms=280.0, travel=dict.fromkeys(DOF_NAMES, 0.0) | {"lift": 0.05}),
        outcome(2, "run_stop", "arm", noticed=False, zero_ms=None, moved_before_rearm=True),
    ]
    assert figures(outcomes) == {
        "injected": 3,
        "kinds": 2,
        "missed": 1,
        "worst_zero_ms": 280.0,
        "worst_travel": {"lift": 0.05, "arm": 0.03},
        "moved_before_rearm": 1,
    }
    table = markdown(kinds_table(outcomes)).splitlines()
    assert "| 280 ms |" in table[2]
    assert "| 83 % |" in table[2]
    assert len(table) == 4
    assert "50.0 mm" in markdown(travel_table(outcomes))


def test_a_plan_has_every_kind_early_follows_its_seed_and_can_be_made_longer():
    names = tuple(KIND_OF_NAME)
    assert len(names) >= 20
    long, short = (CampaignSettings(count, names, 3, 2).plan() for count in (500, len(names)))
    assert sorted(short) == sorted(names)
    assert long[: len(names)] == short
    assert len(long) == 500
    assert long != CampaignSettings(500, names, 4, 2).plan()
    counts = {kind.name: long.count(kind.name) for kind in FAULT_KINDS}
    assert min(counts.values()) >= 4
    assert counts["source_killed"] > counts["bridge_killed"]


def test_results_are_read_back_without_a_line_that_was_cut_short(tmp_path):
    lines = [json.dumps(outcome(index).to_dict()) for index in (2, 0, 1)]
    (tmp_path / "results.jsonl").write_text("\n".join(lines)[:-40])
    assert [found.index for found in read_outcomes(tmp_path)] == [0, 2]
    assert read_outcomes(tmp_path)[0] == outcome()


def test_another_campaigns_folder_is_refused(tmp_path):
    (tmp_path / "plan.json").write_text(json.dumps({"seed": 1, "wearer": 2, "kinds": ["run_stop"]}))
    settings = CampaignSettings(3, ("run_stop",), 0, 2)
    with pytest.raises(InputError, match="another campaign"):
        run_campaign(
            tmp_path, settings, tmp_path / "decoder.onnx", 1, lambda _step, _part: None, cli_module="ui.cli"
        )


# ---- what the relays make


@pytest.fixture
def passed():
    """An EmgFaults that has seen two seconds of good samples, and the next 20 of them."""
    rng = np.random.default_rng(0)
    faults = EmgFaults(2000.0)
    emg_uv = rng.normal(0, 50, (4020, 8)).astype(np.float32)
    t_s = 5.0 + np.arange(4020) / 2000.0
    for start in range(0, 4000, 20):
        part = slice(start, start + 20)
        values, stamps = faults.apply(NONE, emg_uv[part], t_s[part])
        assert values is not None
        assert np.array_equal(values, emg_uv[part])
        assert np.array_equal(stamps, t_s[part])
    return faults, emg_uv, t_s


def test_old_samples_come_with_old_or_with_new_stamps(passed):
    faults, emg_uv, t_s = passed
    new, stamps = emg_uv[4000:], t_s[4000:]
    values, old_stamps = faults.apply("repeats", new, stamps)
    np.testing.assert_array_equal(values, emg_uv[3200:3220])
    np.testing.assert_array_equal(old_stamps, t_s[3200:3220])
    values, fresh = faults.apply("loops", new, stamps)
    np.testing.assert_array_equal(values, emg_uv[3220:3240])
    np.testing.assert_array_equal(fresh, stamps)


@pytest.mark.parametrize("fault", ["nan", "gain", "half_off", "half_floating", "clock_forth", "clock_back"])
def test_faulty_samples_are_copies(passed, fault):
    faults, emg_uv, t_s = passed
    new, stamps = emg_uv[4000:].copy(), t_s[4000:].copy()
    values, sent = faults.apply(fault, new, stamps)
    np.testing.assert_array_equal(new, emg_uv[4000:])
    if fault.startswith("clock"):
        assert np.ptp(sent - stamps) == pytest.approx(0, abs=1e-9)
        assert abs(sent[0] - stamps[0]) == pytest.approx(2.0)
    elif fault == "nan":
        assert np.isnan(values).all()
    elif fault == "gain":
        np.testing.assert_allclose(values, 10 * new)
    else:
        np.testing.assert_array_equal(values[:, 4:], new[:, 4:])
        assert not np.any(values[:, :4] == new[:, :4])


def test_faulty_decisions():
    faults = GestureFaults(50.0)
    good = [np.array([k % 3, 1, 1, 1, 0, 1, 0], dtype=np.float32) for k in range(30)]
    for k, values in enumerate(good):
        faults.apply(NONE, values, 0.02 * k)
    wrong, stamp = faults.apply("bad_index", good[0], 9.0)
    assert wrong[0] == 7
    assert stamp == 9.0
    assert good[0][0] == 0
    assert np.isnan(faults.apply("nan", good[0], 9.0)[0][1])
    replayed = [faults.apply("replays", good[0], 9.0)[1] for _ in range(20)]
    assert replayed == pytest.approx([0.02 * k for k in range(10, 30)])
