"""Opens a calibration on a live stream: lock, disk, stream, recorder, trainer; and closes it again."""

import fcntl
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from calibration.emg_feed import EmgFeed
from calibration.parts import CalibrationProgress, find_calibration
from calibration.protocol import CueSchedule
from calibration.recording_process import RecordingProcess
from calibration.session import DECODER_FILE, CalibrationSession, Ports, SessionSetup
from calibration.signal_options import DEFAULT_SIGNAL, SignalOptions
from calibration.training_process import TrainingProcess
from decoding.feature_chain import FeatureChain
from emg_acquisition.errors import InputError
from emg_acquisition.recording.recorder import RecorderSettings
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.recording.session_writer import check_codes, session_folder
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.inlet import EmgInlet

# How long the recorder waits for a stream that went away, while a person looks for the battery.
STREAM_AWAY_S = 1800.0
# Trials offered again, the signal check and try-outs on top of the cues.
ROOM = 3.0
STAMP_BYTES = 9
VALUE_BYTES = 4


@dataclass(frozen=True)
class CalibrationSettings:
    """What to calibrate.

    Parameters
    ----------
    root : Path
        Where session folders lie.
    participant : str
        Code of letters and digits.
    protocol : CueSchedule or None
        What to ask for; None, when resuming, goes on with what was asked for.
    source_id : str or None
        EMG stream; None: the only one there is, or that of the calibration that is resumed.
    resume : bool
        Go on with the newest calibration of the participant, or with `session`.
    session : str or None
        Code of the calibration.
    base : Path or None
        The decoder to recalibrate, for a protocol that does so; None: the newest that was accepted.
    signal : SignalOptions
        What is chosen of the signal path; where it says nothing, a calibration that is resumed keeps its own.
    timeout_s : float
        How long to look for the stream.
    """

    root: Path
    participant: str
    protocol: CueSchedule | None
    source_id: str | None = None
    resume: bool = False
    session: str | None = None
    base: Path | None = None
    signal: SignalOptions = DEFAULT_SIGNAL
    timeout_s: float = 10.0


@contextmanager
def open_calibration(
    settings: CalibrationSettings, stop: threading.Event | None = None
) -> Iterator[CalibrationSession]:
    """Open a calibration and, at the end, close its recording properly, whatever happens.

    Raises
    ------
    InputError
        If a code cannot be part of a folder's name, there is nothing to resume, the disk is too full, somebody
        else has the calibration open, the signal path does not fit, or the stream is not there or declares no grid.
    """
    check_codes(settings.participant, settings.session or "x")
    setup, source_id = _setup(settings)
    signal = setup.signal.settings()
    with ExitStack() as stack:
        _lock(setup.folder, stack)
        inlet = EmgInlet(source_id, settings.timeout_s, stop=stop)
        try:
            _check_room(setup, inlet.info, settings.root)
            for chosen in signal.values():
                FeatureChain(chosen, inlet.info.fs_hz, inlet.info.grid)
        except InputError:
            inlet.close()
            raise
        feed = EmgFeed(inlet)
        executor = ThreadPoolExecutor(1, thread_name_prefix="judge")
        stack.callback(executor.shutdown)

        def record(code: str) -> RecordingProcess:
            folder = session_folder(settings.root, settings.participant, code)
            events_id = f"hdemg-calibration-{settings.participant}-{code}"
            return RecordingProcess(
                _recorder_settings(setup, code, inlet.info.source_id, events_id), folder, events_id
            )

        session = CalibrationSession(setup, Ports(feed, record, TrainingProcess(), executor.submit))
        stack.callback(session.close)
        yield session


def _recorder_settings(setup: SessionSetup, code: str, emg_id: str, events_id: str) -> RecorderSettings:
    protocol = setup.protocol
    return RecorderSettings(
        participant=setup.participant,
        session=code,
        emg_source_ids=(emg_id,),
        event_source_ids=(events_id,),
        timeout_s=STREAM_AWAY_S,
        protocol=ProtocolInfo(name=protocol.name, gestures=protocol.gestures, notes=f"of {setup.session}"),
    )


def _setup(settings: CalibrationSettings) -> tuple[SessionSetup, str | None]:
    if settings.resume:
        found = find_calibration(settings.root, settings.participant, settings.session)
        return _resumed(settings, found), settings.source_id or found.source_id
    if settings.protocol is None:
        msg = "a protocol is required; name a YAML file or one that comes with the program"
        raise InputError(msg)
    session = settings.session or datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S")
    folder = session_folder(settings.root, settings.participant, session)
    if folder.exists():
        msg = f"{folder} exists: a session is never overwritten; add --resume to go on with it"
        raise InputError(msg)
    base = ""
    if settings.protocol.purpose == "recalibrate":
        if settings.signal != DEFAULT_SIGNAL:
            msg = "a protocol that recalibrates keeps the decoder's signal path; leave --signal and --powerline out"
            raise InputError(msg)
        base = str(settings.base or _newest_decoder(settings))
    setup = SessionSetup(settings.participant, session, settings.protocol, folder, base, settings.signal)
    return setup, settings.source_id


def _resumed(settings: CalibrationSettings, found: CalibrationProgress) -> SessionSetup:
    if settings.protocol is not None and _asked(settings.protocol) != _asked(found.protocol):
        msg = (
            f"calibration {found.session} was begun with protocol {found.protocol.name!r} and other settings; "
            "leave --protocol out to go on with it, or --resume to begin a new one"
        )
        raise InputError(msg)
    return SessionSetup(
        participant=settings.participant,
        session=found.session,
        protocol=found.protocol,
        folder=session_folder(settings.root, settings.participant, found.session),
        base=found.base,
        signal=found.signal if settings.signal == DEFAULT_SIGNAL else settings.signal,
        parts=found.parts,
        labels=found.labels,
        next_part=found.next_part,
        next_try_out=found.next_try_out,
    )


def _asked(protocol: CueSchedule) -> CueSchedule:
    """Return a protocol but for its repetitions, of which a calibration may have asked for more."""
    return protocol.model_copy(update={"repetitions": 2})


def _newest_decoder(settings: CalibrationSettings) -> Path:
    folder = settings.root / f"sub-{settings.participant}"
    found = sorted(folder.glob(f"ses-*/{DECODER_FILE}"))
    if not found:
        msg = (
            f"{folder} holds no accepted decoder to recalibrate: name one with --decoder, "
            "or calibrate with a protocol that trains"
        )
        raise InputError(msg)
    return found[-1]


def _lock(folder: Path, stack: ExitStack) -> None:
    """Let one process at a time work on a calibration; the kernel takes the lock back when it dies."""
    path = folder.parent / f".{folder.name}.lock"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = stack.enter_context(path.open("w"))
    except OSError as error:
        msg = f"{folder.parent} cannot be written: {error.strerror}; choose another --out"
        raise InputError(msg) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        msg = f"calibration {folder.name} is open in another window; close that one first"
        raise InputError(msg) from error


def _check_room(setup: SessionSetup, info: EmgStreamInfo, root: Path) -> None:
    rate = info.fs_hz * (info.n_channels * VALUE_BYTES + STAMP_BYTES)
    needed = ROOM * setup.protocol.seconds * rate
    free = shutil.disk_usage(root).free
    if free < needed:
        msg = (
            f"the disk of {root} has {free / 1e6:.0f} MB left, a calibration may take {needed / 1e6:.0f} MB; "
            "make room, or choose another --out"
        )
        raise InputError(msg)
