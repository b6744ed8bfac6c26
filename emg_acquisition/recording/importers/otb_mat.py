"""OTBioLab+'s .mat export as session folders."""

import logging
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emg_acquisition.errors import InputError
from emg_acquisition.grid_library import GRID_NAMES
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
    load_mat,
    matrix,
    recording_files,
    session_code,
    unit_named,
)
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.stream_info import EmgStreamInfo

_log = logging.getLogger(__name__)

# "Vastus Lateralis - AUX 3 (Channel 1->1) - GR08MM1305 (17)[uV]": muscle and input, electrode, number, unit.
_COLUMN = re.compile(r"(?P<source>.*?)(?P<electrode>\S+) \((?P<number>\d+)\)\[(?P<unit>[^\]]*)\]")
# What decompositions add is computed, not measured, and repeats the electrode's name.
_COMPUTED = re.compile(r"\b(decomposition|source for)\b", re.IGNORECASE)
# Steps between time stamps are equal to the last digits of a double.
_SAME_STEP = 1e-6
_BLOCK = 4096


@dataclass(frozen=True)
class _Matrix:
    """One electrode matrix: its columns of ``Data`` in order of its channel numbers, and their unit."""

    source: str
    electrode: str
    columns: tuple[int, ...]
    uv_per_value: float


def import_otb_mat(
    src: Path, out: Path, progress: Progress = silent, *, participant: str, grid: str | None = None
) -> list[Path]:
    """Import one file, or every .mat file of a folder; all of them or, after an error, none.

    Of each file the columns in a unit of voltage that number an electrode matrix are EMG; the others (force,
    decomposition, sources) are left out. A file with several matrices becomes one session a matrix.

    Parameters
    ----------
    src : Path
        Holds ``Data``, ``Description``, ``SamplingFrequency`` and ``Time``, as OTBioLab+ exports them.
    out : Path
        Session folders appear as ``OUT/sub-P01/ses-<letters and digits of the file's name>``.
    progress : callable
        Called with the file's name and the share done, 0 to 1.
    participant : str
        Code for the participant, which an export does not hold.
    grid : str, optional
        Grid name or YAML file; the matrix's own code if not given.

    Raises
    ------
    InputError
        If a file is damaged, holds no electrode matrix or one that is not known, or a session exists already.
    """
    jobs = [
        SessionJob(
            participant,
            code,
            path.name,
            partial(_import_matrix, path=path, one=one, codes=(participant, code), grid=grid),
        )
        for path in recording_files(src, (".mat",))
        for code, one in _sessions(path)
    ]
    return import_sessions(jobs, out, progress)


def _sessions(path: Path) -> list[tuple[str, _Matrix]]:
    found = _matrices(_descriptions(load_mat(path, ["Description"]), path), path)
    code = session_code(path)
    if len(found) == 1:
        return [(code, found[0])]
    return [(f"{code}grid{number}", one) for number, one in enumerate(found, start=1)]


def _descriptions(content: dict[str, Any], path: Path) -> list[str]:
    if "Description" not in content:
        msg = f"{path} lacks 'Description': it is cut short, or no .mat export of OTBioLab+"
        raise InputError(msg)
    return [str(text).strip() for text in np.atleast_1d(content["Description"])]


def _matrices(descriptions: Sequence[str], path: Path) -> list[_Matrix]:
    columns: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for index, text in enumerate(descriptions):
        match = _COLUMN.fullmatch(text)
        unit = unit_named(match["unit"]) if match else None
        if match is None or unit is None or _COMPUTED.search(text):
            continue
        columns[match["source"].strip(" -"), match["electrode"], unit].append((int(match["number"]), index))
    left_out = len(descriptions) - sum(len(numbered) for numbered in columns.values())
    if not columns:
        msg = f"{path}: none of its {len(descriptions)} columns is an electrode in uV, mV or V"
        raise InputError(msg)
    if left_out:
        _log.info(
            "%s: %d of %d columns are no electrodes and are left out", path, left_out, len(descriptions)
        )
    return [_matrix_of(key, numbered, path) for key, numbered in columns.items()]


def _matrix_of(key: tuple[str, str, str], numbered: list[tuple[int, int]], path: Path) -> _Matrix:
    source, electrode, unit = key
    numbered.sort()
    numbers = [number for number, _ in numbered]
    if numbers != list(range(1, len(numbers) + 1)):
        msg = f"{path}: {source} {electrode} must number its channels 1 to {len(numbers)}, got {numbers}"
        raise InputError(msg)
    return _Matrix(source, electrode, tuple(index for _, index in numbered), UV_PER_UNIT[unit])


def _import_matrix(
    target: Path, share: Share, *, path: Path, one: _Matrix, codes: tuple[str, str], grid: str | None
) -> None:
    content = load_mat(path, ["Data", "SamplingFrequency", "Time", "Description"])
    data = matrix(content, "Data", path, len(_descriptions(content, path)))
    named = grid if grid is not None else (one.electrode if one.electrode in GRID_NAMES else None)
    fs_hz = _rate_hz(content, len(data), path)
    info = EmgStreamInfo(
        name=f"{path.stem} {one.source}",
        source_id=f"otb-{codes[1]}",
        fs_hz=fs_hz,
        grid=chosen_grid(named, None, len(one.columns), path),
        channel_labels=tuple(f"E{number}" for number in range(1, len(one.columns) + 1)),
        manufacturer="OT Bioelettronica",
        model=one.electrode,
        reference="",
        filters="",
    )
    protocol = ProtocolInfo(name="OTBioLab+ export", notes=one.source)
    header = SessionHeader(*codes, info, protocol)
    blocks = (
        (data[at : at + _BLOCK, one.columns].astype(np.float64) * one.uv_per_value).astype(np.float32)
        for at in range(0, len(data), _BLOCK)
    )
    write_continuous(target, header, blocks, len(data), share)


def _rate_hz(content: dict[str, Any], n_samples: int, path: Path) -> float:
    """Read the rate, and see that the time stamps agree: an export may hold signals of several rates."""
    rate = np.asarray(content.get("SamplingFrequency", np.nan))
    time_s = np.asarray(content.get("Time", np.nan))
    if rate.dtype.kind not in "iuf" or rate.size != 1 or not 0 < float(rate.squeeze()) < np.inf:
        msg = f"{path}: one 'SamplingFrequency' is required, got {rate.tolist()}; export signals of one rate"
        raise InputError(msg)
    fs_hz = float(rate.squeeze())
    steps = np.diff(time_s) if time_s.ndim == 1 and time_s.dtype.kind == "f" else np.array([np.nan])
    if len(time_s.ravel()) != n_samples or not np.all(np.abs(steps * fs_hz - 1.0) < fs_hz * _SAME_STEP):
        msg = f"{path}: 'Time' does not hold {n_samples} regular steps of {fs_hz:g} Hz; export signals of one rate"
        raise InputError(msg)
    return fs_hz
