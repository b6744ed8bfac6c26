"""The flexemg data set as session folders.

A. Moin et al., "An EMG Gesture Recognition System with Flexible High-Density Sensors and Brain-Inspired
High-Dimensional Classifier", ISCAS 2018; files and code book: https://github.com/flexemg/flexemg_v1 .
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.recording.importers.sessions import (
    CueAt,
    Piece,
    Progress,
    SessionHeader,
    SessionJob,
    Share,
    import_sessions,
    silent,
    write_joined,
)
from emg_acquisition.recording.importers.source_files import load_mat
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.stream_info import EmgStreamInfo

FS_HZ = 1000.0
N_CHANNELS = 64
GESTURES = {1: "fist", 2: "wrist_extension", 3: "wrist_flexion", 4: "hand_open"}
# The files do not say it. The array is described as 29.3 cm x 8.2 cm; 293 mm / 16 rows is taken as the pitch
# both ways. Nothing but drawings depends on it.
PITCH_MM = 18.3
_RECORDING_NAME = re.compile(r"(?P<participant>\d{3})-(?P<session>Session\w+)")


def import_flexemg(
    src: Path,
    out: Path,
    progress: Progress = silent,
    recordings: Sequence[str] | None = None,
) -> list[Path]:
    """Import recordings of the flexemg data set; all of them or, after an error, none.

    Each recording becomes one session of continuous EMG at 1000 Hz in µV. Where one file follows another a
    ``join`` event stands, and the later file is shifted, per channel, to begin where the earlier one ended:
    the counts carry an arbitrary offset, and its step would ring through every high-pass.

    Parameters
    ----------
    src : Path
        The data set: holds ``arraymap.mat`` and ``data/``.
    out : Path
        Session folders appear as ``OUT/sub-001/ses-Session1Train``.
    progress : callable
        Called with the recording's name and the share done, 0 to 1, after each file.
    recordings : sequence of str, optional
        Names such as ``001-Session1Train``; all of them if not given.

    Returns
    -------
    list of Path
        The session folders, in order of their names.

    Raises
    ------
    InputError
        If something is missing, cut short or not as the data set has it, or a session exists already.
    """
    if not src.is_dir():
        msg = f"{src} does not exist: name the folder of the flexemg data set, with data/ and arraymap.mat"
        raise InputError(msg)
    grid = _grid(src / "arraymap.mat")
    sources = _recordings(src / "data", recordings)
    jobs = [
        SessionJob(*_codes(source.name), source.name, partial(_import_recording, source, grid))
        for source in sources
    ]
    return import_sessions(jobs, out, progress)


def _codes(name: str) -> tuple[str, str]:
    match = _RECORDING_NAME.fullmatch(name)
    if match is None:
        msg = f"{name!r} is no name of a flexemg recording: one like '001-Session1Train' is required"
        raise InputError(msg)
    return match["participant"], match["session"]


def _recordings(data: Path, wanted: Sequence[str] | None) -> list[Path]:
    if not data.is_dir():
        msg = f"{data} is missing: name the folder of the flexemg data set that holds data/ and arraymap.mat"
        raise InputError(msg)
    found = {folder.name: folder for folder in sorted(data.iterdir()) if folder.is_dir()}
    names = sorted(found) if wanted is None else list(wanted)
    missing = [name for name in names if name not in found]
    if missing or not names:
        which = missing[0] if missing else "at all"
        msg = f"{data} holds no recording {which}; it holds {', '.join(found) or 'nothing'}"
        raise InputError(msg)
    return [found[name] for name in names]


def _import_recording(source: Path, grid: ElectrodeGrid, target: Path, share: Share) -> None:
    participant, session = _codes(source.name)
    files = sorted(source.glob("*.mat"))
    if not files:
        msg = f"{source} holds no .mat file"
        raise InputError(msg)
    protocol = ProtocolInfo(
        name="flexemg", gestures=(REST, *GESTURES.values()), notes="cues in time order; labels follow the cue"
    )
    header = SessionHeader(participant, session, _stream_info(source.name, grid), protocol)
    write_joined(target, header, _repetitions(files), len(files), share)


def _repetitions(files: Sequence[Path]) -> Iterator[Piece]:
    for repetition, path in enumerate(files, start=1):
        yield _read_repetition(path, repetition)


def _read_repetition(path: Path, repetition: int) -> Piece:
    content = load_mat(path)
    try:
        p, raw = content["p"], content["raw"]
        uv_per_count = float(p.lsbmV) * 1000.0
        sequence = [int(code) for code in np.atleast_1d(p.sequence)]
        rest, held = int(p.timerest), int(p.timegest)
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        msg = f"{path} lacks {error.args[0]!r}: it is no file of the flexemg data set"
        raise InputError(msg) from error
    if raw.ndim != 2 or raw.shape[1] < N_CHANNELS or not all(code in GESTURES for code in sequence):  # noqa: PLR2004
        msg = (
            f"{path}: 'raw' has shape {raw.shape} and 'sequence' is {sequence}; "
            f"(samples, {N_CHANNELS} or more) and gestures of {sorted(GESTURES)} are required"
        )
        raise InputError(msg)
    ends = rest + held * len(sequence)
    if len(raw) <= ends or rest <= 0 or held <= 0:
        msg = f"{path}: {len(raw)} samples are too few for {len(sequence)} gestures of {held} after {rest} of rest"
        raise InputError(msg)
    gestures = [(rest + held * k, GESTURES[code]) for k, code in enumerate(sequence)]
    cues = tuple(CueAt(at, gesture, repetition) for at, gesture in ((0, REST), *gestures, (ends, REST)))
    return Piece(raw[:, :N_CHANNELS].astype(np.float64) * uv_per_count, cues, repetition)


def _grid(path: Path) -> ElectrodeGrid:
    content = load_mat(path)
    array = content.get("arraymap")
    if array is None or np.shape(array) != (16, 4):
        msg = f"{path} holds no 16 x 4 'arraymap'"
        raise InputError(msg)
    channel_at = tuple(tuple(int(channel) - 1 for channel in row) for row in array)
    return ElectrodeGrid("flexemg-16x4", channel_at, PITCH_MM, "rows")


def _stream_info(name: str, grid: ElectrodeGrid) -> EmgStreamInfo:
    return EmgStreamInfo(
        name=f"flexemg {name}",
        source_id=f"flexemg-{name}",
        fs_hz=FS_HZ,
        grid=grid,
        channel_labels=tuple(f"E{channel + 1}" for channel in range(N_CHANNELS)),
        manufacturer="UC Berkeley",
        model="flexemg",
        serial_number=name,
        reference="see Moin et al. 2018",
        filters="none",
    )
