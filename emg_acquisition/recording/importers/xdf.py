"""Any XDF file with an EMG stream, LabRecorder's above all, as session folders."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyxdf
from pydantic import BaseModel, ConfigDict, Field

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event, event_from_json
from emg_acquisition.grid import NO_ELECTRODE, ElectrodeGrid, grid_from_settings
from emg_acquisition.recording.damage import reading
from emg_acquisition.recording.importers.sessions import (
    Progress,
    SessionHeader,
    SessionJob,
    Share,
    import_sessions,
    silent,
    write_continuous,
)
from emg_acquisition.recording.importers.source_files import (
    UV_PER_UNIT,
    chosen_grid,
    recording_files,
    session_code,
    unit_named,
)
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.recording.xdf_reader import read_xdf
from emg_acquisition.settings_file import load_settings
from emg_acquisition.stream_info import EMG_TYPE, EVENTS_TYPE, EmgStreamInfo
from emg_acquisition.streams.stream_xml import MAX_CHANNELS

_log = logging.getLogger(__name__)

Stream: TypeAlias = dict[str, Any]
# pyxdf smooths time stamps within stretches without a break. Its own limit of a second would spread the loss of
# half a second over the neighbouring samples; a tenth of a second is more jitter than a network has.
_BREAK_S = 0.1
# Nominal and measured rate differ by a clock's error, far less than this, unless the declaration is wrong.
_RATE_TOLERANCE = 0.02
_BLOCK = 4096


class MarkerCues(BaseModel):
    """Which markers are cues: text of the marker -> name of the gesture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cues: dict[str, str] = Field(min_length=1)


@dataclass(frozen=True)
class XdfOptions:
    """What an XDF file may leave open.

    Parameters
    ----------
    stream : str, optional
        Name or source_id of the EMG stream; the only one of type EMG if not given.
    grid : str, optional
        Grid name or YAML file, if the stream declares no grid.
    unit : {"uV", "mV", "V"}, optional
        Unit of the samples, if the stream declares none.
    cues : Path, optional
        YAML file that says which markers are cues (`MarkerCues`).
    """

    stream: str | None = None
    grid: str | None = None
    unit: str | None = None
    cues: Path | None = None


@dataclass(frozen=True)
class _Emg:
    info: EmgStreamInfo
    values: npt.NDArray[np.number]
    columns: tuple[int, ...]
    uv_per_value: Float64Array
    t_s: Float64Array


def import_xdf(
    src: Path,
    out: Path,
    progress: Progress = silent,
    *,
    participant: str,
    options: XdfOptions = XdfOptions(),
) -> list[Path]:
    """Import one file, or every .xdf file of a folder; all of them or, after an error, none.

    Time stamps are moved to the recorder's clock and smoothed, as pyxdf does; gaps of more than 0.1 s stay gaps.
    Of the EMG stream the channels of type EMG are taken. Events of this project stay what they are; any other
    marker becomes a cue, if `options` says so, or an event ``marker`` with its text.

    Parameters
    ----------
    src : Path
        A .xdf file, or a folder of them.
    out : Path
        Session folders appear as ``OUT/sub-P01/ses-<letters and digits of the file's name>``.
    progress : callable
        Called with the file's name and the share done, 0 to 1.
    participant : str
        Code for the participant, which the file does not hold.
    options : XdfOptions
        What the file leaves open.

    Raises
    ------
    InputError
        If a file is damaged or cut short, no EMG stream or more than one fits, its rate, unit or grid is neither
        declared nor given, or a session exists already.
    """
    cues = load_settings(options.cues, MarkerCues).cues if options.cues is not None else {}
    jobs = [
        SessionJob(
            participant,
            session_code(path),
            path.name,
            partial(_import_file, path=path, participant=participant, options=options, cues=cues),
        )
        for path in recording_files(src, (".xdf",))
    ]
    return import_sessions(jobs, out, progress)


def _import_file(
    target: Path,
    share: Share,
    *,
    path: Path,
    participant: str,
    options: XdfOptions,
    cues: Mapping[str, str],
) -> None:
    with reading(path, "an XDF file"):
        streams = _load(path)
        emg = _emg(_chosen(streams, options.stream, path), options, path)
        events = [event for stream in streams for event in _events(stream)]
    events = _with_cues(sorted(events, key=lambda event: event.t_lsl_s), cues)
    gestures = dict.fromkeys(str(event.fields["gesture"]) for event in events if event.kind == "cue")
    protocol = ProtocolInfo(name="XDF recording", gestures=tuple(gestures), notes=path.name)
    header = SessionHeader(participant, session_code(path), emg.info, protocol)
    blocks = (_to_uv(emg, at) for at in range(0, len(emg.values), _BLOCK))
    write_continuous(target, header, blocks, len(emg.values), share, events=events, t_s=emg.t_s)


def _to_uv(emg: _Emg, at: int) -> Float32Array:
    block = emg.values[at : at + _BLOCK, list(emg.columns)].astype(np.float64)
    return np.asarray(block * emg.uv_per_value, dtype=np.float32)


def _load(path: Path) -> list[Stream]:
    # The same reader that session folders use: it knows where a file was cut and what its chunks have room for,
    # which pyxdf does not look at.
    truncated = read_xdf(path, only=lambda _header: False).truncated
    streams, _ = pyxdf.load_xdf(
        str(path),
        jitter_break_threshold_seconds=_BREAK_S,
        jitter_break_threshold_samples=1,
        verbose=False,
    )
    if truncated:
        msg = f"{path} is cut short: its last chunk is not whole; copy it again"
        raise InputError(msg)
    return list(streams)


def _text(stream: Stream, key: str) -> str:
    return str((stream["info"].get(key) or [""])[0] or "")


def _chosen(streams: Sequence[Stream], named: str | None, path: Path) -> Stream:
    if named is None:
        found = [stream for stream in streams if _text(stream, "type").upper() == EMG_TYPE]
    else:
        found = [stream for stream in streams if named in {_text(stream, "name"), _text(stream, "source_id")}]
    if len(found) != 1:
        there = ", ".join(f"{_text(one, 'name')!r} ({_text(one, 'type')})" for one in streams) or "nothing"
        wanted = "of type EMG" if named is None else f"called {named!r}"
        msg = f"{path} holds {len(found)} streams {wanted}, one is required: choose with --stream NAME among {there}"
        raise InputError(msg)
    return found[0]


def _emg(stream: Stream, options: XdfOptions, path: Path) -> _Emg:
    values = stream["time_series"]
    name = _text(stream, "name")
    where = f"{path}: stream {name!r}"
    if not isinstance(values, np.ndarray) or values.ndim != 2 or 0 in values.shape:  # noqa: PLR2004
        msg = f"{where} holds no samples"
        raise InputError(msg)
    declared = _declared_channels(stream)
    if declared and len(declared) != values.shape[1]:
        msg = f"{where} declares {len(declared)} channels and holds {values.shape[1]}"
        raise InputError(msg)
    channels = declared or [{} for _ in range(values.shape[1])]
    columns = [i for i, one in enumerate(channels) if one.get("type", EMG_TYPE).upper() in {"", EMG_TYPE}]
    if not columns:
        msg = f"{where} has no channel of type EMG"
        raise InputError(msg)
    if len(columns) < len(channels):
        _log.info("%s: %d channels that are no EMG are left out", where, len(channels) - len(columns))
    units = [_unit(channels[i], options.unit, where) for i in columns]
    info = EmgStreamInfo(
        name=name or path.stem,
        source_id=_text(stream, "source_id") or f"xdf-{session_code(path)}",
        fs_hz=_rate_hz(stream, where),
        grid=chosen_grid(options.grid, _declared_grid(stream, channels, columns, where), len(columns), path),
        channel_labels=tuple(channels[i].get("label") or f"E{k}" for k, i in enumerate(columns, start=1)),
        manufacturer=_described(stream, "acquisition", "manufacturer"),
        model=_described(stream, "acquisition", "model"),
        serial_number=_described(stream, "acquisition", "serial_number"),
        reference=_described(stream, "reference"),
        filters=_described(stream, "filters"),
    )
    factors = np.array([UV_PER_UNIT[unit] for unit in units])
    return _Emg(info, values, tuple(columns), factors, np.asarray(stream["time_stamps"], dtype=np.float64))


def _rate_hz(stream: Stream, where: str) -> float:
    declared = float(_text(stream, "nominal_srate") or 0)
    measured = float(stream["info"].get("effective_srate") or 0)
    if not declared > 0:
        msg = f"{where} declares no rate; a regular stream is required"
        raise InputError(msg)
    if measured > 0 and abs(measured / declared - 1) > _RATE_TOLERANCE:
        msg = f"{where} declares {declared:g} Hz, but its time stamps show {measured:.6g} Hz; record it again"
        raise InputError(msg)
    return declared


def _unit(channel: Mapping[str, str], given: str | None, where: str) -> str:
    declared = channel.get("unit", "")
    unit = unit_named(declared) if declared else given
    if unit is None:
        said = f"is in {declared!r}" if declared else "declares no unit"
        label = channel.get("label", "?")
        msg = f"{where}: channel {label!r} {said}; uV, mV or V is required (--unit if none is declared)"
        raise InputError(msg)
    return unit


def _child(element: Any, *path: str) -> Any:  # noqa: ANN401 - pyxdf's nested dicts and lists
    for name in path:
        element = (element or {}).get(name)
        element = element[0] if isinstance(element, list) and element else element
    return element


def _declared_channels(stream: Stream) -> list[dict[str, str]]:
    channels = (_child(stream["info"], "desc", "channels") or {}).get("channel") or []
    return [
        {key: str(value[0]) for key, value in (one or {}).items() if value and isinstance(value[0], str)}
        for one in channels
    ]


def _declared_grid(
    stream: Stream, channels: Sequence[Mapping[str, str]], columns: Sequence[int], where: str
) -> ElectrodeGrid | None:
    """Read the grid as this project's own streams declare it; None where it is not declared."""
    grid = {key: value[0] for key, value in (_child(stream["info"], "desc", "grid") or {}).items()}
    try:
        rows, n_columns = int(grid["rows"]), int(grid["columns"])
        if not 1 <= rows * n_columns <= MAX_CHANNELS:
            return None
        layout = [[NO_ELECTRODE] * n_columns for _ in range(rows)]
        for channel, index in enumerate(columns):
            layout[int(channels[index]["row"])][int(channels[index]["column"])] = channel
    except (KeyError, ValueError, IndexError):
        return None
    settings = {
        "name": grid.get("name", "declared"),
        "channel_at": layout,
        "pitch_mm": grid.get("pitch_mm"),
        "wraps": grid.get("wraps", "none"),
    }
    return grid_from_settings(settings, where)


def _described(stream: Stream, *path: str) -> str:
    value = _child(stream["info"], "desc", *path)
    return value if isinstance(value, str) else ""


def _events(stream: Stream) -> list[Event]:
    if _text(stream, "type") != EVENTS_TYPE or isinstance(stream["time_series"], np.ndarray):
        return []
    texts = (str(row[0]) for row in stream["time_series"])
    return [_event(text, float(t_s)) for text, t_s in zip(texts, stream["time_stamps"], strict=True)]


def _event(text: str, t_s: float) -> Event:
    try:
        return event_from_json(text, t_s)
    except InputError:
        return Event(t_s, "marker", {"text": text})


def _with_cues(events: Sequence[Event], cues: Mapping[str, str]) -> list[Event]:
    """Turn markers into cues: the n-th of a gesture is its n-th repetition."""
    repetitions: dict[str, int] = defaultdict(int)
    trial, found = 0, []
    for event in events:
        gesture = cues.get(str(event.fields.get("text"))) if event.kind == "marker" else None
        if gesture is None:
            found.append(event)
            continue
        repetitions[gesture] += 1
        trial += 1
        fields = {"gesture": gesture, "repetition": repetitions[gesture], "trial": trial}
        found.append(Event(event.t_lsl_s, "cue", fields))
    return found
