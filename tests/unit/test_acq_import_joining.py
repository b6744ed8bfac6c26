"""What the importers share: staging, joining, units, placement, and the command line around them."""

import sys
from functools import partial

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.errors import InputError
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.recording.importers.sessions import (
    CueAt,
    Piece,
    SessionHeader,
    SessionJob,
    import_sessions,
    whole_trial,
    write_continuous,
    write_joined,
)
from emg_acquisition.recording.importers.source_files import (
    check_plausible,
    chosen_grid,
    load_mat,
    matrix,
    recording_files,
    session_code,
    unit_named,
)
from emg_acquisition.recording.session import ProtocolInfo, load_session, trials
from emg_acquisition.stream_info import EmgStreamInfo
from ui.cli import main

FS_HZ = 100.0
HEADER = SessionHeader(
    "P01",
    "S1",
    EmgStreamInfo("sleeve", "dev-1", FS_HZ, rectangular_grid(1, 3, 8.0), ("a", "b", "c")),
    ProtocolInfo(name="test"),
)


def joined(folder, pieces):
    write_joined(folder, HEADER, pieces, len(pieces), lambda _share: None)
    return load_session(folder)


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 2300), min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
)
def test_pieces_follow_each_other_without_a_step_and_keep_their_shape(tmp_path_factory, lengths, seed):
    rng = np.random.default_rng(seed)
    # Whole numbers: sums are exact, so that equality can be asked for.
    parts = [rng.integers(-5000, 5000, (length, 3)).astype(np.float64) for length in lengths]
    pieces = [whole_trial(part, f"g{k}", k + 1) for k, part in enumerate(parts)]
    session = joined(tmp_path_factory.mktemp("joined"), pieces)
    emg_uv = session.emg.emg_uv
    stops = np.cumsum(lengths)
    for start, stop, part in zip(stops - lengths, stops, parts, strict=True):
        np.testing.assert_array_equal(np.diff(emg_uv[start:stop], axis=0), np.diff(part, axis=0))
        if start:
            np.testing.assert_array_equal(emg_uv[start], emg_uv[start - 1])
    np.testing.assert_array_equal(emg_uv[: lengths[0]], parts[0])
    np.testing.assert_array_equal(session.emg.t_lsl_s, np.arange(stops[-1]) / FS_HZ)
    assert [(one.gesture, one.start, one.stop) for one in trials(session)] == [
        (f"g{k}", stop - length, stop) for k, (length, stop) in enumerate(zip(lengths, stops, strict=True))
    ]
    joins = [event.t_lsl_s for event in session.events if event.kind == "join"]
    assert joins == (stops[:-1] / FS_HZ).tolist()


def test_a_missing_sample_at_a_join_does_not_spread(tmp_path):
    first, second = np.ones((4, 3)), np.full((4, 3), 7.0)
    first[-1, 0] = np.nan
    second[0, 1] = np.inf
    emg_uv = joined(tmp_path, [whole_trial(first, "a", 1), whole_trial(second, "b", 1)]).emg.emg_uv
    assert np.isnan(emg_uv[3, 0])
    np.testing.assert_array_equal(emg_uv[5:], [[7.0, 7.0, 1.0]] * 3)


def test_cues_within_a_piece_carry_their_own_repetition(tmp_path):
    cues = (CueAt(0, "rest", 1), CueAt(30, "fist", 1), CueAt(60, "fist", 2))
    session = joined(tmp_path, [Piece(np.zeros((90, 3)), cues, 1)])
    found = [(one.gesture, one.repetition, one.trial, one.start) for one in trials(session)]
    assert found == [("rest", 1, 1, 0), ("fist", 1, 2, 30), ("fist", 2, 3, 60)]


def test_blocks_keep_times_that_are_given(tmp_path):
    emg_uv = np.random.default_rng(1).normal(0, 10, (2500, 3)).astype(np.float32)
    t_s = 50.0 + np.arange(2500) / FS_HZ
    t_s[1200:] += 3.0
    shares = []
    write_continuous(tmp_path, HEADER, [emg_uv[:1], emg_uv[1:]], 2500, shares.append, t_s=t_s)
    session = load_session(tmp_path)
    np.testing.assert_array_equal(session.emg.emg_uv, emg_uv)
    np.testing.assert_array_equal(session.emg.t_lsl_s, t_s)
    assert shares == [1 / 2500, 1.0]


def one_session(name, target, share, *, fails=False):
    write_joined(target, HEADER, [whole_trial(np.zeros((10, 3)), "rest", 1)], 1, share)
    if fails:
        msg = f"{name} is damaged"
        raise InputError(msg)


def job(session, *, fails=False):
    return SessionJob("P01", session, session, partial(one_session, session, fails=fails))


def test_sessions_appear_all_together_or_not_at_all(tmp_path):
    with pytest.raises(InputError, match="S2 is damaged"):
        import_sessions([job("S1"), job("S2", fails=True)], tmp_path, lambda _name, _share: None)
    assert list(tmp_path.iterdir()) == []
    told = []
    made = import_sessions([job("S1"), job("S2")], tmp_path, lambda name, share: told.append((name, share)))
    assert made == [tmp_path / "sub-P01" / "ses-S1", tmp_path / "sub-P01" / "ses-S2"]
    assert told == [("S1", 0.5), ("S2", 1.0)]
    assert [path.name for path in tmp_path.iterdir()] == ["sub-P01"]


def test_an_interrupt_leaves_nothing_behind(tmp_path):
    def interrupted(target, share):
        one_session("S1", target, share)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_sessions([SessionJob("P01", "S1", "S1", interrupted)], tmp_path, lambda _name, _share: None)
    assert list(tmp_path.iterdir()) == []


def test_two_sources_of_one_session_and_a_session_that_exists_are_refused(tmp_path):
    with pytest.raises(InputError, match="S1 and S1 would both become"):
        import_sessions([job("S1"), job("S1")], tmp_path / "out", lambda _name, _share: None)
    assert not (tmp_path / "out").exists()
    import_sessions([job("S1")], tmp_path / "out", lambda _name, _share: None)
    with pytest.raises(InputError, match="ses-S1 exists already"):
        import_sessions([job("S2"), job("S1")], tmp_path / "out", lambda _name, _share: None)
    assert [path.name for path in (tmp_path / "out" / "sub-P01").iterdir()] == ["ses-S1"]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("µV", "uV"),
        ("μV", "uV"),
        (" uV ", "uV"),
        ("microvolts", "uV"),
        ("mV", "mV"),
        ("V", "V"),
        ("a.u", None),
    ],
)
def test_units_are_known_by_their_spellings(text, unit):
    assert unit_named(text) == unit


def test_a_unit_that_cannot_be_right_is_refused(tmp_path):
    emg = np.random.default_rng(3).normal(0, 20e-6, (1000, 4))
    check_plausible(emg * 1e6, tmp_path, "V")
    for factor in (1.0, 1e3, 1e12):
        with pytest.raises(InputError, match="is no EMG; give the right unit with --unit"):
            check_plausible(emg * factor, tmp_path, "V")
    with pytest.raises(InputError, match="no EMG"):
        check_plausible(np.full((10, 2), np.nan), tmp_path, "V")


def test_a_grid_must_be_named_and_fit(tmp_path):
    assert chosen_grid("GR10MM0804", None, 32, tmp_path).name == "GR10MM0804"
    default = rectangular_grid(2, 2, 8.0)
    assert chosen_grid(None, default, 4, tmp_path) is default
    with pytest.raises(
        InputError, match="does not say where its 4 electrodes lie: name the grid with --grid"
    ):
        chosen_grid(None, None, 4, tmp_path)
    with pytest.raises(InputError, match="has 5 EMG channels, but grid '2x2' has 4 electrodes"):
        chosen_grid(None, default, 5, tmp_path)


def test_files_are_found_by_suffix_and_named_by_letters_and_digits(tmp_path):
    for name in ("b_2.XDF", "a-1.xdf", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in recording_files(tmp_path, (".xdf",))] == ["a-1.xdf", "b_2.XDF"]
    assert [session_code(path) for path in recording_files(tmp_path, (".xdf",))] == ["a1", "b2"]
    with pytest.raises(InputError, match=r"holds no \.rhd file"):
        recording_files(tmp_path, (".rhd",))
    with pytest.raises(InputError, match=r"nowhere does not exist: name a \.rhd file"):
        recording_files(tmp_path / "nowhere", (".rhd",))
    with pytest.raises(InputError, match="rename it"):
        session_code(tmp_path / "---.xdf")


def test_a_matrix_must_be_there_and_of_the_right_shape(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"emg": np.ones((5, 3)), "text": "abc", "none": np.empty((0, 3))})
    content = load_mat(path)
    assert matrix(content, "emg", path, 3).shape == (5, 3)
    for name, columns in (("emg", 4), ("text", 3), ("none", 3)):
        with pytest.raises(InputError, match=f"{name!r} has shape"):
            matrix(content, name, path, columns)
    with pytest.raises(InputError, match="lacks 'data'; it holds emg, text, none"):
        matrix(content, "data", path, 3)


@pytest.mark.parametrize(
    ("library", "extra", "arguments"),
    [
        ("wfdb", "import", ("import", "grabmyo", "src", "out")),
        ("h5py", "import", ("import", "flexwear", "src", "out")),
        (
            "neo",
            "import",
            ("import", "intan-rhd", "src", "out", "--participant", "P01", "--grid", "GR10MM0808"),
        ),
        ("edfio", "bids", ("export-bids", "session", "out")),
    ],
)
def test_a_missing_library_is_one_line_that_names_the_extra(monkeypatch, capsys, library, extra, arguments):
    class NotInstalled:
        def find_spec(self, name, _path, _target=None):
            if name == library:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in [name for name in sys.modules if ".recording." in name or name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NotInstalled(), *sys.meta_path])
    assert main(arguments) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1] == (
        f"hdemg {arguments[0]}: error: {library} is not installed: pip install 'hdemg-teleop[{extra}]'"
    )


def test_the_formats_are_listed_with_a_line_each(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["import", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for name in (
        "flexemg",
        "flexwear",
        "capgmyo",
        "ninapro",
        "grabmyo",
        "3dc",
        "otb-mat",
        "otb+",
        "intan-rhd",
        "xdf",
    ):
        assert f"    {name}" in said


@pytest.mark.parametrize("code", ["", "Jane Doe", "P/01", "..", "x" * 65])
def test_a_participant_is_a_code(capsys, code):
    with pytest.raises(SystemExit) as ended:
        main(["import", "xdf", "a", "b", "--participant", code])
    assert ended.value.code == 2
    assert "a code of letters and digits is required" in capsys.readouterr().err
