"""Which candidate a decoder is made of, by cross-validation over repetitions.

References
----------
Breiman, Friedman, Olshen, Stone, *Classification and Regression Trees*, 1984, section 3.4.3: of models within one
standard error of the best, the one believed in more. Here the error is that of the difference between two
candidates over the same folds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import numpy as np

from calibration.candidates import (
    Candidate,
    ModelChoice,
    cnn_candidate,
    feature_sets,
    lda_candidates,
    network_is_offered,
)
from calibration.held_out import HeldOutResult, assess_held_out, folds_by_repetition
from calibration.labels import TrialWindows
from decoding.decision import DecisionSettings
from decoding.decoder_file import Considered
from decoding.signal_settings import SignalSettings
from emg_acquisition.stream_info import EmgStreamInfo

# Training a network on every fold takes longer than all the rest: it is tried where there is something to gain.
GOOD_ENOUGH = 0.98
# Below this mean log-loss per window, all candidates are as good as certain, and the order decides.
ALIKE_NATS = 1e-4
_ALIKE = 1e-12
Named = TypeVar("Named")
_Tried: TypeAlias = tuple[Candidate, HeldOutResult]
WindowsOf = Callable[[SignalSettings], list[TrialWindows]]


@dataclass(frozen=True)
class Choice:
    """What was chosen, what held-out repetitions say of it, and what else was tried."""

    candidate: Candidate
    held_out: HeldOutResult
    considered: tuple[Considered, ...]


@dataclass(frozen=True)
class Wish:
    """What may be chosen from.

    Parameters
    ----------
    model : {"auto", "lda", "cnn"}
        Classifier, or the better one.
    signal : SignalSettings or None
        Feature set, or None for the better one.
    decision : DecisionSettings
        For trial accuracy.
    base_signal : SignalSettings
        What the feature sets to choose from have in common: filter, window and the like.
    """

    model: ModelChoice
    signal: SignalSettings | None
    decision: DecisionSettings
    base_signal: SignalSettings = field(default_factory=SignalSettings)


def choose(
    wish: Wish,
    windows_of: WindowsOf,
    gestures: Sequence[str],
    stream: EmgStreamInfo,
    progress: Callable[[float], None],
) -> Choice:
    """Try the candidates that the wish leaves, on the repetitions that there are.

    Parameters
    ----------
    wish : Wish
        What may be chosen from.
    windows_of : callable
        Gives the labelled trials with the features of some settings.
    gestures : sequence of str
        By label.
    stream : EmgStreamInfo
        Its grid and rate.
    progress : callable
        Called with the share done.
    """
    grid = stream.grid
    sets = (
        feature_sets(grid, stream.fs_hz, wish.base_signal) if wish.signal is None else {"given": wish.signal}
    )
    tried: list[_Tried] = []

    def attempt(candidate: Candidate, first: float, last: float) -> None:
        windows = windows_of(candidate.signal)
        said = assess_held_out(
            windows,
            gestures,
            wish.decision,
            lambda known: candidate.fit(known, len(gestures), grid),
            lambda done: progress(first + done * (last - first)),
        )
        tried.append((candidate, said))

    if wish.model == "cnn":
        name, signal = next(iter(sets.items()))
        attempt(cnn_candidate(name, signal), 0.0, 1.0)
    elif len(folds_by_repetition(windows_of(next(iter(sets.values()))))) == 1:
        attempt(lda_candidates(sets)[0], 0.0, 1.0)
    else:
        linear = lda_candidates(sets)
        for k, candidate in enumerate(linear):
            attempt(candidate, 0.5 * k / len(linear), 0.5 * (k + 1) / len(linear))
        best, said = best_of(tried)
        improvable = said.window_accuracy is not None and said.window_accuracy < GOOD_ENOUGH
        if wish.model == "auto" and improvable and network_is_offered():
            name = next(name for name, signal in sets.items() if signal == best.signal)
            attempt(cnn_candidate(name, best.signal), 0.5, 1.0)
    progress(1.0)
    candidate, held_out = best_of(tried)
    considered = tuple(
        Considered(name=one.name, window_accuracy=said.window_accuracy, log_loss=said.log_loss)
        for one, said in tried
    )
    return Choice(candidate, held_out, considered if held_out.window_accuracy is not None else ())


def best_of(tried: Sequence[tuple[Named, HeldOutResult]]) -> tuple[Named, HeldOutResult]:
    """Take the most accurate; of those that folds cannot tell from it, the likeliest, or the first of equals."""
    if tried[0][1].window_accuracy is None:
        return tried[0]
    folds = np.array([held_out.fold_accuracy for _, held_out in tried])
    top = folds[folds.mean(axis=1).argmax()]
    behind = top - folds
    error = behind.std(axis=1, ddof=1) / np.sqrt(folds.shape[1])
    alike = [int(k) for k in np.flatnonzero(behind.mean(axis=1) <= error + _ALIKE)]
    loss = {k: tried[k][1].log_loss or 0.0 for k in alike}
    likeliest = min(loss.values())
    return tried[next(k for k in alike if loss[k] <= likeliest + ALIKE_NATS)]
