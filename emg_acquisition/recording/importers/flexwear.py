"""The FlexWear-HD data set, the reference study's own, as session folders.

J. Yang, K. Shibata, D. Weber, Z. Erickson, "High-density Electromyography for Effective Gesture-based Control of
Physically Assistive Mobile Manipulators", 2025 (arXiv 2312.07745);
files: https://huggingface.co/datasets/jehanyang/FlexWear-HD .
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.grid_library import load_grid
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
from emg_acquisition.recording.importers.source_files import UV_PER_UNIT, check_plausible, chosen_grid
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.stream_info import EmgStreamInfo

FS_HZ = 4000.0
N_CHANNELS = 64
# The data set's own order.
GESTURES = {
    "abduct_p1": "wrist_abduction",
    "adduct_p1": "wrist_adduction",
    "extend_p1": "hand_open",
    "grip_p1": "fist",
    "pronate_p1": "pronation",
    "rest_p1": REST,
    "supinate_p1": "supination",
    "tripod_p1": "tripod_pinch",
    "wextend_p1": "wrist_extension",
    "wflex_p1": "wrist_flexion",
}
_FILE_NAME = re.compile(r"data_allchannels_(?P<session>initial|recalibration)\.h5")
_LAYOUT = "pNNN/data_allchannels_initial.h5 or pNNN/data_allchannels_recalibration.h5"


def import_flexwear(
    src: Path, out: Path, progress: Progress = silent, *, grid: str | None = None, unit: str = "uV"
) -> list[Path]:
    """Import every participant's initial and recalibration session; all of them or, after an error, none.

    The files hold trials of about 2 s cut out of the recording. They are joined repetition by repetition, the
    gestures in the data set's own order.

    Parameters
    ----------
    src : Path
        ``FlexWear-HD_Dataset``, with ``p001`` to ``p013``, or one participant's folder.
    out : Path
        Session folders appear as ``OUT/sub-p001/ses-initial``.
    progress : callable
        Called with the recording's name and the share done, 0 to 1.
    grid : str, optional
        Grid name or YAML file; ``sleeve-4x16`` if not given.
    unit : {"uV", "mV", "V"}
        What the values are in, which the files do not say.

    Raises
    ------
    InputError
        If something is missing, damaged or not as the data set has it, or a session exists already.
    """
    files = sorted(path for path in src.rglob("data_allchannels_*.h5") if _FILE_NAME.fullmatch(path.name))
    if not files:
        msg = f"{src} holds no {_LAYOUT}: name the folder FlexWear-HD_Dataset"
        raise InputError(msg)
    sleeve = chosen_grid(grid, load_grid("sleeve-4x16"), N_CHANNELS, src)
    return import_sessions([_job(path, sleeve, unit) for path in files], out, progress)


def _job(path: Path, grid: ElectrodeGrid, unit: str) -> SessionJob:
    match = _FILE_NAME.fullmatch(path.name)
    participant = path.parent.name
    if match is None or not re.fullmatch(r"p\d+", participant):
        msg = f"{path}: {_LAYOUT} is required"
        raise InputError(msg)
    header = SessionHeader(
        participant, match["session"], _stream_info(participant, match["session"], grid), _PROTOCOL
    )
    return SessionJob(
        participant,
        match["session"],
        f"{participant} {match['session']}",
        partial(_import_file, path, header, unit),
    )


def _import_file(path: Path, header: SessionHeader, unit: str, target: Path, share: Share) -> None:
    with reading(path, "a HDF5 file"), h5py.File(path, "r") as file:
        trials = _trials_of(file, path)
        n_pieces = sum(dataset.shape[0] for dataset in trials.values())
        write_joined(target, header, _pieces(trials, path, unit), n_pieces, share)


def _trials_of(file: h5py.File, path: Path) -> dict[str, h5py.Dataset]:
    missing = [key for key in GESTURES if not isinstance(file.get(key), h5py.Dataset)]
    if missing:
        msg = f"{path} lacks {', '.join(missing)}; it holds {', '.join(file) or 'nothing'}"
        raise InputError(msg)
    for key in GESTURES:
        shape = file[key].shape
        if len(shape) != 3 or shape[1] != N_CHANNELS or 0 in shape or file[key].dtype.kind not in "iuf":  # noqa: PLR2004
            msg = f"{path}: {key!r} has shape {shape}; numbers of shape (trials, {N_CHANNELS}, samples) are required"
            raise InputError(msg)
    return {key: file[key] for key in GESTURES}


def _pieces(trials: dict[str, h5py.Dataset], path: Path, unit: str) -> Iterator[Piece]:
    """Read one trial at a time: a whole file is some 400 MB."""
    checked = False
    for repetition in range(max(dataset.shape[0] for dataset in trials.values())):
        for key, dataset in trials.items():
            if repetition >= dataset.shape[0]:
                continue
            emg_uv = np.asarray(dataset[repetition], dtype=np.float64).T * UV_PER_UNIT[unit]
            if not checked:
                check_plausible(emg_uv, path, unit)
                checked = True
            yield whole_trial(emg_uv, GESTURES[key], repetition + 1)


_PROTOCOL = ProtocolInfo(
    name="FlexWear-HD",
    gestures=tuple(GESTURES.values()),
    notes="trials cut out of the recording and joined, repetition by repetition; not in the order recorded",
)


def _stream_info(participant: str, session: str, grid: ElectrodeGrid) -> EmgStreamInfo:
    return EmgStreamInfo(
        name=f"FlexWear-HD {participant} {session}",
        source_id=f"flexwear-{participant}",
        fs_hz=FS_HZ,
        grid=grid,
        channel_labels=tuple(f"E{channel + 1}" for channel in range(N_CHANNELS)),
        manufacturer="Intan",
        model="RHD controller",
        serial_number="",
        reference="see Yang et al. 2025",
        filters="see Yang et al. 2025",
    )
