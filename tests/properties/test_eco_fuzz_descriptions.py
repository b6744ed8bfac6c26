"""Broken LSL descriptions: every stream on the network has one, whoever sends it."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import strategies as st

from emg_acquisition.grid import rectangular_grid
from emg_acquisition.recording.xdf_format import header_from_xml
from emg_acquisition.stream_info import AuxChannel, AuxStreamInfo, GestureStreamInfo
from emg_acquisition.streams.stream_xml import (
    aux_header_xml,
    aux_info_from_xml,
    emg_header_xml,
    emg_info_from_xml,
    events_header_xml,
    gesture_header_xml,
    gesture_info_from_xml,
)
from tests.dec_support import GESTURES, stream_info
from tests.fuzz_support import EITHER, VALUES, broken_bytes, ends_in_our_error, run

READERS = (emg_info_from_xml, aux_info_from_xml, gesture_info_from_xml, header_from_xml)
WHOLES = [
    emg_header_xml(stream_info()),
    emg_header_xml(stream_info(grid=rectangular_grid(1, 8, 5.0, "columns"))),
    aux_header_xml(AuxStreamInfo("aux", "a-aux", 1000.0, (AuxChannel("ramp", "counter"),))),
    gesture_header_xml(GestureStreamInfo("decoder", "d", 40.0, GESTURES, "emg-1", "ab" * 32)),
    events_header_xml("events", "e"),
]


@st.composite
def broken_element(draw: st.DrawFn) -> str:
    """A description with the text of elements replaced, elements removed, repeated or moved."""
    root = ET.fromstring(draw(st.sampled_from(WHOLES)))  # noqa: S314 - our own
    for _ in range(draw(st.integers(1, 4))):
        every: list[tuple[Any, Any]] = [(parent, child) for parent in root.iter() for child in parent]
        if not every:
            break
        parent, child = draw(st.sampled_from(every))
        match draw(st.sampled_from(("text", "text", "remove", "repeat", "rename"))):
            case "text":
                text = str(draw(VALUES))[:6000]
                child.text = "".join(letter for letter in text if letter.isprintable())
            case "remove":
                parent.remove(child)
            case "repeat":
                parent.append(child)
            case "rename":
                child.tag = draw(st.sampled_from(("desc", "channel", "grid", "rows", "name", "label", "x")))
    return ET.tostring(root, encoding="unicode")


@EITHER
def test_broken_descriptions(cases: int) -> None:
    for whole, read in zip(WHOLES[1:4], READERS[:1] + READERS[1:3], strict=True):
        read(whole)

    def check(xml: str) -> None:
        for read in READERS:
            ends_in_our_error(lambda read=read: read(xml))

    as_bytes = broken_bytes([whole.encode() for whole in WHOLES]).map(
        lambda data: data.decode("utf-8", "replace")
    )
    run(cases, st.one_of(broken_element(), broken_element(), as_bytes), check)


def _with(path: str, text: str) -> str:
    root = ET.fromstring(WHOLES[0])  # noqa: S314 - our own
    found = root.find(path)
    assert found is not None
    found.text = text
    return ET.tostring(root, encoding="unicode")


@pytest.mark.parametrize(
    "xml",
    [
        _with("desc/grid/rows", "1e300"),
        _with("desc/grid/rows", "1000000000"),
        _with("desc/grid/columns", "999999999999"),
        _with("desc/grid/rows", "-3"),
        _with("desc/channels/channel/row", "1e308"),
        _with("nominal_srate", "0"),
        _with("nominal_srate", "1e309"),
        _with("desc/playback_speed", "1e-320"),
        _with("desc/grid/pitch_mm", "nan"),
        "<info>" * 100_000,
        "<info>" + "<a>" * 100_000 + "</a>" * 100_000 + "</info>",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><info><name>&x;</name></info>',
        '<!DOCTYPE a [<!ENTITY x "y">]><info><name>&x;</name></info>',
        "",
        "\x00",
    ],
)
def test_what_asks_for_too_much(xml: str) -> None:
    for read in READERS:
        ends_in_our_error(lambda read=read: read(xml))
    # What a foreign document refers to is never fetched or expanded.
    if "<!DOCTYPE" in xml:
        assert all("document type" in ends_in_our_error(lambda read=read: read(xml)) for read in READERS)
