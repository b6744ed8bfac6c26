"""The GRABMyo data set as session folders.

A. Pradhan, J. He, N. Jiang, "Multi-day dataset of forearm and wrist electromyogram for hand gesture recognition and
biometrics", Scientific Data 9 (2022) 733; files: https://physionet.org/content/grabmyo/ .
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import wfdb

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.grid import NO_ELECTRODE, ElectrodeGrid
from emg_acquisition.recording.damage import reading
from emg_acquisition.recording.importers.sessions import (
    Piece,
    Progress,
    SessionHeader,
    SessionJob,
    Share,
    import_sessions,
    silent,
    whole_trial,
    write_joined,
)
from emg_acquisition.recording.importers.source_files import UV_PER_UNIT, unit_named
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.stream_info import EmgStreamInfo

FS_HZ = 2048.0
# As MotionSequence.txt of the data set has it.
GESTURES = (
    "lateral_prehension",
    "thumb_adduction",
    "thumb_little_opposition",
    "thumb_index_opposition",
    "thumb_index_extension",
    "thumb_little_extension",
    "index_and_middle_extension",
    "little_extension",
    "index_extension",
    "thumb_extension",
    "wrist_extension",
    "wrist_flexion",
    "supination",
    "pronation",
    "hand_open",
    "fist",
    REST,
)
LABELS = (*(f"F{k}" for k in range(1, 17)), *(f"W{k}" for k in range(1, 13)))
_N = NO_ELECTRODE
# Two rings of eight around the forearm, two of six around the wrist; the empty row stands for the hand's breadth
# and more between them. The two rings of a pair are 2 cm apart.
GRID = ElectrodeGrid(
    "grabmyo-forearm-wrist",
    (
        tuple(range(8)),
        tuple(range(8, 16)),
        (_N,) * 8,
        (*range(16, 22), _N, _N),
        (*range(22, 28), _N, _N),
    ),
    pitch_mm=20.0,
    wraps="columns",
)
_RECORD_NAME = re.compile(
    r"session(?P<session>\d+)_participant(?P<participant>\d+)_gesture(?P<gesture>\d+)_trial(?P<trial>\d+)"
)


@dataclass(frozen=True)
class _Trial:
    record: Path
    gesture: int
    trial: int


def import_grabmyo(src: Path, out: Path, progress: Progress = silent) -> list[Path]:
    """Import every participant's session; all of them or, after an error, none.

    Each trial is a record of 5 s. They are joined trial by trial, the gestures in order of their numbers. The 16
    forearm and 12 wrist channels are taken; the unused inputs ``U1`` to ``U4`` are not.

    Parameters
    ----------
    src : Path
        Folder with ``session1_participant1_gesture1_trial1.hea`` and ``.dat``, also in folders within it.
    out : Path
        Session folders appear as ``OUT/sub-01/ses-1``.
    progress : callable
        Called with the recording's name and the share done, 0 to 1.

    Raises
    ------
    InputError
        If something is missing, damaged or not as the data set has it, or a session exists already.
    """
    trials: dict[tuple[str, str], list[_Trial]] = defaultdict(list)
    for path in sorted(src.rglob("session*.hea")):
        match = _RECORD_NAME.fullmatch(path.stem)
        if match is None:
            continue
        gesture = int(match["gesture"])
        if not 1 <= gesture <= len(GESTURES):
            msg = f"{path}: gestures 1 to {len(GESTURES)} are known, got {gesture}"
            raise InputError(msg)
        codes = f"{int(match['participant']):02}", match["session"]
        trials[codes].append(_Trial(path.with_suffix(""), gesture, int(match["trial"])))
    if not trials:
        msg = f"{src} holds no session1_participant1_gesture1_trial1.hea or the like: name the folder of GRABMyo"
        raise InputError(msg)
    jobs = [
        SessionJob(
            *codes, f"participant {codes[0]} session {codes[1]}", partial(_import_session, codes, found)
        )
        for codes, found in sorted(trials.items())
    ]
    return import_sessions(jobs, out, progress)


def _import_session(codes: tuple[str, str], trials: Sequence[_Trial], target: Path, share: Share) -> None:
    ordered = sorted(trials, key=lambda one: (one.trial, one.gesture))
    present = sorted({one.gesture for one in trials})
    protocol = ProtocolInfo(
        name="GRABMyo",
        gestures=tuple(GESTURES[gesture - 1] for gesture in present),
        notes="trials joined, trial by trial; not in the order recorded",
    )
    header = SessionHeader(*codes, _stream_info(codes[0]), protocol)
    write_joined(target, header, _pieces(ordered), len(ordered), share)


def _pieces(trials: Sequence[_Trial]) -> Iterator[Piece]:
    for one in trials:
        yield whole_trial(_read_uv(one.record), GESTURES[one.gesture - 1], one.trial)


def _read_uv(path: Path) -> Float64Array:
    """Read the EMG channels of a record in µV, shape (n_samples, 28), in the order of `LABELS`."""
    data = path.with_name(f"{path.name}.dat")
    with reading(data, "a WFDB record, with its .hea"):
        record = wfdb.rdrecord(str(path), physical=False)
        counts = np.asarray(record.d_signal)
        # A header says the sum of its channel's samples, modulo 2^16.
        sums = counts.sum(axis=0, dtype=np.int64) % 2**16
        whole = len(counts) > 0 and sums.tolist() == [value % 2**16 for value in record.checksum]
        emg_mv = record.dac()
    if not whole:
        msg = f"{data} is not what its header describes (the check sums differ); download it again"
        raise InputError(msg)
    _check_kind(record, data)
    columns = [record.sig_name.index(label) for label in LABELS]
    return np.asarray(emg_mv[:, columns], dtype=np.float64) * UV_PER_UNIT["mV"]


def _check_kind(record: wfdb.Record, path: Path) -> None:
    if record.fs != FS_HZ:
        msg = f"{path} was sampled at {record.fs:g} Hz; {FS_HZ:g} Hz is required"
        raise InputError(msg)
    missing = [label for label in LABELS if label not in record.sig_name]
    if missing:
        msg = f"{path} lacks channel {missing[0]}; it holds {', '.join(record.sig_name)}"
        raise InputError(msg)
    units = dict(zip(record.sig_name, record.units, strict=True))
    other = [f"{label} in {units[label]}" for label in LABELS if unit_named(units[label]) != "mV"]
    if other:
        msg = f"{path} has {other[0]}; mV is required"
        raise InputError(msg)


def _stream_info(participant: str) -> EmgStreamInfo:
    return EmgStreamInfo(
        name=f"GRABMyo {participant}",
        source_id=f"grabmyo-{participant}",
        fs_hz=FS_HZ,
        grid=GRID,
        channel_labels=LABELS,
        manufacturer="OT Bioelettronica",
        model="EMGUSB2+",
        reference="see Pradhan et al. 2022",
        filters="band-pass 10-500 Hz, notch 60 Hz",
    )
