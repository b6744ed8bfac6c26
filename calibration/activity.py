"""The bar of the muscle's activity: 0 is rest, 1 the wearer's own comfortable contraction."""

import numpy as np

from calibration.protocol import Level
from calibration.session_view import ActivityView, Phase

# Share of a tick's difference by which the level of rest follows: a twitch in a rest hardly lifts it.
FALLING, RISING = 0.2, 0.01
# Until a contraction was seen: some four times rest is a comfortable one.
COMFORTABLE_OVER_REST = 4.0
MIN_SPAN = 0.1
TARGETS: dict[Level, tuple[float, float]] = {"": (0.5, 1.6), "comfortable": (0.5, 1.6), "strong": (1.5, 4.0)}
REST_TARGET = (0.0, 0.3)


class ActivityBar:
    """Learns what rest and a comfortable contraction are, and places the muscle between them."""

    def __init__(self) -> None:
        self._rest_uv = 0.0
        self._peak_uv = 0.0
        self._held: list[float] = []

    def note_rest(self, amplitude_uv: float) -> None:
        """Take the amplitude while the muscle rests."""
        if self._rest_uv == 0.0:
            self._rest_uv = amplitude_uv
        elif amplitude_uv > 0.0:
            step_uv = amplitude_uv - self._rest_uv
            self._rest_uv += step_uv * (FALLING if step_uv < 0 else RISING)

    def note_hold(self, amplitude_uv: float) -> None:
        """Take the amplitude while a gesture is held."""
        self._peak_uv = max(self._peak_uv, amplitude_uv)

    def end_trial(self, *, comfortable: bool) -> None:
        """Count what was held as comfortable, or forget it."""
        if comfortable and self._peak_uv > 0:
            self._held.append(self._peak_uv)
        self._peak_uv = 0.0

    def view(self, amplitude_uv: float, phase: Phase, level: Level) -> ActivityView | None:
        """Return the bar; None before rest is known."""
        if self._rest_uv == 0.0:
            return None
        comfortable_uv = float(np.median(self._held)) if self._held else COMFORTABLE_OVER_REST * self._rest_uv
        span_uv = max(comfortable_uv - self._rest_uv, MIN_SPAN * self._rest_uv)
        now = max(0.0, (amplitude_uv - self._rest_uv) / span_uv)
        low, high = TARGETS[level] if phase in {Phase.RAMP, Phase.HOLD} else REST_TARGET
        return ActivityView(now, low, high, low <= now <= high)
