"""Data sets of separate trials: FlexWear-HD, CapgMyo and 3DC, in files of their published layouts."""

import re
import shutil

import h5py
import numpy as np
import pytest
import scipy.io

from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from emg_acquisition.errors import InputError
from emg_acquisition.recording.importers.capgmyo import import_capgmyo
from emg_acquisition.recording.importers.flexwear import import_flexwear
from emg_acquisition.recording.importers.threedc import import_threedc
from emg_acquisition.recording.session import load_session, trials

FLEXWEAR_KEYS = [
    "abduct_p1",
    "adduct_p1",
    "extend_p1",
    "grip_p1",
    "pronate_p1",
    "rest_p1",
    "supinate_p1",
    "tripod_p1",
    "wextend_p1",
    "wflex_p1",
]
FLEXWEAR_NAMES = [
    "wrist_abduction",
    "wrist_adduction",
    "hand_open",
    "fist",
    "pronation",
    "rest",
    "supination",
    "tripod_pinch",
    "wrist_extension",
    "wrist_flexion",
]


def nothing_left(out):
    return not out.exists() or list(out.iterdir()) == []


def without_joins(session):
    """The trials as they were before each was shifted: relative to their own first sample."""
    return [
        session.emg.emg_uv[one.start : one.stop] - session.emg.emg_uv[one.start] for one in trials(session)
    ]


@pytest.fixture
def flexwear(tmp_path):
    """Two participants; the second has three trials of rest and two of everything else."""
    rng = np.random.default_rng(0)
    content = {}
    for participant, session in (("p001", "initial"), ("p001", "recalibration"), ("p002", "initial")):
        folder = tmp_path / "FlexWear-HD_Dataset" / participant
        folder.mkdir(parents=True, exist_ok=True)
        with h5py.File(folder / f"data_allchannels_{session}.h5", "w") as file:
            for key in FLEXWEAR_KEYS:
                n_trials = 3 if (participant, key) == ("p002", "rest_p1") else 2
                data = rng.integers(-500, 500, (n_trials, 64, 40)).astype(np.float64)
                file[key] = data
                content[participant, session, key] = data
    return tmp_path / "FlexWear-HD_Dataset", content


def test_flexwear_trials_become_sessions(flexwear, tmp_path):
    src, content = flexwear
    made = import_flexwear(src, tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in made] == [
        "sub-p001/ses-initial",
        "sub-p001/ses-recalibration",
        "sub-p002/ses-initial",
    ]
    session = load_session(made[2])
    found = trials(session)
    expected = [(name, 1) for name in FLEXWEAR_NAMES] + [(name, 2) for name in FLEXWEAR_NAMES] + [("rest", 3)]
    assert [(one.gesture, one.repetition) for one in found] == expected
    for one, shape in zip(found, without_joins(session), strict=True):
        key = FLEXWEAR_KEYS[FLEXWEAR_NAMES.index(one.gesture)]
        wanted = content["p002", "initial", key][one.repetition - 1].T
        np.testing.assert_array_equal(shape, wanted - wanted[0])
    first = content["p002", "initial", "abduct_p1"][0].T
    np.testing.assert_array_equal(session.emg.emg_uv[:40], first)
    info = session.emg.info
    assert (info.fs_hz, info.grid.name, info.grid.wraps) == (4000.0, "sleeve-4x16", "columns")
    assert info.grid.channel_at[1][2] == 18


def test_flexwear_in_another_unit_and_on_another_grid(flexwear, tmp_path):
    src, content = flexwear
    for (participant, session, key), data in content.items():
        with h5py.File(src / participant / f"data_allchannels_{session}.h5", "r+") as file:
            file[key][...] = data / 1000.0
    made = import_flexwear(src, tmp_path / "out", unit="mV", grid="sleeve-16x4")
    session = load_session(made[0])
    assert session.emg.info.grid.channel_at[4][2] == 18
    first = content["p001", "initial", "abduct_p1"][0].T
    np.testing.assert_allclose(session.emg.emg_uv[:40], first, rtol=1e-6)
    with pytest.raises(InputError, match=r"taken as V, .*--unit"):
        import_flexwear(src, tmp_path / "volts", unit="V")
    assert nothing_left(tmp_path / "volts")


def test_flexwear_faults_are_named(flexwear, tmp_path):
    src, _ = flexwear
    path = src / "p001" / "data_allchannels_initial.h5"
    whole = path.read_bytes()
    for size in (0, 100, 2000, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"p001/data_allchannels_initial\.h5 cannot be read as a HDF5"):
            import_flexwear(src, tmp_path / "out")
        assert nothing_left(tmp_path / "out")
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        del file["rest_p1"]
    with pytest.raises(InputError, match=r"initial\.h5 lacks rest_p1; it holds abduct_p1"):
        import_flexwear(src, tmp_path / "out")
    with h5py.File(path, "r+") as file:
        file["rest_p1"] = np.zeros((2, 40, 64))
    with pytest.raises(InputError, match=r"'rest_p1' has shape \(2, 40, 64\)"):
        import_flexwear(src, tmp_path / "out")
    with pytest.raises(InputError, match="name the folder FlexWear-HD_Dataset"):
        import_flexwear(tmp_path / "nowhere", tmp_path / "out")
    shutil.move(src / "p002", src / "someone")
    with pytest.raises(InputError, match=r"someone.*is required"):
        import_flexwear(src, tmp_path / "out")


def capgmyo(folder, subjects, gestures, n_trials=2, scale=0.2):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    content = {}
    for subject in subjects:
        for gesture in gestures:
            for trial in range(1, n_trials + 1):
                data = rng.uniform(-scale, scale, (50, 128))
                content[subject, gesture, trial] = data
                name = f"{subject:03}-{gesture:03}-{trial:03}.mat"
                scipy.io.savemat(
                    folder / name, {"data": data, "gesture": gesture, "subject": subject, "trial": trial}
                )
    return content


def test_capgmyo_values_are_shares_of_2500_uv(tmp_path):
    content = capgmyo(tmp_path / "dba" / "more", (1, 2), (*range(1, 9), 100, 101))
    made = import_capgmyo(tmp_path / "dba", tmp_path / "out", database="a")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in made] == [
        "sub-A001/ses-1",
        "sub-A002/ses-1",
    ]
    session = load_session(made[1])
    np.testing.assert_array_equal(session.emg.emg_uv[:50], (content[2, 1, 1] * 2500.0).astype(np.float32))
    found = trials(session)
    assert [one.repetition for one in found] == [1] * 8 + [2] * 8
    assert found[5].gesture == found[13].gesture == "fist"
    assert found[0].gesture == "thumb_up"
    wanted = content[2, 6, 2] * 2500.0
    np.testing.assert_allclose(without_joins(session)[13], wanted - wanted[0], atol=1e-2)
    # The 16 lines of 8 electrodes close around the forearm.
    grid = session.emg.info.grid
    assert (grid.rows, grid.columns) == (16, 8)
    assert 120 in grid.neighbours[0]
    assert session.emg.info.fs_hz == 1000.0


def test_capgmyo_b_has_two_sessions_a_person_and_c_other_gestures(tmp_path):
    capgmyo(tmp_path / "dbb", (1, 2, 3), (1,), 1)
    made = import_capgmyo(tmp_path / "dbb", tmp_path / "out", database="b")
    names = [path.relative_to(tmp_path / "out").as_posix() for path in made]
    assert names == ["sub-B001/ses-1", "sub-B001/ses-2", "sub-B002/ses-1"]
    capgmyo(tmp_path / "dbc", (1,), range(1, 13), 1)
    (made,) = import_capgmyo(tmp_path / "dbc", tmp_path / "out", database="c")
    assert load_session(made).info.protocol.gestures[-1] == "thumb_extension"
    with pytest.raises(InputError, match="data base a has gestures 1 to 8, got 9"):
        import_capgmyo(tmp_path / "dbc", tmp_path / "other", database="a")


def test_capgmyo_faults_are_named(tmp_path):
    capgmyo(tmp_path / "src", (1,), (1, 2), 1)
    path = tmp_path / "src" / "001-002-001.mat"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"001-002-001\.mat cannot be read as a .mat"):
        import_capgmyo(tmp_path / "src", tmp_path / "out", database="a")
    assert nothing_left(tmp_path / "out")
    for content, words in (
        ({"emg": np.zeros((5, 128))}, r"001-002-001\.mat lacks 'data'"),
        ({"data": np.zeros((5, 127))}, r"'data' has shape \(5, 127\)"),
        ({"data": np.full((5, 128), 3.0)}, "values reach 3"),
        ({"data": np.full((5, 128), np.nan)}, "values reach nan"),
    ):
        scipy.io.savemat(path, content)
        with pytest.raises(InputError, match=words):
            import_capgmyo(tmp_path / "src", tmp_path / "out", database="a")
        assert nothing_left(tmp_path / "out")
    with pytest.raises(InputError, match="holds no trial"):
        import_capgmyo(tmp_path / "out", tmp_path / "other", database="a")


def test_a_set_without_rest_is_imported_and_training_says_what_it_lacks(tmp_path):
    folder = tmp_path / "src"
    folder.mkdir()
    for gesture in (1, 6):
        for trial in (1, 2):
            data = np.random.default_rng(gesture * 10 + trial).normal(0, 0.01, (3000, 128))
            scipy.io.savemat(folder / f"001-{gesture:03}-{trial:03}.mat", {"data": data})
    (made,) = import_capgmyo(folder, tmp_path / "out", database="a")
    with pytest.raises(InputError, match="training needs 'rest' and a gesture, got fist, thumb_up"):
        train_decoder([load_session(made)], tmp_path / "d.onnx", TrainSettings(), lambda _name, _share: None)


GESTURES_3DC = [
    "rest",
    "wrist_abduction",
    "wrist_flexion",
    "wrist_adduction",
    "wrist_extension",
    "supination",
    "pronation",
    "fist",
    "hand_open",
    "tripod_pinch",
    "pinch_grip",
]


@pytest.mark.real_data
def test_3dc_archives_are_imported_to_the_count(test_data, tmp_path, caplog):
    src = tmp_path / "3dc"
    src.mkdir()
    shutil.copyfile(test_data / "libemg3dc_npz" / "P03.npz", src / "P03.npz")
    made = import_threedc(src, tmp_path / "out")
    names = [path.relative_to(tmp_path / "out").as_posix() for path in made]
    assert names == ["sub-P03/ses-test", "sub-P03/ses-train"]
    assert "1 uV is taken" in caplog.text
    with np.load(src / "P03.npz") as content:
        for path, name in zip(made, ("test", "train"), strict=True):
            session = load_session(path)
            found = trials(session)
            wanted = [(gesture, r) for r in (1, 2, 3, 4) for gesture in GESTURES_3DC]
            assert [(one.gesture, one.repetition) for one in found] == wanted
            for one, shape in zip(found, without_joins(session), strict=True):
                counts = content[f"{name}_{one.repetition - 1}_{GESTURES_3DC.index(one.gesture)}"]
                np.testing.assert_array_equal(shape, counts.astype(np.float32) - counts[0])
            np.testing.assert_array_equal(session.emg.emg_uv[: found[0].stop], content[f"{name}_0_0"])
    assert session.emg.info.grid.neighbours[0] == (9, 1)


def text_set(src, participants=(0, 7), prefix=""):
    rng = np.random.default_rng(2)
    content = {}
    for participant in participants:
        for name in ("train", "test"):
            folder = src / f"Participant{participant}" / name / ("EMG" if prefix else "")
            folder.mkdir(parents=True)
            for repetition in range(2):
                for gesture in (0, 7):
                    counts = rng.integers(-200, 200, (30, 10))
                    content[participant, name, repetition, gesture] = counts
                    path = folder / f"{prefix}EMG_gesture_{repetition}_{gesture}.txt"
                    path.write_text("\n".join(",".join(map(str, row)) for row in counts.tolist()) + "\n")
    return content


@pytest.mark.parametrize("prefix", ["", "3dc_"])
def test_3dc_text_files_are_imported(tmp_path, prefix):
    content = text_set(tmp_path / "3DC", prefix=prefix)
    made = import_threedc(tmp_path / "3DC", tmp_path / "out", uv_per_count=2.5)
    names = [path.relative_to(tmp_path / "out").as_posix() for path in made]
    assert names == ["sub-P00/ses-test", "sub-P00/ses-train", "sub-P07/ses-test", "sub-P07/ses-train"]
    session = load_session(made[3])
    assert [(one.gesture, one.repetition) for one in trials(session)] == [
        ("rest", 1),
        ("fist", 1),
        ("rest", 2),
        ("fist", 2),
    ]
    np.testing.assert_array_equal(session.emg.emg_uv[:30], content[7, "train", 0, 0] * 2.5)
    assert "2.5 uV a count" in session.info.protocol.notes


def test_3dc_faults_are_named(tmp_path):
    text_set(tmp_path / "3DC", (0,))
    path = tmp_path / "3DC" / "Participant0" / "train" / "EMG_gesture_1_7.txt"
    whole = path.read_text()
    for text in ("", whole[:-5], whole.replace(",", ";"), "a,b\n"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"EMG_gesture_1_7\.txt"):
            import_threedc(tmp_path / "3DC", tmp_path / "out")
        assert nothing_left(tmp_path / "out")
    with pytest.raises(InputError, match=r"holds no P01\.npz"):
        import_threedc(tmp_path / "out", tmp_path / "other")
    archive = tmp_path / "P05.npz"
    np.savez(archive, train_0_0=np.zeros((5, 10), np.int16), train_0_1=np.zeros((5, 9), np.int16))
    with pytest.raises(InputError, match=r"P05\.npz train_0_1: shape \(5, 9\)"):
        import_threedc(archive, tmp_path / "out")
    np.savez(archive, something=np.zeros(3))
    with pytest.raises(InputError, match="key 'something' is none of the data set's"):
        import_threedc(archive, tmp_path / "out")
    np.savez(archive, train_0_11=np.zeros((5, 10)))
    with pytest.raises(InputError, match="classes 0 to 10 are known, got 11"):
        import_threedc(archive, tmp_path / "out")
    whole = archive.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 10):
        archive.write_bytes(whole[:size])
        with pytest.raises(InputError, match=re.escape("P05.npz cannot be read as an .npz file")):
            import_threedc(archive, tmp_path / "out")
    assert nothing_left(tmp_path / "out")
