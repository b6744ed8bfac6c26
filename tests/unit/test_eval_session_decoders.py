"""Which decoder file of a session decided on which EMG stream, also in a session that no `hdemg teleop` made."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from emg_acquisition.errors import InputError
from emg_acquisition.recording.session_writer import SessionWriter
from evaluation import session_decoders
from evaluation.session_decoders import decoders_of, find_decoders
from tests.unit.test_acq_session import EMG_UV, GESTURES, LEFT, RIGHT, T_S
from ui.cli import main

HASHES = {"decoder.onnx": "a" * 64, "decoder-left.onnx": "a" * 64, "decoder-right.onnx": "b" * 64}


@pytest.fixture(autouse=True)
def _hashes(monkeypatch):
    """What a file holds goes by its name."""
    monkeypatch.setattr(
        session_decoders, "load_decoder", lambda path: SimpleNamespace(sha256=HASHES[path.name])
    )


@pytest.fixture
def session(tmp_path):
    """A session of some EMG streams, one of which the decoder ``a…`` decided on, and some decoder files."""

    def record(emg, decided, files):
        folder = tmp_path / "s"
        writer = SessionWriter(folder, participant="P01", session="S1", emg=emg)
        writer.begin_gestures(replace(GESTURES, emg_source_id=decided, decoder_sha256="a" * 64))
        for info in emg:
            writer.write_emg(EMG_UV, T_S, source_id=info.source_id)
        writer.close()
        for name in files:
            (folder / name).touch()
        return folder

    return record


@pytest.mark.parametrize(
    ("emg", "files", "found"),
    [
        # One sleeve, with and without a name in the gesture map; its decoder.onnx may be another one on purpose.
        ((LEFT,), ("decoder.onnx",), (None, "decoder.onnx")),
        ((LEFT,), ("decoder-left.onnx", "decoder-right.onnx"), ("dev-left", "decoder-left.onnx")),
        ((LEFT,), ("decoder.onnx", "decoder-right.onnx"), (None, "decoder.onnx")),
        # Two were worn, and one was decoded: before there was more than one decoder in a session, and since.
        ((RIGHT, LEFT), ("decoder.onnx",), ("dev-left", "decoder.onnx")),
        ((RIGHT, LEFT), ("decoder-left.onnx", "decoder-right.onnx"), ("dev-left", "decoder-left.onnx")),
    ],
)
def test_a_decoder_is_found_by_its_hash_or_is_the_only_one(session, emg, files, found):
    folder = session(emg, "dev-left", files)
    emg_source_id, name = found
    assert decoders_of(folder, None) == [(emg_source_id, folder / name)]


def test_a_recording_without_the_decoder_file_says_so_and_is_looked_at_without(session):
    folder = session((LEFT, RIGHT), "dev-left", ["decoder-right.onnx"])
    assert find_decoders(folder, None) == find_decoders(folder, "dev-left") == [("dev-left", None)]
    with pytest.raises(InputError, match="the decoder that decided on EMG 'dev-left'"):
        decoders_of(folder, "dev-left")


@pytest.mark.parametrize("chosen", ["dev-other", "nobody"])
def test_a_stream_that_was_not_recorded_is_one_clear_line(session, capsys, chosen):
    folder = session((LEFT, RIGHT), "dev-other", ["decoder.onnx"])
    assert decoders_of(folder, chosen) == [(chosen, folder / "decoder.onnx")]
    assert main(["replay", str(folder), "--emg", chosen, "--window"]) == 2
    assert (
        f"holds no EMG streams with source_id {chosen!r}; there is dev-left, dev-right"
        in capsys.readouterr().err
    )
