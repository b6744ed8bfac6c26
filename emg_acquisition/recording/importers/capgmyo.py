"""The CapgMyo data bases, as preprocessed by their authors, as session folders.

Y. Du, W. Jin, W. Wei, Y. Hu, W. Geng, "Surface EMG-Based Inter-Session Gesture Recognition Enhanced by Deep Domain
Adaptation", Sensors 17 (2017) 458.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
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
from emg_acquisition.recording.importers.source_files import chosen_grid, load_mat, matrix
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.stream_info import EmgStreamInfo

_log = logging.getLogger(__name__)

FS_HZ = 1000.0
N_CHANNELS = 128
# The authors band-passed (20 to 380 Hz) and scaled +-2.5 mV to +-1.
UV_PER_VALUE = 2500.0
# Eight modules of 8 x 2 electrodes side by side around the forearm: 16 lines of 8 along it. The authors' own
# code lays the 128 columns out as 16 rows of 8; the files do not say more.
GRID = ElectrodeGrid(
    "capgmyo-16x8", tuple(tuple(8 * r + c for c in range(8)) for r in range(16)), pitch_mm=7.5, wraps="rows"
)
# Numbers 13 to 20 of the Ninapro movements in data bases a and b, 1 to 12 in c.
_HAND = (
    "thumb_up",
    "index_and_middle_extension",
    "ring_and_little_flexion",
    "thumb_opposing_little_base",
    "finger_abduction",
    "fist",
    "pointing_index",
    "finger_adduction",
)
_FINGERS = (
    "index_flexion",
    "index_extension",
    "middle_flexion",
    "middle_extension",
    "ring_flexion",
    "ring_extension",
    "little_flexion",
    "little_extension",
    "thumb_adduction",
    "thumb_abduction",
    "thumb_flexion",
    "thumb_extension",
)
GESTURES = {"a": _HAND, "b": _HAND, "c": _FINGERS}
# Two maximal contractions for scaling, recorded in addition to the gestures.
_MAXIMAL = (100, 101)
_FILE_NAME = re.compile(r"(?P<subject>\d{3})-(?P<gesture>\d{3})-(?P<trial>\d{3})\.mat")


@dataclass(frozen=True)
class _Trial:
    path: Path
    gesture: str
    trial: int


def import_capgmyo(
    src: Path, out: Path, progress: Progress = silent, *, database: str, grid: str | None = None
) -> list[Path]:
    """Import one of the three data bases; all of its sessions or, after an error, none.

    The files hold the middle of each trial, some 1 s of it. They are joined trial by trial, the gestures in
    order of their numbers. There is no rest among them, and the two maximal contractions are left out.

    Parameters
    ----------
    src : Path
        Folder with ``SSS-GGG-TTT.mat``, also in folders within it.
    out : Path
        Session folders appear as ``OUT/sub-A001/ses-1``; of data base b, whose odd and even subjects are one
        person on two days, as ``OUT/sub-B001/ses-1`` and ``ses-2``.
    progress : callable
        Called with the recording's name and the share done, 0 to 1.
    database : {"a", "b", "c"}
        Which it is: the numbers mean other gestures in c, and the files do not say.
    grid : str, optional
        Grid name or YAML file, if the electrodes lie otherwise than the authors' code has them.

    Raises
    ------
    InputError
        If something is missing, damaged or not as the data base has it, or a session exists already.
    """
    trials = _trials_by_subject(src, database)
    chosen = chosen_grid(grid, GRID, N_CHANNELS, src)
    jobs = []
    for subject, found in sorted(trials.items()):
        participant, session = _codes(database, subject)
        header = SessionHeader(
            participant, session, _stream_info(participant, chosen), _protocol(database, found)
        )
        jobs.append(
            SessionJob(
                participant, session, f"{participant} {session}", partial(_import_trials, found, header)
            )
        )
    return import_sessions(jobs, out, progress)


def _codes(database: str, subject: int) -> tuple[str, str]:
    if database == "b":
        return f"B{(subject + 1) // 2:03}", "1" if subject % 2 else "2"
    return f"{database.upper()}{subject:03}", "1"


def _trials_by_subject(src: Path, database: str) -> dict[int, list[_Trial]]:
    names = GESTURES[database]
    found: dict[int, list[_Trial]] = defaultdict(list)
    maximal = 0
    for path in sorted(src.rglob("*.mat")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            continue
        number = int(match["gesture"])
        if number in _MAXIMAL:
            maximal += 1
        elif not 1 <= number <= len(names):
            msg = f"{path}: data base {database} has gestures 1 to {len(names)}, got {number}; is it another data base?"
            raise InputError(msg)
        else:
            found[int(match["subject"])].append(_Trial(path, names[number - 1], int(match["trial"])))
    if not found:
        msg = f"{src} holds no trial SSS-GGG-TTT.mat: name the folder of a CapgMyo data base, unpacked"
        raise InputError(msg)
    if maximal:
        _log.info("%d maximal contractions (gestures 100 and 101) left out", maximal)
    for trials in found.values():
        trials.sort(key=lambda one: (one.trial, names.index(one.gesture)))
    return found


def _import_trials(trials: Sequence[_Trial], header: SessionHeader, target: Path, share: Share) -> None:
    write_joined(target, header, _pieces(trials), len(trials), share)


def _pieces(trials: Sequence[_Trial]) -> Iterator[Piece]:
    for one in trials:
        data = matrix(load_mat(one.path, ["data"]), "data", one.path, N_CHANNELS).astype(np.float64)
        largest = float(np.abs(data).max())
        if not largest <= 1.0:
            msg = f"{one.path}: values reach {largest:g}; the preprocessed files, scaled to -1 to 1, are required"
            raise InputError(msg)
        yield whole_trial(data * UV_PER_VALUE, one.gesture, one.trial)


def _protocol(database: str, trials: Sequence[_Trial]) -> ProtocolInfo:
    present = {one.gesture for one in trials}
    return ProtocolInfo(
        name=f"CapgMyo DB-{database}",
        gestures=tuple(gesture for gesture in GESTURES[database] if gesture in present),
        notes="middle of each trial, joined trial by trial; no rest was published",
    )


def _stream_info(participant: str, grid: ElectrodeGrid) -> EmgStreamInfo:
    return EmgStreamInfo(
        name=f"CapgMyo {participant}",
        source_id=f"capgmyo-{participant}",
        fs_hz=FS_HZ,
        grid=grid,
        channel_labels=tuple(f"E{channel + 1}" for channel in range(N_CHANNELS)),
        manufacturer="Zhejiang University",
        model="CapgMyo",
        reference="differential; see Du et al. 2017",
        filters="band-pass 20-380 Hz",
    )
