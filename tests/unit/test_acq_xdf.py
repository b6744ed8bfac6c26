import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from emg_acquisition.errors import InputError
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.recording.xdf_reader import read_xdf
from emg_acquisition.recording.xdf_writer import XdfWriter
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.stream_xml import emg_header_xml, emg_info_from_xml, events_header_xml

REPOSITORY = Path(__file__).resolve().parents[2]
INFO = EmgStreamInfo("Sleeve", "dev-1", 2000.0, rectangular_grid(2, 3, 8.0), tuple("abcdef"))
TEXTS = ["", '{"event":"cue","gesture":"öffnen"}', "x" * 300]
TEXT_TIMES_S = np.array([100.0, 100.5, 101.123456789])


@pytest.fixture
def samples():
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1e4, (5000, 6)).astype(np.float32)
    values[7, 2] = np.nan
    values[8, 1] = -np.inf
    return values, 100.0 + np.sort(rng.uniform(0, 3, 5000))


def write(path, values, t_s, *, close=True):
    writer = XdfWriter(path)
    emg = writer.add_stream(emg_header_xml(INFO))
    events = writer.add_stream(events_header_xml("Events", "dev-1-events"))
    writer.write_texts(events, TEXTS, TEXT_TIMES_S)
    for start in range(0, len(values), 37):
        writer.write_samples(emg, values[start : start + 37], t_s[start : start + 37])
    writer.write_clock_offset(emg, 100.0, 0.0)
    writer.write_clock_offset(emg, 105.0, 0.0)
    if close:
        writer.close()
    else:
        writer._stop_syncing()
        writer._file.close()
    return writer


def test_pyxdf_reads_back_every_bit(tmp_path, samples):
    values, t_s = samples
    write(tmp_path / "a.xdf", values, t_s)
    # With pyxdf's own defaults but for the smoothing: a recorded offset of zero must change nothing.
    streams, header = pyxdf.load_xdf(tmp_path / "a.xdf", dejitter_timestamps=False, synchronize_clocks=True)
    assert header["info"]["version"] == ["1.0"]
    emg, events = streams
    assert emg["time_series"].dtype == np.float32
    np.testing.assert_array_equal(emg["time_series"].view(np.uint32), values.view(np.uint32))
    np.testing.assert_array_equal(emg["time_stamps"], t_s)
    assert [row[0] for row in events["time_series"]] == TEXTS
    np.testing.assert_array_equal(events["time_stamps"], TEXT_TIMES_S)
    footer = emg["footer"]["info"]
    assert footer["sample_count"] == ["5000"]
    assert [float(footer[key][0]) for key in ("first_timestamp", "last_timestamp")] == [t_s[0], t_s[-1]]
    assert emg["clock_times"] == [100.0, 105.0]


def test_our_reader_gives_the_same_and_the_declaration(tmp_path, samples):
    values, t_s = samples
    writer = write(tmp_path / "a.xdf", values, t_s)
    file = read_xdf(tmp_path / "a.xdf")
    emg, events = file.streams
    assert not file.truncated
    np.testing.assert_array_equal(emg.values.view(np.uint32), values.view(np.uint32))
    np.testing.assert_array_equal(emg.t_lsl_s, t_s)
    assert emg_info_from_xml(emg.header.xml) == INFO
    assert (events.header.type, events.header.source_id, events.texts) == ("Markers", "dev-1-events", TEXTS)
    assert writer.n_bytes == (tmp_path / "a.xdf").stat().st_size


def test_wherever_a_file_breaks_off_only_the_cut_chunk_is_lost(tmp_path, samples):
    values, t_s = samples[0][:120], samples[1][:120]
    write(tmp_path / "a.xdf", values, t_s, close=False)
    whole = (tmp_path / "a.xdf").read_bytes()
    chunk_bytes = 2 + 4 + 5 + 37 * (9 + 6 * 4) + 5
    cut = tmp_path / "cut.xdf"
    for n_bytes in range(len(whole) - 2 * chunk_bytes, len(whole), 13):
        cut.write_bytes(whole[:n_bytes])
        (emg, *_) = read_xdf(cut).streams
        n = len(emg.t_lsl_s)
        assert n in {37, 74, 111, 120}
        np.testing.assert_array_equal(emg.values.view(np.uint32), values[:n].view(np.uint32))
        np.testing.assert_array_equal(emg.t_lsl_s, t_s[:n])


def test_an_unclosed_file_holds_everything_written(tmp_path, samples):
    values, t_s = samples
    write(tmp_path / "a.xdf", values, t_s, close=False)
    file = read_xdf(tmp_path / "a.xdf")
    assert not file.truncated
    np.testing.assert_array_equal(file.streams[0].t_lsl_s, t_s)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["minimal.xdf", "empty_streams.xdf", "clock_resets.xdf"])
def test_files_of_other_programs_read_as_pyxdf_reads_them(test_data, name):
    path = test_data / "xdf_sample" / name
    expected, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    streams = read_xdf(path).streams
    assert [s.header.name for s in streams] == [e["info"]["name"][0] for e in expected]
    for ours, theirs in zip(streams, expected, strict=True):
        np.testing.assert_array_equal(ours.t_lsl_s, theirs["time_stamps"])
        if ours.header.is_text:
            assert ours.texts == [row[0] for row in theirs["time_series"]]
        else:
            np.testing.assert_array_equal(ours.values, theirs["time_series"])


@pytest.mark.real_data
def test_the_smallest_sample_file_holds_what_its_readme_says(test_data):
    numbers, texts = read_xdf(test_data / "xdf_sample" / "minimal.xdf").streams
    assert numbers.values[0].tolist() == [192, 255, 238]
    np.testing.assert_allclose(numbers.t_lsl_s, np.arange(51, 60) / 10)
    assert texts.texts[1] == "Hello"


def test_bad_files_get_one_clear_line(tmp_path):
    (tmp_path / "a.xdf").write_bytes(b"RIFFxxxx")
    with pytest.raises(InputError, match=r"a\.xdf is no XDF file"):
        read_xdf(tmp_path / "a.xdf")
    (tmp_path / "empty.xdf").write_bytes(b"")
    with pytest.raises(InputError, match=r"empty\.xdf is no XDF file"):
        read_xdf(tmp_path / "empty.xdf")
    with pytest.raises(InputError, match=r"none\.xdf cannot be read: No such file"):
        read_xdf(tmp_path / "none.xdf")


def test_a_recording_is_never_overwritten(tmp_path):
    (tmp_path / "a.xdf").write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already"):
        XdfWriter(tmp_path / "a.xdf")
    assert (tmp_path / "a.xdf").read_bytes() == b"precious"


FULL_DISK = """
import resource, sys
import numpy as np
from pathlib import Path
from emg_acquisition.errors import InputError
from emg_acquisition.recording.xdf_writer import XdfWriter
from emg_acquisition.streams.stream_xml import emg_header_xml
from tests.unit.test_acq_xdf import INFO

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
writer = XdfWriter(Path(sys.argv[1]))
emg = writer.add_stream(emg_header_xml(INFO))
said = []
for start in range(0, 5000, 100):
    try:
        writer.write_samples(emg, np.full((100, 6), start, dtype=np.float32), start + np.arange(100.0))
    except InputError as error:
        said.append(str(error))
assert writer.failed
try:
    writer.close()
except InputError as error:
    said.append(str(error))
assert len(set(said)) == 1, said
print(said[0])
"""


def test_a_disk_that_takes_no_more_is_one_clear_line_and_leaves_whole_chunks(tmp_path):
    path = tmp_path / "a.xdf"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "a.xdf cannot be written any more: File too large; what was recorded before" in done.stdout
    file = read_xdf(path)
    assert not file.truncated
    n = len(file.streams[0].t_lsl_s)
    assert n > 0
    assert n % 100 == 0
    np.testing.assert_array_equal(file.streams[0].t_lsl_s, np.arange(n))
