"""How a decoder is made, for judging the way rather than one file: the choice and fit of ``hdemg train``, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import softmax

from calibration.candidates import Candidate, ModelChoice
from calibration.choice import Wish, choose
from calibration.labels import TrialWindows, session_windows, stack_steady, windows_for_trials
from decoding.decision import DecisionSettings
from decoding.feature_chain import FeatureBlock
from decoding.models.classifier import Classifier
from decoding.signal_settings import SignalSettings
from emg_acquisition.arrays import Float32Array, samples_from_ms
from emg_acquisition.events import REST
from emg_acquisition.recording.session import Session, Trial, trials
from emg_acquisition.stream_info import EmgStreamInfo
from evaluation.judging.evidence import Margins


@dataclass(frozen=True)
class Recipe:
    """How to make a decoder.

    Parameters
    ----------
    model : {"lda", "auto", "cnn"}
        Classifier. LDA by default: a network in every fold takes minutes.
    decision : DecisionSettings
        Rejection and smoothing.
    margins : Margins
        What of a trial is neither trained on nor judged.
    """

    model: ModelChoice = "lda"
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    margins: Margins = field(default_factory=Margins)


@dataclass(frozen=True)
class Made:
    """What came of a recipe: the candidate that its own held-out repetitions chose, fitted."""

    candidate: Candidate
    classifier: Classifier
    temperature: float

    def probabilities(self, block: FeatureBlock) -> Float32Array:
        """Probabilities of windows: ndarray, shape (n_windows, n_gestures)."""
        logits = self.classifier.logits(block.features) / self.temperature
        return np.asarray(softmax(logits, axis=1), dtype=np.float32)


class LabelledSessions:
    """Sessions cut into trials of windows, for any features; each kind is computed once.

    Parameters
    ----------
    sessions : sequence of Session
        Of one kind.
    margins : Margins
        What of a trial is neither trained on nor judged.
    without : frozenset of str
        Gestures whose trials are passed over.
    """

    def __init__(
        self, sessions: Sequence[Session], margins: Margins, without: frozenset[str] = frozenset()
    ) -> None:
        self._sessions = sessions
        self._margins = margins
        self._blocks: dict[SignalSettings, list[tuple[FeatureBlock, int]]] = {}
        self.cued: list[tuple[Trial, ...]] = [
            tuple(trial for trial in trials(session) if trial.gesture not in without) for session in sessions
        ]

    @property
    def gestures(self) -> tuple[str, ...]:
        """Rest first, where there is one, and the others by name."""
        names = {trial.gesture for cued in self.cued for trial in cued}
        return (*([REST] if REST in names else []), *sorted(names - {REST}))

    @property
    def stream(self) -> EmgStreamInfo:
        """What the sessions' EMG is like."""
        return self._sessions[0].emg.info

    def block(self, signal: SignalSettings, session: int) -> tuple[FeatureBlock, int]:
        """All windows of a session, and a window's length in samples."""
        if signal not in self._blocks:
            self._blocks[signal] = [session_windows(one, signal) for one in self._sessions]
        return self._blocks[signal][session]

    def windows(self, signal: SignalSettings) -> list[TrialWindows]:
        """Every trial that has a steady window."""
        found: list[TrialWindows] = []
        for k, session in enumerate(self._sessions):
            block, window_samples = self.block(signal, k)
            fs_hz = session.emg.info.fs_hz
            found += windows_for_trials(
                block,
                window_samples,
                self.cued[k],
                session=k,
                after_cue_samples=_samples(self._margins.after_cue_s, fs_hz),
                before_next_samples=_samples(self._margins.before_next_s, fs_hz),
                min_quality=0.0,
            )
        return [one for one in found if one.steady.any()]


def _samples(seconds: float, fs_hz: float) -> int:
    return samples_from_ms(1e3 * seconds, fs_hz) if seconds > 0 else 0


def make(
    recipe: Recipe, known: LabelledSessions, gestures: tuple[str, ...], left_out: frozenset[tuple[int, int]]
) -> Made:
    """Make a decoder of labelled sessions without some repetitions.

    Parameters
    ----------
    recipe : Recipe
        How.
    known : LabelledSessions
        What to train on.
    gestures : tuple of str
        Names by label.
    left_out : frozenset of (int, int)
        Session and repetition of the trials that it must not see, not even for its choices.
    """

    def windows_of(signal: SignalSettings) -> list[TrialWindows]:
        every = known.windows(signal)
        return [one for one in every if (one.session, one.trial.repetition) not in left_out]

    wish = Wish(recipe.model, None, recipe.decision)
    choice = choose(wish, windows_of, gestures, known.stream, lambda _share: None)
    labelled = stack_steady(windows_of(choice.candidate.signal), gestures)
    classifier = choice.candidate.fit(labelled, len(gestures), known.stream.grid)
    return Made(choice.candidate, classifier, choice.held_out.temperature)
