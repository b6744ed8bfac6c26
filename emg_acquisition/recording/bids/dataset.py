"""The data set around the sessions: made, or extended by sessions that it does not hold; whole or not at all."""

import csv
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from emg_acquisition.errors import InputError
from emg_acquisition.recording.bids.bdf import record_layout, write_bdf
from emg_acquisition.recording.bids.runs import Run, runs_of
from emg_acquisition.recording.bids.sidecars import (
    BIDS_VERSION,
    ELECTRODES_JSON,
    EVENTS_JSON,
    SCANS_JSON,
    ExportSettings,
    channel_names,
    channels_tsv,
    coordsystem_json,
    electrodes_tsv,
    emg_json,
    events_tsv,
    readme,
    software_version,
    to_json,
    to_tsv,
)
from emg_acquisition.recording.session import RECORDING_FILE, Session, load_session, read_session_info
from emg_acquisition.recording.xdf_reader import read_headers
from emg_acquisition.stream_info import EMG_TYPE

Progress: TypeAlias = Callable[[str, float], None]

DESCRIPTION = "dataset_description.json"
PARTICIPANTS = "participants.tsv"


def export_bids(
    folders: Sequence[Path], out: Path, settings: ExportSettings, progress: Progress
) -> list[Path]:
    """Export sessions into a new data set, or into one that is there; all of them or, after an error, none.

    Parameters
    ----------
    folders : sequence of Path
        Session folders; loaded one at a time.
    out : Path
        The data set. If it exists it must hold ``dataset_description.json``, and none of these sessions.
    settings : ExportSettings
        Task and what a session does not hold.
    progress : callable
        Called with a session's name and the share done, 0 to 1.

    Returns
    -------
    list of Path
        The folders ``OUT/sub-P01/ses-S1`` that were made.

    Raises
    ------
    InputError
        If a session cannot be loaded, two are the same, `out` is no data set or holds one of them already.
    """
    if not (settings.task.isascii() and settings.task.isalnum()):
        msg = f"task {settings.task!r}: a label of letters and digits is required"
        raise InputError(msg)
    targets = _targets(folders, out)
    try:
        new = not out.exists() or not any(out.iterdir())
        out.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".export-", dir=out))
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror}"
        raise InputError(msg) from error
    try:
        for index, (folder, target) in enumerate(zip(folders, targets, strict=True)):
            progress(folder.name, index / len(folders))
            _write_session(folder, staging / target.relative_to(out), settings)
        if new:
            _write_new(out, settings.name or out.name)
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            (staging / target.relative_to(out)).rename(target)
        _add_participants(out, [target.parent.name for target in targets])
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    progress("done", 1.0)
    return targets


def _targets(folders: Sequence[Path], out: Path) -> list[Path]:
    """Return where each session goes, or refuse before anything is written."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not _is_data_set(out)):
        msg = f"{out} is no BIDS data set: name a new folder, or one with {DESCRIPTION}"
        raise InputError(msg)
    targets: list[Path] = []
    for folder in folders:
        info = read_session_info(folder)
        target = out / f"sub-{info.participant}" / f"ses-{info.session}"
        if target.exists():
            msg = (
                f"{target} exists already; nothing is overwritten, remove it or export into another data set"
            )
            raise InputError(msg)
        if target in targets:
            msg = f"{folders[targets.index(target)]} and {folder} are both {target}; export one of them"
            raise InputError(msg)
        targets.append(target)
    return targets


def _is_data_set(out: Path) -> bool:
    path = out / DESCRIPTION
    try:
        return "BIDSVersion" in json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def _write_new(out: Path, name: str) -> None:
    description = {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "hdemg-teleop", "Version": software_version().split()[-1]}],
    }
    (out / "README.md").write_text(readme(name), encoding="utf-8")
    (out / DESCRIPTION).write_text(to_json(description), encoding="utf-8")


def _add_participants(out: Path, names: Sequence[str]) -> None:
    """Add those that are not listed yet; what other columns say of the others stays."""
    path = out / PARTICIPANTS
    rows = [["participant_id"]]
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)) or rows
    listed = {row[0] for row in rows[1:] if row}
    rows += [[name, *[""] * (len(rows[0]) - 1)] for name in dict.fromkeys(names) if name not in listed]
    new = out / f".{PARTICIPANTS}.new"
    new.write_text(to_tsv(rows[0], rows[1:]), encoding="utf-8")
    new.replace(path)
    described = out / "participants.json"
    if not described.exists():
        text = {"participant_id": {"Description": "Code of the participant; no name, no date of birth"}}
        described.write_text(to_json(text), encoding="utf-8")


def _write_session(folder: Path, target: Path, settings: ExportSettings) -> None:
    """Write every EMG stream of a session: one as it is, several as recordings of one session."""
    (target / "emg").mkdir(parents=True)
    labels = _recording_labels(folder)
    scans: list[tuple[object, ...]] = []
    first_lsl_s: float | None = None
    for source_id, label in labels.items():
        session = load_session(folder, source_id)
        first_lsl_s = float(session.emg.t_lsl_s[0]) if first_lsl_s is None else first_lsl_s
        scans += _write_stream(session, target, label, first_lsl_s, settings)
    who = f"{target.parent.name}_{target.name}"
    _write(target / f"{who}_scans.tsv", to_tsv(("filename", "start_s", "padding_samples"), scans))
    _write(target / f"{who}_scans.json", to_json(SCANS_JSON))


def _recording_labels(folder: Path) -> dict[str | None, str]:
    """Return a label for each EMG stream by its source_id; none where there is one stream, as nearly always."""
    path = folder / RECORDING_FILE
    ids = (
        [header.source_id for header in read_headers(path) if header.type == EMG_TYPE]
        if path.is_file()
        else []
    )
    if len(ids) <= 1:
        return {None: ""}
    labels = ["".join(letter for letter in one if letter.isascii() and letter.isalnum()) for one in ids]
    if "" in labels or len(set(labels)) < len(labels):
        labels = [str(number) for number in range(1, len(ids) + 1)]
    return {source_id: f"_recording-{label}" for source_id, label in zip(ids, labels, strict=True)}


def _write_stream(
    session: Session, target: Path, label: str, first_lsl_s: float, settings: ExportSettings
) -> list[tuple[object, ...]]:
    """Write one EMG stream's runs and electrodes; return its rows of ``scans.tsv``."""
    folder = target / "emg"
    who = f"{target.parent.name}_{target.name}"
    scans: list[tuple[object, ...]] = []
    for run in runs_of(session):
        number = "" if run.number is None else f"_run-{run.number:02}"
        stem = f"{who}_task-{settings.task}{number}{label}"
        padding = _write_run(session, run, folder / stem, settings)
        scans.append((f"emg/{stem}_emg.bdf", repr(run.start_lsl_s - first_lsl_s), padding))
    info = session.emg.info
    _write(folder / f"{who}{label}_electrodes.tsv", electrodes_tsv(info.channel_labels, info.grid))
    _write(folder / f"{who}{label}_electrodes.json", to_json(ELECTRODES_JSON))
    _write(folder / f"{who}{label}_coordsystem.json", to_json(coordsystem_json(info.grid)))
    return scans


def _write_run(session: Session, run: Run, stem: Path, settings: ExportSettings) -> int:
    info = session.emg.info
    layout = record_layout(len(run.emg_uv), info.fs_hz, info.n_channels)
    write_bdf(
        stem.with_name(f"{stem.name}_emg.bdf"),
        run.emg_uv,
        labels=channel_names(info.channel_labels),
        layout=layout,
        participant=session.info.participant,
        annotations=[(max(0.0, e.onset_s), e.duration_s, e.name) for e in run.events],
    )
    _write(stem.with_name(f"{stem.name}_emg.json"), to_json(emg_json(session, run, layout, settings)))
    _write(stem.with_name(f"{stem.name}_channels.tsv"), channels_tsv(session, run, layout))
    if run.events:
        _write(stem.with_name(f"{stem.name}_events.tsv"), events_tsv(run))
        _write(stem.with_name(f"{stem.name}_events.json"), to_json(EVENTS_JSON))
    return layout.padding


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
