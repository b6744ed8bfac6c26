"""What else the electrodes pick up: the powerline, the heart, and the pull on the sleeve when the hand moves.

References
----------
Clancy, Morin, Merletti, *Sampling, noise-reduction and amplitude estimation issues in surface electromyography*, J.
Electromyogr. Kinesiol. 12, 2002: powerline and its odd harmonics; movement artefacts below about 20 Hz.
Drake, Callaghan, *Elimination of electrocardiogram contamination from electromyogram signals*, J. Electromyogr.
Kinesiol. 16, 2006: the QRS complex in surface EMG; on a forearm it is a few µV.
"""

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from simulation.forearm.electrode_skin import Contacts

HARMONICS = {1: 1.0, 3: 0.25, 5: 0.12}
HUM_UV = (0.5, 1.5)
HEART_RATE_HZ = (0.95, 1.4)
QRS_UV = (0.5, 3.0)
# Amplitude (of the QRS), width and time of the waves of one beat, in seconds after its begin.
BEAT_WAVES = ((-0.15, 0.010, 0.060), (1.0, 0.011, 0.085), (-0.25, 0.012, 0.110), (0.3, 0.040, 0.330))
BEAT_S = 0.45
PULL_UV = (5.0, 40.0)
PULL_HZ = (2.0, 6.0)
PULL_FADE_S = 0.12
PULL_S = 0.8


class Artefacts:
    """All of them, block after block.

    Parameters
    ----------
    contacts : Contacts
        Impedances, which powerline and movement artefacts grow with.
    fs_hz, powerline_hz : float
        Sampling rate; 50 or 60 Hz.
    rng : numpy.random.Generator
        Source of all that is drawn.
    """

    def __init__(
        self, contacts: Contacts, fs_hz: float, powerline_hz: float, rng: np.random.Generator
    ) -> None:
        self._fs_hz, self._powerline_hz, self._rng = fs_hz, powerline_hz, rng
        self._impedance = contacts.impedance
        n_channels = len(contacts.impedance)
        hum_uv = rng.uniform(*HUM_UV) * contacts.impedance
        phase = rng.uniform(0.0, 2 * np.pi) + rng.normal(0.0, 0.3, n_channels)
        self._hum = np.concatenate(
            [
                share * hum_uv * np.stack((np.cos(n * phase), np.sin(n * phase)))
                for n, share in HARMONICS.items()
                if n * powerline_hz < 0.5 * fs_hz
            ]
        )
        self._harmonics = [n for n in HARMONICS if n * powerline_hz < 0.5 * fs_hz]
        self._qrs_uv = rng.uniform(*QRS_UV) * rng.lognormal(0.0, 0.2, n_channels)
        self._heart_hz = rng.uniform(*HEART_RATE_HZ)
        self._next_beat = round(rng.uniform(0.0, 1.0) * fs_hz)
        self._pull_uv = rng.uniform(*PULL_UV)
        self._active: list[tuple[int, Float64Array, Float64Array]] = []

    def pull(self, sample_index: int) -> None:
        """Let the sleeve be pulled from a sample on: the hand begins to move."""
        hertz = self._rng.uniform(*PULL_HZ)
        t_s = np.arange(round(PULL_S * self._fs_hz)) / self._fs_hz
        rise = 1.0 - np.exp(-t_s / 0.05)
        course = rise * np.exp(-t_s / PULL_FADE_S) * np.sin(2 * np.pi * hertz * t_s)
        size_uv = self._pull_uv * self._impedance * self._rng.normal(0.0, 1.0, len(self._impedance))
        self._active.append((sample_index, course, size_uv))

    def step(self, first: int, n_samples: int) -> Float32Array:
        """Return samples ``first`` to ``first + n_samples``: ndarray, shape (n_samples, n_channels), µV."""
        while self._next_beat < first + n_samples:
            self._active.append((self._next_beat, _beat(self._fs_hz), self._qrs_uv))
            self._next_beat += round(self._fs_hz / (self._heart_hz * self._rng.normal(1.0, 0.04)))
        values = self._powerline(np.arange(first, first + n_samples))
        for begin, course, size_uv in self._active:
            start, stop = max(first, begin), min(first + n_samples, begin + len(course))
            part = course[start - begin : stop - begin]
            values[start - first : start - first + len(part)] += part[:, np.newaxis] * size_uv
        self._active = [a for a in self._active if a[0] + len(a[1]) > first + n_samples]
        return values.astype(np.float32)

    def _powerline(self, samples: IntArray) -> Float64Array:
        phase = 2 * np.pi * ((self._powerline_hz * samples / self._fs_hz) % 1.0)
        waves = [wave for n in self._harmonics for wave in (np.sin(n * phase), np.cos(n * phase))]
        hum: Float64Array = np.stack(waves, axis=1) @ self._hum
        return hum


def _beat(fs_hz: float) -> Float64Array:
    t_s = np.arange(round(BEAT_S * fs_hz)) / fs_hz
    beat = np.zeros(len(t_s))
    for height, width_s, at_s in BEAT_WAVES:
        beat += height * np.exp(-0.5 * ((t_s - at_s) / width_s) ** 2)
    return beat
