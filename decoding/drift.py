"""Slow drift followed during use: a gel that dries, a skin that sweats, a muscle that tires.

Each logarithmic feature of each channel has an offset, taken away before the classifier. A decision that is trusted
moves the offsets a little way from what was seen towards what that gesture looked like in training. Trusted is a held
gesture, decided with great confidence, on an array without a fault; rest is noise, which no muscle's gain applies to.
Offsets are bounded, so that wrong decisions can never carry a map far; they begin at zero and return to it with
`reset`, and nothing is written back, so the decoder file always stays what it was. They depend on nothing but the
samples since the reset: replay follows them exactly.

References
----------
Sensinger, Lock, Kuiken, *Adaptive pattern recognition of myoelectric signals*, IEEE Trans. Neural Syst. Rehabil. Eng.
17(3), 2009: adapting by high-confidence decisions, and what unbounded adaptation does.
"""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from decoding.class_statistics import ClassStatistics
from decoding.signal_settings import FeatureName
from emg_acquisition.arrays import Float32Array
from emg_acquisition.decision import NO_DECISION, Decision


class DriftSettings(BaseModel):
    """How drift is followed.

    Parameters
    ----------
    min_confidence : float
        Decisions below it are not learnt from.
    learning_rate : float
        Share of the difference that one trusted decision takes away: 0.002 is half of it in 350 decisions, or 17 s
        of one gesture at 20 decisions a second.
    max_offset_log : float
        Greatest offset in log units: 0.3 is a third more or a quarter less amplitude.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_confidence: float = Field(default=0.95, gt=0, lt=1)
    learning_rate: float = Field(default=0.002, gt=0, le=0.1)
    max_offset_log: float = Field(default=0.3, gt=0, le=1.0)


class DriftFollower:
    """Offsets of the logarithmic features.

    Parameters
    ----------
    settings : DriftSettings or None
        None does nothing.
    statistics : ClassStatistics or None
        What each gesture looked like in training.
    names : sequence of str
        Features; those that are no logarithms have no offset.
    rest_index : int
        Which gesture is rest.
    """

    def __init__(
        self,
        settings: DriftSettings | None,
        statistics: ClassStatistics | None,
        names: Sequence[FeatureName],
        rest_index: int,
    ) -> None:
        self._ignored = (NO_DECISION, rest_index)
        self._settings = settings if statistics is not None else None
        self._means = statistics.means if statistics is not None else None
        self._logarithmic = np.array([name.startswith("log_") for name in names], dtype=np.float32)
        self._offset: Float32Array | None = None

    @property
    def offset(self) -> Float32Array | None:
        """What is subtracted now: ndarray, shape (n_channels, n_features); None before anything was learnt."""
        return None if self._offset is None else self._offset.copy()

    def corrected(self, features: Float32Array) -> Float32Array:
        """Features of one window without their offsets."""
        return features if self._offset is None else features - self._offset

    def learn(self, corrected: Float32Array, decision: Decision) -> None:
        """Learn from a window, as corrected, and what was decided on it."""
        settings = self._settings
        if settings is None or self._means is None or decision.gesture_index in self._ignored:
            return
        if not decision.confidence >= settings.min_confidence or decision.quality < 1.0:
            return
        before = np.zeros_like(corrected) if self._offset is None else self._offset
        step = np.float32(settings.learning_rate) * (corrected - self._means[decision.gesture_index])
        bound = np.float32(settings.max_offset_log)
        self._offset = np.clip(before + step * self._logarithmic, -bound, bound)

    def reset(self) -> None:
        """Return to the decoder as it was trained."""
        self._offset = None
