"""Regular time stamps, causal, for a stream whose sender stamps packets when they arrive; shows missing samples.

A packet is late by what a radio link and two schedulers add, and never early: what arrived with the least delay
tells the time best (the minimum-delay clock filter of NTP, RFC 5905, section 10). Samples are taken in blocks of one
second. The least lateness within a block is how far the clock is off; the next block makes up for it by intervals
that are a little longer or shorter, never by a jump.

A device's own driver knows better (``sample_clock.py``): it has the device's counter to tell late from lost, and may
hold the first samples back until it has seen one that was not late. Here there is neither.
"""

import math

import numpy as np

from emg_acquisition.arrays import Float64Array

BLOCK_S = 1.0
# In every block some sample is late by less than this; where none is, samples are missing.
LATE_S = 0.004
# What the next block makes up for at the most; beyond it, the clock restarts.
MAX_OFF_S = 0.1
# No sample is so late: the sender stood still or its clock was set.
BREAK_S = 1.0


class ArrivalStamps:
    """The clock of one stream.

    Any split of the samples into chunks gives the same result, and it depends only on the samples since the clock
    last restarted; so replay, which begins where the live decoder did, gives its stamps again to the bit.

    Parameters
    ----------
    interval_s : float
        Nominal time between two samples.

    Notes
    -----
    Missing samples are reported up to a second late where they are fewer than a second's; less than `LATE_S` looks
    like lateness and is made up for as if it were drift.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._n_block = max(2, round(BLOCK_S / interval_s))
        self.reset()

    def reset(self) -> None:
        """Restart with the next sample."""
        self._running = False
        self._off_by_s = 0.0

    def process(self, t_sent_s: Float64Array) -> tuple[Float64Array, list[tuple[int, float]]]:
        """Return a regular stamp for each sample, and where the clock restarted and how far off it was then.

        Parameters
        ----------
        t_sent_s : ndarray, shape (n_samples,)
            Time stamps as sent.

        Returns
        -------
        t_s : ndarray, shape (n_samples,)
            Ascending but where the clock restarted; there it is the stamp as sent.
        breaks : list of (int, float)
            Index of the first sample of the new clock and by how much its time was off, in s; above zero.
        """
        t_s = np.empty(len(t_sent_s))
        breaks: list[tuple[int, float]] = []
        done = 0
        while done < len(t_sent_s):
            if not self._running:
                self._begin(float(t_sent_s[done]), done, breaks)
                if not self._running:  # the stamp is no number
                    t_s[done] = t_sent_s[done]
                    done += 1
                    continue
            n = min(len(t_sent_s) - done, self._n_block - self._n)
            done += self._run(t_sent_s[done : done + n], t_s[done : done + n])
        return t_s, breaks

    def _begin(self, t_s: float, index: int, breaks: list[tuple[int, float]]) -> None:
        self._running = math.isfinite(t_s)
        if not self._running:
            self._off_by_s = math.inf
        elif self._off_by_s > 0:
            breaks.append((index, self._off_by_s))
            self._off_by_s = 0.0
        self._begin_block(t_s, 0.0)

    def _begin_block(self, t_s: float, off_s: float) -> None:
        """Begin a block at stamp `t_s`, at whose end the clock is to be `off_s` later than the nominal rate says."""
        self._n = 0
        self._t_block_s = t_s
        self._target_s = t_s + off_s
        self._step_s = self._interval_s + off_s / self._n_block
        self._min_late_s = math.inf

    def _run(self, t_sent_s: Float64Array, t_s: Float64Array) -> int:
        """Stamp samples of one block up to one that is far off; return how many."""
        places = np.arange(self._n, self._n + len(t_sent_s))
        late_s = t_sent_s - (self._target_s + self._interval_s * places)
        far = np.flatnonzero(~(np.abs(late_s) < BREAK_S))  # also a stamp that is no number
        n = int(far[0]) if len(far) else len(t_sent_s)
        t_s[:n] = self._t_block_s + self._step_s * places[:n]
        self._n += n
        if len(far):
            self._stop(float(late_s[n]))
        else:
            self._min_late_s = min(self._min_late_s, float(late_s.min()))
            if self._n == self._n_block:
                self._end_block()
        return n

    def _end_block(self) -> None:
        off_s = self._min_late_s
        if -MAX_OFF_S <= off_s <= LATE_S:
            self._begin_block(self._target_s + self._interval_s * self._n_block, off_s)
        else:
            self._stop(off_s)

    def _stop(self, off_s: float) -> None:
        self._running = False
        self._off_by_s = abs(off_s) if math.isfinite(off_s) else math.inf
