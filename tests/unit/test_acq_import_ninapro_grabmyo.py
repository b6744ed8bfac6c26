"""Ninapro DB2 (continuous, with labels a sample) and GRABMyo (WFDB, one record a trial)."""

import shutil

import numpy as np
import pytest
import scipy.io
import wfdb

from emg_acquisition.errors import InputError
from emg_acquisition.recording.importers.grabmyo import import_grabmyo
from emg_acquisition.recording.importers.ninapro import import_ninapro
from emg_acquisition.recording.session import load_session, trials


def nothing_left(out):
    return not out.exists() or list(out.iterdir()) == []


def exercise(path, labels, repetitions, *, scale=2e-5, **more):
    """An exercise file with 50 samples for each label."""
    path.parent.mkdir(parents=True, exist_ok=True)
    emg = np.random.default_rng(4).normal(0, scale, (50 * len(labels), 12)).astype(np.float32)
    content = {
        "emg": emg,
        "restimulus": np.repeat(labels, 50)[:, None].astype(np.uint8),
        "rerepetition": np.repeat(repetitions, 50)[:, None].astype(np.uint8),
        "stimulus": np.zeros((len(emg), 1)),
        "frequency": np.array([[2000]]),
        "subject": 1,
    }
    scipy.io.savemat(path, {**content, **more}, do_compression=True)
    return emg


def test_ninapro_exercises_are_continuous_and_cued_by_restimulus(tmp_path):
    src = tmp_path / "DB2"
    emg = exercise(src / "DB2_s1" / "S1_E1_A1.mat", [0, 1, 0, 1, 0, 6, 0], [0, 1, 0, 2, 0, 1, 0])
    exercise(src / "DB2_s12" / "S12_E2_A1.mat", [0, 18, 40], [0, 1, 3])
    exercise(src / "DB2_s12" / "S12_E3_A1.mat", [41, 0, 49], [1, 0, 1])
    made = import_ninapro(src, tmp_path / "out")
    names = [path.relative_to(tmp_path / "out").as_posix() for path in made]
    assert names == ["sub-S1/ses-E1", "sub-S12/ses-E2", "sub-S12/ses-E3"]
    first, second, third = (load_session(path) for path in made)
    # Volts.
    np.testing.assert_allclose(first.emg.emg_uv, emg.astype(np.float64) * 1e6, rtol=1e-6)
    assert [(one.gesture, one.repetition, one.start) for one in trials(first)] == [
        ("rest", 1, 0),
        ("thumb_up", 1, 50),
        ("rest", 1, 100),
        ("thumb_up", 2, 150),
        ("rest", 2, 200),
        ("fist", 1, 250),
        ("rest", 1, 300),
    ]
    assert [one.gesture for one in trials(second)] == ["rest", "large_diameter_grasp", "cut_with_knife"]
    assert [one.gesture for one in trials(third)] == [
        "little_flexion_force",
        "rest",
        "index_and_thumb_flexion_force",
    ]
    grid = first.emg.info.grid
    # Eight around the arm; the four on single muscles have no neighbour.
    assert set(grid.neighbours[0]) == {1, 7}
    assert [grid.neighbours[channel] for channel in (8, 9, 10, 11)] == [()] * 4


def test_ninapro_samples_beyond_the_labels_are_left_out(tmp_path):
    labels = np.repeat([0, 3], 50)[:, None]
    exercise(tmp_path / "S2_E1_A1.mat", [0, 3], [0, 1], restimulus=labels[:97], rerepetition=labels[:99] > 0)
    (made,) = import_ninapro(tmp_path, tmp_path / "out")
    assert load_session(made).emg.emg_uv.shape == (97, 12)


def test_ninapro_faults_are_named(tmp_path):
    path = tmp_path / "src" / "S1_E1_A1.mat"
    for more, words in (
        ({"frequency": 200}, "sampled at 200 Hz; 2000 Hz is required"),
        ({"emg": np.zeros((100, 10))}, r"'emg' has shape \(100, 10\)"),
        ({"restimulus": np.full((100, 1), 18)}, "'restimulus' holds 18; exercise 1 has movements 1 to 17"),
        ({"rerepetition": "abc"}, "lacks 'rerepetition'"),
        ({"emg": np.random.default_rng(0).normal(0, 20, (100, 12))}, "taken as V, .*--unit"),
    ):
        exercise(path, [0, 1], [0, 1], **more)
        with pytest.raises(InputError, match=rf"S1_E1_A1\.mat.*{words}"):
            import_ninapro(tmp_path / "src", tmp_path / "out")
        assert nothing_left(tmp_path / "out")
    exercise(path, [0, 1], [0, 1])
    whole = path.read_bytes()
    for size in (0, 150, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"S1_E1_A1\.mat"):
            import_ninapro(tmp_path / "src", tmp_path / "out")
        assert nothing_left(tmp_path / "out")
    path.unlink()
    with pytest.raises(InputError, match="holds no S1_E1_A1"):
        import_ninapro(tmp_path / "src", tmp_path / "out")


FOREARM_AND_WRIST = [f"F{k}" for k in range(1, 17)] + [f"W{k}" for k in range(1, 13)]
AS_PUBLISHED = [
    *FOREARM_AND_WRIST[:16],
    "U1",
    *FOREARM_AND_WRIST[16:22],
    "U2",
    "U3",
    *FOREARM_AND_WRIST[22:],
    "U4",
]


def by_hand_uv(folder, name):
    """A record read without wfdb: interleaved int16, (count - baseline) / gain millivolts."""
    lines = (folder / f"{name}.hea").read_text().splitlines()[1:33]
    counts = np.fromfile(folder / f"{name}.dat", dtype="<i2").reshape(-1, 32)
    columns = []
    for label in FOREARM_AND_WRIST:
        (index,) = [k for k, line in enumerate(lines) if line.split()[-1] == label]
        gain, _, baseline = lines[index].split()[2].removesuffix(")/mV").partition("(")
        columns.append((counts[:, index] - float(baseline)) / float(gain) * 1000.0)
    return np.column_stack(columns)


@pytest.fixture
def grabmyo(test_data, tmp_path):
    """Two gestures of two trials each, small enough for a test."""
    src = test_data / "grabmyo_p1s1"
    folder = tmp_path / "grabmyo" / "Session1" / "session1_participant1"
    folder.mkdir(parents=True)
    for gesture in (12, 16):
        for trial in (1, 2):
            for suffix in ("hea", "dat"):
                name = f"session1_participant1_gesture{gesture}_trial{trial}.{suffix}"
                shutil.copyfile(src / name, folder / name)
                (folder / name).chmod(0o644)
    return folder


@pytest.mark.real_data
def test_grabmyo_records_are_in_microvolts_on_their_rings(grabmyo, tmp_path):
    (made,) = import_grabmyo(tmp_path / "grabmyo", tmp_path / "out")
    assert made == tmp_path / "out" / "sub-01" / "ses-1"
    session = load_session(made)
    assert [(one.gesture, one.repetition, one.start) for one in trials(session)] == [
        ("wrist_flexion", 1, 0),
        ("fist", 1, 10240),
        ("wrist_flexion", 2, 20480),
        ("fist", 2, 30720),
    ]
    emg = session.emg
    assert emg.info.channel_labels == tuple(FOREARM_AND_WRIST)
    wanted = by_hand_uv(grabmyo, "session1_participant1_gesture12_trial1")
    np.testing.assert_allclose(emg.emg_uv[:10240], wanted, rtol=1e-5, atol=1e-3)
    wanted = by_hand_uv(grabmyo, "session1_participant1_gesture16_trial2")
    shape = emg.emg_uv[30720:] - emg.emg_uv[30720]
    np.testing.assert_allclose(shape, wanted - wanted[0], atol=1e-2)
    assert emg.info.fs_hz == 2048.0
    grid = emg.info.grid
    # F1 beside F2 and, around the arm, F8; F9 below it. W1 beside W2, W7 below it, and no forearm electrode.
    assert set(grid.neighbours[0]) == {1, 7, 8}
    assert set(grid.neighbours[16]) == {17, 22}


def test_grabmyo_rest_is_gesture_17(tmp_path):
    counts = np.random.default_rng(5).normal(0, 0.02, (2048, 32))
    for participant, session, gesture in ((3, 2, 17), (3, 2, 15), (12, 1, 17)):
        name = f"session{session}_participant{participant}_gesture{gesture}_trial1"
        wfdb.wrsamp(
            name,
            fs=2048,
            units=["mV"] * 32,
            sig_name=AS_PUBLISHED,
            p_signal=counts,
            fmt=["16"] * 32,
            write_dir=str(tmp_path),
        )
    made = import_grabmyo(tmp_path, tmp_path / "out")
    names = [path.relative_to(tmp_path / "out").as_posix() for path in made]
    assert names == ["sub-03/ses-2", "sub-12/ses-1"]
    session = load_session(made[0])
    assert [one.gesture for one in trials(session)] == ["hand_open", "rest"]
    # Both channels lie at other columns than in the file, which has unused inputs among them.
    np.testing.assert_allclose(session.emg.emg_uv[:2048, 16], counts[:, 17] * 1000, atol=0.01)
    np.testing.assert_allclose(session.emg.emg_uv[:2048, 27], counts[:, 30] * 1000, atol=0.01)


@pytest.mark.real_data
def test_grabmyo_faults_are_named(grabmyo, tmp_path):
    data = grabmyo / "session1_participant1_gesture16_trial1.dat"
    header = data.with_suffix(".hea")
    whole, text = data.read_bytes(), header.read_text()
    flipped = bytearray(whole)
    flipped[1000] ^= 1
    for content in (b"", whole[:1000], whole[:-64], bytes(flipped)):
        data.write_bytes(content)
        with pytest.raises(
            InputError, match=r"gesture16_trial1\.dat (cannot be read as a WFDB|.*check sums)"
        ):
            import_grabmyo(tmp_path / "grabmyo", tmp_path / "out")
        assert nothing_left(tmp_path / "out")
    data.write_bytes(whole)
    for changed, words in (
        (text.replace(" 2048 ", " 1000 ", 1), "sampled at 1000 Hz; 2048 Hz is required"),
        (text.replace(" F7\n", " X7\n"), "lacks channel F7"),
        (text.replace("/mV", "/V"), "has F1 in V; mV is required"),
        ("", "cannot be read as a WFDB record, with its .hea"),
        (text[:300], "cannot be read as a WFDB record, with its .hea"),
    ):
        header.write_text(changed)
        with pytest.raises(InputError, match=rf"gesture16_trial1\.dat.*{words}"):
            import_grabmyo(tmp_path / "grabmyo", tmp_path / "out")
        assert nothing_left(tmp_path / "out")
    header.write_text(text)
    data.unlink()
    with pytest.raises(InputError, match=r"gesture16_trial1\.dat cannot be read"):
        import_grabmyo(tmp_path / "grabmyo", tmp_path / "out")
    with pytest.raises(InputError, match="name the folder of GRABMyo"):
        import_grabmyo(tmp_path / "out", tmp_path / "other")
