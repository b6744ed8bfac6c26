"""The declaration of a stream as an LSL description (XML), written and read; read without what makes XML dangerous.

The XML is the one that LSL sends and that XDF stores as a stream header, so a stream on the wire and a stream
in a file are read by the same code.
"""

import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid, grid_from_settings
from emg_acquisition.stream_info import (
    AUX_TYPE,
    EMG_TYPE,
    EVENTS_TYPE,
    GESTURE_TYPE,
    AuxChannel,
    AuxStreamInfo,
    EmgStreamInfo,
    GestureStreamInfo,
)

# LSL's own limit lies far below; 1024 channels with their places take some 300 kB.
MAX_CHARACTERS = 16 * 1024**2
MAX_DEPTH = 32
MAX_CHANNELS = 65_536
_TAG = re.compile(r"<(/?)[^<>!?/][^<>]*?(/?)>")
# ``desc/synchronization/time_source`` of a stream whose samples are stamped on arrival.
ARRIVAL = "arrival"


def emg_description(info: EmgStreamInfo) -> ET.Element:
    """Return the ``<desc>`` element of an EMG stream."""
    desc = ET.Element("desc")
    channels = ET.SubElement(desc, "channels")
    for label, (row, column) in zip(info.channel_labels, info.grid.positions, strict=True):
        channel = ET.SubElement(channels, "channel")
        location = {"X": column * info.grid.pitch_mm, "Y": row * info.grid.pitch_mm, "Z": 0.0}
        _texts(
            channel, {"label": label, "unit": "microvolts", "type": EMG_TYPE, "row": row, "column": column}
        )
        _texts(ET.SubElement(channel, "location"), location)
    grid = ET.SubElement(desc, "grid")
    _texts(
        grid,
        {
            "name": info.grid.name,
            "rows": info.grid.rows,
            "columns": info.grid.columns,
            "pitch_mm": info.grid.pitch_mm,
            "wraps": info.grid.wraps,
        },
    )
    acquisition = {
        "manufacturer": info.manufacturer,
        "model": info.model,
        "serial_number": info.serial_number,
    }
    _texts(ET.SubElement(desc, "acquisition"), acquisition)
    _texts(
        desc,
        {"reference": info.reference, "filters": info.filters, "playback_speed": info.playback_speed},
    )
    if info.arrival_stamps:
        _texts(ET.SubElement(desc, "synchronization"), {"time_source": ARRIVAL})
    return desc


def aux_description(info: AuxStreamInfo) -> ET.Element:
    """Return the ``<desc>`` element of an Aux stream."""
    desc = ET.Element("desc")
    channels = ET.SubElement(desc, "channels")
    for channel in info.channels:
        _texts(
            ET.SubElement(channels, "channel"),
            {"label": channel.label, "unit": channel.unit, "type": channel.kind},
        )
    return desc


def gesture_description(info: GestureStreamInfo) -> ET.Element:
    """Return the ``<desc>`` element of a Gesture stream."""
    fixed = ("gesture_index", "confidence", "effort", "quality")
    desc = labels_description((*fixed, *(f"p_{k}" for k in range(len(info.gestures)))))
    _texts(
        desc,
        {
            "gestures": json.dumps(list(info.gestures)),
            "emg_source_id": info.emg_source_id,
            "decoder_sha256": info.decoder_sha256,
        },
    )
    return desc


def labels_description(labels: Iterable[str]) -> ET.Element:
    """Return the ``<desc>`` element of a stream whose channels declare only what they are called."""
    desc = ET.Element("desc")
    channels = ET.SubElement(desc, "channels")
    for label in labels:
        _texts(ET.SubElement(channels, "channel"), {"label": label})
    return desc


def emg_header_xml(info: EmgStreamInfo) -> str:
    """Return the ``<info>`` document of an EMG stream that was not received over LSL."""
    return _header_xml(
        {"name": info.name, "type": EMG_TYPE, "channel_count": info.n_channels, "channel_format": "float32"},
        {"source_id": info.source_id, "nominal_srate": repr(info.fs_hz)},
        emg_description(info),
    )


def aux_header_xml(info: AuxStreamInfo) -> str:
    """Return the ``<info>`` document of an Aux stream that was not received over LSL."""
    return _header_xml(
        {"name": info.name, "type": AUX_TYPE, "channel_count": info.n_channels, "channel_format": "float32"},
        {"source_id": info.source_id, "nominal_srate": repr(info.fs_hz)},
        aux_description(info),
    )


def gesture_header_xml(info: GestureStreamInfo) -> str:
    """Return the ``<info>`` document of a Gesture stream that was not received over LSL."""
    return _header_xml(
        {
            "name": info.name,
            "type": GESTURE_TYPE,
            "channel_count": info.n_channels,
            "channel_format": "float32",
        },
        {"source_id": info.source_id, "nominal_srate": repr(info.rate_hz)},
        gesture_description(info),
    )


def events_header_xml(name: str, source_id: str) -> str:
    """Return the ``<info>`` document of a Markers stream that was not received over LSL."""
    return _header_xml(
        {"name": name, "type": EVENTS_TYPE, "channel_count": 1, "channel_format": "string"},
        {"source_id": source_id, "nominal_srate": 0},
        ET.Element("desc"),
    )


def _header_xml(head: Mapping[str, object], tail: Mapping[str, object], desc: ET.Element) -> str:
    root = ET.Element("info")
    _texts(root, {**head, **tail})
    root.append(desc)
    return '<?xml version="1.0"?>' + ET.tostring(root, encoding="unicode")


def parse_description(xml: str) -> ET.Element:
    """Return the root element of an LSL ``<info>`` document.

    Raises
    ------
    InputError
        If it is no XML, declares a document type (whose entities can fetch files or grow without end), is larger
        than `MAX_CHARACTERS` or nested deeper than `MAX_DEPTH`.
    """
    if len(xml) > MAX_CHARACTERS:
        raise InputError(f"stream description of {len(xml)} characters: {MAX_CHARACTERS} at most are read")
    if "<!DOCTYPE" in xml:
        raise InputError("stream description declares a document type; LSL's have none, and it is not read")
    depth = 0
    for tag in _TAG.finditer(xml):
        depth += -1 if tag[1] else not tag[2]
        if depth > MAX_DEPTH:
            raise InputError(f"stream description is nested more than {MAX_DEPTH} deep; it is no stream's")
    try:
        return ET.fromstring(xml)  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, ValueError) as error:
        msg = f"stream description is no XML: {error}"
        raise InputError(msg) from error


def emg_info_from_xml(xml: str) -> EmgStreamInfo:
    """Read an EMG stream's declaration from its LSL ``<info>`` document.

    Raises
    ------
    InputError
        If it is not an EMG stream as this project declares one; the message names the missing part.
    """
    root = parse_description(xml)
    name = _required(root, "name", "stream")
    where = f"EMG stream {name!r}"
    channels = root.findall("desc/channels/channel")
    if not channels or root.find("desc/grid") is None:
        msg = f"{where}: declares no electrode grid; it is no hdemg EMG stream (import it or declare a grid)"
        raise InputError(msg)
    declared = _number(root, "channel_count", where)
    if declared != len(channels):
        msg = f"{where}: {declared:g} channels, but {len(channels)} are described"
        raise InputError(msg)
    return EmgStreamInfo(
        name=name,
        source_id=root.findtext("source_id", "") or "",
        fs_hz=_number(root, "nominal_srate", where),
        grid=_declared_grid(root, channels, where),
        channel_labels=tuple(_required(channel, "label", where) for channel in channels),
        manufacturer=root.findtext("desc/acquisition/manufacturer", "") or "",
        model=root.findtext("desc/acquisition/model", "") or "",
        serial_number=root.findtext("desc/acquisition/serial_number", "") or "",
        reference=root.findtext("desc/reference", "") or "",
        filters=root.findtext("desc/filters", "") or "",
        playback_speed=_number(root, "desc/playback_speed", where, default="1"),
        arrival_stamps=root.findtext("desc/synchronization/time_source") == ARRIVAL,
    )


def aux_info_from_xml(xml: str) -> AuxStreamInfo:
    """Read an Aux stream's declaration from its LSL ``<info>`` document.

    Raises
    ------
    InputError
        If its channels are not declared.
    """
    root = parse_description(xml)
    name = _required(root, "name", "stream")
    where = f"Aux stream {name!r}"
    channels = tuple(
        AuxChannel(
            _required(channel, "label", where),
            _required(channel, "type", where),
            channel.findtext("unit", "") or "none",
        )
        for channel in root.findall("desc/channels/channel")
    )
    declared = _number(root, "channel_count", where)
    if declared != len(channels):
        msg = f"{where}: {declared:g} channels, but {len(channels)} are described"
        raise InputError(msg)
    fs_hz = _number(root, "nominal_srate", where)
    return AuxStreamInfo(name, root.findtext("source_id", "") or "", fs_hz, channels)


def gesture_info_from_xml(xml: str) -> GestureStreamInfo:
    """Read a Gesture stream's declaration from its LSL ``<info>`` document.

    Raises
    ------
    InputError
        If the gestures are not declared or do not fit the number of channels.
    """
    root = parse_description(xml)
    name = _required(root, "name", "stream")
    where = f"Gesture stream {name!r}"
    info = GestureStreamInfo(
        name=name,
        source_id=root.findtext("source_id", "") or "",
        rate_hz=_number(root, "nominal_srate", where),
        gestures=_gesture_names(_required(root, "desc/gestures", where), where),
        emg_source_id=root.findtext("desc/emg_source_id", "") or "",
        decoder_sha256=root.findtext("desc/decoder_sha256", "") or "",
    )
    declared = _number(root, "channel_count", where)
    if declared != info.n_channels:
        msg = f"{where}: {declared:g} channels for {len(info.gestures)} gestures, {info.n_channels} are required"
        raise InputError(msg)
    return info


def _declared_grid(root: ET.Element, channels: list[ET.Element], where: str) -> ElectrodeGrid:
    rows, columns = (
        int(_number(root, "desc/grid/rows", where)),
        int(_number(root, "desc/grid/columns", where)),
    )
    if rows < 1 or columns < 1 or rows * columns > MAX_CHANNELS:
        msg = (
            f"{where}: a grid of {rows:.6g} x {columns:.6g} is none; 1 to {MAX_CHANNELS} places are required"
        )
        raise InputError(msg)
    layout = [[-1] * columns for _ in range(rows)]
    for index, channel in enumerate(channels):
        unit = channel.findtext("unit", "")
        if unit not in {"microvolts", "uV", "µV"}:
            msg = f"{where}: channel {index} is in {unit or 'no unit'}, microvolts are required"
            raise InputError(msg)
        kind = channel.findtext("type", EMG_TYPE)
        if kind != EMG_TYPE:
            msg = f"{where}: channel {index} is of type {kind}; only EMG channels are supported in an EMG stream"
            raise InputError(msg)
        row, column = int(_number(channel, "row", where)), int(_number(channel, "column", where))
        if not (0 <= row < rows and 0 <= column < columns):
            msg = f"{where}: channel {index} at row {row}, column {column} lies outside a {rows} x {columns} grid"
            raise InputError(msg)
        layout[row][column] = index
    return grid_from_settings(
        {
            "name": _required(root, "desc/grid/name", where),
            "channel_at": layout,
            "pitch_mm": _number(root, "desc/grid/pitch_mm", where),
            "wraps": _required(root, "desc/grid/wraps", where),
        },
        where,
    )


def _required(element: ET.Element, path: str, where: str) -> str:
    text = element.findtext(path)
    if not text:
        msg = f"{where}: its description lacks {path!r}"
        raise InputError(msg)
    return text


def _number(element: ET.Element, path: str, where: str, default: str = "") -> float:
    text = element.findtext(path) or default or _required(element, path, where)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        msg = f"{where}: {path!r} is {text!r}, a number is required"
        raise InputError(msg)
    return number


def _gesture_names(text: str, where: str) -> tuple[str, ...]:
    try:
        names = json.loads(text)
    except ValueError as error:
        msg = f"{where}: its gestures are no JSON list: {text[:60]!r}"
        raise InputError(msg) from error
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        msg = f"{where}: its gestures must be a list of names, got {text[:60]!r}"
        raise InputError(msg)
    return tuple(names)


def _texts(parent: ET.Element, values: Mapping[str, object]) -> None:
    for key, value in values.items():
        ET.SubElement(parent, key).text = str(value)
