"""A way of making decoders judged on repetitions, sessions or participants that none of its decoders has seen.

What is trained on and what is judged are the labelled windows of `calibration.training_set`. Left out by repetition, a
session is judged by the held-out assessment of its own training, so that the figures are those that ``hdemg train``
reports. Left out by session or participant, the model is selected, fitted and calibrated on the others.

Decisions between trials run on as they would live; there, where nothing is counted as a window, a hop may reach back
into the trial before it.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from calibration.held_out import HeldOutResult, decide, probabilities_of
from calibration.model_selection import Candidate, select_model
from calibration.train import train_model
from calibration.train_settings import TrainSettings
from calibration.training_set import TrainingSet, TrialWindows
from decoding.feature_chain import FeatureBlock
from decoding.repair import BoolArray
from decoding.windows import window_spec
from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import Session, Trial, load_session, read_session_info
from evaluation.judging.by_decoder import behaviour_of, checked_trials
from evaluation.judging.evidence import Evidence, Hops, outcomes_of, place_hops
from evaluation.judging.leakage import refuse_copies, refuse_overlap

Split = Literal["repetition", "session", "participant"]
SPLITS: tuple[Split, ...] = ("repetition", "session", "participant")
# More repetitions than this add little; each point is made from so many choices.
CURVE_POINTS = (1, 2, 4, 8)
CURVE_CHOICES = 2
MIN_REPETITIONS = 2


@dataclass(frozen=True)
class SplitFold:
    """What one piece of work judges: a session, by a decoder of others, or of its own other repetitions.

    Parameters
    ----------
    split : {"repetition", "session", "participant"}
        What is left out.
    tested : Path
        Session to judge.
    trained : tuple of Path
        Sessions to train on; none for ``"repetition"``.
    """

    split: Split
    tested: Path
    trained: tuple[Path, ...] = ()


@dataclass(frozen=True)
class CurvePoint:
    """Share of windows right after training on so many repetitions, each value another choice of them."""

    participant: str
    session: str
    repetitions: int
    window_accuracy: tuple[float, ...]


def folds_of(split: Split, folders: Sequence[Path]) -> list[SplitFold]:
    """Return what has to be judged for a split.

    Raises
    ------
    InputError
        If there are too few sessions or participants for it, or one recording stands in two places.
    """
    if split == "repetition":
        return [SplitFold(split, folder) for folder in folders]
    refuse_copies(folders)
    person = {folder: read_session_info(folder).participant for folder in folders}
    folds = []
    for tested in folders:
        same = split == "session"
        trained = [one for one in folders if one != tested and (person[one] == person[tested]) == same]
        if trained:
            folds.append(SplitFold(split, tested, tuple(trained)))
    if not folds:
        msg = (
            "leaving a session out needs two sessions of a participant"
            if split == "session"
            else f"leaving a participant out needs two participants, got {', '.join(sorted(set(person.values())))}"
        )
        raise InputError(msg)
    return folds


def judge_fold(settings: TrainSettings, emg: str | None, fold: SplitFold) -> Evidence:
    """Judge the session of a fold.

    Parameters
    ----------
    settings : TrainSettings
        How decoders are made.
    emg : str or None
        Which EMG stream, where sessions hold several.
    fold : SplitFold
        What to train on and what to judge.

    Raises
    ------
    InputError
        If a session cannot be read or used, or those to train on are of another kind.
    """
    tested = load_session(fold.tested, emg)
    cued = checked_trials(tested, None)
    if fold.split == "repetition":
        return _by_repetition(tested, cued, settings)
    known = TrainingSet([load_session(folder, emg) for folder in fold.trained], settings)
    _check_same_kind(tested, fold)
    checked_trials(tested, known.gestures)
    own = TrainingSet([tested], settings)
    model = train_model(known, _ignore)
    selection = model.selection
    block, windows = own.features(0, selection.candidate.signal), own.windows(selection.candidate.signal)
    logits = model.classifier.logits(block.features)
    probabilities = probabilities_of(logits, selection.held_out.temperature)
    placed = place_hops(block.last_sample, cued, _steady(windows))
    found = _evidence(
        tested,
        cued,
        known,
        candidate=selection.candidate,
        block=block,
        probabilities=probabilities,
        placed=placed,
    )
    return dataclasses.replace(found, decoder=f"{settings.model}, left out by {fold.split}")


def learning_curve(settings: TrainSettings, emg: str | None, folder: Path) -> tuple[CurvePoint, ...]:
    """Judge a session by decoders of 1, 2, 3, ... of its repetitions, on all its others.

    For each number, up to two choices of neighbouring repetitions, spread over the session.
    """
    session = load_session(folder, emg)
    own, _ = _repeated(session, settings)
    repetitions = sorted({one.trial.repetition for one in own.any_windows})
    points = []
    for n in (n for n in CURVE_POINTS if n < len(repetitions)):
        starts = sorted({round(x) for x in np.linspace(0, len(repetitions) - n, CURVE_CHOICES)})
        values = []
        for start in starts:
            trained = set(repetitions[start : start + n])
            part = own.without((0, one) for one in repetitions if one not in trained)
            if {one.trial.gesture for one in part.any_windows} == set(own.gestures):
                rest = own.without((0, one) for one in trained)
                values.append(_window_accuracy(part, rest))
        if values:
            points.append(CurvePoint(session.info.participant, session.info.session, n, tuple(values)))
    return tuple(points)


def _window_accuracy(known: TrainingSet, tested: TrainingSet) -> float:
    model = train_model(known, _ignore)
    windows = tested.stacked(model.selection.candidate.signal)
    return float(np.mean(model.classifier.logits(windows.features).argmax(axis=1) == windows.labels))


def _ignore(_share: float) -> None:
    """Report no progress."""


def _check_same_kind(tested: Session, fold: SplitFold) -> None:
    """Refuse sessions of another rate, grid or channel order than the one judged."""
    info = tested.emg.info
    for folder in fold.trained:
        other = read_session_info(folder)
        if (
            other.fs_hz != info.fs_hz
            or other.grid.model_dump() != read_session_info(fold.tested).grid.model_dump()
        ):
            msg = (
                f"{folder} is of {other.fs_hz:g} Hz and grid {other.grid.name!r}, this one of {info.fs_hz:g} Hz and "
                f"{info.grid.name!r}; judge sessions of one kind together"
            )
            raise InputError(msg)


def _repeated(session: Session, settings: TrainSettings) -> tuple[TrainingSet, tuple[str, ...]]:
    """Leave out gestures of a single repetition, which cannot be both trained on and judged; say which."""
    every = TrainingSet([session], settings)
    refuse_overlap([(one.trial.gesture, one.trial.repetition) for one in every.any_windows])
    repetitions: dict[str, set[int]] = {gesture: set() for gesture in every.gestures}
    for one in every.any_windows:
        repetitions[one.trial.gesture].add(one.trial.repetition)
    scarce = sorted(gesture for gesture, found in repetitions.items() if len(found) < MIN_REPETITIONS)
    remarks = tuple(f"{gesture} is left out: it comes in a single repetition" for gesture in scarce)
    return (every.without(gestures=scarce) if scarce else every), remarks


def _by_repetition(session: Session, cued: tuple[Trial, ...], settings: TrainSettings) -> Evidence:
    """Judge a session by the held-out assessment of its own training."""
    own, remarks = _repeated(session, settings)
    selection = select_model(own, _ignore)
    held_out = selection.held_out
    cued = tuple(trial for trial in cued if trial.gesture in own.gestures)
    block = own.features(0, selection.candidate.signal)
    placed = place_hops(block.last_sample, cued, _steady([one.windows for one in held_out.trials]))
    probabilities = _probabilities(held_out, block, cued, placed[0], len(own.gestures))
    found = _evidence(
        session,
        cued,
        own,
        candidate=selection.candidate,
        block=block,
        probabilities=probabilities,
        placed=placed,
    )
    return dataclasses.replace(
        found,
        decoder=f"{settings.model}, left out by repetition",
        outcomes={cued.index(one.windows.trial): one.outcome for one in held_out.trials},
        remarks=(*found.remarks, *remarks),
    )


def _steady(windows: Sequence[TrialWindows]) -> list[tuple[Trial, IntArray]]:
    return [(one.trial, one.block.last_sample[one.steady]) for one in windows]


def _evidence(
    session: Session,
    cued: tuple[Trial, ...],
    training: TrainingSet,
    *,
    candidate: Candidate,
    block: FeatureBlock,
    probabilities: Float32Array,
    placed: tuple[IntArray, BoolArray],
) -> Evidence:
    gestures, fs_hz = training.gestures, session.emg.info.fs_hz
    decided = decide(probabilities, block, gestures, training.settings.decision)
    hops = Hops(block.last_sample, probabilities, decided)
    return Evidence(
        participant=session.info.participant,
        session=session.info.session,
        folder=str(session.folder),
        decoder=candidate.name,
        gestures=gestures,
        fs_hz=fs_hz,
        hop_s=window_spec(candidate.signal, fs_hz).hop_samples / fs_hz,
        cued=cued,
        hops=hops,
        trial_of=placed[0],
        steady=placed[1],
        outcomes=outcomes_of(decided, cued, *placed, gestures),
        behaviour=behaviour_of(session, hops, gestures, cued),
        remarks=(f"made of {candidate.name}",),
    )


def _probabilities(
    held_out: HeldOutResult,
    block: FeatureBlock,
    cued: tuple[Trial, ...],
    trial_of: IntArray,
    n_gestures: int,
) -> Float32Array:
    """Return what the classifier of each fold makes of the repetitions that it has not seen; zeros elsewhere."""
    found = np.zeros((len(trial_of), n_gestures), dtype=np.float32)
    repetition = np.array([cued[k].repetition if k >= 0 else -1 for k in trial_of], dtype=np.int64)
    for fold in held_out.folds:
        left_out = {held_out.trials[index].windows.trial.repetition for index in fold.trials}
        own = np.isin(repetition, list(left_out))
        logits = fold.classifier.logits(block.features[own])
        found[own] = probabilities_of(logits, held_out.temperature)
    for one in held_out.trials:
        # The very values that the figures of training are made of, whatever the size of the batch they came from.
        steady = one.windows.steady
        places = np.searchsorted(block.last_sample, one.windows.block.last_sample[steady])
        found[places] = one.probabilities[steady]
    return found
