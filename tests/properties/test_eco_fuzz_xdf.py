"""Broken XDF recordings: what is whole is read, the rest is told; nothing else, and in bounded memory."""

import struct
from pathlib import Path

import numpy as np
import pytest

from emg_acquisition.recording.importers.xdf import XdfOptions, import_xdf
from emg_acquisition.recording.session import load_session, trials
from emg_acquisition.recording.xdf_format import MAGIC, SAMPLES, STREAM_HEADER, chunk_start
from emg_acquisition.recording.xdf_reader import read_blocks, read_headers, read_xdf
from emg_acquisition.recording.xdf_writer import XdfWriter
from emg_acquisition.streams.stream_xml import emg_header_xml, events_header_xml
from tests.dec_support import session, stream_info
from tests.fuzz_support import EITHER, broken_bytes, ends_in_our_error, run

# pyxdf computes with whatever time stamps a file has.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
N = 40


def _recording(path: Path) -> bytes:
    """EMG with cues and clock offsets, as our recorder writes it."""
    t_s = 100.0 + np.arange(N) / 1000.0
    values = np.arange(8 * N, dtype=np.float32).reshape(N, 8)
    writer = XdfWriter(path)
    emg = writer.add_stream(emg_header_xml(stream_info()))
    events = writer.add_stream(events_header_xml("cues", "cues-1"))
    writer.write_clock_offset(emg, 99.0, 1e-5)
    writer.write_clock_offset(events, 99.0, 1e-5)
    for start in range(0, N, 10):
        writer.write_samples(emg, values[start : start + 10], t_s[start : start + 10])
        cue = f'{{"event":"cue","gesture":"fist","repetition":1,"trial":{start}}}'
        writer.write_texts(events, [cue], t_s[start : start + 1])
    writer.close()
    return path.read_bytes()


def _chunk(tag: int, content: bytes) -> bytes:
    return chunk_start(tag, len(content)) + content


def _labrecorder_like() -> bytes:
    """Samples without time stamps, and texts, as LabRecorder leaves them out."""

    def header(number: int, channel_format: str, channels: int) -> bytes:
        xml = (
            f"<info><name>s{number}</name><type>EMG</type><channel_count>{channels}</channel_count>"
            f"<nominal_srate>100</nominal_srate><channel_format>{channel_format}</channel_format>"
            f"<source_id>x{number}</source_id><desc/></info>"
        )
        return _chunk(STREAM_HEADER, struct.pack("<I", number) + xml.encode())

    numbers = b"\x01\x03" + b"\x08" + struct.pack("<dhh", 5.0, 1, 2) + b"\x00" + struct.pack("<hh", 3, 4)
    numbers += b"\x00" + struct.pack("<hh", 5, 6)
    texts = b"\x01\x01" + b"\x08" + struct.pack("<d", 5.0) + b"\x01\x03abc"
    return (
        MAGIC
        + header(1, "int16", 2)
        + header(2, "string", 1)
        + _chunk(SAMPLES, struct.pack("<I", 1) + numbers)
        + _chunk(SAMPLES, struct.pack("<I", 2) + texts)
    )


@EITHER
def test_broken_recordings(cases: int, tmp_path: Path) -> None:
    wholes = [_recording(tmp_path / "whole.xdf"), _labrecorder_like()]
    folder = tmp_path / "ses-S1"
    folder.mkdir()
    about = session([("rest", 1)]).info.model_dump_json(exclude={"recording"})
    (folder / "session.yaml").write_text(about)  # JSON is YAML
    path = folder / "recording.xdf"
    path.write_bytes(wholes[0])
    assert len(trials(load_session(folder))) == 4
    outs = iter(range(10**9))

    def check(content: bytes) -> None:
        path.write_bytes(content)
        ends_in_our_error(lambda: read_xdf(path))
        ends_in_our_error(lambda: read_xdf(path, synchronised=True))
        ends_in_our_error(lambda: [list(read_blocks(path, header)) for header in read_headers(path)])
        ends_in_our_error(lambda: trials(load_session(folder)))
        options = XdfOptions(unit="uV", grid="sleeve-4x16")
        out = tmp_path / f"out{next(outs)}"
        ends_in_our_error(lambda: import_xdf(path, out, participant="P01", options=options))

    run(cases, broken_bytes(wholes), check)


def _declares(**changed: str) -> bytes:
    said = {
        "name": "s",
        "type": "EMG",
        "channel_count": "2",
        "nominal_srate": "100",
        "channel_format": "int16",
    }
    xml = "".join(f"<{key}>{value}</{key}>" for key, value in (said | changed).items())
    return _chunk(STREAM_HEADER, struct.pack("<I", 1) + f"<info>{xml}<desc/></info>".encode())


ENTITIES = '<!DOCTYPE info [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + k)} "{f"&{chr(97 + k)};" * 10}">' for k in range(9)
)


@pytest.mark.parametrize(
    "content",
    [
        _declares() + _chunk(SAMPLES, struct.pack("<I", 1) + b"\x08" + b"\xff" * 8 + b"\x00" * 20),
        _declares() + _chunk(SAMPLES, struct.pack("<I", 1) + b"\x04" + b"\xff\xff\xff\x7f" + b"\x00" * 20),
        _declares() + _chunk(SAMPLES, struct.pack("<I", 1) + b"\x05" + b"\x00" * 20),
        _declares() + _chunk(SAMPLES, struct.pack("<I", 1)),
        _declares(channel_count="9" * 18)
        + _chunk(SAMPLES, struct.pack("<I", 1) + b"\x01\x02" + b"\x00" * 20),
        _declares(channel_count="2000000000")
        + _chunk(SAMPLES, struct.pack("<I", 1) + b"\x01\x09" + b"\x00" * 20),
        _declares(channel_count="1" * 5000),
        _declares(nominal_srate="nan"),
        _declares(nominal_srate="-5"),
        _declares(nominal_srate="1e-320")
        + _chunk(SAMPLES, struct.pack("<I", 1) + b"\x01\x02" + b"\x00" * 10),
        _declares(channel_format="string", channel_count="100000000")
        + _chunk(SAMPLES, struct.pack("<I", 1) + b"\x01\x01\x00" + b"\x01\x00" * 20),
        _chunk(STREAM_HEADER, struct.pack("<I", 1) + (ENTITIES + "]><info>&j;</info>").encode()),
        _chunk(STREAM_HEADER, struct.pack("<I", 1) + b"<info>" * 200_000),
        _declares() + _chunk(4, struct.pack("<I", 1) + b"\x00" * 3),
    ],
)
def test_what_declares_more_than_there_is(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xdf"
    path.write_bytes(MAGIC + content)
    ends_in_our_error(lambda: read_xdf(path))
    ends_in_our_error(lambda: read_xdf(path, synchronised=True))
    ends_in_our_error(lambda: [list(read_blocks(path, header)) for header in read_headers(path)])
