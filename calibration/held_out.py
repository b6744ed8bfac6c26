"""Accuracy on repetitions that the classifier has not seen, and the temperature that they suggest.

Folds are whole repetitions, never windows: neighbouring windows overlap, so a split between them would test a
classifier on what it was trained on. Every trial is decided by itself, as the classifier changes from fold to fold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from calibration.outcomes import TrialOutcome, confusion_counts, judge_trial, trial_accuracy
from calibration.training_set import LabelledWindows, TrialWindows, stack_steady
from decoding.decision import Decider, DecisionSettings, EffortCalibration, HopEvidence
from decoding.feature_chain import FeatureBlock
from decoding.models.classifier import Classifier
from decoding.models.temperature import MIN_TEMPERATURE, fit_temperature, negative_log_likelihood
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.decision import NO_DECISION
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST

MAX_FOLDS = 10
Fit = Callable[[LabelledWindows], Classifier]


@dataclass(frozen=True)
class HeldOutTrial:
    """A trial and what a classifier that had not seen it makes of it.

    Parameters
    ----------
    windows : TrialWindows
        The trial.
    probabilities : ndarray, shape (n_windows, n_gestures)
        Of all of its windows.
    outcome : TrialOutcome
        By the decisions on its steady windows, rejected and smoothed as live.
    """

    windows: TrialWindows
    probabilities: Float32Array
    outcome: TrialOutcome


@dataclass(frozen=True)
class Fold:
    """Trials, by index, and the classifier fitted without them."""

    trials: tuple[int, ...]
    classifier: Classifier


@dataclass(frozen=True)
class HeldOutResult:
    """What held-out repetitions say.

    Parameters
    ----------
    temperature : float
        For the classifier fitted on everything.
    window_accuracy : float or None
        Share of steady windows whose best gesture is the one asked for; no rejection, no smoothing.
    trial_accuracy : float or None
        Share of trials whose steady decisions, rejected and smoothed as live, are mostly the one asked for.
    log_loss : float or None
        Mean over steady windows of -log p(gesture asked for), at that temperature.
    fold_accuracy : tuple of float
        Window accuracy of each fold.
    confusion : tuple of tuple of int
        Steady windows by gesture asked for (row) and best gesture (column).
    trials : tuple of HeldOutTrial
        What the figures are made of.
    folds : tuple of Fold
        Empty where the logits came from elsewhere.
    """

    temperature: float
    window_accuracy: float | None
    trial_accuracy: float | None
    log_loss: float | None = None
    fold_accuracy: tuple[float, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    trials: tuple[HeldOutTrial, ...] = ()
    folds: tuple[Fold, ...] = ()


def folds_by_repetition(windows: Sequence[TrialWindows]) -> list[list[int]]:
    """Return the trials' indices fold by fold: whole repetitions of a session, over at most ten folds."""
    groups = sorted({(one.session, one.trial.repetition) for one in windows})
    n_folds = min(len(groups), MAX_FOLDS)
    fold_of = {group: k % n_folds for k, group in enumerate(groups)}
    folds: list[list[int]] = [[] for _ in range(n_folds)]
    for index, one in enumerate(windows):
        folds[fold_of[one.session, one.trial.repetition]].append(index)
    return folds


def assess_held_out(
    windows: Sequence[TrialWindows],
    gestures: Sequence[str],
    settings: DecisionSettings,
    fit: Fit,
    progress: Callable[[float], None],
) -> HeldOutResult:
    """Fit without each fold in turn and judge on it; a single repetition leaves nothing to judge by.

    Raises
    ------
    InputError
        If a gesture has no trial outside of a fold.
    """
    groups = folds_by_repetition(windows)
    if len(groups) == 1:
        return HeldOutResult(MIN_TEMPERATURE, None, None)
    folds = []
    logits: dict[int, Float64Array] = {}
    for done, group in enumerate(groups):
        others = [one for index, one in enumerate(windows) if index not in set(group)]
        _check_gestures(others, windows[group[0]], gestures)
        classifier = fit(stack_steady(others, gestures))
        folds.append(Fold(tuple(group), classifier))
        for index in group:
            logits[index] = classifier.logits(windows[index].block.features)
        progress((done + 1) / len(groups))
    return judge_logits([logits[k] for k in range(len(windows))], windows, gestures, settings, folds=folds)


def _check_gestures(others: Sequence[TrialWindows], left_out: TrialWindows, gestures: Sequence[str]) -> None:
    missing = [name for name in gestures if name not in {one.trial.gesture for one in others}]
    if missing:
        msg = (
            f"without repetition {left_out.trial.repetition} {', '.join(missing)} has nothing left to train on; "
            "record more repetitions"
        )
        raise InputError(msg)


def judge_logits(
    logits: Sequence[Float64Array],
    windows: Sequence[TrialWindows],
    gestures: Sequence[str],
    settings: DecisionSettings,
    *,
    folds: Sequence[Fold] = (),
    temperature: float | None = None,
) -> HeldOutResult:
    """Judge logits of trials that the classifier had not seen, one array (n_windows, n_gestures) a trial.

    Without a temperature, the one is used that fits them.
    """
    truth = [gestures.index(one.trial.gesture) for one in windows]
    steady_logits = np.concatenate([logits[k][one.steady] for k, one in enumerate(windows)])
    of_trial = np.concatenate([np.full(one.steady.sum(), k) for k, one in enumerate(windows)])
    labels = np.array(truth)[of_trial]
    temperature = fit_temperature(steady_logits, labels) if temperature is None else temperature
    trials = []
    for one, own in zip(windows, logits, strict=True):
        probabilities = probabilities_of(own, temperature)
        decided = decide(probabilities, one.block, gestures, settings)[one.steady]
        trials.append(HeldOutTrial(one, probabilities, judge_trial(one.trial, decided, gestures)))
    best = np.concatenate([one.probabilities[one.windows.steady].argmax(axis=1) for one in trials])
    hits = best == labels
    confusion = confusion_counts(labels, best, len(gestures))[:, :-1]
    return HeldOutResult(
        temperature,
        float(hits.mean()),
        trial_accuracy([one.outcome for one in trials]),
        negative_log_likelihood(steady_logits, labels, temperature),
        tuple(float(hits[np.isin(of_trial, fold.trials)].mean()) for fold in folds),
        tuple(tuple(row) for row in confusion.tolist()),
        tuple(trials),
        tuple(folds),
    )


def probabilities_of(logits: Float64Array, temperature: float) -> Float32Array:
    """Return what a decoder would say: ndarray, shape (n_windows, n_gestures)."""
    return np.asarray(softmax(logits / temperature, axis=1), dtype=np.float32)


def decide(
    probabilities: Float32Array, block: FeatureBlock, gestures: Sequence[str], settings: DecisionSettings
) -> IntArray:
    """Reject and smooth as live, starting afresh after a gap: ndarray, shape (n_windows,); -1 for no decision."""
    # Effort plays no part in a decision; any rising calibration serves.
    effort = EffortCalibration(rest_log_uv=0.0, contraction_log_uv=(1.0,) * len(gestures))
    # Recordings without rest can be judged too: then no gesture is taken at once.
    decider = Decider(settings, effort, list(gestures).index(REST) if REST in gestures else NO_DECISION)
    steps = np.diff(block.last_sample)
    gaps = np.append(False, steps != np.median(steps)) if len(steps) else np.zeros(len(block), dtype=bool)
    decided = np.empty(len(block), dtype=np.int64)
    for k in range(len(block)):
        if gaps[k]:
            decider.reset()
        hop = HopEvidence(int(block.last_sample[k]), probabilities[k], 0.0, float(block.quality[k]))
        decided[k] = decider.process(hop).gesture_index
    return decided
