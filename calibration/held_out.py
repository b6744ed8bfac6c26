"""Accuracy on repetitions that the classifier has not seen, and the temperature that they suggest.

Folds are whole repetitions, never windows: neighbouring windows overlap, so a split between them would test a
classifier on what it was trained on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from calibration.labels import LabelledWindows, TrialWindows, stack_steady
from decoding.decision import NO_DECISION, Decider, DecisionSettings, EffortCalibration, HopEvidence
from decoding.models.classifier import Classifier
from decoding.models.temperature import MIN_TEMPERATURE, fit_temperature, negative_log_likelihood
from emg_acquisition.arrays import Float64Array
from emg_acquisition.events import REST

MOST_FOLDS = 10
# Effort plays no part in accuracy; any rising calibration serves.
_ANY_EFFORT = (0.0, 1.0)
Fit = Callable[[LabelledWindows], Classifier]


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
    """

    temperature: float
    window_accuracy: float | None
    trial_accuracy: float | None
    log_loss: float | None = None
    fold_accuracy: tuple[float, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()


def folds_by_repetition(trials: Sequence[TrialWindows]) -> list[list[int]]:
    """Return the trials' indices fold by fold: whole repetitions of a session, over at most ten folds."""
    groups = sorted({(one.session, one.trial.repetition) for one in trials})
    n_folds = min(len(groups), MOST_FOLDS)
    fold_of = {group: k % n_folds for k, group in enumerate(groups)}
    folds: list[list[int]] = [[] for _ in range(n_folds)]
    for index, one in enumerate(trials):
        folds[fold_of[one.session, one.trial.repetition]].append(index)
    return folds


def assess_held_out(
    trials: Sequence[TrialWindows],
    gestures: Sequence[str],
    settings: DecisionSettings,
    fit: Fit,
    progress: Callable[[float], None],
) -> HeldOutResult:
    """Fit without each fold in turn and judge on it; a single repetition leaves nothing to judge by."""
    folds = folds_by_repetition(trials)
    if len(folds) == 1:
        return HeldOutResult(MIN_TEMPERATURE, None, None)
    logits: dict[int, Float64Array] = {}
    for done, fold in enumerate(folds):
        rest_of_trials = [one for index, one in enumerate(trials) if index not in set(fold)]
        classifier = fit(stack_steady(rest_of_trials, gestures))
        for index in fold:
            logits[index] = classifier.logits(trials[index].block.features)
        progress((done + 1) / len(folds))
    return judge([logits[k] for k in range(len(trials))], trials, gestures, settings, folds)


def judge(
    logits: Sequence[Float64Array],
    trials: Sequence[TrialWindows],
    gestures: Sequence[str],
    settings: DecisionSettings,
    folds: Sequence[Sequence[int]],
    *,
    temperature: float | None = None,
) -> HeldOutResult:
    """Judge logits of trials that the classifier had not seen, one array (n_windows, n_gestures) a trial.

    Without a temperature, the one is used that fits them.
    """
    truth = [gestures.index(one.trial.gesture) for one in trials]
    steady_logits = np.concatenate([logits[k][one.steady] for k, one in enumerate(trials)])
    labels = np.concatenate([np.full(one.steady.sum(), truth[k]) for k, one in enumerate(trials)])
    of_trial = np.concatenate([np.full(one.steady.sum(), k) for k, one in enumerate(trials)])
    temperature = fit_temperature(steady_logits, labels) if temperature is None else temperature
    right = [
        majority(one, logits[k] / temperature, gestures, settings) == truth[k] for k, one in enumerate(trials)
    ]
    best = steady_logits.argmax(axis=1)
    hits = best == labels
    confusion = np.zeros((len(gestures), len(gestures)), dtype=np.int64)
    np.add.at(confusion, (labels, best), 1)
    return HeldOutResult(
        temperature,
        float(hits.mean()),
        float(np.mean(right)),
        negative_log_likelihood(steady_logits, labels, temperature),
        tuple(float(hits[np.isin(of_trial, fold)].mean()) for fold in folds),
        tuple(tuple(row) for row in confusion.tolist()),
    )


def majority(
    one: TrialWindows, scaled_logits: Float64Array, gestures: Sequence[str], settings: DecisionSettings
) -> int:
    """Most frequent decision over a trial's steady windows; -1 if there was none."""
    effort = EffortCalibration(
        rest_log_uv=_ANY_EFFORT[0], contraction_log_uv=(_ANY_EFFORT[1],) * len(gestures)
    )
    # Recordings without rest can be judged too: then no gesture is taken at once.
    rest_index = list(gestures).index(REST) if REST in gestures else NO_DECISION
    decider = Decider(settings, effort, rest_index)
    probabilities = softmax(scaled_logits, axis=1).astype(np.float32)
    counts = np.zeros(len(gestures), dtype=np.int64)
    for k, steady in enumerate(one.steady):
        evidence = HopEvidence(
            sample_index=int(one.block.last_sample[k]),
            probabilities=probabilities[k],
            log_amplitude=float(one.block.log_amplitude[k]),
            quality=float(one.block.quality[k]),
        )
        index = decider.process(evidence).gesture_index
        if steady and index >= 0:
            counts[index] += 1
    return int(counts.argmax()) if counts.any() else -1
