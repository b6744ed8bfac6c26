"""Probabilities to a decision that a robot may act on: rejection, smoothing, dwell, release and effort.

Smoothing costs delay, so it is spent where it is needed. Stopping waits for nothing: the first hop that does not
confirm the held gesture gives rest or no decision. Beginning from rest waits ``dwell_hops``: what precedes it is
known, and only the muscle's own rise is passed through. Changing to another gesture waits ``change_dwell_hops``: on
the way the muscles pass through patterns of third gestures, and through a moment that looks like rest.

The defaults were weighed on held-out repetitions of the three training recordings of flexemg, whose two wearers go
from gesture to gesture without rest (``benchmarks/online_behaviour.py``, ``docs/online_behaviour.md``): 2 hops are the
fewest without a false activation in rest, and with 8 for a change a third gesture appeared in 8 of 115 beginnings
instead of 25. To hold back while the features move fast, whatever the gesture, was tried there too: it delayed each
beginning by more than it saved.
"""

from collections import deque
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emg_acquisition.arrays import Float32Array
from emg_acquisition.decision import NO_DECISION, Decision


class DecisionSettings(BaseModel):
    """How probabilities become decisions.

    Parameters
    ----------
    confidence_threshold : float
        A hop whose best probability is lower is rejected.
    vote_hops : int
        A gesture needs the majority of so many newest hops.
    dwell_hops : int
        From rest, a gesture must win so many hops in a row; adds (dwell_hops - 1) hops of delay.
    change_dwell_hops : int or None
        The same where another gesture was decided a short while ago; None: as `dwell_hops`.
    recent_hops : int
        How long that short while is.
    min_quality : float
        With a smaller share of usable channels there is no decision.
    max_distance : float or None
        A hop that lies farther from every gesture is rejected; None: none is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    confidence_threshold: float = Field(default=0.6, ge=0.0, le=1.0)
    vote_hops: int = Field(default=3, ge=1)
    dwell_hops: int = Field(default=2, ge=1)
    change_dwell_hops: int | None = Field(default=8, ge=1)
    recent_hops: int = Field(default=20, ge=0)
    min_quality: float = Field(default=0.7, ge=0.0, le=1.0)
    max_distance: float | None = Field(default=None, gt=0.0)

    @model_validator(mode="after")
    def _changes_are_slower(self) -> "DecisionSettings":
        if self.change_dwell_hops is not None and self.change_dwell_hops < self.dwell_hops:
            msg = f"change_dwell_hops must be {self.dwell_hops} (dwell_hops) at least, got {self.change_dwell_hops}"
            raise ValueError(msg)
        return self


class EffortCalibration(BaseModel):
    """Levels between which effort runs from 0 to 1, in log µV (mean over channels of the log-RMS).

    Parameters
    ----------
    rest_log_uv : float
        Level at rest.
    contraction_log_uv : tuple of float
        Level of a comfortable contraction of each gesture; at rest's own place, that of a typical gesture.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rest_log_uv: float
    contraction_log_uv: tuple[float, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rising(self) -> "EffortCalibration":
        if min(self.contraction_log_uv) <= self.rest_log_uv:
            msg = f"contractions must lie above rest ({self.rest_log_uv:.3f}), got {self.contraction_log_uv}"
            raise ValueError(msg)
        return self

    def effort(self, log_amplitude: float, gesture_index: int) -> float:
        """Effort, 0 to 1, of a level while a gesture is decided."""
        span = self.contraction_log_uv[gesture_index] - self.rest_log_uv
        return min(1.0, max(0.0, (log_amplitude - self.rest_log_uv) / span))


@dataclass(frozen=True)
class HopEvidence:
    """What the decider reads of one hop: the classifier's output for a window, and the window's state.

    ``smoothed`` are the probabilities given all hops so far (`decoding.temporal`); None without a temporal model.
    """

    sample_index: int
    probabilities: Float32Array
    log_amplitude: float
    quality: float
    distance: float = 0.0
    smoothed: Float32Array | None = None


class GestureHold:
    """Which gesture is held, hop by hop: dwell and majority to begin, nothing to end.

    Parameters
    ----------
    settings : DecisionSettings
        Its votes and dwells.
    rest_index : int
        The gesture that means no motion; it needs no dwell.
    """

    def __init__(self, settings: DecisionSettings, rest_index: int) -> None:
        self._dwell_hops = settings.dwell_hops
        self._change_dwell_hops = settings.change_dwell_hops or settings.dwell_hops
        self._recent_hops = settings.recent_hops
        self._vote_hops = settings.vote_hops
        self._rest_index = rest_index
        self._votes: deque[int] = deque(maxlen=settings.vote_hops)
        self._previous = NO_DECISION
        self._streak = 0
        self._latest = NO_DECISION
        self._hops_since_latest = 0

    def process(self, choice: int, /) -> int:
        """Take a hop's choice (-1: rejected) and return it if it is decided, else -1.

        Never another gesture than the hop's own choice: a held gesture ends with the first hop that
        leaves it.
        """
        self._streak = self._streak + 1 if choice == self._previous else 1
        self._previous = choice
        self._votes.append(choice)
        self._hops_since_latest += 1
        if choice in (self._rest_index, NO_DECISION):
            return choice
        if 2 * self._votes.count(choice) <= self._vote_hops or self._streak < self._needed_hops(choice):
            return NO_DECISION
        self._latest = choice
        self._hops_since_latest = 0
        return choice

    def _needed_hops(self, choice: int) -> int:
        """How long a choice must have lasted; a gesture comes back after stray hops without a new dwell."""
        if choice == self._latest and self._hops_since_latest <= self._vote_hops:
            return 1
        changes = self._latest not in (choice, NO_DECISION) and self._hops_since_latest <= self._recent_hops
        return self._change_dwell_hops if changes else self._dwell_hops

    def reset(self) -> None:
        """Hold nothing."""
        self._votes.clear()
        self._previous = NO_DECISION
        self._streak = 0
        self._latest = NO_DECISION
        self._hops_since_latest = 0


class Decider:
    """Evidence to decisions.

    Parameters
    ----------
    settings : DecisionSettings
        Threshold, smoothing and minimum quality.
    effort : EffortCalibration
        Levels of rest and of each gesture.
    rest_index : int
        Which gesture is rest.
    """

    def __init__(self, settings: DecisionSettings, effort: EffortCalibration, rest_index: int) -> None:
        self._settings = settings
        self._effort = effort
        self._rest_index = rest_index
        self._hold = GestureHold(settings, rest_index)

    def process(self, evidence: HopEvidence, /) -> Decision:
        """Decide on one hop."""
        settings = self._settings
        best = int(evidence.probabilities.argmax())
        confidence = float(evidence.probabilities[best])
        # Written so that a NaN is rejected.
        clear = confidence >= settings.confidence_threshold and evidence.quality >= settings.min_quality
        if settings.max_distance is not None:
            clear = clear and evidence.distance <= settings.max_distance
        # Smoothing lags, so it can hold a gesture back and never prolong one; nothing holds rest back.
        if evidence.smoothed is not None and best != self._rest_index:
            clear = clear and bool(evidence.smoothed[best] >= settings.confidence_threshold)
        index = self._hold.process(best if clear else NO_DECISION)
        return Decision(
            index,
            confidence,
            self._effort.effort(evidence.log_amplitude, index if index >= 0 else self._rest_index),
            evidence.quality,
            tuple(evidence.probabilities.tolist()),
            sample_index=evidence.sample_index,
        )

    def reset(self) -> None:
        """Hold nothing."""
        self._hold.reset()
