"""Public recordings as sessions in memory, for benchmarks/accuracy.py."""

import dataclasses
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import wfdb

from emg_acquisition.events import REST, Event
from emg_acquisition.grid import ElectrodeGrid, GridSettings, rectangular_grid
from emg_acquisition.recording.importers.flexemg import import_flexemg
from emg_acquisition.recording.session import EmgRecording, Session, SessionInfo, load_session
from emg_acquisition.stream_info import EmgStreamInfo

# Between files that do not continue each other: long enough to be a gap, so that no state is carried across.
GAP_S = 10.0


@cache
def flexemg_sessions(data: Path) -> dict[str, Session]:
    """Every flexemg recording, by its name."""
    source = data / "flexemg"
    if not source.is_dir():
        msg = f"{source} is missing"
        raise FileNotFoundError(msg)
    with tempfile.TemporaryDirectory() as folder:
        folders = import_flexemg(source, Path(folder))
        sessions = [load_session(one) for one in folders]
    return {f"{one.info.participant}-{one.info.session}": one for one in sessions}


@cache
def threedc_sessions(data: Path) -> dict[str, tuple[Session, Session]]:
    """3DC: for each participant the train and the test recording; class 0 is rest, the armband a ring of ten."""
    files = sorted((data / "libemg3dc_npz").glob("P*.npz"))
    if not files:
        msg = f"{data / 'libemg3dc_npz'} holds no P*.npz"
        raise FileNotFoundError(msg)
    return {path.stem: (_threedc(path, "train"), _threedc(path, "test")) for path in files}


def _threedc(path: Path, part: str) -> Session:
    content = np.load(path, allow_pickle=False)
    pieces = []
    for key in sorted(name for name in content.files if name.startswith(part)):
        _, repetition, number = key.split("_")
        gesture = REST if number == "0" else f"gesture{number}"
        pieces.append((gesture, int(repetition) + 1, content[key].astype(np.float32)))
    info = EmgStreamInfo(
        f"3DC {path.stem} {part}",
        f"3dc-{path.stem}-{part}",
        1000.0,
        rectangular_grid(10, 1, 25.0, "rows"),
        tuple(f"E{k + 1}" for k in range(10)),
    )
    return _session(info, pieces, path.stem, part)


@cache
def grabmyo_session(data: Path) -> Session:
    """GRABMyo excerpt: 16 electrodes around the forearm and 12 around the wrist; no rest."""
    folder = data / "grabmyo_p1s1"
    pieces = []
    names: list[str] = []
    for gesture in (11, 12, 15, 16):
        for trial in range(1, 8):
            record = wfdb.rdrecord(str(folder / f"session1_participant1_gesture{gesture}_trial{trial}"))
            kept = [at for at, name in enumerate(record.sig_name) if not name.startswith("U")]
            names = [record.sig_name[at] for at in kept]
            emg_uv = (record.p_signal[:, kept] * 1000.0).astype(np.float32)
            pieces.append((f"gesture{gesture}", trial, emg_uv))
    layout = tuple((k, 16 + k if k < len(names) - 16 else -1) for k in range(16))
    grid = ElectrodeGrid("GRABMyo", layout, 20.0, "rows")
    info = EmgStreamInfo("GRABMyo", "grabmyo-p1s1", 2048.0, grid, tuple(names))
    return _session(info, pieces, "P1", "S1")


def drifting(session: Session, spread: float) -> Session:
    """Let each electrode's gain drift steadily, by normally distributed log units of that spread at the end."""
    if spread == 0:
        return session
    emg_uv = session.emg.emg_uv
    at_end = np.random.default_rng(0).normal(0.0, spread, emg_uv.shape[1])
    gain = np.exp(np.linspace(0.0, 1.0, len(emg_uv))[:, np.newaxis] * at_end)
    offset = emg_uv.mean(axis=0)
    changed = ((emg_uv - offset) * gain + offset).astype(np.float32)
    return dataclasses.replace(session, emg=dataclasses.replace(session.emg, emg_uv=changed))


def _session(
    info: EmgStreamInfo, pieces: list[tuple[str, int, np.ndarray]], participant: str, name: str
) -> Session:
    times, events, began_s = [], [], 0.0
    for number, (gesture, repetition, emg_uv) in enumerate(pieces, start=1):
        events.append(Event(began_s, "cue", {"gesture": gesture, "repetition": repetition, "trial": number}))
        times.append(began_s + np.arange(len(emg_uv)) / info.fs_hz)
        began_s = float(times[-1][-1]) + GAP_S
    about = SessionInfo(
        participant=participant,
        session=name,
        created="",
        device=info.name,
        source_id=info.source_id,
        fs_hz=info.fs_hz,
        grid=GridSettings.model_validate(info.grid.to_settings()),
    )
    emg = EmgRecording(info, np.concatenate([piece for _, _, piece in pieces]), np.concatenate(times))
    return Session(Path(info.source_id), about, emg, tuple(events))
