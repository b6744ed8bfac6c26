"""An existing decoder on a session, on the code path of a live one."""

from pathlib import Path

from calibration.train_settings import Margins
from calibration.training_set import trial_spans
from decoding.decoder_file import DecoderFile, load_decoder
from decoding.windows import window_spec
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.recording.session import RecordedSession, Trial, open_session, read_session_info, trials
from emg_acquisition.stream_info import N_GESTURE_FIXED
from evaluation.decisions import Decided
from evaluation.judging.evidence import Evidence, Hops, outcomes_of, place_hops
from evaluation.judging.leakage import refuse_leakage
from evaluation.online import OnlineBehaviour, online_behaviour, onsets_of
from evaluation.replay import replay_session


def judge_decoder(
    decoder_path: Path, folder: Path, emg: str | None, margins: Margins, *, allow_training_data: bool
) -> Evidence:
    """Judge one decoder on one session.

    Parameters
    ----------
    decoder_path : Path
        Decoder file.
    folder : Path
        Session folder.
    emg : str or None
        Which EMG stream, where the session holds several.
    margins : Margins
        What is left out around cue changes.
    allow_training_data : bool
        Whether a session may be judged that the decoder was trained on.

    Raises
    ------
    InputError
        If the session cannot be read, does not fit the decoder or asks for gestures that it does not know.
    """
    decoder = load_decoder(decoder_path)
    remarks = refuse_leakage(decoder.metadata, read_session_info(folder), allowed=allow_training_data)
    session = open_session(folder, emg)
    return judge_opened(decoder, session, decoder_path.stem, margins, remarks)


def judge_opened(
    decoder: DecoderFile, session: RecordedSession, name: str, margins: Margins, remarks: tuple[str, ...] = ()
) -> Evidence:
    """Judge a decoder that was loaded on a session that was opened; `name` is what the report calls it."""
    metadata = decoder.metadata
    cued = checked_trials(session, metadata.gestures)
    replay = replay_session(session, decoder)
    fs_hz = session.emg.info.fs_hz
    window_samples = window_spec(metadata.signal, metadata.fs_hz).window_samples
    hops = Hops(replay.sample_index, replay.values[:, N_GESTURE_FIXED:], replay.gesture_index)
    counted = (
        (span.trial, hops.sample_index[span.steady(hops.sample_index, window_samples)])
        for span in trial_spans(session, margins)
    )
    trial_of, steady = place_hops(hops.sample_index, cued, counted)
    if not steady.any():
        msg = (
            f"no trial is longer than its margins: {margins.after_cue_s:g} s after the cue, "
            f"{margins.before_next_s:g} s before the next and a window; choose --after-cue and --before-next"
        )
        raise InputError(msg)
    return Evidence(
        session.info.participant,
        session.info.session,
        str(session.folder),
        name,
        metadata.gestures,
        fs_hz,
        1.0 / metadata.hop_rate_hz,
        cued,
        hops,
        trial_of,
        steady,
        outcomes_of(hops.decided, cued, trial_of, steady, metadata.gestures),
        behaviour_of(session, hops, metadata.gestures, cued),
        remarks,
    )


def checked_trials(session: RecordedSession, gestures: tuple[str, ...] | None) -> tuple[Trial, ...]:
    """Return a session's trials; raises InputError if there are none, or one of no gesture in `gestures`."""
    cued = trials(session)
    if not cued:
        msg = "it holds no cue, so nothing says what was asked for"
        raise InputError(msg)
    strange = sorted({trial.gesture for trial in cued} - set(gestures)) if gestures is not None else []
    if gestures is not None and strange:
        msg = (
            f"it is labelled with {', '.join(strange)}, which the decoder does not know (it knows "
            f"{', '.join(gestures)}); correct its cues or train on its gestures"
        )
        raise InputError(msg)
    return cued


def behaviour_of(
    session: RecordedSession, hops: Hops, gestures: tuple[str, ...], cued: tuple[Trial, ...]
) -> OnlineBehaviour | None:
    """Judge delays and false activations; None where nothing is called rest."""
    if REST not in gestures:
        return None
    decided = Decided(hops.sample_index, hops.decided)
    return online_behaviour(decided, gestures, cued, onsets_of(session), session.emg.info.fs_hz)
