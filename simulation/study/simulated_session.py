"""A simulated wearer's recording as a session folder, faster than real time."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from calibration.protocol import CueSchedule
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.recording.session_writer import SessionWriter
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer

BLOCK_S = 1.0


def record_schedule(
    wearer: WearerSettings,
    schedule: CueSchedule,
    folder: Path,
    participant: str,
    *,
    protocol: ProtocolInfo | None = None,
    progress: Callable[[float], None] = lambda _share: None,
) -> Path:
    """Let a simulated wearer follow a schedule and write the session; returns its folder.

    The time stamps begin at zero and are regular. The session is named after the folder, which appears when it is
    complete: an interruption leaves nothing.

    Parameters
    ----------
    wearer : WearerSettings
        Who wears what.
    schedule : CueSchedule
        What is asked for.
    folder : Path
        Session folder to make.
    participant : str
        Code of the participant.
    protocol : ProtocolInfo, optional
        What the session says of itself.
    progress : callable
        Told the share done, 0 to 1.

    Raises
    ------
    InputError
        If the folder exists.
    """
    if folder.exists():
        msg = f"{folder} exists: a session is never overwritten; choose another folder"
        raise InputError(msg)
    beside = folder.parent / f".{folder.name}.part"
    shutil.rmtree(beside, ignore_errors=True)
    cues = schedule.cues()
    source = SimulatedWearer(wearer, cues)
    fs_hz = source.info.fs_hz
    total = round(sum(cue.seconds for cue in cues) * fs_hz)
    session = folder.name.removeprefix("ses-")
    try:
        writer = SessionWriter(
            beside, participant=participant, session=session, emg=source.info, protocol=protocol
        )
        try:
            written = 0
            while written < total:
                block = source.read(min(round(BLOCK_S * fs_hz), total - written))
                writer.write_emg(block, (written + np.arange(len(block))) / fs_hz)
                written += len(block)
                writer.write_events(
                    [Event(e.sample_index / fs_hz, e.kind, e.fields) for e in source.events_until(written)]
                )
                progress(written / total)
        finally:
            writer.close()
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder
