"""One decoder's decisions as the safety machine sees them: fresh or stale, sound or not, at rest or not."""

import math

from emg_acquisition.decision import Decision
from robot_bridge.safety_inputs import SafetyLimits


class DecisionWatch:
    """What one decoder last said, and what is wrong with it.

    Parameters
    ----------
    n_gestures, rest_index : int
        How many gestures the decoder has, and which of them is rest.
    limits : SafetyLimits
        Freshness limits and thresholds.
    sleeve : str
        Which sleeve it decodes, for the words; empty where there is only one.
    """

    def __init__(self, n_gestures: int, rest_index: int, limits: SafetyLimits, sleeve: str = "") -> None:
        self._n_gestures, self._rest_index, self._limits = n_gestures, rest_index, limits
        self._whose = f"{sleeve} sleeve: " if sleeve else ""
        self._decision: Decision | None = None
        self._decision_s = -math.inf
        self._bad: str | None = None
        self._rest_since_s: float | None = None
        self._poor_since_s: float | None = None

    def on_decision(self, decision: Decision, t_mono_s: float) -> str | None:
        """Take a decision; return what is wrong with it, if anything is."""
        self._decision, self._decision_s = decision, t_mono_s
        self._bad = self._judge(decision)
        at_rest = self._bad is None and decision.index == self._rest_index
        if not at_rest:
            self._rest_since_s = None
        elif self._rest_since_s is None:
            self._rest_since_s = t_mono_s
        if self._bad is not None:
            return self._whose + self._bad
        if decision.quality >= self._limits.quality_min:
            self._poor_since_s = None
        elif self._poor_since_s is None:
            self._poor_since_s = t_mono_s
        return None

    @property
    def is_good(self) -> bool:
        """Whether the last decision may move anything: sound, and its signal not poor."""
        return self._poor_since_s is None and self._bad is None

    def problem(self, t_mono_s: float) -> str | None:
        """Return why the robot must stop now, if it must."""
        found = self._problem(t_mono_s)
        return None if found is None else self._whose + found

    def rest_problem(self, t_mono_s: float) -> str | None:
        """Return why the muscles do not count as at rest, if they do not."""
        if self._poor_since_s is not None:
            return f"{self._whose}the signal is poor"
        needed_s = self._limits.rest_before_arming_s
        if self._rest_since_s is None or t_mono_s - self._rest_since_s < needed_s:
            return f"{self._whose}the muscles are not at rest: rest for {needed_s:g} s, then arm"
        return None

    def _judge(self, decision: Decision) -> str | None:
        if not decision.is_finite():
            return "the decision holds a number that is not finite"
        if decision.index != int(decision.index) or not -1 <= decision.index < self._n_gestures:
            return (
                f"the decision's gesture index {decision.index:g} is not one of -1 to {self._n_gestures - 1}"
            )
        if decision.age_s < -self._limits.future_s:
            return f"the decision's time stamp lies {-decision.age_s:.2f} s in the future"
        if decision.age_s > self._limits.decision_age_s:
            return f"the decision is stale: its EMG is {decision.age_s:.2f} s old"
        return None

    def _problem(self, t_mono_s: float) -> str | None:
        if self._decision is None:
            return "no decision has come from the decoder"
        silence_s = t_mono_s - self._decision_s
        if silence_s > self._limits.decision_s:
            return f"no decision for {silence_s:.2f} s"
        if self._bad is not None:
            return self._bad
        age_s = self._decision.age_s + silence_s
        if age_s > self._limits.decision_age_s:
            return f"no decision for {silence_s:.2f} s: the latest one's EMG is {age_s:.2f} s old"
        if self._poor_since_s is not None and t_mono_s - self._poor_since_s >= self._limits.poor_quality_s:
            least = self._limits.quality_min
            return f"the signal is poor: quality {self._decision.quality:.2f} below {least:.2f}"
        return None
