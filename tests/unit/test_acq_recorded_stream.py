"""What a recorder notes of one stream, with a stream that sends what the test says."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from emg_acquisition.errors import StreamLostError
from emg_acquisition.recording.recorded_stream import RecordedStream, same_declaration
from emg_acquisition.recording.session import read_session_info
from emg_acquisition.recording.session_writer import SessionFile
from emg_acquisition.recording.xdf_reader import read_xdf
from emg_acquisition.streams.stream_xml import emg_header_xml
from tests.acq_support import FS_HZ, counted, counting_info


class Sender:
    """Stands for an `LslStream`: gives one block of samples a pull, then nothing, or that it has ended."""

    channel_format = "float32"
    label = "EMG stream 'Counter' (x)"

    def __init__(self, info, blocks, *, ends=False):
        self.header_xml = emg_header_xml(info)
        self.found = SimpleNamespace(summary=SimpleNamespace(type="EMG", source_id=info.source_id))
        self._blocks, self._ends = list(blocks), ends

    def pull_sent(self):
        if self._blocks:
            t_s = self._blocks.pop(0)
            return counted(0, len(t_s)), t_s
        if self._ends:
            raise StreamLostError(f"{self.label} has ended")
        return counted(0, 0), np.zeros(0)

    def measure_clock(self):
        return 100.0, 0.25

    def close(self):
        """Nothing is held."""


@pytest.fixture
def record(tmp_path):
    def run(info, blocks, **options):
        notes = []
        file = SessionFile(tmp_path / "s", participant="P01", session="S1", emg=info, protocol=None)
        stream = RecordedStream(
            Sender(info, blocks, **options),
            file,
            lambda t, kind, **fields: notes.append((t, kind, fields)),
            info,
        )
        stream.copy()
        file.close()
        return stream, notes, read_session_info(tmp_path / "s").streams[0]

    return run


def test_gaps_are_counted_and_told_where_they_are(record):
    t_s = 50.0 + np.arange(4000) / FS_HZ
    kept = np.r_[t_s[:1000], t_s[1100:2000], t_s[2010:]]
    stream, notes, entry = record(counting_info("x"), [kept[:1500], kept[1500:]])
    assert stream.n_gaps == entry.gaps == 2
    assert [(t, kind) for t, kind, _ in notes] == [(t_s[1100], "gap"), (t_s[2010], "gap")]
    assert notes[0][2] == {"source_id": "x", "places": 1, "worst_s": pytest.approx(0.05)}


def test_jitter_of_stamps_given_on_arrival_is_no_gap_but_missing_samples_are(record):
    rng = np.random.default_rng(1)
    t_s = 50.0 + np.arange(16_000) / FS_HZ + np.repeat(rng.gamma(1.0, 0.003, 400), 40)
    info = counting_info("x", arrival_stamps=True)
    _, notes, entry = record(info, [np.r_[t_s[:7000], t_s[7400:]]])
    assert entry.gaps == 1
    assert notes[0][2]["worst_s"] == pytest.approx(0.2, abs=0.004)


def test_a_stream_without_gaps_says_so_and_its_clock_is_measured(record, tmp_path):
    stream, notes, entry = record(counting_info("x"), [50.0 + np.arange(500) / FS_HZ])
    assert (entry.gaps, entry.samples, entry.interruptions, notes) == (0, 500, 0, [])
    (read,) = read_xdf(tmp_path / "s" / "recording.xdf").streams
    assert (read.clock_times_s.tolist(), read.clock_offsets_s.tolist()) == ([100.0], [0.25])
    assert stream.seconds_lost() == 0.0


def test_a_stream_that_ends_is_noted_and_taken_back_only_if_it_is_the_same(record):
    info = counting_info("x")
    stream, notes, entry = record(info, [50.0 + np.arange(500) / FS_HZ], ends=True)
    assert stream.stream is None
    assert entry.interruptions == 1
    assert not stream.take_back(Sender(replace(info, reference="wrist"), []))
    assert stream.stream is None
    again = Sender(info, [])
    assert stream.take_back(again)
    assert stream.stream is again
    assert [kind for _, kind, _ in notes] == ["stream_lost", "stream_changed", "stream_back"]


def test_what_differs_between_two_processes_is_no_other_declaration():
    xml = emg_header_xml(counting_info("x"))
    other = xml.replace(
        "<desc>", "<uid>2</uid><created_at>7</created_at><v4data_port>1</v4data_port>\n <desc>\n  "
    )
    assert same_declaration(xml, other)
    for changed in (counting_info("x", fs_hz=500.0), counting_info("x", filters="none"), counting_info("y")):
        assert not same_declaration(xml, emg_header_xml(changed))
