"""Intan RHD files (the recording controller's and RHX's own, one file a recording) as session folders, through neo."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from neo.rawio import IntanRawIO

from emg_acquisition.arrays import Float32Array
from emg_acquisition.errors import InputError
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

_AMPLIFIER = "RHD2000 amplifier channel"
_MAGIC = (0xC6912702).to_bytes(4, "little")
_BLOCK = 4096


def import_intan_rhd(
    src: Path, out: Path, progress: Progress = silent, *, participant: str, grid: str
) -> list[Path]:
    """Import one file, or every .rhd file of a folder; all of them or, after an error, none.

    The amplifier channels are EMG, in the order of the file, 0.195 µV a count; auxiliary, supply, temperature,
    analog and digital inputs are left out.

    Parameters
    ----------
    src : Path
        A .rhd file, or a folder of them.
    out : Path
        Session folders appear as ``OUT/sub-P01/ses-<letters and digits of the file's name>``.
    progress : callable
        Called with the file's name and the share done, 0 to 1.
    participant : str
        Code for the participant, which the file does not hold.
    grid : str
        Grid name or YAML file: the file does not say where its channels lie.

    Raises
    ------
    InputError
        If a file is damaged, has a gap in its time stamps, or holds no amplifier channel, or a session exists.
    """
    jobs = [
        SessionJob(
            participant,
            session_code(path),
            path.name,
            partial(_import_file, path=path, participant=participant, grid=grid),
        )
        for path in recording_files(src, (".rhd",))
    ]
    return import_sessions(jobs, out, progress)


def _import_file(target: Path, share: Share, *, path: Path, participant: str, grid: str) -> None:
    session = session_code(path)
    reader, stream = _open(path)
    channels = reader.header["signal_channels"]
    channels = channels[channels["stream_id"] == reader.header["signal_streams"][stream]["id"]]
    if set(channels["units"]) != {"uV"}:
        msg = f"{path}: amplifier channels in {', '.join(sorted(set(channels['units'])))}; uV is required"
        raise InputError(msg)
    info = EmgStreamInfo(
        name=f"Intan {path.stem}",
        source_id=f"intan-{session}",
        fs_hz=float(channels["sampling_rate"][0]),
        grid=chosen_grid(grid, None, len(channels), path),
        channel_labels=tuple(str(name) for name in channels["name"]),
        manufacturer="Intan",
        model="RHD2000",
        reference="",
        filters="",
    )
    header = SessionHeader(participant, session, info, ProtocolInfo(name="Intan RHD recording"))
    n_samples = int(reader.get_signal_size(0, 0, stream))
    if not n_samples:
        msg = f"{path} holds no sample"
        raise InputError(msg)
    write_continuous(target, header, _blocks(reader, stream, n_samples), n_samples, share)


def _open(path: Path) -> tuple[IntanRawIO, int]:
    with path.open("rb") as file:
        magic = file.read(len(_MAGIC))
    if magic != _MAGIC:
        msg = f"{path} is no Intan RHD file: it begins otherwise"
        raise InputError(msg)
    with reading(path, "an .rhd file without a gap in time"):
        reader = IntanRawIO(str(path))
        reader.parse_header()
    names = list(reader.header["signal_streams"]["name"])
    if _AMPLIFIER not in names:
        msg = f"{path} holds no amplifier channel; it holds {', '.join(names) or 'nothing'}"
        raise InputError(msg)
    return reader, names.index(_AMPLIFIER)


def _blocks(reader: IntanRawIO, stream: int, n_samples: int) -> Iterator[Float32Array]:
    for start in range(0, n_samples, _BLOCK):
        counts = reader.get_analogsignal_chunk(
            0, 0, i_start=start, i_stop=min(start + _BLOCK, n_samples), stream_index=stream
        )
        yield np.asarray(
            reader.rescale_signal_raw_to_float(counts, dtype="float64", stream_index=stream), np.float32
        )
