"""A recipe judged on repetitions, sessions or participants that none of its decoders has seen.

No steady window shares a sample with another trial (`evidence.place_hops`), and whole repetitions, sessions or
participants are left out; the choice of features, of the shrinkage and of the temperature is made anew on what is
left. Decisions between trials run on as they would live; there, where nothing is counted as a window, a hop may
reach back into the trial before it.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from calibration.candidates import feature_sets
from calibration.held_out import MOST_FOLDS
from calibration.labels import TrialWindows
from decoding.decision import Decider, EffortCalibration, HopEvidence
from decoding.feature_chain import FeatureBlock
from decoding.signal_settings import SignalSettings
from decoding.windows import window_spec
from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.recording.session import Session, Trial, load_session, read_session_info
from evaluation.judging.by_decoder import behaviour_of, checked_trials
from evaluation.judging.evidence import Evidence, Hops, place_hops
from evaluation.judging.leakage import refuse_copies, refuse_overlap
from evaluation.judging.recipe import LabelledSessions, Made, Recipe, make

Split = Literal["repetition", "session", "participant"]
SPLITS: tuple[Split, ...] = ("repetition", "session", "participant")
# More repetitions than this teach little more; each point is made from so many choices.
CURVE_POINTS = (1, 2, 4, 8)
CURVE_CHOICES = 2
_ANY_EFFORT = (0.0, 1.0)


@dataclass(frozen=True)
class Fold:
    """What one piece of work judges: a session, by a recipe trained on others, or on its own other repetitions.

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


def folds_of(split: Split, folders: Sequence[Path]) -> list[Fold]:
    """Return what has to be judged for a split.

    Raises
    ------
    InputError
        If there are too few sessions or participants for it, or one recording stands in two places.
    """
    if split == "repetition":
        return [Fold(split, folder) for folder in folders]
    refuse_copies(folders)
    person = {folder: read_session_info(folder).participant for folder in folders}
    folds = []
    for tested in folders:
        same = split == "session"
        trained = [one for one in folders if one != tested and (person[one] == person[tested]) == same]
        if trained:
            folds.append(Fold(split, tested, tuple(trained)))
    if not folds:
        msg = (
            "leaving a session out needs two sessions of a participant"
            if split == "session"
            else f"leaving a participant out needs two participants, got {', '.join(sorted(set(person.values())))}"
        )
        raise InputError(msg)
    return folds


def judge_fold(recipe: Recipe, emg: str | None, fold: Fold) -> Evidence:
    """Judge the session of a fold.

    Raises
    ------
    InputError
        If a session cannot be read or used, or those to train on are of another kind.
    """
    tested = load_session(fold.tested, emg)
    cued = checked_trials(tested, None)
    if fold.split == "repetition":
        own, scarce = _with_repetitions(tested, recipe)
        parts = _by_repetition(recipe, own)
        found = _evidence(
            tested,
            own.cued[0],
            own,
            parts,
            recipe=recipe,
            how="left out by repetition",
            gestures=own.gestures,
        )
        remarks = tuple(
            f"{gesture} is left out: it comes in a single repetition" for gesture in sorted(scarce)
        )
        return dataclasses.replace(found, remarks=(*found.remarks, *remarks))
    known = LabelledSessions([load_session(folder, emg) for folder in fold.trained], recipe.margins)
    _check_same_kind(tested, fold)
    checked_trials(tested, known.gestures)
    own = LabelledSessions([tested], recipe.margins)
    _check_usable(own, recipe)
    made = make(recipe, known, known.gestures, frozenset())
    how = f"left out by {fold.split}"
    return _evidence(tested, cued, own, [(None, made)], recipe=recipe, how=how, gestures=known.gestures)


def learning_curve(recipe: Recipe, emg: str | None, folder: Path) -> tuple[CurvePoint, ...]:
    """Judge a session by what 1, 2, 3, ... of its repetitions have taught, on all its others.

    For each number, up to two choices of neighbouring repetitions, spread over the session.
    """
    session = load_session(folder, emg)
    own, _ = _with_repetitions(session, recipe)
    repetitions = sorted({one.trial.repetition for one in _any_windows(own)})
    points = []
    for n in (n for n in CURVE_POINTS if n < len(repetitions)):
        starts = sorted({round(x) for x in np.linspace(0, len(repetitions) - n, CURVE_CHOICES)})
        values = []
        for start in starts:
            taught = set(repetitions[start : start + n])
            if not _all_taught(own, taught):
                continue
            left_out = frozenset((0, one) for one in repetitions if one not in taught)
            made = make(recipe, own, own.gestures, left_out)
            values.append(_window_accuracy(made, own, left_out))
        if values:
            points.append(CurvePoint(session.info.participant, session.info.session, n, tuple(values)))
    return tuple(points)


def _window_accuracy(made: Made, own: LabelledSessions, left_out: frozenset[tuple[int, int]]) -> float:
    right, total = 0, 0
    for one in own.windows(made.candidate.signal):
        if (0, one.trial.repetition) in left_out:
            said = made.classifier.logits(one.block.features[one.steady]).argmax(axis=1)
            right += int((said == own.gestures.index(one.trial.gesture)).sum())
            total += len(said)
    return right / total


def _any_windows(own: LabelledSessions) -> list[TrialWindows]:
    """Trials with a steady window, whatever the features: all candidates share window and hop."""
    stream = own.stream
    return own.windows(next(iter(feature_sets(stream.grid, stream.fs_hz, SignalSettings()).values())))


def _check_usable(own: LabelledSessions, recipe: Recipe) -> None:
    if not _any_windows(own):
        margins = recipe.margins
        msg = (
            f"no trial is longer than its margins: {margins.after_cue_s:g} s after the cue, "
            f"{margins.before_next_s:g} s before the next and a window; choose --after-cue and --before-next"
        )
        raise InputError(msg)


def _check_same_kind(tested: Session, fold: Fold) -> None:
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


def _by_repetition(recipe: Recipe, own: LabelledSessions) -> list[tuple[frozenset[int] | None, Made]]:
    repetitions = sorted({one.trial.repetition for one in _any_windows(own)})
    n_folds = min(len(repetitions), MOST_FOLDS)
    parts: list[tuple[frozenset[int] | None, Made]] = []
    for k in range(n_folds):
        fold = frozenset(repetitions[k::n_folds])
        if not _all_taught(own, set(repetitions) - fold):
            msg = f"without repetition {min(fold)} a gesture has nothing left to train on; record more repetitions"
            raise InputError(msg)
        parts.append((fold, make(recipe, own, own.gestures, frozenset((0, one) for one in fold))))
    return parts


def _all_taught(own: LabelledSessions, repetitions: set[int]) -> bool:
    """Whether every gesture has a usable trial in some of the repetitions."""
    taught = {one.trial.gesture for one in _any_windows(own) if one.trial.repetition in repetitions}
    return taught == set(own.gestures)


def _with_repetitions(session: Session, recipe: Recipe) -> tuple[LabelledSessions, set[str]]:
    """Leave out gestures of a single repetition, which cannot be trained on and judged; say which."""
    every = LabelledSessions([session], recipe.margins)
    _check_usable(every, recipe)
    refuse_overlap([(one.trial.gesture, one.trial.repetition) for one in _any_windows(every)])
    repetitions: dict[str, set[int]] = {gesture: set() for gesture in every.gestures}
    for one in _any_windows(every):
        repetitions[one.trial.gesture].add(one.trial.repetition)
    scarce = {gesture for gesture, found in repetitions.items() if len(found) < 2}  # noqa: PLR2004 - one to hold out
    if not scarce:
        return every, scarce
    return LabelledSessions([session], recipe.margins, frozenset(scarce)), scarce


def _evidence(
    session: Session,
    cued: tuple[Trial, ...],
    own: LabelledSessions,
    parts: Sequence[tuple[frozenset[int] | None, Made]],
    *,
    recipe: Recipe,
    how: str,
    gestures: tuple[str, ...],
) -> Evidence:
    fs_hz = session.emg.info.fs_hz
    block = own.block(parts[0][1].candidate.signal, 0)[0]
    window_samples = own.block(parts[0][1].candidate.signal, 0)[1]
    trial_of, steady = place_hops(block.last_sample, cued, window_samples, recipe.margins, fs_hz)
    said = _probabilities(own, cued, parts, trial_of, len(gestures))
    hops = Hops(block.last_sample, said, _decide(said, block, recipe, gestures))
    spec = window_spec(parts[0][1].candidate.signal, fs_hz)
    made_of = sorted({made.candidate.name for _, made in parts})
    return Evidence(
        session.info.participant,
        session.info.session,
        str(session.folder),
        f"{recipe.model}, {how}",
        gestures,
        fs_hz,
        spec.hop_samples / fs_hz,
        cued,
        hops,
        trial_of,
        steady,
        behaviour_of(session, hops, gestures, cued),
        (f"made of {'; '.join(made_of)}",),
    )


def _probabilities(
    own: LabelledSessions,
    cued: tuple[Trial, ...],
    parts: Sequence[tuple[frozenset[int] | None, Made]],
    trial_of: IntArray,
    n_gestures: int,
) -> Float32Array:
    """Let the decoder of each fold speak about the repetitions that it has not seen."""
    said = np.zeros((len(trial_of), n_gestures), dtype=np.float32)
    repetition = np.array([cued[k].repetition if k >= 0 else -1 for k in trial_of], dtype=np.int64)
    for fold, made in parts:
        block = own.block(made.candidate.signal, 0)[0]
        own_hops = np.ones(len(trial_of), dtype=np.bool_) if fold is None else np.isin(repetition, list(fold))
        chosen = FeatureBlock(
            block.features[own_hops],
            block.log_amplitude[own_hops],
            block.quality[own_hops],
            block.last_sample[own_hops],
        )
        said[own_hops] = made.probabilities(chosen)
    return said


def _decide(said: Float32Array, block: FeatureBlock, recipe: Recipe, gestures: tuple[str, ...]) -> IntArray:
    """Reject and smooth as live; anew after a gap. A hop of no fold has no probability, and so no decision."""
    effort = EffortCalibration(
        rest_log_uv=_ANY_EFFORT[0], contraction_log_uv=(_ANY_EFFORT[1],) * len(gestures)
    )
    decider = Decider(recipe.decision, effort, gestures.index(REST) if REST in gestures else -1)
    steps = np.diff(block.last_sample, prepend=block.last_sample[:1])
    usual = int(np.median(steps[1:])) if len(steps) > 1 else 0
    decided = np.empty(len(said), dtype=np.int64)
    for k, (sample, quality) in enumerate(
        zip(block.last_sample.tolist(), block.quality.tolist(), strict=True)
    ):
        if k and steps[k] != usual:
            decider.reset()
        decided[k] = decider.process(HopEvidence(sample, said[k], 0.0, quality)).gesture_index
    return decided
