"""What would judge a decoder by its own training: found by the hashes that its file holds, and refused."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from decoding.decoder_file import DecoderMetadata
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import SessionInfo, read_session_info

WINDOWS_LEAK = (
    "windows cannot be split at random: with windows of 200 ms every 25 ms, neighbours share seven eighths of their "
    "samples, so a window would be judged by its own training data and nearly any decoder would look perfect; split by "
    "repetition, session or participant"
)


class LeakageError(InputError):
    """A split that would judge a decoder by what it was trained on; the message says which part of it."""


def refuse_leakage(metadata: DecoderMetadata, info: SessionInfo, *, allowed: bool) -> tuple[str, ...]:
    """Refuse a session that a decoder was trained or recalibrated on; return remarks where it is allowed.

    Parameters
    ----------
    metadata : DecoderMetadata
        The decoder's.
    info : SessionInfo
        The session's.
    allowed : bool
        Whether training data may be judged all the same, with a remark that says so.

    Raises
    ------
    LeakageError
        If the decoder knows the recording and that is not allowed.
    """
    sha256 = info.recording.sha256 if info.recording is not None else ""
    name = f"{info.participant} {info.session}"
    for seen in (*metadata.training_sessions, *(one.session for one in metadata.recalibrations)):
        same_codes = (seen.participant, seen.session) == (info.participant, info.session)
        if sha256 and seen.sha256 == sha256:
            return _known(f"the decoder was trained on this very recording ({name})", allowed=allowed)
        if same_codes and not (sha256 and seen.sha256):
            reason = f"the decoder was trained on a session of the same codes ({name}) that was never closed"
            return _known(reason, allowed=allowed)
        if same_codes:
            remark = (
                f"the decoder was trained on another recording with the same codes ({name}): if this is that "
                "recording, imported again, the figures are of training data"
            )
            return (remark,)
    return ()


def _known(reason: str, *, allowed: bool) -> tuple[str, ...]:
    if not allowed:
        msg = f"{reason}: its figures would be of training data; leave it out, or --allow-training-data"
        raise LeakageError(msg)
    return (f"TRAINING DATA: {reason}; these figures say nothing about new data",)


def refuse_copies(folders: Iterable[Path]) -> None:
    """Refuse sessions of which one recording stands in two places: a copy would be trained on and tested on.

    Raises
    ------
    LeakageError
        Naming the folders.
    """
    by_hash: dict[str, list[Path]] = {}
    for folder in folders:
        recording = read_session_info(folder).recording
        key = recording.sha256 if recording is not None else f"never closed: {folder.resolve()}"
        by_hash.setdefault(key, []).append(folder)
    for same in by_hash.values():
        if len(same) > 1:
            names = " and ".join(str(folder) for folder in same)
            msg = f"{names} are the same recording: it would be trained on and judged by; name it once"
            raise LeakageError(msg)


def refuse_overlap(trials: Sequence[tuple[str, int]]) -> None:
    """Refuse a session whose gestures come more than once a repetition only because all bear the same number.

    Parameters
    ----------
    trials : sequence of (str, int)
        Gesture and repetition of each trial.

    Raises
    ------
    LeakageError
        If there is a single repetition: nothing whole can be held out.
    """
    repetitions = Counter(repetition for _, repetition in trials)
    if len(repetitions) < 2:  # noqa: PLR2004 - one cannot be held out
        msg = (
            "its cues hold a single repetition, so nothing whole can be held out, and splitting its trials would "
            "judge windows by their neighbours; judge it by session, or by a decoder of another session"
        )
        raise LeakageError(msg)
