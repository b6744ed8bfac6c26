"""A simulated wearer's recording as a session folder, and a decoder trained on it, faster than real time."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from calibration.protocol import CueSchedule
from calibration.train import TrainReport, train_decoder
from calibration.train_settings import TrainSettings
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST, Event
from emg_acquisition.recording.session import ProtocolInfo, load_session
from emg_acquisition.recording.session_writer import SessionWriter
from simulation.forearm.settings import WearerSettings
from simulation.forearm.synergies import load_synergies
from simulation.forearm.wearer import SimulatedWearer

BLOCK_S = 1.0
GESTURE_S, REST_S = 2.0, 1.0
# The wearer's ramp, the window and the dwell: before that, a decision is still about the former intention.
AFTER_CUE_S = 0.6


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


def calibrate_wearer(
    wearer: WearerSettings,
    session: Path,
    decoder: Path | None = None,
    *,
    participant: str = "SIM",
    repetitions: int = 3,
    seed: int = 1,
    progress: Callable[[str, float], None] = lambda _step, _share: None,
) -> TrainReport:
    """Record a simulated wearer's calibration, unless it is there already, and train a decoder on it.

    Parameters
    ----------
    wearer : WearerSettings
        Who wears what.
    session : Path
        Session folder of the calibration; one that an interrupted run has left is used.
    decoder : Path, optional
        Decoder file to write; ``decoder.onnx`` in the session folder without.
    participant : str
        Code of the participant.
    repetitions : int
        Trials of each gesture.
    seed : int
        Of the order of the gestures.
    progress : callable
        Told what happens and the fraction done.
    """
    if not session.exists():
        gestures = tuple(name for name in load_synergies(wearer.gestures).gestures if name != REST)
        schedule = CueSchedule(
            gestures=gestures, repetitions=repetitions, hold_s=GESTURE_S, rest_s=REST_S, seed=seed
        )
        session.parent.mkdir(parents=True, exist_ok=True)
        record_schedule(
            wearer, schedule, session, participant, progress=lambda share: progress("recording", 0.5 * share)
        )
    settings = TrainSettings(after_cue_s=AFTER_CUE_S, before_next_s=0.0)
    out = decoder or session / "decoder.onnx"
    return train_decoder(
        [load_session(session)], out, settings, lambda step, share: progress(step, 0.5 + 0.5 * share)
    )
