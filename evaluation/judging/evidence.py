"""What a decoder made of a session, hop by hop, and what was asked for: all figures come from here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.outcomes import TrialOutcome, confusion_counts, judge_trial
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.events import REST
from emg_acquisition.recording.session import Trial
from evaluation.figures_of_merit.holds import Hold, judge_hold
from evaluation.online import OnlineBehaviour


@dataclass(frozen=True)
class Hops:
    """What a decoder made of each hop.

    Parameters
    ----------
    sample_index : ndarray of int64, shape (n_hops,)
        Newest EMG sample of the hop's window, counted in the recording.
    probabilities : ndarray, shape (n_hops, n_gestures)
        Of the window alone.
    decided : ndarray of int64, shape (n_hops,)
        Gesture after rejection and smoothing; -1 for none.
    """

    sample_index: IntArray
    probabilities: Float32Array
    decided: IntArray


@dataclass(frozen=True)
class Evidence:
    """What a decoder made of one session.

    Parameters
    ----------
    participant, session, folder : str
        Which one.
    decoder : str
        A decoder's name, or how decoders were made and what was left out.
    gestures : tuple of str
        Names by index.
    fs_hz, hop_s : float
        Sampling rate, and time between two hops.
    cued : tuple of Trial
        What was asked for.
    hops : Hops
        What the decoder made of it.
    trial_of : ndarray of int64, shape (n_hops,)
        Which trial the newest sample lies in; -1 outside all.
    steady : ndarray of bool, shape (n_hops,)
        Whether the hop's window counts: all of it lies in the trial's steady part (`calibration.training_set`).
    outcomes : dict of int to TrialOutcome
        By trial, of those that have a steady hop.
    behaviour : OnlineBehaviour or None
        Delays and false activations; None where the recording has no rest.
    remarks : tuple of str
        What a reader must know: training data, codes that look alike.
    """

    participant: str
    session: str
    folder: str
    decoder: str
    gestures: tuple[str, ...]
    fs_hz: float
    hop_s: float
    cued: tuple[Trial, ...]
    hops: Hops
    trial_of: IntArray
    steady: npt.NDArray[np.bool_]
    outcomes: dict[int, TrialOutcome]
    behaviour: OnlineBehaviour | None
    remarks: tuple[str, ...] = ()

    @property
    def rest_index(self) -> int:
        """Which gesture is rest; -1 where there is none."""
        return self.gestures.index(REST) if REST in self.gestures else -1

    @property
    def judged(self) -> list[int]:
        """Trials that have a steady hop."""
        return sorted(self.outcomes)

    def truth(self, trial: int) -> int:
        """Which gesture a trial asked for."""
        return self.gestures.index(self.cued[trial].gesture)

    def steady_hops(self, trial: int) -> IntArray:
        """Places of a trial's steady hops."""
        return np.flatnonzero(self.steady & (self.trial_of == trial)).astype(np.int64)

    def window_table(self) -> IntArray:
        """Confusion of windows of each judged trial: ndarray, (n_trials, n_gestures, n_gestures + 1)."""
        return self._table(lambda places: self.hops.probabilities[places].argmax(axis=1))

    def trial_table(self) -> IntArray:
        """Confusion of each judged trial by itself: ndarray, (n_trials, n_gestures, n_gestures + 1)."""
        return self._table(lambda places: np.array([self.outcomes[int(self.trial_of[places[0]])].index]))

    def _table(self, answer: Callable[[IntArray], IntArray]) -> IntArray:
        n = len(self.gestures)
        tables = [np.zeros((0, n, n + 1), dtype=np.int64)]
        for trial in self.judged:
            answers = answer(self.steady_hops(trial)).astype(np.int64)
            tables.append(confusion_counts(np.full(len(answers), self.truth(trial)), answers, n)[np.newaxis])
        return np.concatenate(tables)

    def confidence_and_right(self) -> tuple[Float64Array, Float64Array]:
        """Greatest probability of each steady window, and 1 where it is that of the gesture asked for."""
        places = np.flatnonzero(self.steady)
        probabilities = self.hops.probabilities[places].astype(np.float64)
        truth = np.array([self.truth(int(k)) for k in self.trial_of[places]], dtype=np.int64)
        return probabilities.max(axis=1, initial=0.0), (probabilities.argmax(axis=1) == truth).astype(
            np.float64
        )

    def holds(self) -> list[Hold]:
        """Judge the holds of gestures, rest left out."""
        wanted = {k: self.truth(k) for k in self.judged}
        return [
            judge_hold(self.hops.decided[self.steady_hops(k)], gesture, self.rest_index)
            for k, gesture in wanted.items()
            if gesture != self.rest_index
        ]


def place_hops(
    sample_index: IntArray, cued: Sequence[Trial], steady: Iterable[tuple[Trial, IntArray]]
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Say of each hop which trial it belongs to, and whether its window counts.

    Parameters
    ----------
    sample_index : ndarray of int64, shape (n_hops,)
        Newest sample of each hop, rising.
    cued : sequence of Trial
        What was asked for.
    steady : iterable of (Trial, ndarray of int64)
        Newest samples of the windows of a trial that count; those of a trial may lie ahead of its cue.

    Returns
    -------
    ndarray of int64, shape (n_hops,)
        The trial; -1 outside all.
    ndarray of bool, shape (n_hops,)
        Whether it is steady.
    """
    trial_of = np.full(len(sample_index), -1, dtype=np.int64)
    counts = np.zeros(len(sample_index), dtype=np.bool_)
    for k, trial in enumerate(cued):
        trial_of[(sample_index >= trial.start) & (sample_index < trial.stop)] = k
    for trial, last_samples in steady:
        places = np.searchsorted(sample_index, last_samples)
        trial_of[places], counts[places] = cued.index(trial), True
    return trial_of, counts


def outcomes_of(
    decided: IntArray,
    cued: Sequence[Trial],
    trial_of: IntArray,
    steady: npt.NDArray[np.bool_],
    gestures: Sequence[str],
) -> dict[int, TrialOutcome]:
    """Judge each trial that has a steady hop by the decisions on those; arrays as in `Evidence`."""
    return {
        int(k): judge_trial(cued[k], decided[steady & (trial_of == k)], gestures)
        for k in np.unique(trial_of[steady])
    }
