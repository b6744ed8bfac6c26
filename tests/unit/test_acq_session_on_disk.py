"""A session opened piece by piece holds what a session loaded whole holds, and refuses what that refuses."""

import itertools

import numpy as np
import pytest

from decoding.decoder_file import load_decoder
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.recording.session import load_session, open_session, pieces, trials
from emg_acquisition.recording.session_writer import SessionWriter
from evaluation.replay import replay_session
from tests.dec_support import FS_HZ, stream_info, write_decoder
from tests.dec_support import cues as cues_of
from tests.dec_support import session as made_session


@pytest.fixture
def folder(tmp_path):
    """A session in uneven chunks, with a gap, and one chunk without a sample."""
    made = made_session(cues_of(2))
    emg_uv, t_s = made.emg.emg_uv, made.emg.t_lsl_s.copy()
    t_s[7000:] += 0.5
    path = tmp_path / "sub-P01" / "ses-S1"
    writer = SessionWriter(path, participant="P01", session="S1", emg=stream_info())
    cuts = [0, 1, 1, 900, 2500, 2501, 7300, 12_345, len(emg_uv)]
    for start, stop in itertools.pairwise(cuts):
        writer.write_emg(emg_uv[start:stop], t_s[start:stop])
    writer.write_events([Event(e.t_lsl_s, e.kind, e.fields) for e in made.events])
    writer.close()
    return path


def test_any_stretch_is_what_was_loaded_whole(folder):
    whole, opened = load_session(folder), open_session(folder)
    assert np.array_equal(opened.emg.t_lsl_s, whole.emg.t_lsl_s)
    assert trials(opened) == trials(whole)
    assert opened.info == whole.info
    rng = np.random.default_rng(0)
    ends = rng.integers(0, len(whole.emg.t_lsl_s) + 100, (60, 2))
    for start, stop in [(0, 1), (0, 10**9), (900, 900), *np.sort(ends, axis=1).tolist()]:
        assert np.array_equal(opened.emg.rows(start, stop), whole.emg.emg_uv[start:stop])
    joined = np.concatenate([rows for _, rows in pieces(opened.emg, 5, 17_000, 777)])
    assert np.array_equal(joined, whole.emg.emg_uv[5:17_000])


def test_replay_in_pieces_decides_the_same(folder, tmp_path):
    decoder = load_decoder(write_decoder(tmp_path / "decoder.onnx"))
    whole = replay_session(load_session(folder), decoder)
    opened = replay_session(open_session(folder), decoder)
    assert len(whole.values) > 17_000 / FS_HZ / 0.025 * 0.9
    assert np.array_equal(whole.values, opened.values)
    assert np.array_equal(whole.sample_index, opened.sample_index)
    assert np.array_equal(whole.t_lsl_s, opened.t_lsl_s)


def test_a_truncated_recording_is_refused_the_same_way(folder):
    path = folder / "recording.xdf"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match="truncated") as loaded:
        load_session(folder)
    with pytest.raises(InputError) as opened:
        open_session(folder)
    assert str(opened.value) == str(loaded.value)


def test_samples_damaged_after_opening_are_told(folder):
    opened = open_session(folder)
    (folder / "recording.xdf").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        opened.emg.rows(0, 10)
