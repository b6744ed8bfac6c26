"""XDF files written chunk by chunk in the test, as LabRecorder lays them out."""

import struct

import numpy as np
import pytest

from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.grid_library import load_grid
from emg_acquisition.recording.importers.xdf import XdfOptions, import_xdf
from emg_acquisition.recording.session import load_session, trials
from emg_acquisition.recording.session_writer import SessionWriter
from emg_acquisition.stream_info import EmgStreamInfo

FS_HZ = 500.0
GRID = XdfOptions(grid="GR10MM0804")


def nothing_left(out):
    return not out.exists() or list(out.iterdir()) == []


def chunk(tag, content):
    return struct.pack("<BIH", 4, len(content) + 2, tag) + content


def header(number, name, kind, n_channels, fs_hz, form, desc=""):  # noqa: PLR0917
    xml = (
        f"<?xml version='1.0'?><info><name>{name}</name><type>{kind}</type><channel_count>{n_channels}</channel_count>"
        f"<nominal_srate>{fs_hz}</nominal_srate><channel_format>{form}</channel_format>"
        f"<source_id>{name}-1</source_id><desc>{desc}</desc></info>"
    )
    return chunk(2, struct.pack("<I", number) + xml.encode())


def samples(number, values, t_s, code):
    rows = b"".join(
        b"\x08" + struct.pack("<d", t) + np.asarray(row, dtype=code).tobytes()
        for t, row in zip(t_s, values, strict=True)
    )
    return chunk(3, struct.pack("<IBI", number, 4, len(t_s)) + rows)


def markers(number, told):
    rows = b"".join(
        b"\x08" + struct.pack("<d", t) + b"\x04" + struct.pack("<I", len(text.encode())) + text.encode()
        for t, text in told
    )
    return chunk(3, struct.pack("<IBI", number, 4, len(told)) + rows)


def offset(number, t_s, value_s):
    return chunk(4, struct.pack("<Idd", number, t_s, value_s))


def channels(*kinds):
    inner = "".join(
        f"<channel><label>{label}</label><unit>{unit}</unit><type>{kind}</type></channel>"
        for label, unit, kind in kinds
    )
    return f"<channels>{inner}</channels>"


IN_MV = channels(*[(f"ch{k}", "mV", "EMG") for k in range(32)], ("counter", "", "counter"))


def write(path, *chunks):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>") + b"".join(chunks)
    )


@pytest.fixture
def recording(tmp_path):
    """Three seconds of 32 channels in mV and a counter, with 0.4 s missing; plain markers; another computer's clock."""
    values = np.random.default_rng(7).normal(0, 0.05, (1500, 33))
    t_s = 1000.0 + np.arange(1500) / FS_HZ
    t_s[900:] += 0.4
    told = [
        (1000.2, "go fist"),
        (1001.0, "stop"),
        (1001.5, "go fist"),
        (1002.0, '{"event":"note","text":"x"}'),
    ]
    path = tmp_path / "src" / "block_1.xdf"
    write(
        path,
        header(1, "Amp", "emg", 33, FS_HZ, "double64", IN_MV),
        header(2, "Cues", "Markers", 1, 0, "string"),
        *(offset(number, at, 50.0) for number in (1, 2) for at in (1000.0, 1001.0, 1002.0, 1003.0)),
        samples(1, values[:700], t_s[:700], "<f8"),
        markers(2, told),
        samples(1, values[700:], t_s[700:], "<f8"),
    )
    return path, values, t_s


def test_a_foreign_recording_becomes_a_session_in_microvolts_with_its_gap(recording, tmp_path):
    path, values, t_s = recording
    (made,) = import_xdf(path.parent, tmp_path / "out", participant="P01", options=GRID)
    assert made == tmp_path / "out" / "sub-P01" / "ses-block1"
    session = load_session(made)
    np.testing.assert_allclose(session.emg.emg_uv, values[:, :32] * 1000, rtol=1e-6)
    # On the recorder's clock, and the 0.4 s stay missing.
    np.testing.assert_allclose(session.emg.t_lsl_s, t_s + 50.0, atol=1e-6)
    info = session.emg.info
    assert (info.fs_hz, info.source_id, info.channel_labels[31]) == (FS_HZ, "Amp-1", "ch31")
    assert info.grid == load_grid("GR10MM0804")
    assert [(event.kind, dict(event.fields)) for event in session.events] == [
        ("marker", {"text": "go fist"}),
        ("marker", {"text": "stop"}),
        ("marker", {"text": "go fist"}),
        ("note", {"text": "x"}),
    ]
    assert [event.t_lsl_s for event in session.events] == pytest.approx([1050.2, 1051.0, 1051.5, 1052.0])


def test_markers_become_cues_where_a_file_says_so(recording, tmp_path):
    path, _, _ = recording
    mapping = tmp_path / "cues.yaml"
    mapping.write_text("cues: {go fist: fist, stop: rest}\n")
    options = XdfOptions(grid="GR10MM0804", cues=mapping)
    (made,) = import_xdf(path, tmp_path / "out", participant="P01", options=options)
    session = load_session(made)
    found = [(one.gesture, one.repetition, one.trial, one.start) for one in trials(session)]
    assert found == [("fist", 1, 1, 100), ("rest", 1, 2, 500), ("fist", 2, 3, 750)]
    assert session.info.protocol.gestures == ("fist", "rest")
    mapping.write_text("gestures: {}\n")
    with pytest.raises(InputError, match=r"cues\.yaml"):
        import_xdf(path, tmp_path / "other", participant="P01", options=options)


def test_a_recording_of_our_own_comes_back_as_it_was(tmp_path):
    info = EmgStreamInfo(
        "Sleeve",
        "dev-1",
        FS_HZ,
        load_grid("sleeve-16x4"),
        tuple(f"E{k}" for k in range(1, 65)),
        manufacturer="Maker",
        reference="wrist",
    )
    emg_uv = np.random.default_rng(8).normal(0, 30, (1200, 64)).astype(np.float32)
    t_s = 20.0 + np.arange(1200) / FS_HZ
    events = [Event(20.5, "cue", {"gesture": "fist", "repetition": 1, "trial": 1})]
    writer = SessionWriter(tmp_path / "s", participant="P01", session="S1", emg=info)
    writer.write_events(events)
    writer.write_emg(emg_uv, t_s)
    writer.close()
    (made,) = import_xdf(tmp_path / "s" / "recording.xdf", tmp_path / "out", participant="P02")
    session = load_session(made)
    np.testing.assert_array_equal(session.emg.emg_uv, emg_uv)
    np.testing.assert_allclose(session.emg.t_lsl_s, t_s, atol=1e-9)
    assert session.emg.info == info
    assert [(event.kind, event.fields) for event in session.events] == [("cue", events[0].fields)]


def test_what_a_file_leaves_open_must_be_said(tmp_path):
    values, t_s = np.random.default_rng(9).normal(0, 30, (600, 32)), np.arange(600) / FS_HZ
    path = tmp_path / "a.xdf"
    both = [header(k, name, "EMG", 32, FS_HZ, "float32") for k, name in ((1, "Left"), (2, "Right"))]
    write(path, *both, samples(1, values, t_s, "<f4"), samples(2, values * 2, t_s, "<f4"))
    for options, words in (
        (XdfOptions(), r"a\.xdf holds 2 streams of type EMG.*'Left' \(EMG\), 'Right' \(EMG\)"),
        (XdfOptions(stream="Up"), r"holds 0 streams called 'Up'"),
        (XdfOptions(stream="Right"), "declares no unit"),
        (XdfOptions(stream="Right", unit="uV"), "name the grid with --grid"),
    ):
        with pytest.raises(InputError, match=words):
            import_xdf(path, tmp_path / "out", participant="P01", options=options)
        assert nothing_left(tmp_path / "out")
    options = XdfOptions(stream="Right-1", unit="mV", grid="GR10MM0804")
    (made,) = import_xdf(path, tmp_path / "out", participant="P01", options=options)
    np.testing.assert_allclose(load_session(made).emg.emg_uv, values * 2000, rtol=1e-5)


def test_xdf_faults_are_named(recording, tmp_path):
    path, values, t_s = recording
    whole = path.read_bytes()
    cases = [(whole[:size], "") for size in (0, 3, 60, 400, len(whole) // 2, len(whole) - 5)]
    cases += [(b"PK" + whole, "is no XDF file")]
    emg = header(1, "Amp", "EMG", 33, FS_HZ, "double64", IN_MV)
    made = {
        "holds 0 streams of type EMG": [header(1, "Amp", "EEG", 33, FS_HZ, "double64", IN_MV)],
        "holds no samples": [emg],
        "declares no rate": [
            header(1, "Amp", "EMG", 33, 0, "double64", IN_MV),
            samples(1, values, t_s, "<f8"),
        ],
        r"declares 2000 Hz, but its time stamps show 500": [
            header(1, "Amp", "EMG", 33, 2000, "double64", IN_MV),
            samples(1, values, t_s, "<f8"),
        ],
        "declares 1 channels and holds 33": [
            header(1, "Amp", "EMG", 33, FS_HZ, "double64", channels(("a", "uV", "EMG"))),
            samples(1, values, t_s, "<f8"),
        ],
        "is in 'counts'": [
            header(1, "Amp", "EMG", 33, FS_HZ, "double64", channels(*[("a", "counts", "EMG")] * 33)),
            samples(1, values, t_s, "<f8"),
        ],
        "no channel of type EMG": [
            header(1, "Amp", "EMG", 33, FS_HZ, "double64", channels(*[("a", "uV", "ACC")] * 33)),
            samples(1, values, t_s, "<f8"),
        ],
    }
    for words, parts in made.items():
        write(path, *parts)
        cases.append((path.read_bytes(), words))
    for content, words in cases:
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"block_1\.xdf.*{words}") as caught:
            import_xdf(path, tmp_path / "out", participant="P01", options=GRID)
        assert "\n" not in str(caught.value)
        assert nothing_left(tmp_path / "out")


@pytest.mark.real_data
def test_a_labrecorder_file_whose_rate_is_not_what_it_declares_is_refused(test_data, tmp_path):
    """An EEG recording of 93 Hz that declares 100 Hz: filters for 100 Hz would be wrong by so much."""
    options = XdfOptions(stream="BioSemi", unit="uV", grid="GR10MM0804")
    with pytest.raises(InputError, match="declares 100 Hz, but its time stamps show 92"):
        import_xdf(
            test_data / "xdf_sample" / "clock_resets.xdf", tmp_path, participant="P01", options=options
        )
    assert nothing_left(tmp_path)
