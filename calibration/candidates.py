"""What a decoder may be made of: a set of features and a classifier; which is tried, and in which order.

The order is the prior belief: with a single repetition, which leaves nothing to judge by, the first is taken, and
of candidates that held-out repetitions cannot tell apart, the earlier one.

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
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from calibration.labels import LabelledWindows
from decoding.class_statistics import ClassStatistics
from decoding.models.classifier import Classifier
from decoding.models.lda import class_statistics, fit_lda
from decoding.signal_settings import SignalSettings
from decoding.welch import CORRELATIONS, LOG_POWERS, POWER_BANDS_HZ, SEGMENT_MS
from emg_acquisition.grid import ElectrodeGrid

logger = logging.getLogger(__name__)

# The common average of n electrodes still holds 1/n of a channel's own signal; reference work in EEG asks for 32.
DENSE_CHANNELS = 32
SPECTRAL_FEATURES = (*LOG_POWERS, *CORRELATIONS)
Independent = Literal["trials", "windows"]
ModelChoice = Literal["auto", "lda", "cnn"]


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
    """Feature sets for an array, the one believed in first: `base` but for its features and spatial filter."""
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
