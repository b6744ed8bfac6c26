"""The 3DC data set as session folders, from the original text files or from one .npz file a participant.

U. Côté-Allard, G. Gagnon-Turcotte, F. Laviolette, B. Gosselin, "A Low-Cost, Wireless, 3-D-Printed Custom Armband for
sEMG Hand Gesture Recognition", Sensors 19 (2019) 2811.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.grid import ElectrodeGrid
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
from emg_acquisition.recording.importers.source_files import chosen_grid
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.stream_info import EmgStreamInfo

_log = logging.getLogger(__name__)

FS_HZ = 1000.0
N_CHANNELS = 10
GESTURES = (
    REST,
    "wrist_abduction",
    "wrist_flexion",
    "wrist_adduction",
    "wrist_extension",
    "supination",
    "pronation",
    "fist",
    "hand_open",
    "tripod_pinch",
    "pinch_grip",
)
# Ten electrodes around the forearm; that neighbouring numbers are neighbours is taken for granted, and the pitch
# is nominal (a forearm of 26 cm divided by ten).
GRID = ElectrodeGrid("3dc-armband", (tuple(range(N_CHANNELS)),), pitch_mm=26.0, wraps="columns")
_KEY = re.compile(r"(?P<set>train|test)_(?P<repetition>\d+)_(?P<class>\d+)")
_TEXT_NAME = re.compile(r"(3dc_)?EMG_gesture_(?P<repetition>\d+)_(?P<class>\d+)\.txt")
_LAYOUT = "P01.npz with keys train_0_0 ..., or Participant0/train/EMG_gesture_0_0.txt ..."


@dataclass(frozen=True)
class _Trial:
    """Where a trial lies: a text file, or a key of an .npz file."""

    path: Path
    key: str
    repetition: int
    gesture: int


def import_threedc(
    src: Path,
    out: Path,
    progress: Progress = silent,
    *,
    grid: str | None = None,
    uv_per_count: float | None = None,
) -> list[Path]:
    """Import every participant's train and test set; all of them or, after an error, none.

    Each trial lasts 5 s. They are joined repetition by repetition, the gestures in order of their numbers.

    Parameters
    ----------
    src : Path
        Folder with ``P01.npz`` and so on (keys ``{train|test}_{repetition}_{class}``), or with
        ``Participant0/train/…/EMG_gesture_{repetition}_{class}.txt`` and so on; or one .npz file.
    out : Path
        Session folders appear as ``OUT/sub-P01/ses-train`` and ``ses-test``.
    progress : callable
        Called with the recording's name and the share done, 0 to 1.
    grid : str, optional
        Grid name or YAML file, if the electrodes lie otherwise.
    uv_per_count : float, optional
        What one count is in µV. It was not published; 1 is taken, with a warning, if not given.

    Raises
    ------
    InputError
        If something is missing, damaged or not as the data set has it, or a session exists already.
    """
    trials = _npz_trials(src) or _text_trials(src)
    if not trials:
        msg = f"{src} holds no {_LAYOUT}"
        raise InputError(msg)
    if uv_per_count is None:
        _log.warning(
            "3dc: what a count is in uV was not published; 1 uV is taken (--uv-per-count says otherwise)"
        )
    chosen = chosen_grid(grid, GRID, N_CHANNELS, src)
    scale = 1.0 if uv_per_count is None else uv_per_count
    jobs = [
        SessionJob(
            *codes,
            f"{codes[0]} {codes[1]}",
            partial(_import_set, codes=codes, trials=found, grid=chosen, uv_per_count=scale),
        )
        for codes, found in sorted(trials.items())
    ]
    return import_sessions(jobs, out, progress)


def _npz_trials(src: Path) -> dict[tuple[str, str], list[_Trial]]:
    files = [src] if src.is_file() else sorted(src.glob("*.npz"))
    found: dict[tuple[str, str], list[_Trial]] = defaultdict(list)
    for path in files:
        with _npz(path) as content:
            for key in content.files:
                match = _KEY.fullmatch(key)
                if match is None:
                    msg = f"{path}: key {key!r} is none of the data set's, such as train_0_0"
                    raise InputError(msg)
                codes = re.sub(r"[^A-Za-z0-9]", "", path.stem), match["set"]
                found[codes].append(_trial(path, key, match))
    return found


def _text_trials(src: Path) -> dict[tuple[str, str], list[_Trial]]:
    found: dict[tuple[str, str], list[_Trial]] = defaultdict(list)
    for path in sorted(src.rglob("*EMG_gesture_*.txt")):
        match = _TEXT_NAME.fullmatch(path.name)
        folders = path.relative_to(src).parts[:-1] if src.is_dir() else ()
        participant = [re.fullmatch(r"Participant_?(\d+)", name) for name in (src.name, *folders)]
        numbers = [one[1] for one in participant if one]
        sets = [name for name in folders if name in {"train", "test"}]
        if match and len(numbers) == 1 and len(sets) == 1:
            found[f"P{int(numbers[0]):02}", sets[0]].append(_trial(path, "", match))
    return found


def _trial(path: Path, key: str, match: re.Match[str]) -> _Trial:
    gesture = int(match["class"])
    if gesture >= len(GESTURES):
        msg = f"{path}: classes 0 to {len(GESTURES) - 1} are known, got {gesture}"
        raise InputError(msg)
    return _Trial(path, key, int(match["repetition"]) + 1, gesture)


def _import_set(
    target: Path,
    share: Share,
    *,
    codes: tuple[str, str],
    trials: Sequence[_Trial],
    grid: ElectrodeGrid,
    uv_per_count: float,
) -> None:
    ordered = sorted(trials, key=lambda one: (one.repetition, one.gesture))
    present = sorted({one.gesture for one in trials})
    protocol = ProtocolInfo(
        name="3DC",
        gestures=tuple(GESTURES[gesture] for gesture in present),
        notes=f"trials joined, repetition by repetition; {uv_per_count:g} uV a count taken, not published",
    )
    header = SessionHeader(*codes, _stream_info(codes[0], grid), protocol)
    write_joined(target, header, _pieces(ordered, uv_per_count), len(ordered), share)


def _pieces(trials: Sequence[_Trial], uv_per_count: float) -> Iterator[Piece]:
    for one in trials:
        counts = _read(one)
        if counts.shape[1:] != (N_CHANNELS,) or len(counts) == 0 or counts.dtype.kind not in "iuf":
            msg = (
                f"{one.path} {one.key}: shape {counts.shape} of {counts.dtype}; numbers of shape "
                f"(samples, {N_CHANNELS}) are required"
            )
            raise InputError(msg)
        yield whole_trial(counts.astype(np.float64) * uv_per_count, GESTURES[one.gesture], one.repetition)


def _read(trial: _Trial) -> npt.NDArray[np.generic]:
    with reading(trial.path, f"one of the data set ({trial.key or 'ten numbers a line'})"):
        if trial.key:
            with _npz(trial.path) as content:
                return np.asarray(content[trial.key])
        lines = trial.path.read_text(encoding="ascii").splitlines()
        return np.loadtxt(lines, delimiter=",", ndmin=2) if lines else np.empty((0, N_CHANNELS))


@contextmanager
def _npz(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    # numpy, given a path, leaves a damaged file open.
    with path.open("rb") as file:
        with reading(path, "an .npz file"):
            content = np.load(file, allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            msg = f"{path} is no .npz file"
            raise InputError(msg)
        yield content


def _stream_info(participant: str, grid: ElectrodeGrid) -> EmgStreamInfo:
    return EmgStreamInfo(
        name=f"3DC {participant}",
        source_id=f"3dc-{participant}",
        fs_hz=FS_HZ,
        grid=grid,
        channel_labels=tuple(f"E{channel + 1}" for channel in range(N_CHANNELS)),
        manufacturer="Université Laval",
        model="3DC Armband",
        reference="see Côté-Allard et al. 2019",
        filters="see Côté-Allard et al. 2019",
    )
