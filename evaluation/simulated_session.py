"""A simulated wearer's calibration as a session folder, faster than real time."""

from pathlib import Path

import numpy as np

from calibration.protocol import CueSchedule
from emg_acquisition.events import Event
from emg_acquisition.recording.session_writer import SessionWriter
from emg_acquisition.sources.simulated_forearm.settings import WearerSettings
from emg_acquisition.sources.simulated_forearm.wearer import SimulatedWearer

BLOCK_S = 1.0


def record_schedule(wearer: WearerSettings, schedule: CueSchedule, folder: Path, participant: str) -> Path:
    """Let a simulated wearer follow a schedule and write the session; returns its folder.

    The time stamps begin at zero and are regular. The session is named after the folder.
    """
    cues = schedule.cues()
    source = SimulatedWearer(wearer, cues)
    fs_hz = source.info.fs_hz
    total = round(sum(cue.seconds for cue in cues) * fs_hz)
    session = folder.name.removeprefix("ses-")
    writer = SessionWriter(folder, participant=participant, session=session, emg=source.info)
    try:
        written = 0
        while written < total:
            block = source.read(min(round(BLOCK_S * fs_hz), total - written))
            writer.write_emg(block, (written + np.arange(len(block))) / fs_hz)
            written += len(block)
            writer.write_events(
                [Event(e.sample_index / fs_hz, e.kind, e.fields) for e in source.events_until(written)]
            )
    finally:
        writer.close()
        source.close()
    return folder
