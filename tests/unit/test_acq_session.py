import hashlib
from dataclasses import replace

import numpy as np
import pytest
import yaml

from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.recording.session import ProtocolInfo, Trial, choose_streams, load_session, trials
from emg_acquisition.recording.session_writer import SessionWriter
from emg_acquisition.recording.xdf_format import header_from_xml
from emg_acquisition.sources.recording import RecordingSource
from emg_acquisition.stream_info import AuxChannel, AuxStreamInfo, EmgStreamInfo, GestureStreamInfo
from emg_acquisition.streams.stream_xml import emg_header_xml, events_header_xml, gesture_header_xml

FS_HZ = 500.0
INFO = EmgStreamInfo("Sleeve", "dev-1", FS_HZ, rectangular_grid(2, 2, 8.0, "rows"), tuple("abcd"))
GESTURES = GestureStreamInfo("Decoder", "dec-1", 20.0, ("rest", "fist"), "dev-1", "0" * 64)
EMG_UV = np.random.default_rng(5).normal(0, 50, (2000, 4)).astype(np.float32)
T_S = 1000.0 + np.arange(2000) / FS_HZ


def cue(t_s, gesture, repetition, trial):
    return Event(t_s, "cue", {"gesture": gesture, "repetition": repetition, "trial": trial})


CUES = (cue(1000.0, "rest", 1, 1), cue(1001.0, "fist", 1, 2), cue(1003.0, "rest", 1, 3))


def record(folder, *, close=True, events=CUES):
    writer = SessionWriter(
        folder,
        participant="P01",
        session="S1",
        emg=INFO,
        protocol=ProtocolInfo(name="test", gestures=("rest", "fist")),
    )
    writer.begin_gestures(GESTURES)
    writer.write_events(events)
    writer.write_emg(EMG_UV[:900], T_S[:900])
    writer.write_emg(EMG_UV[900:], T_S[900:])
    writer.write_gestures(np.arange(12, dtype=np.float32).reshape(2, 6), T_S[:2])
    if close:
        writer.close()
    else:
        writer._file._xdf._stop_syncing()
        writer._file._xdf._file.close()
    return folder


def test_what_was_recorded_is_loaded_to_the_bit(tmp_path):
    session = load_session(record(tmp_path / "s"))
    assert session.emg.info == INFO
    np.testing.assert_array_equal(session.emg.emg_uv, EMG_UV)
    np.testing.assert_array_equal(session.emg.t_lsl_s, T_S)
    assert session.events == CUES
    assert session.gestures.info == GESTURES
    np.testing.assert_array_equal(session.gestures.values, np.arange(12).reshape(2, 6))
    assert session.info.complete
    assert session.info.decoder_sha256 == "0" * 64
    assert session.info.protocol.gestures == ("rest", "fist")
    assert session.info.recording.emg_samples == 2000
    content = (tmp_path / "s" / "recording.xdf").read_bytes()
    assert session.info.recording.sha256 == hashlib.sha256(content).hexdigest()
    assert session.info.recording.n_bytes == len(content)


def test_trials_last_until_the_next_cue_or_the_end(tmp_path):
    assert trials(load_session(record(tmp_path / "s"))) == (
        Trial("rest", 1, 1, 0, 500),
        Trial("fist", 1, 2, 500, 1500),
        Trial("rest", 1, 3, 1500, 2000),
    )


@pytest.mark.parametrize(("off_s", "start"), [(0.4 / FS_HZ, 500), (-0.4 / FS_HZ, 500), (0.6 / FS_HZ, 501)])
def test_a_cue_belongs_to_the_nearest_sample(tmp_path, off_s, start):
    session = load_session(record(tmp_path / "s", events=[cue(1001.0 + off_s, "fist", 1, 1)]))
    assert trials(session)[0].start == start


def test_a_cue_after_the_end_is_no_trial_and_none_are_none(tmp_path):
    session = load_session(
        record(tmp_path / "a", events=[cue(1001.0, "fist", 1, 1), cue(2000.0, "rest", 1, 2)])
    )
    assert trials(session) == (Trial("fist", 1, 1, 500, 2000),)
    assert trials(load_session(record(tmp_path / "b", events=[]))) == ()


def test_a_cue_without_its_trial_is_refused(tmp_path):
    session = load_session(record(tmp_path / "s", events=[Event(1001.0, "cue", {"gesture": "fist"})]))
    with pytest.raises(InputError, match="needs a gesture, a repetition and a trial"):
        trials(session)


def test_a_recording_that_was_never_closed_is_used_with_a_warning(tmp_path, caplog):
    session = load_session(record(tmp_path / "s", close=False))
    np.testing.assert_array_equal(session.emg.emg_uv, EMG_UV)
    assert not session.info.complete
    assert "never closed; its 4.0 s of EMG" in caplog.text


def test_a_recording_cut_short_after_the_fact_is_refused(tmp_path):
    path = record(tmp_path / "s") / "recording.xdf"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"recording\.xdf has \d+ bytes.*truncated") as caught:
        load_session(tmp_path / "s")
    assert "\n" not in str(caught.value)


def test_a_recording_with_one_bit_changed_is_refused(tmp_path):
    path = record(tmp_path / "s") / "recording.xdf"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="is not what was recorded"):
        load_session(tmp_path / "s")


def test_each_thing_missing_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere is no folder"):
        load_session(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no session folder: it holds no session\.yaml"):
        load_session(tmp_path)
    (record(tmp_path / "s") / "recording.xdf").unlink()
    with pytest.raises(InputError, match=r"recording\.xdf is missing"):
        load_session(tmp_path / "s")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"participant": "Jane Doe"}, r"session\.yaml: participant: "),
        ({"colour": "red"}, r"session\.yaml: colour: "),
        ({"schema_version": 3}, r"session\.yaml: schema_version: "),
        ({"grid": {"name": "g"}}, r"session\.yaml: grid\.channel_at: "),
    ],
)
def test_a_wrong_session_file_is_named_with_its_key(tmp_path, change, said):
    path = record(tmp_path / "s") / "session.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **change}))
    with pytest.raises(InputError, match=said):
        load_session(tmp_path / "s")


def test_a_session_file_that_is_no_yaml_is_one_line(tmp_path):
    (record(tmp_path / "s") / "session.yaml").write_text("a: [1,\nb: }")
    with pytest.raises(InputError, match=r"session\.yaml: is no YAML") as caught:
        load_session(tmp_path / "s")
    assert "\n" not in str(caught.value)


def test_a_session_without_emg_samples_is_refused(tmp_path):
    SessionWriter(tmp_path / "s", participant="P01", session="S1", emg=INFO).close()
    with pytest.raises(InputError, match="holds no EMG samples"):
        load_session(tmp_path / "s")


def test_names_are_refused_as_codes_and_a_recording_is_not_overwritten(tmp_path):
    with pytest.raises(InputError, match="participant 'Jane Doe'"):
        SessionWriter(tmp_path / "s", participant="Jane Doe", session="S1", emg=INFO)
    record(tmp_path / "s")
    before = (tmp_path / "s" / "recording.xdf").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        record(tmp_path / "s")
    assert (tmp_path / "s" / "recording.xdf").read_bytes() == before


def test_a_recording_plays_its_samples_and_events_once(tmp_path):
    others = (Event(1000.5, "fault", {"reason": "then"}), Event(1003.9, "end", {}))
    source = RecordingSource(load_session(record(tmp_path / "s", events=(*CUES, *others))))
    assert source.info.source_id == "playback-dev-1"
    played = np.concatenate([source.read(n) for n in (1, 0, 777, 5000, 10)])
    np.testing.assert_array_equal(played, EMG_UV)
    assert source.read(10).shape == (0, 4)
    assert [event.sample_index for event in source.events_until(500)] == [0]
    assert [event.sample_index for event in source.events_until(501)] == [500]
    (last,) = source.events_until(10**6)
    assert (last.sample_index, last.kind, last.fields["trial"]) == (1500, "cue", 3)
    assert source.events_until(10**6) == []


def test_a_looped_recording_goes_on_without_a_step_and_repeats_its_events(tmp_path):
    source = RecordingSource(load_session(record(tmp_path / "s")), loop=True)
    played = np.concatenate([source.read(1500) for _ in range(4)])
    np.testing.assert_array_equal(played[:2000], EMG_UV)
    steps = np.diff(played, axis=0)
    np.testing.assert_allclose(steps[2000:3999], np.diff(EMG_UV, axis=0), atol=1e-3)
    np.testing.assert_allclose(steps[[1999, 3999]], 0.0, atol=1e-3)
    assert [event.sample_index for event in source.events_until(4000)] == [0, 500, 1500, 2000, 2500, 3500]


LEFT, RIGHT = (replace(INFO, name=f"Sleeve {side}", source_id=f"dev-{side}") for side in ("left", "right"))
RIGHT_AUX = AuxStreamInfo("Aux right", "dev-right-aux", FS_HZ, (AuxChannel("ramp", "counter"),))


def record_two(folder):
    writer = SessionWriter(folder, participant="P01", session="S1", emg=(LEFT, RIGHT), aux=(RIGHT_AUX,))
    writer.begin_gestures(replace(GESTURES, emg_source_id="dev-right"))
    writer.write_events(CUES)
    writer.write_emg(EMG_UV, T_S)
    writer.write_emg(EMG_UV[:1500] * 2, T_S[:1500], source_id="dev-right")
    writer.write_aux(np.arange(1500, dtype=np.float32)[:, np.newaxis], T_S[:1500], source_id="dev-right-aux")
    writer.write_gestures(np.zeros((1, 6), dtype=np.float32), T_S[:1])
    writer.close()
    return folder


def test_of_two_sleeves_one_is_chosen_with_what_belongs_to_it(tmp_path):
    folder = record_two(tmp_path / "s")
    left, right = (load_session(folder, f"dev-{side}") for side in ("left", "right"))
    assert (left.emg.info, right.emg.info) == (LEFT, RIGHT)
    np.testing.assert_array_equal(left.emg.emg_uv, EMG_UV)
    np.testing.assert_array_equal(right.emg.emg_uv, EMG_UV[:1500] * 2)
    assert left.events == right.events == CUES
    assert left.aux is None
    assert left.gestures is None
    assert right.aux.info == RIGHT_AUX
    np.testing.assert_array_equal(right.aux.values[:, 0], np.arange(1500))
    assert right.gestures.info.emg_source_id == "dev-right"
    assert right.info.recording.emg_samples == 3500
    listed = [(stream.type, stream.source_id, stream.samples) for stream in right.info.streams]
    assert listed == [
        ("EMG", "dev-left", 2000),
        ("EMG", "dev-right", 1500),
        ("Aux", "dev-right-aux", 1500),
        ("Markers", "dev-left-events", 3),
        ("Gesture", "dec-1", 1),
    ]
    assert (right.info.streams[1].first_t_lsl_s, right.info.streams[1].last_t_lsl_s) == (T_S[0], T_S[1499])


def test_what_one_sleeve_s_decoder_says_is_left_out_for_the_other(tmp_path):
    emg = [header_from_xml(emg_header_xml(info)) for info in (LEFT, RIGHT)]
    decoders = [replace(GESTURES, source_id=f"dec-{s}", emg_source_id=f"dev-{s}") for s in ("left", "right")]
    said = [header_from_xml(gesture_header_xml(info)) for info in decoders]
    events = [
        header_from_xml(events_header_xml(f"{s} events", s))
        for s in ("dec-left-events", "dec-right-events", "notes")
    ]
    chosen = choose_streams((*emg, *said, *events), tmp_path, "dev-right")
    assert [header.source_id for header in chosen] == ["dev-right", "dec-right", "dec-right-events", "notes"]


def test_an_ambiguous_or_wrong_choice_lists_what_is_there(tmp_path):
    folder = record_two(tmp_path / "s")
    with pytest.raises(InputError, match="2 EMG streams: dev-left, dev-right; choose one by its source_id"):
        load_session(folder)
    with pytest.raises(
        InputError, match="no EMG streams with source_id 'dev-up'; there is dev-left, dev-right"
    ):
        load_session(folder, "dev-up")


def test_a_folder_of_schema_version_1_is_still_read(tmp_path):
    path = record(tmp_path / "s") / "session.yaml"
    values = yaml.safe_load(path.read_text())
    assert values["schema_version"] == 2
    del values["streams"]
    path.write_text(yaml.safe_dump({**values, "schema_version": 1}))
    session = load_session(tmp_path / "s")
    np.testing.assert_array_equal(session.emg.emg_uv, EMG_UV)
    assert session.info.streams == ()
