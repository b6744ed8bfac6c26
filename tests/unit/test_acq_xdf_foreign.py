"""Files as LabRecorder writes them, built byte by byte from the specification, and what pyxdf makes of them."""

import logging
import struct

import numpy as np
import pytest
import pyxdf

from emg_acquisition.errors import InputError
from emg_acquisition.recording.xdf_reader import read_headers, read_xdf
from emg_acquisition.recording.xdf_writer import XdfWriter

FORMATS = {"float32": "f", "double64": "d", "int8": "b", "int16": "h", "int32": "i", "int64": "q"}
BOUNDARY = bytes.fromhex("43A546DCCBF5410FB30ED5467383CBE4")


def varlen(number):
    """A length in the shortest of the three forms, as LabRecorder chooses it."""
    if number < 256:
        return struct.pack("<BB", 1, number)
    return struct.pack("<BI", 4, number) if number < 2**32 else struct.pack("<BQ", 8, number)


def chunk(tag, content, stream=None):
    content = (struct.pack("<I", stream) if stream is not None else b"") + content
    return varlen(2 + len(content)) + struct.pack("<H", tag) + content


def declaration(name, fmt, channels, fs_hz):
    return (
        f"<?xml version='1.0'?><info><name>{name}</name><type>Test</type><channel_count>{channels}"
        f"</channel_count><nominal_srate>{fs_hz}</nominal_srate><channel_format>{fmt}</channel_format>"
        f"<source_id>{name}-1</source_id><hostname>lab</hostname><desc/></info>"
    )


def header(stream, name, fmt, channels, fs_hz):
    return chunk(2, declaration(name, fmt, channels, fs_hz).encode(), stream)


def samples(stream, fmt, rows, stamps):
    """Each sample with its stamp, or, where that is None, without."""
    content = varlen(len(stamps))
    for row, t_s in zip(rows, stamps, strict=True):
        content += b"\x00" if t_s is None else struct.pack("<Bd", 8, t_s)
        if fmt == "string":
            content += b"".join(varlen(len(text.encode())) + text.encode() for text in row)
        else:
            content += struct.pack(f"<{len(row)}{FORMATS[fmt]}", *row)
    return chunk(3, content, stream)


def offset(stream, now_s, offset_s):
    return chunk(4, struct.pack("<dd", now_s - offset_s, offset_s), stream)


def footer(stream, first_s, last_s, count):
    return chunk(
        6,
        (
            f"<info><first_timestamp>{first_s}</first_timestamp><last_timestamp>{last_s}</last_timestamp>"
            f"<sample_count>{count}</sample_count><clock_offsets/></info>"
        ).encode(),
        stream,
    )


def file_of(*chunks):
    return b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>") + b"".join(chunks)


def same(path):
    """Compare the raw and the synchronised reading with pyxdf; returns ours, raw and synchronised."""
    both = []
    for synchronised in (False, True):
        expected, _ = pyxdf.load_xdf(path, synchronize_clocks=synchronised, dejitter_timestamps=synchronised)
        ours = read_xdf(path, synchronised=synchronised).streams
        assert len(ours) == len(expected)
        for stream, theirs in zip(ours, expected, strict=True):
            np.testing.assert_array_equal(stream.t_lsl_s, theirs["time_stamps"])
            np.testing.assert_array_equal(stream.clock_times_s, theirs["clock_times"])
            np.testing.assert_array_equal(stream.clock_offsets_s, theirs["clock_values"])
            if stream.header.is_text:
                assert stream.values.tolist() == theirs["time_series"]
            else:
                assert stream.values.dtype == theirs["time_series"].dtype
                np.testing.assert_array_equal(stream.values, theirs["time_series"])
        both.append(ours)
    return both


def regular(stream, fmt, t_start_s, n, rng, *, fs_hz=100.0, channels=2, per_chunk=50):
    """Chunks as LabRecorder writes them: only stamps that cannot be deduced from the one before."""
    chunks = []
    for start in range(0, n, per_chunk):
        stop = min(start + per_chunk, n)
        rows = rng.integers(-120, 120, (stop - start, channels)).tolist()
        stamps = [None] * (stop - start)
        stamps[0] = t_start_s + start / fs_hz
        chunks.append(samples(stream, fmt, rows, stamps))
    return chunks


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_number_type_with_stamps_given_left_out_and_mixed(tmp_path, fmt):
    rng = np.random.default_rng(1)
    rows = rng.integers(-100, 100, (9, 3)).tolist()
    path = tmp_path / "a.xdf"
    path.write_bytes(
        file_of(
            header(7, "Numbers", fmt, 3, 100),
            samples(7, fmt, rows[:3], [5.0, 5.01, 5.02]),
            samples(7, fmt, rows[3:5], [None, None]),
            samples(7, fmt, rows[5:], [None, 5.2, 5.3, None]),
            footer(7, 5.0, 5.31, 9),
        )
    )
    (stream,), _ = same(path)
    np.testing.assert_array_equal(stream.values, rows)
    expected = [5.0, 5.01, 5.02, 5.03, 5.04, 5.05, 5.2, 5.3, 5.31]
    np.testing.assert_allclose(stream.t_lsl_s, expected, atol=1e-12)
    assert "<sample_count>9" in stream.footer_xml


def test_texts_of_several_channels_and_of_every_length(tmp_path):
    rows = [["", "öffnen"], ["x" * 300, "\x00 tab\t"], ["a", "b"]]
    path = tmp_path / "a.xdf"
    path.write_bytes(
        file_of(header(1, "Notes", "string", 2, 0), samples(1, "string", rows, [1.5, 2.5, None]))
    )
    (stream,), _ = same(path)
    assert stream.values.tolist() == rows
    assert stream.texts == ["", "x" * 300, "a"]
    assert stream.t_lsl_s.tolist() == [1.5, 2.5, 2.5]


def test_clock_offsets_drift_and_jitter_are_corrected_as_pyxdf_does(tmp_path):
    rng = np.random.default_rng(2)
    n, fs_hz = 6000, 100.0
    true_s = 1000.0 + np.arange(n) / fs_hz
    sent_s = true_s - 35.0 - 1e-4 * (true_s - 1000.0) + rng.uniform(0, 0.004, n)  # another clock, jitter
    chunks = [header(3, "Drifting", "int16", 2, 100)]
    for start in range(0, n, 40):
        stop = start + 40
        if start % 520 == 0:
            now_s = true_s[start]
            chunks.append(offset(3, now_s, 35.0 + 1e-4 * (now_s - 1000.0) + rng.normal(0, 5e-5)))
        rows = [[k % 1000, -k % 1000] for k in range(start, stop)]
        chunks.append(samples(3, "int16", rows, sent_s[start:stop].tolist()))
    path = tmp_path / "a.xdf"
    path.write_bytes(file_of(*chunks))
    (raw,), (synchronised,) = same(path)
    np.testing.assert_array_equal(raw.t_lsl_s, sent_s)
    # Independent of pyxdf: synchronised stamps are the true times, but for the mean jitter of 2 ms.
    assert np.abs(synchronised.t_lsl_s - true_s - 0.002).max() < 5e-4


def test_a_clock_reset_and_a_long_break_give_pyxdf_s_segments(tmp_path, caplog):
    rng = np.random.default_rng(3)
    chunks = [header(1, "Reset", "float32", 2, 100), header(2, "Steady", "double64", 1, 0)]
    clocks = ((200.0, 800.0), (5000.0, -3900.0))  # the sender's first stamp, what to add to come to our clock
    for first_s, offset_s in clocks:
        for second in range(0, 40, 5):
            chunks.append(offset(1, first_s + second + offset_s, offset_s + rng.normal(0, 1e-5)))
            chunks += regular(1, "float32", first_s + second, 500, rng)
            chunks.append(samples(2, "double64", [[second]], [1000.0 + second]))
        chunks.append(chunk(5, BOUNDARY))
    path = tmp_path / "a.xdf"
    path.write_bytes(file_of(*chunks))
    with caplog.at_level(logging.ERROR):  # pyxdf warns that the steady stream's segments differ
        (raw, steady), (synchronised, _) = same(path)
    assert raw.t_lsl_s[[0, 4000]].tolist() == [200.0, 5000.0]
    assert len(steady.t_lsl_s) == 16
    # Independent of pyxdf: both halves come to lie on our clock, 1000 to 1040 s and 1100 to 1140 s.
    expected = np.r_[1000.0 + np.arange(4000) / 100, 1100.0 + np.arange(4000) / 100]
    np.testing.assert_allclose(synchronised.t_lsl_s, expected, atol=1e-3)


def test_a_tail_that_is_missing_costs_one_chunk_wherever_it_breaks(tmp_path):
    rng = np.random.default_rng(4)
    whole = file_of(
        header(1, "Tail", "int32", 2, 100),
        *regular(1, "int32", 10.0, 100, rng),
        chunk(5, BOUNDARY),
        samples(1, "int32", [[1, 2]] * 10, [20.0 + k / 100 for k in range(10)]),
    )
    path = tmp_path / "a.xdf"
    path.write_bytes(whole)
    (complete,), _ = same(path)
    assert len(complete.t_lsl_s) == 110
    for n_bytes in range(len(whole) - 175, len(whole)):
        path.write_bytes(whole[:n_bytes])
        file = read_xdf(path)
        assert file.truncated
        np.testing.assert_array_equal(file.streams[0].t_lsl_s, complete.t_lsl_s[:100])
        np.testing.assert_array_equal(file.streams[0].values, complete.values[:100])
        synchronised = read_xdf(path, synchronised=True).streams[0]
        np.testing.assert_allclose(synchronised.t_lsl_s, complete.t_lsl_s[:100], atol=1e-9)


def test_behind_damage_reading_goes_on_at_the_next_boundary(tmp_path, caplog):
    rng = np.random.default_rng(5)
    parts = regular(1, "float32", 10.0, 300, rng, per_chunk=100)
    start = file_of(header(1, "Hole", "float32", 2, 100))
    path = tmp_path / "a.xdf"
    path.write_bytes(start + parts[0] + bytes(60) + parts[1] + chunk(5, BOUNDARY) + parts[2])
    file = read_xdf(path)
    assert file.truncated
    lost = 60 + len(parts[1]) + len(chunk(5, BOUNDARY))
    assert f"{lost} of its" in caplog.text
    expected = np.r_[10.0 + np.arange(100) / 100, 12.0 + np.arange(100) / 100]
    np.testing.assert_allclose(file.streams[0].t_lsl_s, expected, atol=1e-9)


def test_samples_that_do_not_fit_their_header_are_named(tmp_path):
    path = tmp_path / "a.xdf"
    path.write_bytes(file_of(header(1, "Odd", "int16", 2, 100), samples(1, "int32", [[1, 2]], [1.0])))
    with pytest.raises(InputError, match=r"a\.xdf: the samples of stream 'Odd' at byte \d+ are damaged"):
        read_xdf(path)
    path.write_bytes(file_of(header(1, "Odd", "complex", 2, 100)))
    with pytest.raises(InputError, match="'complex' are no XDF stream"):
        read_xdf(path)


def test_only_the_streams_that_are_asked_for_are_read(tmp_path):
    path = tmp_path / "a.xdf"
    chunks = [header(1, "A", "int8", 1, 0), header(2, "B", "int8", 1, 0), samples(2, "int8", [[5]], [1.0])]
    path.write_bytes(file_of(*chunks))
    assert [h.name for h in read_headers(path)] == ["A", "B"]
    for synchronised in (False, True):
        (stream,) = read_xdf(path, synchronised=synchronised, only=lambda h: h.name == "B").streams
        assert stream.values.tolist() == [[5]]
    assert read_xdf(path, synchronised=True, only=lambda _: False).streams == ()


@pytest.mark.parametrize("fmt", [*FORMATS, "string"])
def test_what_our_writer_writes_pyxdf_and_we_read_alike(tmp_path, fmt):
    rng = np.random.default_rng(6)
    n, fs_hz = 4000, 200.0
    path = tmp_path / "a.xdf"
    writer = XdfWriter(path)
    stream = writer.add_stream(declaration("Ours", fmt, 2, fs_hz))
    values = rng.integers(-120, 120, (n, 2))
    t_s = 50.0 + np.arange(n) / fs_hz + rng.uniform(0, 0.001, n)
    t_s[n // 2 :] += 7000.0  # the sender was restarted with another clock
    for start in range(0, n, 250):
        part = slice(start, start + 250)
        writer.write_clock_offset(stream, t_s[start], -6950.0 if start >= n // 2 else 12.0)
        if fmt == "string":
            writer.write_texts(stream, [str(value) for value in values[part].ravel()], t_s[part])
        else:
            writer.write_samples(stream, values[part], t_s[part])
    writer.close()
    (raw,), _ = same(path)
    np.testing.assert_array_equal(raw.t_lsl_s, t_s)
    assert raw.values.tolist() == (values.astype(str) if fmt == "string" else values).tolist()
    assert f"<sample_count>{n}</sample_count>" in raw.footer_xml
    assert raw.footer_xml.count("<offset>") == 16
