"""A simulated study leaves whole sessions, also when it is interrupted, and never overwrites one."""

import shutil
import signal
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import load_session, trials
from simulation.study import StudySettings, simulate_study
from tests.command_line import command
from tests.waiting import wait_for

GESTURES = """
name: two
gestures:
  grip: {flexor_digitorum_profundus_4_5: 1.0}
  lift: {extensor_carpi_ulnaris: 1.0}
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(GESTURES)
    return StudySettings(
        wearers=1,
        first=3,
        repetitions=3,
        recalibration_repetitions=2,
        hold_s=0.5,
        rest_s=0.5,
        fs_hz=500.0,
        gestures=path,
    )


def test_a_study_holds_the_protocol(small, tmp_path):
    told = []
    folders = simulate_study(tmp_path / "out", small, 1, lambda step, share: told.append((step, share)))
    assert [folder.relative_to(tmp_path / "out").as_posix() for folder in folders] == [
        "sub-W03/ses-calibration",
        "sub-W03/ses-recalibration",
        "sub-W03/ses-donning2",
    ]
    sessions = [load_session(folder) for folder in folders]
    assert all(session.info.complete for session in sessions)
    assert "worn 60 min" in sessions[1].info.protocol.notes
    for session, repetitions in zip(sessions, (3, 2, 3), strict=True):
        held = [trial for trial in trials(session) if trial.gesture != "rest"]
        assert sorted({(t.gesture, t.repetition) for t in held}) == [
            (gesture, r) for gesture in ("grip", "lift") for r in range(1, repetitions + 1)
        ]
        assert {trial.stop - trial.start for trial in held} == {250}
        assert session.emg.emg_uv.shape == (250 * (4 * repetitions + 1), 64)
    first, _, second_donning = (session.emg.emg_uv[:1000] for session in sessions)
    assert np.mean(first == second_donning) < 0.1
    study = yaml.safe_load((tmp_path / "out" / "study.yaml").read_text())
    assert 0 <= study["wearers"]["W03"]["skill"] <= 1
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[-1] == ("W03 donning2", 1.0)
    with pytest.raises(InputError, match="never overwritten"):
        simulate_study(tmp_path / "out", small, 1, lambda _step, _share: None)


def test_an_interruption_leaves_whole_sessions_only(small, tmp_path):
    def interrupt(step, share):
        if step == "W03 recalibration" and share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_study(tmp_path / "out", small, 1, interrupt)
    left = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*"))
    assert left == [
        "sub-W03",
        "sub-W03/ses-calibration",
        "sub-W03/ses-calibration/recording.xdf",
        "sub-W03/ses-calibration/session.yaml",
    ]
    assert load_session(tmp_path / "out" / "sub-W03" / "ses-calibration").info.complete


def test_a_disk_that_is_too_small_is_told_beforehand(small, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=10**8))
    large = StudySettings(wearers=3, gestures=small.gestures, hold_s=60.0, repetitions=100)
    with pytest.raises(InputError, match=r"about \d+.* GB are needed and 0\.1 GB are free"):
        simulate_study(tmp_path / "out", large, 1, lambda _step, _share: None)
    assert not list(tmp_path.rglob("*.xdf"))


@pytest.mark.parametrize("how", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_an_interrupted_command_with_workers_cleans_up(how, tmp_path):
    out = tmp_path / "out"
    arguments = ["simulate-study", str(out), "--wearers", "30", "--jobs", "2", "--rate", "500"]
    child = subprocess.Popen(
        command(*arguments),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: list(out.glob(".study-*/*/.ses-*.part/recording.xdf")), "a session", 60.0)
    child.send_signal(how)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert not list(out.glob(".study-*"))
    assert not (out / "study.yaml").exists()
    assert not list(out.rglob("*.part"))
    for folder in out.glob("sub-*/ses-*"):
        assert load_session(folder).info.complete
