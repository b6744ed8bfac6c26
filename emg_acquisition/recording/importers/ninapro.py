"""Ninapro's second data base (DB2) as session folders.

M. Atzori et al., "Electromyography data for non-invasive naturally-controlled robotic hand prostheses", Scientific
Data 1 (2014) 140053; files and exercises: https://ninapro.hevs.ch/instructions/DB2.html .
"""

import re
from functools import partial
from pathlib import Path

import numpy as np

from emg_acquisition.arrays import IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.grid import NO_ELECTRODE, ElectrodeGrid
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
from emg_acquisition.recording.importers.source_files import (
    UV_PER_UNIT,
    check_plausible,
    chosen_grid,
    load_mat,
    matrix,
)
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.stream_info import EmgStreamInfo

FS_HZ = 2000.0
N_CHANNELS = 12
_N = NO_ELECTRODE
# Electrodes 1 to 8 lie evenly around the forearm at the radio-humeral joint; 9 and 10 on the finger flexor and
# extensor, 11 and 12 on biceps and triceps. Empty rows and columns keep those four from being neighbours.
# The pitch is nominal: a forearm of 26 cm divided by eight.
GRID = ElectrodeGrid(
    "ninapro-db2",
    (
        (0, 1, 2, 3, 4, 5, 6, 7),
        (_N,) * 8,
        (8, _N, _N, _N, 9, _N, _N, _N),
        (_N,) * 8,
        (10, _N, _N, _N, 11, _N, _N, _N),
    ),
    pitch_mm=32.0,
    wraps="columns",
)
# Movement numbers run on through the three exercises.
EXERCISES: dict[int, tuple[str, ...]] = {
    1: (
        "thumb_up",
        "index_and_middle_extension",
        "ring_and_little_flexion",
        "thumb_opposing_little_base",
        "finger_abduction",
        "fist",
        "pointing_index",
        "finger_adduction",
        "supination",
        "pronation",
        "supination_little_axis",
        "pronation_little_axis",
        "wrist_flexion",
        "wrist_extension",
        "wrist_abduction",
        "wrist_adduction",
        "wrist_extension_closed_hand",
    ),
    2: (
        "large_diameter_grasp",
        "small_diameter_grasp",
        "fixed_hook_grasp",
        "index_finger_extension_grasp",
        "medium_wrap",
        "ring_grasp",
        "prismatic_four_fingers_grasp",
        "stick_grasp",
        "writing_tripod_grasp",
        "power_sphere_grasp",
        "three_finger_sphere_grasp",
        "precision_sphere_grasp",
        "tripod_grasp",
        "prismatic_pinch_grasp",
        "tip_pinch_grasp",
        "quadpod_grasp",
        "lateral_grasp",
        "parallel_extension_grasp",
        "extension_type_grasp",
        "power_disk_grasp",
        "open_bottle_tripod_grasp",
        "turn_screw",
        "cut_with_knife",
    ),
    3: (
        "little_flexion_force",
        "ring_flexion_force",
        "middle_flexion_force",
        "index_flexion_force",
        "thumb_abduction_force",
        "thumb_flexion_force",
        "index_and_little_flexion_force",
        "ring_and_middle_flexion_force",
        "index_and_thumb_flexion_force",
    ),
}
_FIRST = {1: 1, 2: 18, 3: 41}
_FILE_NAME = re.compile(r"S(?P<subject>\d+)_E(?P<exercise>[123])_A1\.mat")


def import_ninapro(
    src: Path, out: Path, progress: Progress = silent, *, grid: str | None = None, unit: str = "V"
) -> list[Path]:
    """Import every exercise file; all of them or, after an error, none.

    Each file is one continuous recording with rest between the movements. Cues follow ``restimulus``, which the
    authors moved to the muscle's own onset, so labels do not lag.

    Parameters
    ----------
    src : Path
        Folder with ``DB2_s1/S1_E1_A1.mat`` and so on, unpacked.
    out : Path
        Session folders appear as ``OUT/sub-S1/ses-E1``.
    progress : callable
        Called with the recording's name and the share done, 0 to 1.
    grid : str, optional
        Grid name or YAML file, instead of the one that the data base describes.
    unit : {"uV", "mV", "V"}
        What ``emg`` is in, which the files do not say.

    Raises
    ------
    InputError
        If something is missing, damaged or not as the data base has it, or a session exists already.
    """
    files = [
        (path, match) for path in sorted(src.rglob("*.mat")) if (match := _FILE_NAME.fullmatch(path.name))
    ]
    if not files:
        msg = f"{src} holds no S1_E1_A1.mat or the like: name the folder that holds DB2_s1, DB2_s2 ..., unpacked"
        raise InputError(msg)
    chosen = chosen_grid(grid, GRID, N_CHANNELS, src)
    jobs = [
        SessionJob(
            f"S{match['subject']}",
            f"E{match['exercise']}",
            path.stem,
            partial(
                _import_exercise,
                path=path,
                exercise=int(match["exercise"]),
                participant=f"S{match['subject']}",
                grid=chosen,
                unit=unit,
            ),
        )
        for path, match in files
    ]
    return import_sessions(jobs, out, progress)


def _import_exercise(
    target: Path, share: Share, *, path: Path, exercise: int, participant: str, grid: ElectrodeGrid, unit: str
) -> None:
    content = load_mat(path, ["emg", "restimulus", "rerepetition", "frequency"])
    rate = float(np.squeeze(content.get("frequency", FS_HZ)))
    if rate != FS_HZ:
        msg = f"{path} was sampled at {rate:g} Hz; {FS_HZ:g} Hz is required, is it another data base?"
        raise InputError(msg)
    emg_uv = matrix(content, "emg", path, N_CHANNELS).astype(np.float64) * UV_PER_UNIT[unit]
    check_plausible(emg_uv, path, unit)
    stimulus, repetition = (_labels(content, name, path) for name in ("restimulus", "rerepetition"))
    # Some files have a few labels more or less than samples: what has no label is left out.
    n_samples = min(len(emg_uv), len(stimulus), len(repetition))
    cues = _cues(stimulus[:n_samples], repetition[:n_samples], exercise, path)
    protocol = ProtocolInfo(
        name=f"Ninapro DB2 exercise {exercise}",
        gestures=(REST, *EXERCISES[exercise]),
        notes="cues are restimulus: labels that the authors moved to the muscle's onset",
    )
    header = SessionHeader(participant, f"E{exercise}", _stream_info(participant, grid), protocol)
    write_joined(target, header, [Piece(emg_uv[:n_samples], cues, 1)], 1, share)


def _labels(content: dict[str, object], name: str, path: Path) -> IntArray:
    values = np.asarray(content.get(name))
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        msg = f"{path} lacks {name!r}, a column of whole numbers"
        raise InputError(msg)
    return values.astype(np.int64)


def _cues(stimulus: IntArray, repetition: IntArray, exercise: int, path: Path) -> tuple[CueAt, ...]:
    names = EXERCISES[exercise]
    first = _FIRST[exercise]
    unknown = sorted(set(stimulus.tolist()) - {0, *range(first, first + len(names))})
    if unknown:
        msg = (
            f"{path}: 'restimulus' holds {unknown[0]}; exercise {exercise} has movements {first} to "
            f"{first + len(names) - 1} and 0 for rest"
        )
        raise InputError(msg)
    starts = [0, *(np.flatnonzero(np.diff(stimulus)) + 1).tolist()]
    cues, number = [], 1
    for start in starts:
        code = int(stimulus[start])
        # Rest has no repetition of its own: it counts with the movement before it.
        number = number if code == 0 else int(repetition[start])
        cues.append(CueAt(start, REST if code == 0 else names[code - first], number))
    return tuple(cues)


def _stream_info(participant: str, grid: ElectrodeGrid) -> EmgStreamInfo:
    return EmgStreamInfo(
        name=f"Ninapro DB2 {participant}",
        source_id=f"ninapro-db2-{participant}",
        fs_hz=FS_HZ,
        grid=grid,
        channel_labels=tuple(f"E{channel + 1}" for channel in range(N_CHANNELS)),
        manufacturer="Delsys",
        model="Trigno",
        reference="differential; see Atzori et al. 2014",
        filters="see Atzori et al. 2014",
    )
