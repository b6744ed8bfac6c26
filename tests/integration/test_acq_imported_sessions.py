"""Imported sessions go through `hdemg train` and `hdemg replay` as recorded ones do."""

import json
import shutil

import h5py
import numpy as np
import pytest

from tests.unit.test_acq_import_trial_sets import FLEXWEAR_KEYS
from ui.cli import main


def last_json(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.real_data
def test_3dc_trains_on_one_set_and_is_judged_on_the_other(test_data, tmp_path, capsys):
    src = tmp_path / "src"
    src.mkdir()
    shutil.copyfile(test_data / "libemg3dc_npz" / "P03.npz", src / "P03.npz")
    assert main(["import", "3dc", str(src), str(tmp_path), "--json"]) == 0
    test, train = last_json(capsys)["sessions"]
    decoder = str(tmp_path / "d.onnx")
    assert main(["train", train, "-o", decoder, "--json"]) == 0
    assert last_json(capsys)["held_out"]["trial_accuracy"] > 0.75
    assert main(["replay", test, "--decoder", decoder, "--json"]) == 0
    # Eleven classes: guessing gives 0.09.
    assert last_json(capsys)["trial_accuracy"] > 0.75


@pytest.mark.real_data
def test_grabmyo_without_its_rest_records_is_refused_by_training_alone(test_data, tmp_path, capsys):
    src = tmp_path / "src"
    src.mkdir()
    for path in (test_data / "grabmyo_p1s1").glob("*_gesture1[16]_trial[12].*"):
        shutil.copyfile(path, src / path.name)
    assert main(["import", "grabmyo", str(src), str(tmp_path), "--json"]) == 0
    (session,) = last_json(capsys)["sessions"]
    assert main(["train", session, "-o", str(tmp_path / "d.onnx")]) == 2
    assert "training needs 'rest' and a gesture, got fist, wrist_extension" in capsys.readouterr().err


def flexwear(folder):
    """Trials of 2 s at 4000 Hz: noise whose loud electrodes differ from gesture to gesture."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("initial", "recalibration"):
        with h5py.File(folder / f"data_allchannels_{name}.h5", "w") as file:
            for k, key in enumerate(FLEXWEAR_KEYS):
                scale_uv = np.full((1, 64, 1), 3.0)
                if key != "rest_p1":
                    scale_uv[0, 6 * k : 6 * k + 6] = 40.0
                file[key] = (rng.normal(0, 1, (3, 64, 8000)) * scale_uv).astype(np.float32)


def test_short_trials_train_once_the_margins_leave_something_of_them(tmp_path, capsys):
    flexwear(tmp_path / "FlexWear-HD_Dataset" / "p001")
    assert main(["import", "flexwear", str(tmp_path / "FlexWear-HD_Dataset"), str(tmp_path), "--json"]) == 0
    initial, recalibration = last_json(capsys)["sessions"]
    decoder = str(tmp_path / "d.onnx")
    assert main(["train", initial, "-o", decoder]) == 2
    assert "--after-cue and --before-next say how much" in capsys.readouterr().err
    margins = ("--after-cue", "0.4", "--before-next", "0")
    assert main(["train", initial, "-o", decoder, "--json", *margins]) == 0
    assert last_json(capsys)["held_out"]["trial_accuracy"] == 1.0
    assert main(["replay", recalibration, "--decoder", decoder, "--json", *margins]) == 0
    assert last_json(capsys)["trial_accuracy"] == 1.0
    assert main(["replay", initial, "--decoder", decoder, "--robot", "sim", *margins]) == 2
    assert "with a robot 1 s is left out" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["train", initial, "-o", decoder, "--after-cue", "-1"])
