"""When a sample was taken: regular time stamps from a device's sample count and the times of arrival.

A device counts its samples with a crystal of its own, some ten parts in a million off this machine's clock, and
its samples arrive in bursts: late by what the network and this machine's scheduler add, and never early. So what
arrived with the least delay tells the time best. The clock takes the smallest ``arrival - n / fs_hz`` of a sliding
window (the minimum-delay clock filter of NTP, [1]_ section 10; for host clocks, [2]_) and steers towards it by
changing the interval between samples a little, never by a jump.

References
----------
.. [1] Mills et al., RFC 5905, Network Time Protocol Version 4, 2010.
.. [2] Veitch, Ridoux and Korada, Robust synchronization of absolute and difference clocks over networks, IEEE/ACM
   Trans. Networking 17(2), 417-430, 2009.
"""

import math
from collections import deque

import numpy as np

from emg_acquisition.arrays import Float64Array, samples_from_ms

# Within a segment all intervals are equal; the clock is steered where one begins.
SEGMENT_MS = 50.0
# The first samples wait for one that was not late, by their count and by the time that passes meanwhile: a stretch
# that begins with a late one, or with a burst that had piled up, could not be put right but by running backwards.
SETTLE_SEGMENTS = 5
SETTLE_S = 0.2
# 5 s: longer than bursts of delay on a wireless link, short enough for 100 ppm to move the minimum by 0.5 ms only.
WINDOW_SEGMENTS = 100
# A drift of 100 ppm is followed 0.2 ms behind.
STEER_TIME_S = 2.0
# No step between two samples differs from the nominal one by more than this fraction.
MAX_STEER = 0.001


class SampleClock:
    """Time stamps for the samples of one device, regular between its gaps.

    Parameters
    ----------
    fs_hz : float
        Nominal rate of the device.

    Notes
    -----
    Steps between neighbouring samples lie within 0.1 % of ``1 / fs_hz`` and stamps never run backwards. How samples
    are split over calls changes nothing, as long as each is given with the time of its own arrival.
    """

    def __init__(self, fs_hz: float) -> None:
        self._nominal_s = 1.0 / fs_hz
        self._segment = samples_from_ms(SEGMENT_MS, fs_hz)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample begins a new stretch, as after a reconnect."""
        self._count = 0  # index of the next sample, those that were lost included
        self._received = 0
        self._held: list[Float64Array] | None = []
        self._t_first_arrival_s = math.inf
        self._min_offset_s = math.inf
        self._minima: deque[float] = deque(maxlen=WINDOW_SEGMENTS)
        self._interval_s = self._nominal_s
        self._t_next_s = 0.0
        self.lag_s = 0.0
        """How far the stamps are behind the least delayed arrivals (s); negative where they are ahead of them."""

    def stamp(self, n_samples: int, t_arrival_s: float, lost_before: int = 0) -> Float64Array:
        """Count samples that have arrived and return the time stamps that are due.

        Parameters
        ----------
        n_samples : int
            Samples that have arrived.
        t_arrival_s : float
            When they did, on the clock that the stamps are to be on.
        lost_before : int
            Samples that were lost before these; they leave a gap of that many intervals.

        Returns
        -------
        ndarray, shape (n,)
            None while the clock settles (some 0.25 s after a reset), then the stamps of all samples that waited and of
            these, afterwards ``n_samples``.
        """
        self._t_first_arrival_s = min(self._t_first_arrival_s, t_arrival_s)
        self._count += lost_before
        self._t_next_s += lost_before * self._interval_s
        parts: list[Float64Array] = []
        while n_samples > 0:
            taken = min(n_samples, self._segment - self._received % self._segment)
            n_samples -= taken
            if self._held is None:
                parts.append(self._t_next_s + self._interval_s * np.arange(taken, dtype=np.float64))
                self._t_next_s += taken * self._interval_s
            else:
                self._held.append(self._count + np.arange(taken, dtype=np.float64))
            self._count += taken
            self._received += taken
            self._min_offset_s = min(self._min_offset_s, t_arrival_s - (self._count - 1) * self._nominal_s)
            if self._received % self._segment == 0:
                parts.extend(self._end_segment(t_arrival_s))
        return np.concatenate(parts) if parts else np.zeros(0)

    def _end_segment(self, t_arrival_s: float) -> list[Float64Array]:
        self._minima.append(self._min_offset_s)
        self._min_offset_s = math.inf
        offset_s = min(self._minima)
        if self._held is not None:
            if len(self._minima) < SETTLE_SEGMENTS or t_arrival_s - self._t_first_arrival_s < SETTLE_S:
                return []
            released = [offset_s + index * self._nominal_s for index in self._held]
            self._held = None
            self._t_next_s = offset_s + self._count * self._nominal_s
            return released
        self.lag_s = offset_s + self._count * self._nominal_s - self._t_next_s
        steer = min(max(self.lag_s / STEER_TIME_S, -MAX_STEER), MAX_STEER)
        self._interval_s = self._nominal_s * (1.0 + steer)
        return []
