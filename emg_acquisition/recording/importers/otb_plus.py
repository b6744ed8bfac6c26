"""OTBioLab+'s own .otb+ files as session folders.

A .otb+ file is a tar archive. ``<name>.sig`` holds the counts of all channels of the device, int16 little-endian,
channel by channel within a sample; ``<name>.xml`` names device, rate and bits, and the adapters with their channels.
``patient.xml`` holds a name and a date of birth, and is never read.
"""

import logging
import re
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from emg_acquisition.arrays import Float32Array
from emg_acquisition.errors import InputError
from emg_acquisition.grid_library import GRID_NAMES
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
from emg_acquisition.recording.importers.source_files import chosen_grid, recording_files, session_code
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.stream_info import EmgStreamInfo

_log = logging.getLogger(__name__)

_BITS = 16
_COUNTS = 2.0**_BITS
# Input range in volts and gain by device or, behind a SyncStation, by adapter: OT Bioelettronica's conversion
# factors. Range / 2^16 / gain is 508.6 nV for the Quattrocento, 249.3 nV for Due+ and Quattro+, 286.1 nV otherwise.
_QUATTROCENTO = (5.0, 150.0)
_BIPOLAR_PLUS = (3.3, 202.0)
_PROBE = (4.8, 256.0)
_CONVERSION = {
    "QUATTROCENTO": _QUATTROCENTO,
    "QUATTRO": _QUATTROCENTO,
    "DUE": (5.0, 200.0),
    "DUE+": _BIPOLAR_PLUS,
    "QUATTRO+": _BIPOLAR_PLUS,
    "MUOVI": _PROBE,
    "MUOVI+": _PROBE,
    "SESSANTAQUATTRO": _PROBE,
    "SESSANTAQUATTRO+": _PROBE,
    "SYNCSTATION": _PROBE,
}
_AUXILIARY_ADAPTER = re.compile(
    r"AdapterControl|AdapterQuaternions|AdapterLoadCell|Direct connection.*|AUX.*", re.IGNORECASE
)
_AUXILIARY_CHANNEL = re.compile(r"(quaternion|buffer|ramp|loadcell|aux|control).*", re.IGNORECASE)
_BLOCK = 4096


@dataclass(frozen=True)
class _Adapter:
    """The EMG channels of one adapter: their places within a sample, and what a count is worth."""

    electrode: str
    muscle: str
    columns: tuple[int, ...]
    uv_per_count: float
    filters: str


@dataclass(frozen=True)
class _Recording:
    """What the archive says of its one signal file."""

    sig: str
    device: str
    fs_hz: float
    n_channels: int
    n_samples: int
    adapters: tuple[_Adapter, ...]


def import_otb_plus(
    src: Path, out: Path, progress: Progress = silent, *, participant: str, grid: str | None = None
) -> list[Path]:
    """Import one file, or every .otb+ file of a folder; all of them or, after an error, none.

    Each adapter with EMG channels becomes a session; quaternions, buffer, ramp, load cell and other auxiliary
    channels are left out.

    Parameters
    ----------
    src : Path
        A .otb+ file, or a folder of them.
    out : Path
        Session folders appear as ``OUT/sub-P01/ses-<letters and digits of the file's name>``, with ``grid1``,
        ``grid2`` behind it where a file has several adapters.
    progress : callable
        Called with the file's name and the share done, 0 to 1.
    participant : str
        Code for the participant: the file holds a name, which is not imported.
    grid : str, optional
        Grid name or YAML file; the matrix's own code if not given.

    Raises
    ------
    InputError
        If a file is damaged, is not of 16 bits, comes from a device whose conversion is not known, holds no EMG
        or a matrix that is not known, or a session exists already.
    """
    jobs = []
    for path in recording_files(src, (".otb+",)):
        recording = _describe(path)
        code = session_code(path)
        for number, adapter in enumerate(recording.adapters, start=1):
            session = code if len(recording.adapters) == 1 else f"{code}grid{number}"
            header = SessionHeader(
                participant,
                session,
                _stream_info(path, recording, adapter, session, grid),
                _protocol(adapter),
            )
            jobs.append(
                SessionJob(
                    participant,
                    session,
                    path.name,
                    partial(_write, path=path, recording=recording, adapter=adapter, header=header),
                )
            )
    return import_sessions(jobs, out, progress)


def _describe(path: Path) -> _Recording:
    with reading(path, "an .otb+ file"), tarfile.open(path, "r:") as archive:
        signals = [member for member in archive.getmembers() if member.name.endswith(".sig")]
        if len(signals) != 1:
            msg = f"{path} holds {len(signals)} .sig files; one is required, export the recording alone"
            raise InputError(msg)
        sig = signals[0]
        device = ET.parse(_member(archive, sig.name.removesuffix(".sig") + ".xml", path)).getroot()  # noqa: S314
    n_channels, bits = (int(_attribute(device, name, path)) for name in ("DeviceTotalChannels", "ad_bits"))
    if bits != _BITS:
        msg = f"{path} holds samples of {bits} bits; only {_BITS} bits can be read, export it from OTBioLab+ as .mat"
        raise InputError(msg)
    n_samples, rest = divmod(sig.size, n_channels * _BITS // 8)
    if rest or not n_samples:
        msg = f"{path}: {sig.name} has {sig.size} bytes, no whole number of samples of {n_channels} channels"
        raise InputError(msg)
    name = str(device.get("Name", "")).split(";")[0].strip()
    fs_hz = _attribute(device, "SampleFrequency", path)
    adapters = tuple(_adapters(device, name, n_channels, path))
    if not adapters:
        msg = f"{path} holds no EMG channel"
        raise InputError(msg)
    return _Recording(sig.name, name, fs_hz, n_channels, n_samples, adapters)


def _member(archive: tarfile.TarFile, name: str, path: Path) -> IO[bytes]:
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        msg = f"{path} holds no {name}: it is no .otb+ file, or is cut short"
        raise InputError(msg)
    return file


def _attribute(element: ET.Element, name: str, path: Path) -> float:
    try:
        number = float(element.get(name, ""))
    except ValueError:
        number = np.nan
    # Counts and rates alike: none of them can be zero but an index, which is read elsewhere.
    if not 0 < number < np.inf:
        msg = f"{path}: its description lacks {name!r}, or it is no number above zero: {element.get(name)!r}"
        raise InputError(msg)
    return number


def _adapters(device: ET.Element, name: str, n_channels: int, path: Path) -> Iterator[_Adapter]:
    left_out = 0
    for adapter in device.iter("Adapter"):
        emg = [one for one in adapter.iter("Channel") if not _AUXILIARY_CHANNEL.fullmatch(one.get("ID", ""))]
        n_all = sum(1 for _ in adapter.iter("Channel"))
        if _AUXILIARY_ADAPTER.fullmatch(adapter.get("ID", "")) or not emg:
            left_out += n_all
            continue
        left_out += n_all - len(emg)
        yield _adapter(adapter, emg, name, n_channels, path)
    if left_out:
        _log.info("%s: %d auxiliary channels are left out", path, left_out)


def _adapter(
    adapter: ET.Element, emg: list[ET.Element], device: str, n_channels: int, path: Path
) -> _Adapter:
    try:
        first = int(adapter.get("ChannelStartIndex", ""))
        columns = tuple(first + int(one.get("Index", "")) for one in emg)
        gains = {float(one.get("Gain", "1")) for one in emg}
        adapter_gain = float(adapter.get("Gain", "1"))
    except ValueError as error:
        msg = f"{path}: adapter {adapter.get('ID')!r} lacks a number for its channels or their gain"
        raise InputError(msg) from error
    if len(set(columns)) != len(columns) or not all(0 <= column < n_channels for column in columns):
        msg = f"{path}: adapter {adapter.get('ID')!r} numbers channels twice or beyond the device's {n_channels}"
        raise InputError(msg)
    if len(gains) != 1 or not 0 < min(gains) < np.inf:
        msg = f"{path}: the channels of adapter {adapter.get('ID')!r} need one gain above zero, got {sorted(gains)}"
        raise InputError(msg)
    return _Adapter(
        electrode=emg[0].get("ID", ""),
        muscle=emg[0].get("Muscle", ""),
        columns=columns,
        uv_per_count=_uv_per_count(device, adapter, adapter_gain, path) / gains.pop(),
        filters=f"high-pass {adapter.get('HighPassFilter', '?')} Hz, low-pass {adapter.get('LowPassFilter', '?')} Hz",
    )


def _uv_per_count(device: str, adapter: ET.Element, declared: float, path: Path) -> float:
    conversion = _CONVERSION.get(device.upper())
    if device.upper() == "SYNCSTATION" and adapter.get("ID", "").upper() in {"DUE+", "QUATTRO+"}:
        conversion = _BIPOLAR_PLUS
    if conversion is None:
        msg = f"{path}: device {device!r} is not known ({', '.join(_CONVERSION)}); export it from OTBioLab+ as .mat"
        raise InputError(msg)
    range_v, gain = conversion
    # Newer versions of OTBioLab+ write the device's gain here, older ones 1.
    if declared not in {1.0, gain}:
        msg = f"{path}: adapter {adapter.get('ID')!r} has a gain of {declared:g}; {gain:g} is known for {device}"
        raise InputError(msg)
    return range_v * 1e6 / _COUNTS / gain


def _write(
    target: Path,
    share: Share,
    *,
    path: Path,
    recording: _Recording,
    adapter: _Adapter,
    header: SessionHeader,
) -> None:
    with reading(path, "an .otb+ file"), tarfile.open(path, "r:") as archive:
        blocks = _blocks(_member(archive, recording.sig, path), recording, adapter, path)
        write_continuous(target, header, blocks, recording.n_samples, share)


def _blocks(sig: IO[bytes], recording: _Recording, adapter: _Adapter, path: Path) -> Iterator[Float32Array]:
    bytes_a_sample = recording.n_channels * _BITS // 8
    columns = list(adapter.columns)
    left = recording.n_samples
    while left:
        count = min(_BLOCK, left)
        raw = sig.read(count * bytes_a_sample)
        if len(raw) < count * bytes_a_sample:
            msg = f"{path}: {recording.sig} is cut short; copy the file again"
            raise InputError(msg)
        counts = np.frombuffer(raw, dtype="<i2").reshape(count, recording.n_channels)
        yield (counts[:, columns] * adapter.uv_per_count).astype(np.float32)
        left -= count


def _stream_info(
    path: Path, recording: _Recording, adapter: _Adapter, session: str, grid: str | None
) -> EmgStreamInfo:
    named = grid if grid is not None else (adapter.electrode if adapter.electrode in GRID_NAMES else None)
    n_channels = len(adapter.columns)
    return EmgStreamInfo(
        name=f"{path.stem} {adapter.electrode}",
        source_id=f"otb-{session}",
        fs_hz=recording.fs_hz,
        grid=chosen_grid(named, None, n_channels, path),
        channel_labels=tuple(f"E{number}" for number in range(1, n_channels + 1)),
        manufacturer="OT Bioelettronica",
        model=recording.device,
        reference="",
        filters=adapter.filters,
    )


def _protocol(adapter: _Adapter) -> ProtocolInfo:
    return ProtocolInfo(name="OTBioLab+ recording", notes=adapter.muscle)
