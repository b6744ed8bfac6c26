"""``hdemg closed-loop`` and the replay of a live bridge, on real recordings and simulated wearers."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from calibration.protocol import CueSchedule
from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from emg_acquisition.events import REST
from emg_acquisition.recording.session import load_session
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from simulation.recorded_wearer import record_schedule
from tests.command_line import Ran

TEN_MINUTES_S = 600


@pytest.mark.real_data
@pytest.mark.parametrize("trials", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_real_emg_reaches_targets_with_a_decoder_of_other_trials(
    hdemg: Callable[..., Ran], flexemg_sessions: Path, flexemg_decoder: Path, tmp_path: Path, trials: int
) -> None:
    ran = hdemg(
        *("closed-loop", flexemg_decoder, "--emg-bank", flexemg_sessions / "ses-Session1Test"),
        *("--map", "four_gestures", "--trials", str(trials), "--dof", "lift", "gripper"),
        *("--out", tmp_path / "fitts", "--json"),
    )
    assert ran.status == 0, ran.err
    figures = ran.json
    assert figures["attempts"] == 12 * trials
    assert figures["completed"] >= 0.95 * 12 * trials
    throughput = figures["throughput_bit_s"]
    assert 0.3 < throughput["low"] < throughput["value"] < throughput["high"] < 5.0
    assert figures["stops"] == 0
    assert Path(figures["report"]).is_file()


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.real_data
@pytest.mark.parametrize("participant", ["001", "002"])
def test_single_dof_targets_on_all_eight(
    hdemg_process: Callable[..., Ran], flexemg_dir: Path, tmp_path: Path, participant: str
) -> None:
    recordings = [f"{participant}-Session1Train", f"{participant}-Session1Test"]
    options = [part for name in recordings for part in ("--recording", name)]
    assert hdemg_process("import", "flexemg", flexemg_dir, tmp_path, *options).status == 0
    folder, decoder = tmp_path / f"sub-{participant}", tmp_path / "decoder.onnx"
    assert hdemg_process("train", folder / "ses-Session1Train", "-o", decoder).status == 0
    ran = hdemg_process(
        *("closed-loop", decoder, "--emg-bank", folder / "ses-Session1Test", "--map", "four_gestures"),
        *("--trials", "10", "--out", tmp_path / "fitts", "--json"),
        timeout_s=1200.0,
    )
    assert ran.status == 0, ran.err
    assert ran.json["attempts"] == 480
    assert ran.json["completion"]["value"] >= 0.95


@pytest.mark.slow
@pytest.mark.campaign
def test_household_tasks_of_simulated_wearers(hdemg_process: Callable[..., Ran], tmp_path: Path) -> None:
    ran = hdemg_process(
        *("closed-loop", "--wearer", "2", "8", "--task", "household", "--trials", "1", "--jobs", "2"),
        *("--out", tmp_path, "--json"),
        timeout_s=1800.0,
    )
    assert ran.status == 0, ran.err
    with (tmp_path / "attempts.csv").open(encoding="utf-8") as file:
        attempts = list(csv.DictReader(file))
    assert len(attempts) == ran.json["attempts"] == 12
    done = [one["participant"] for one in attempts if one["completed"] == "True"]
    assert len(done) == ran.json["completed"]
    # The skilled wearer does nearly all of them, the other one some; each that fails is explained.
    assert done.count("W02") >= 4
    assert done.count("W08") >= 2
    assert all(one["reason"] for one in attempts if one["completed"] != "True")
    assert ran.out.count("  not completed: ") == 12 - len(done)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--emg-bank", "NOWHERE"), "needs a DECODER"),
        (("no-decoder.onnx", "--wearer", "1", "2"), "one wearer's own"),
        (("--wearer", "1", "1"), "each wearer once"),
        (("--wearer", "1", "--repetitions", "2"), "is for --emg-bank"),
        (("no-decoder.onnx", "--wearer", "1"), "no-decoder.onnx"),
    ],
)
def test_bad_input_is_one_line(
    hdemg: Callable[..., Ran], tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    ran = hdemg("closed-loop", *arguments, "--out", tmp_path / "out")
    assert ran.status == 2
    assert says in ran.err
    assert len([line for line in ran.err.splitlines() if "error" in line]) == 1
    assert "Traceback" not in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.campaign
def test_ten_minutes_live_are_replayed_to_the_last_decision_and_command(
    hdemg_process: Callable[..., Ran], tmp_path: Path, ros_domain: int
) -> None:
    wearer = WearerSettings(seed=2)
    gestures = tuple(name for name in SimulatedWearer(wearer).gestures if name != REST)
    short = CueSchedule(gestures=gestures, repetitions=3, hold_s=2.0, rest_s=1.0, seed=1)
    calibration = load_session(record_schedule(wearer, short, tmp_path / "ses-calibration", "SIM"))
    decoder = tmp_path / "decoder.onnx"
    margins = TrainSettings(after_cue_s=0.6, before_next_s=0.0)
    train_decoder([calibration], decoder, margins, lambda _step, _part: None)
    long = CueSchedule(gestures=gestures, repetitions=17, hold_s=2.5, rest_s=1.5, seed=2)
    assert long.seconds > TEN_MINUTES_S
    session = record_schedule(wearer, long, tmp_path / "ses-long", "SIM")
    ran = hdemg_process(
        *("replay", session, "--decoder", decoder, "--robot", "sim", "--seconds", TEN_MINUTES_S, "--json"),
        timeout_s=1200.0,
    )
    assert ran.status == 0, ran.err
    figures = ran.json
    assert figures["identical_to_recording"] is True
    assert figures["commands_identical_to_recording"] is True
    assert figures["decisions"] > 15_000
    assert figures["commands"] > 20_000
