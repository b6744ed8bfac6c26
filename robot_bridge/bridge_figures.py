"""What the bridge counts and reports in ``diagnostics``."""

import math
from collections import deque
from typing import Any

import numpy as np

from robot_bridge.ros_imports import DiagnosticArray, DiagnosticStatus, KeyValue
from robot_bridge.safety import SafetyMachine

STATUS_NAME = "hdemg_bridge"
_KEPT = 4000


class BridgeFigures:
    """Latencies, timer jitter and counts since the bridge started; the latest `_KEPT` of each.

    Parameters
    ----------
    period_s : float
        The timer's nominal period.
    """

    message_type = DiagnosticArray

    def __init__(self, period_s: float) -> None:
        self.decisions = 0
        self._period_s = period_s
        self._latencies_s: deque[float] = deque(maxlen=_KEPT)
        self._jitters_s: deque[float] = deque(maxlen=_KEPT)
        self._tick_s: float | None = None

    def on_tick(self, t_mono_s: float) -> None:
        """Note a tick."""
        if self._tick_s is not None:
            self._jitters_s.append(abs(t_mono_s - self._tick_s - self._period_s))
        self._tick_s = t_mono_s

    def on_latency(self, latency_s: float) -> None:
        """Note the time from the newest EMG sample of a decision to the first command computed from it."""
        self._latencies_s.append(latency_s)

    def message(self, safety: SafetyMachine, stamp: object) -> Any:  # noqa: ANN401 - a ROS message
        """Return the diagnostics message."""
        values = {
            "safety_state": safety.state,
            "reason": safety.reason,
            "latency_ms_median": f"{_percentile_ms(self._latencies_s, 50):.2f}",
            "latency_ms_p99": f"{_percentile_ms(self._latencies_s, 99):.2f}",
            "decisions": str(self.decisions),
            "stops": str(safety.stops),
            "timer_jitter_ms_p99": f"{_percentile_ms(self._jitters_s, 99):.2f}",
        }
        level = DiagnosticStatus.ERROR if safety.state == "fault" else DiagnosticStatus.OK
        status = DiagnosticStatus(
            level=level,
            name=STATUS_NAME,
            message=f"{safety.state}: {safety.reason}",
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = stamp
        return message


def _percentile_ms(values_s: deque[float], percent: float) -> float:
    return 1000.0 * float(np.percentile(values_s, percent)) if values_s else math.nan
