"""How a decoder is trained: features, decision, classifier, and which part of which trials counts."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from decoding.decision import DecisionSettings
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings

# A muscle follows its cue by reaction time, and may run ahead of the next one.
CUE_MARGIN_S = 1.0
ModelChoice = Literal["auto", "lda", "cnn"]


@dataclass(frozen=True)
class Margins:
    """Seconds at either end of a trial that do not count, where nothing but the cue says what the muscle does."""

    after_cue_s: float = CUE_MARGIN_S
    before_next_s: float = CUE_MARGIN_S


class TrainSettings(BaseModel):
    """How to train.

    Parameters
    ----------
    signal : SignalSettings, optional
        The whole signal path, which the decoder carries; without it, held-out repetitions choose features and spatial
        filter among the candidates of `calibration.model_selection`.
    base_signal : SignalSettings
        Without `signal`: the rest of the path, from filter to window.
    decision : DecisionSettings
        Rejection and smoothing; the decoder carries them.
    temporal : TemporalSettings, optional
        Smooths decisions over time with an HMM; the decoder carries it.
    model : {"auto", "lda", "cnn"}
        Classifier; ``auto`` is the one that held-out repetitions favour.
    reject_unknown : bool
        Whether to reject what lies farther from every gesture than held-out repetitions do (`calibration.unknown`).
    after_cue_s, before_next_s : float
        Margins of a trial that are not trained on. A session whose trials carry labels from the muscle
        (`calibration.trial_verdict`) goes by those instead.
    drop : tuple of str
        Gestures that the decoder is not to know.
    merge : tuple of tuple of str
        Pairs: trials of the second count as the first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    signal: SignalSettings | None = None
    base_signal: SignalSettings = SignalSettings()
    decision: DecisionSettings = DecisionSettings()
    temporal: TemporalSettings | None = None
    model: ModelChoice = "auto"
    reject_unknown: bool = False
    after_cue_s: float = Field(default=CUE_MARGIN_S, ge=0)
    before_next_s: float = Field(default=CUE_MARGIN_S, ge=0)
    drop: tuple[str, ...] = ()
    merge: tuple[tuple[str, str], ...] = ()

    @property
    def margins(self) -> Margins:
        """Both margins."""
        return Margins(self.after_cue_s, self.before_next_s)
