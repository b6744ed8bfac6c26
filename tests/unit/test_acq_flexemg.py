import hashlib
import shutil

import numpy as np
import pytest
import scipy.io

from emg_acquisition.errors import InputError
from emg_acquisition.recording.importers.flexemg import import_flexemg
from emg_acquisition.recording.session import load_session, trials

pytestmark = pytest.mark.real_data

NAME = "002-Session2Test"


def quiet(_name, _share):
    """Say nothing."""


@pytest.fixture
def short_copy(flexemg_dir, tmp_path):
    """The first two files of one recording, small enough to import within a test."""
    src = tmp_path / "flexemg"
    (src / "data" / NAME).mkdir(parents=True)
    shutil.copyfile(flexemg_dir / "arraymap.mat", src / "arraymap.mat")
    for number in (1, 2):
        name = f"002-00{number}.mat"
        shutil.copyfile(flexemg_dir / "data" / NAME / name, src / "data" / NAME / name)
    return src


def raw_of(src, number):
    content = scipy.io.loadmat(
        src / "data" / NAME / f"002-00{number}.mat", squeeze_me=True, struct_as_record=False
    )
    return content["raw"][:, :64].astype(np.int64), content["p"]


def test_samples_are_the_counts_in_microvolts_and_files_join_without_a_step(short_copy, tmp_path):
    shares = []
    (folder,) = import_flexemg(short_copy, tmp_path / "out", lambda name, share: shares.append((name, share)))
    assert folder == tmp_path / "out" / "sub-002" / "ses-Session2Test"
    assert shares == [(NAME, 0.5), (NAME, 1.0)]
    emg = load_session(folder).emg
    (first, p), (second, _) = raw_of(short_copy, 1), raw_of(short_copy, 2)
    assert emg.emg_uv.shape == (56000, 64)
    # A count is 3.0517578125 uV; in units of counts the shift at the join is a whole number.
    assert p.lsbmV == 0.0030517578125
    np.testing.assert_array_equal(emg.emg_uv[:28000], (first * 3.0517578125).astype(np.float32))
    shift = first[-1] - second[0]
    np.testing.assert_array_equal(emg.emg_uv[28000:], ((second + shift) * 3.0517578125).astype(np.float32))
    np.testing.assert_array_equal(emg.emg_uv[28000], emg.emg_uv[27999])
    np.testing.assert_array_equal(emg.t_lsl_s, np.arange(56000) / 1000)
    assert emg.info.fs_hz == 1000.0


def test_an_import_is_the_same_to_the_bit_in_every_version(short_copy, tmp_path):
    """Decoders name the recordings that they were trained on: what is imported must not drift."""
    (folder,) = import_flexemg(short_copy, tmp_path / "out", quiet)
    session = load_session(folder)
    events = "\n".join(f"{event.t_lsl_s!r} {event.to_json()}" for event in session.events)
    assert hashlib.sha256(session.emg.emg_uv.astype("<f4").tobytes()).hexdigest() == (
        "16c27207a57e9c77874e15b464cf831bce673f599476fef1d6852c6b0f2eaa6e"
    )
    assert hashlib.sha256(events.encode()).hexdigest() == (
        "8c8fe9600eefd0e4fd51a7771b325b7fc303b8319083b00736e1b9d06eeafdcc"
    )


def test_cues_follow_the_sequence_of_each_file(short_copy, tmp_path):
    (folder,) = import_flexemg(short_copy, tmp_path / "out", quiet, [NAME])
    session = load_session(folder)
    # 002-001.mat has the sequence 3 4 2 1, 002-002.mat 1 2 4 3.
    names = {1: "fist", 2: "wrist_extension", 3: "wrist_flexion", 4: "hand_open"}
    expected = []
    for repetition, order in ((1, (3, 4, 2, 1)), (2, (1, 2, 4, 3))):
        gestures = ["rest", *(names[code] for code in order), "rest"]
        starts = np.array([0, 5, 10, 15, 20, 25, 28]) * 1000 + 28000 * (repetition - 1)
        expected += [(g, repetition, a, b) for g, a, b in zip(gestures, starts[:-1], starts[1:], strict=True)]
    found = trials(session)
    assert [(t.gesture, t.repetition, t.start, t.stop) for t in found] == expected
    assert [t.trial for t in found] == list(range(1, 13))
    (join,) = [event for event in session.events if event.kind == "join"]
    assert (join.t_lsl_s, dict(join.fields)) == (28.0, {"repetition": 2})
    assert session.info.participant == "002"


def test_the_grid_is_the_array_map_and_closes_around_the_arm(short_copy, tmp_path):
    (folder,) = import_flexemg(short_copy, tmp_path / "out", quiet)
    grid = load_session(folder).emg.info.grid
    expected = scipy.io.loadmat(short_copy / "arraymap.mat")["arraymap"].astype(int)
    np.testing.assert_array_equal(np.array(grid.channel_at) + 1, expected)
    # Electrode 29 (first row) and electrode 36 (last row) meet around the arm.
    assert 35 in grid.neighbours[28]


def test_nothing_is_left_behind_by_a_file_that_is_cut_short(short_copy, tmp_path):
    path = short_copy / "data" / NAME / "002-002.mat"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"002-002\.mat cannot be read as a .mat file") as caught:
        import_flexemg(short_copy, tmp_path / "out", quiet)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 130, 200, 1000, 20000])
def test_wherever_a_file_is_cut_the_error_is_one_line(short_copy, tmp_path, size):
    path = short_copy / "data" / NAME / "002-001.mat"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=r"002-001\.mat"):
        import_flexemg(short_copy, tmp_path / "out", quiet)


def test_wrong_content_is_named(short_copy, tmp_path):
    path = short_copy / "data" / NAME / "002-001.mat"
    scipy.io.savemat(path, {"raw": np.zeros((10, 96), np.uint16)})
    with pytest.raises(InputError, match=r"002-001\.mat lacks 'p'"):
        import_flexemg(short_copy, tmp_path / "out", quiet)
    p = {"lsbmV": 0.003, "sequence": [1, 2, 3, 9], "timerest": 5, "timegest": 5}
    scipy.io.savemat(path, {"raw": np.zeros((30, 96), np.uint16), "p": p})
    with pytest.raises(InputError, match=r"'sequence' is \[1, 2, 3, 9\]"):
        import_flexemg(short_copy, tmp_path / "out", quiet)
    scipy.io.savemat(path, {"raw": np.zeros((25, 96), np.uint16), "p": {**p, "sequence": [1, 2, 3, 4]}})
    with pytest.raises(InputError, match="25 samples are too few"):
        import_flexemg(short_copy, tmp_path / "out", quiet)
    scipy.io.savemat(path, {"raw": np.zeros((30, 96), np.uint16), "p": {"lsbmV": 0.003}})
    with pytest.raises(InputError, match="sequence"):
        import_flexemg(short_copy, tmp_path / "out", quiet)


def test_missing_folders_and_unknown_recordings_are_named(short_copy, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        import_flexemg(tmp_path / "nowhere", tmp_path / "out", quiet)
    with pytest.raises(InputError, match=f"holds no recording 009-Session1Test; it holds {NAME}"):
        import_flexemg(short_copy, tmp_path / "out", quiet, ["009-Session1Test"])
    (short_copy / "data" / "notes").mkdir()
    with pytest.raises(InputError, match="'notes' is no name of a flexemg recording"):
        import_flexemg(short_copy, tmp_path / "out", quiet)
    shutil.rmtree(short_copy / "data")
    with pytest.raises(InputError, match="data is missing"):
        import_flexemg(short_copy, tmp_path / "out", quiet)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_does_not_exist_is_told_as_such(tmp_path):
    with pytest.raises(InputError, match="nosuch does not exist"):
        import_flexemg(tmp_path / "nosuch", tmp_path / "out", quiet)
    assert not (tmp_path / "out").exists()


def test_an_existing_session_is_never_overwritten(short_copy, tmp_path):
    (folder,) = import_flexemg(short_copy, tmp_path / "out", quiet)
    before = (folder / "recording.xdf").stat()
    with pytest.raises(InputError, match="exists already; remove it or import into another folder"):
        import_flexemg(short_copy, tmp_path / "out", quiet)
    assert (folder / "recording.xdf").stat() == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sub-002"]
