"""A study of many participants: each one's own decoder within the session, an hour later, re-donned, recalibrated.

Folders are those of ``hdemg simulate-study``: ``ses-calibration``, ``ses-recalibration`` (an hour later) and
``ses-donning2``. Whatever a decoder or a recalibration has seen is never judged: recalibrating takes the first
repetitions of the new session, and those after them are judged, with the recalibrated decoder and with the old one
alike.
"""

import dataclasses
import functools
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.grid_shift import RecalibrationError
from calibration.recalibrate import recalibrate
from calibration.train import train_decoder
from calibration.train_settings import Margins, TrainSettings
from calibration.training_set import quiet
from calibration.trial_verdict import LABEL
from decoding.decoder_file import DecoderFile, load_decoder
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import EmgRecording, Session, load_session, trials
from emg_acquisition.recording.session_writer import session_folder
from emg_acquisition.recording.study_folder import SESSIONS, read_study
from evaluation.evaluate import Failure
from evaluation.judging.by_decoder import judge_opened
from evaluation.judging.cross_validation import SplitFold, judge_fold
from evaluation.judging.evidence import Evidence
from evaluation.judging.many_sessions import Workers, do_all

CALIBRATION, LATER, ANEW = SESSIONS
# Names of the conditions, in the order of the table.
WITHIN = "same sitting"
HOUR_OLD, HOUR_NEW = "an hour later, as it is", "an hour later, recalibrated"
ANEW_OLD, ANEW_NEW = "put on anew, as it is", "put on anew, recalibrated"
CONDITIONS = (WITHIN, HOUR_OLD, HOUR_NEW, ANEW_OLD, ANEW_NEW)
RECALIBRATION_REPETITIONS = 2


@dataclass(frozen=True)
class Wearer:
    """What was found of one participant.

    Parameters
    ----------
    participant : str
        Code.
    traits : dict of str to float
        What ``study.yaml`` says of a simulated wearer.
    evidence : dict of str to Evidence
        By condition; a condition is missing where recalibration was refused, and `refused` says why.
    refused : dict of str to str
        By condition.
    """

    participant: str
    traits: dict[str, float]
    evidence: dict[str, Evidence]
    refused: dict[str, str]


@dataclass(frozen=True)
class Study:
    """All participants that could be judged, those that could not, and the protocol as ``study.yaml`` has it."""

    folder: Path
    protocol: dict[str, object]
    wearers: tuple[Wearer, ...]
    failures: tuple[Failure, ...]


def evaluate_study(
    folder: Path, workers: Workers, margins: Margins, progress: Callable[[str, float], None]
) -> Study:
    """Judge every participant of a study.

    Raises
    ------
    InputError
        If the folder holds no study.
    """
    about = read_study(folder)
    codes = sorted(path.name.removeprefix("sub-") for path in folder.glob("sub-*") if path.is_dir())
    if not codes:
        msg = f"{folder} holds no sub-* folder; `hdemg simulate-study {folder}` makes a study"
        raise InputError(msg)
    known = about.get("wearers")
    traits = {code: dict(known.get(code, {})) if isinstance(known, dict) else {} for code in codes}
    judge = functools.partial(judge_wearer, folder, margins, traits)
    outcomes = do_all(judge, codes, workers, lambda done: progress("judging", done))
    protocol = about.get("protocol")
    return Study(
        folder,
        dict(protocol) if isinstance(protocol, dict) else {},
        tuple(one.result for one in outcomes if one.result is not None),
        tuple(
            Failure(str(folder / f"sub-{code}"), one.failure)
            for code, one in zip(codes, outcomes, strict=True)
            if one.result is None
        ),
    )


def judge_wearer(folder: Path, margins: Margins, traits: dict[str, dict[str, float]], code: str) -> Wearer:
    """Train, recalibrate and judge one participant."""
    first = session_folder(folder, code, CALIBRATION)
    settings = TrainSettings(
        model="lda", after_cue_s=margins.after_cue_s, before_next_s=margins.before_next_s
    )
    evidence = {WITHIN: judge_fold(settings, None, SplitFold("repetition", first))}
    refused: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "decoder.onnx"
        train_decoder([load_session(first)], made, settings, quiet)
        old = load_decoder(made)
        for name, as_it_is, recalibrated in ((LATER, HOUR_OLD, HOUR_NEW), (ANEW, ANEW_OLD, ANEW_NEW)):
            session = load_session(session_folder(folder, code, name))
            first_half, judged = _halves(session)
            evidence[as_it_is] = judge_opened(old, judged, as_it_is, margins)
            try:
                new = _recalibrated(old, first_half, settings, Path(temporary))
            except RecalibrationError as error:
                refused[recalibrated] = str(error)
                continue
            evidence[recalibrated] = judge_opened(new, judged, recalibrated, margins)
    return Wearer(code, traits[code], evidence, refused)


def _recalibrated(old: DecoderFile, session: Session, settings: TrainSettings, folder: Path) -> DecoderFile:
    out = folder / "recalibrated.onnx"
    recalibrate(old, [session], out, quiet, margins=settings)
    return load_decoder(out)


def _halves(session: Session) -> tuple[Session, Session]:
    """Split a session into its first repetitions, to recalibrate by, and those after them, to judge.

    Raises
    ------
    InputError
        If there are too few repetitions for both.
    """
    repetitions = sorted({trial.repetition for trial in trials(session)})
    if len(repetitions) <= RECALIBRATION_REPETITIONS:
        msg = (
            f"{session.folder} holds {len(repetitions)} repetitions, {RECALIBRATION_REPETITIONS + 1} at least are "
            f"needed: {RECALIBRATION_REPETITIONS} to recalibrate by, the others to judge"
        )
        raise InputError(msg)
    first = set(repetitions[:RECALIBRATION_REPETITIONS])
    return of_repetitions(session, first), of_repetitions(session, set(repetitions) - first)


def of_repetitions(session: Session, repetitions: Iterable[int]) -> Session:
    """Cut out the part of a session that holds some of its repetitions; between them, a gap in time stays."""
    wanted = set(repetitions)
    kept = np.zeros(len(session.emg.t_lsl_s), dtype=bool)
    for trial in trials(session):
        if trial.repetition in wanted:
            kept[trial.start : trial.stop] = True
    events = tuple(
        event
        for event in session.events
        if event.kind in {"cue", LABEL} and event.fields["repetition"] in wanted
    )
    emg = EmgRecording(session.emg.info, session.emg.emg_uv[kept], session.emg.t_lsl_s[kept])
    return dataclasses.replace(session, emg=emg, events=events)
