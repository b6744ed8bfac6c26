"""What a decoder may be made of, and which of that it is made of, by cross-validation over repetitions.

A candidate is a set of features and a classifier. The order of the candidates is the prior: with a single repetition,
which leaves nothing to judge by, the first is taken, and of candidates that held-out repetitions cannot tell apart,
the earlier one.

- ``referenced``: log-RMS against the common average. A monopolar array shares one reference electrode, whose own
  potential and the far field of all muscles appear alike on every channel; they say little about which muscle is
  at work and vary with posture. Their mean over many electrodes all around the limb is that common part, so it goes
  first where the array is dense.
- ``amplitude``: log-RMS as it is. Goes first on sparse arrays: the average of few channels is mostly their own
  muscles, and sparse armbands measure bipolarly, so that nothing common is left to take away.
- ``spectral``: powers in five bands and correlations in three bands with the channels up to five places on around
  the limb (`decoding.welch`); for sparse arrays, where amplitudes alone leave gestures alike. Dense arrays see the
  same in the map itself, and twenty features of each of 64 channels would outnumber the windows.

LDA's shrinkage counts trials, or windows, as the independent samples (`decoding.models.lda`): trials are the honest
count, but with few of them it shrinks more than a feature set of many dimensions bears.

References
----------
Breiman, Friedman, Olshen, Stone, *Classification and Regression Trees*, 1984, section 3.4.3: of models within one
standard error of the best, the one that was preferred beforehand. Here the error is that of the difference between
two candidates over the same folds.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import numpy as np

from calibration.held_out import HeldOutResult, assess_held_out, folds_by_repetition
from calibration.training_set import LabelledWindows, TrainingSet
from decoding.class_statistics import ClassStatistics
from decoding.decoder_file import Considered
from decoding.models.classifier import Classifier
from decoding.models.lda import class_statistics, fit_lda
from decoding.signal_settings import SignalSettings
from decoding.welch import CORRELATIONS, LOG_POWERS, POWER_BANDS_HZ, SEGMENT_MS
from emg_acquisition.grid import ElectrodeGrid

logger = logging.getLogger(__name__)

# The common average of n electrodes still holds 1/n of a channel's own signal; reference work in EEG asks for 32.
DENSE_CHANNELS = 32
SPECTRAL_FEATURES = (*LOG_POWERS, *CORRELATIONS)
# Training a network on every fold takes longer than all the rest: it is tried where there is something to gain.
GOOD_ENOUGH = 0.98
# Below this mean log-loss per window, all candidates are as good as certain, and the order decides.
ALIKE_NATS = 1e-4
_ALIKE = 1e-12
Independent = Literal["trials", "windows"]
Named = TypeVar("Named")


@dataclass(frozen=True)
class Candidate:
    """A way to make a decoder.

    Parameters
    ----------
    name : str
        As it stands in the decoder file.
    signal : SignalSettings
        Its features.
    model : {"lda", "cnn"}
        Its classifier.
    independent : {"trials", "windows"}
        What LDA's shrinkage takes as independent samples.
    """

    name: str
    signal: SignalSettings
    model: Literal["lda", "cnn"]
    independent: Independent = "trials"

    def fit(self, known: LabelledWindows, n_gestures: int, grid: ElectrodeGrid) -> Classifier:
        """Fit on labelled windows of this candidate's features."""
        if self.model == "cnn":
            logarithmic = tuple(name.startswith("log_") for name in self.signal.features)
            fit_network = load_network()
            return fit_network(known.features, known.labels, n_gestures, grid, logarithmic=logarithmic)
        trials = known.trials if self.independent == "trials" else None
        return fit_lda(known.features, known.labels, n_gestures, trials)

    def statistics(self, known: LabelledWindows, n_gestures: int) -> ClassStatistics:
        """Return what a decoder of this kind remembers of its training."""
        by_trials = self.independent == "trials"
        return class_statistics(
            known.features, known.labels, n_gestures, known.trials, shrink_by_trials=by_trials
        )


def feature_sets(grid: ElectrodeGrid, fs_hz: float, base: SignalSettings) -> dict[str, SignalSettings]:
    """Feature sets for an array, the preferred one first: `base` but for its features and spatial filter."""
    plain = {"amplitude": base.model_copy(update={"features": ("log_rms",), "spatial": "none"})}
    referenced = {"referenced": base.model_copy(update={"features": ("log_rms",), "spatial": "average"})}
    if grid.n_channels >= DENSE_CHANNELS:
        return referenced | plain
    spectral = {"spectral": base.model_copy(update={"features": SPECTRAL_FEATURES, "spatial": "none"})}
    fits = fs_hz >= 2 * POWER_BANDS_HZ[-1][1] and base.window_ms >= SEGMENT_MS
    return plain | referenced | (spectral if fits else {})


def lda_candidates(sets: dict[str, SignalSettings]) -> list[Candidate]:
    """LDA on each feature set, with either count of independent samples."""
    counts: Sequence[Independent] = ("trials", "windows")
    return [
        Candidate(f"lda on {name}, shrinkage by {count}", signal, "lda", count)
        for count in counts
        for name, signal in sets.items()
    ]


def cnn_candidate(name: str, signal: SignalSettings) -> Candidate:
    """Grid CNN on a feature set."""
    return Candidate(f"cnn on {name}", signal, "cnn")


def load_network() -> Callable[..., Classifier]:
    """Return what fits the network, `decoding.models.grid_cnn.fit_grid_cnn`.

    Raises
    ------
    ModuleNotFoundError
        If torch is not installed, which only the network needs.
    """
    from decoding.models.grid_cnn import fit_grid_cnn  # noqa: PLC0415 - loads torch, which takes seconds

    return fit_grid_cnn


def network_is_offered() -> bool:
    """Whether the network can be tried; without torch this is logged and False."""
    try:
        load_network()
    except ModuleNotFoundError as error:
        logger.info("the network is not tried: %s is not installed (hdemg-teleop[network])", error.name)
        return False
    return True


Tried: TypeAlias = tuple[Candidate, HeldOutResult]


@dataclass(frozen=True)
class Selection:
    """What was selected, what held-out repetitions say of it, and what else was tried."""

    candidate: Candidate
    held_out: HeldOutResult
    considered: tuple[Considered, ...]


def select_model(training: TrainingSet, progress: Callable[[float], None]) -> Selection:
    """Try the candidates that the settings of a training set leave, on the repetitions that there are.

    Parameters
    ----------
    training : TrainingSet
        Its settings name a classifier or a feature set, or leave them to be selected.
    progress : callable
        Called with the share done.
    """
    settings, stream = training.settings, training.stream
    sets = (
        feature_sets(stream.grid, stream.fs_hz, settings.base_signal)
        if settings.signal is None
        else {"given": settings.signal}
    )
    tried: list[Tried] = []

    def attempt(candidate: Candidate, first: float, last: float) -> None:
        result = assess_held_out(
            training.windows(candidate.signal),
            training.gestures,
            settings.decision,
            lambda known: candidate.fit(known, len(training.gestures), stream.grid),
            lambda done: progress(first + done * (last - first)),
        )
        tried.append((candidate, result))

    linear = lda_candidates(sets)
    if settings.model == "cnn":
        name, signal = next(iter(sets.items()))
        attempt(cnn_candidate(name, signal), 0.0, 1.0)
    elif len(folds_by_repetition(training.windows(linear[0].signal))) == 1:
        attempt(linear[0], 0.0, 1.0)
    else:
        for k, candidate in enumerate(linear):
            attempt(candidate, 0.5 * k / len(linear), 0.5 * (k + 1) / len(linear))
        best, result = best_of(tried)
        improvable = result.window_accuracy is not None and result.window_accuracy < GOOD_ENOUGH
        if settings.model == "auto" and improvable and network_is_offered():
            name = next(name for name, signal in sets.items() if signal == best.signal)
            attempt(cnn_candidate(name, best.signal), 0.5, 1.0)
    progress(1.0)
    candidate, held_out = best_of(tried)
    considered = tuple(
        Considered(name=one.name, window_accuracy=result.window_accuracy, log_loss=result.log_loss)
        for one, result in tried
    )
    return Selection(candidate, held_out, considered if held_out.window_accuracy is not None else ())


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
