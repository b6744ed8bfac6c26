"""Streaming position's way to the motors: each pose is up to seven blocking writes, in callbacks that overlap.

So a pose takes effect late, and poses that are sent more closely than thirty a second may be written in the wrong
order: the older of the two is then what the joints run to.
"""

import random
from collections.abc import Sequence

# Closer than this, two poses' writes overlap.
APART_S = 1.0 / 30.0


class PoseWrites:
    """Poses on their way.

    Parameters
    ----------
    latency_s : float
        How long the writes of a pose take. With 0 a pose takes effect as it comes, and none is overtaken.
    """

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._taken_s = float("-inf")
        self._pending: list[tuple[float, tuple[float, ...]]] = []
        # Which of two that overlap comes first; the same in every run.
        self._random = random.Random(0)  # noqa: S311 - no cryptography

    def add(self, pose: Sequence[float], t_s: float) -> None:
        """Take a pose at a time."""
        due_s, new = t_s + self._latency_s, tuple(pose)
        close = t_s - self._taken_s < APART_S - 1e-9
        self._taken_s = t_s
        if close and self._pending and self._random.random() < 0.5:  # noqa: PLR2004 - a coin
            earlier_s, overtaken = self._pending[-1]
            self._pending[-1] = (earlier_s, new)
            new = overtaken
        self._pending.append((due_s, new))

    def due(self, t_s: float) -> list[tuple[float, ...]]:
        """Return the poses that have been written by a time, in that order."""
        done = [pose for due_s, pose in self._pending if due_s <= t_s + 1e-9]
        self._pending = self._pending[len(done) :]
        return done

    def forget(self) -> None:
        """Drop what has not been written yet."""
        self._pending.clear()
