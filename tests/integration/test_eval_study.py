"""A simulated study judged in one command: a row a participant, no repetition judged that a decoder has seen."""

import csv
import json

import pytest

from emg_acquisition.recording.session import load_session, trials
from evaluation.evaluate_study import CONDITIONS, of_repetitions
from simulation.study import StudySettings, simulate_study
from ui.cli import main

GESTURES = """
name: two
gestures:
  grip: {flexor_digitorum_profundus_4_5: 1.0}
  lift: {extensor_carpi_ulnaris: 1.0}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    (root / "two.yaml").write_text(GESTURES)
    settings = StudySettings(
        wearers=1,
        first=2,
        repetitions=4,
        recalibration_repetitions=3,
        hold_s=1.5,
        rest_s=1.5,
        fs_hz=1000.0,
        gestures=root / "two.yaml",
    )
    simulate_study(root / "out", settings, 1, lambda _step, _share: None)
    return root / "out"


def test_a_study_in_one_command(study, tmp_path, capsys):
    out = tmp_path / "report"
    assert main(["evaluate", "--study", str(study), "--report", str(out), "--jobs", "1", "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["participants"] == 1
    assert last["conditions"]["same sitting"]["participants"] == 1
    assert last["conditions"]["same sitting"]["mean"] > 0.8
    with (out / "participants.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["participant"] for row in rows] == ["W02"]
    assert all(0 <= float(row["skill"]) <= 1 and set(CONDITIONS) <= set(row) for row in rows)
    with (out / "trials.csv").open() as file:
        judged = list(csv.DictReader(file))
    # Recalibration has seen the first two repetitions of a later session; neither decoder is judged on them.
    later = [row for row in judged if row["session"] != "calibration"]
    assert later
    assert min(int(row["repetition"]) for row in later) == 3
    text = (out / "study.html").read_text()
    assert "W02" in text
    assert text.count("<img ") >= 4


def test_what_is_cut_out_keeps_its_place_in_time(study):
    session = load_session(study / "sub-W02" / "ses-calibration")
    part = of_repetitions(session, [2, 4])
    assert {trial.repetition for trial in trials(part)} == {2, 4}
    by_number = {trial.trial: trial for trial in trials(session)}
    for trial in trials(part):
        own = by_number[trial.trial]
        assert part.emg.t_lsl_s[trial.start] == session.emg.t_lsl_s[own.start]
        assert trial.stop - trial.start == own.stop - own.start
