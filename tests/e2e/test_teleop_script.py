"""A whole session from the command line: a simulated wearer does the cup task, and all of it is in the recording."""

import csv
from pathlib import Path

import pytest

pytest.importorskip("mujoco")
pytest.importorskip("stretch_urdf")

from emg_acquisition.recording.session import load_session
from evaluation.bridge_replay import read_journal
from robot_bridge.stretch_interface import JOINT_STATE_NAMES
from teleoperation.settings import TeleopSettings
from tests.e2e.conftest import WEARER
from tests.waiting import holds_for, wait_for
from ui.live_session import live_session

LIMIT_S, LIVE = 90.0, {"armed", "moving"}


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.alone
@pytest.mark.usefixtures("ros_domain")
def test_the_wearer_brings_the_cup_and_the_session_is_replayed(
    hdemg, hdemg_process, simulated_decoder: Path, tmp_path: Path
):
    source = f"simulated --wearer {WEARER}"
    options = ("--script", "cup", "--headless", "--participant", "P01", "--out", tmp_path, "--json")
    ran = hdemg_process("teleop", simulated_decoder, "--source", source, *options, timeout_s=900.0)
    assert ran.status == 0, ran.err
    assert ran.json["script_success"] is True
    folder = Path(ran.json["session"])

    with (folder / "trials.csv").open(encoding="utf-8") as file:
        (trial,) = csv.DictReader(file)
    assert (trial["task"], trial["outcome"]) == ("cup", "success")
    recorded = load_session(folder)
    kinds = {event.kind for event in recorded.events}
    assert {"arm", "moving", "mode", "stop", "task_start", "task_success", "note", "intention"} <= kinds
    joints = [entry for _, entry in read_journal(folder) if entry.call == "core.on_joint_states"]
    assert set(joints[-1].arguments[0][0]) == set(JOINT_STATE_NAMES)

    again = hdemg("replay", folder, "--json")
    assert again.status == 0, again.err
    assert again.json["identical_to_recording"] is True
    assert again.json["commands_identical_to_recording"] is True
    assert again.json["commands"] > 1000
    for until in ("decision", "command", "motion"):
        figures = again.json["recorded_latency_ms"][until]
        assert figures["n"] >= 5
        assert 0 < figures["median"] <= figures["p99"]


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("ros_domain")
def test_a_persons_stop_ends_the_script_and_nothing_arms_again(
    simulated_decoder: Path, lsl_session: str, tmp_path: Path
):
    settings = TeleopSettings(
        decoder=simulated_decoder, source=f"simulated --wearer {WEARER}", out=tmp_path, script="cup"
    )
    with live_session(settings, lambda _step, _part: None, lsl_session=lsl_session) as session:
        wait_for(lambda: session.view().robot.safety_state == "moving", "the script's motion", LIMIT_S)
        assert session.stop() is None
        assert session.script.ended.wait(LIMIT_S)
        assert session.script.outcome is None
        holds_for(lambda: session.view().robot.safety_state not in LIVE, 3.0, "the robot stands")
