"""The signals of a simulated wearer over time: the muscles' activity and all that does not depend on it."""

import numpy as np
from scipy import signal

from emg_acquisition.arrays import Float64Array, IntArray
from emg_acquisition.events import REST
from emg_acquisition.sources.wearer_anatomy import SYNERGIES

MUSCLE_BAND_HZ = (40.0, 300.0)
NOISE_BAND_HZ = (10.0, 450.0)


class Drive:
    """Activity of every muscle over time: a smooth ramp from where it is to where it should be."""

    def __init__(self, ramp_samples: int, n_muscles: int) -> None:
        self._ramp = ramp_samples
        self._since = ramp_samples
        self._from = np.zeros(n_muscles)
        self._to = np.zeros(n_muscles)

    def aim_at(self, drive_uv: Float64Array) -> None:
        """Begin a new ramp, from wherever the last one has got to, to ``drive_uv``, shape (n_muscles,)."""
        self._from = self._at(np.array([self._since]))[0]
        self._to = drive_uv
        self._since = 0

    def take(self, n_samples: int) -> Float64Array:
        """Return the next samples: ndarray, shape (n_samples, n_muscles), µV RMS."""
        strength = self._at(np.arange(self._since, self._since + n_samples))
        self._since += n_samples
        return strength

    def _at(self, since: IntArray) -> Float64Array:
        share = np.minimum(since / self._ramp, 1.0)
        weight = 0.5 - 0.5 * np.cos(np.pi * share)
        values: Float64Array = self._from + weight[:, np.newaxis] * (self._to - self._from)
        return values


class Background:
    """Whatever does not depend on the intention: carriers, noise, powerline and the electrodes' own offset.

    It is made a second at a time, because short filter calls would cost more than the filtering.
    """

    def __init__(
        self,
        fs_hz: float,
        powerline_hz: float,
        n_channels: int,
        anatomy_rng: np.random.Generator,
        noise_rng: np.random.Generator,
    ) -> None:
        self._fs_hz, self._powerline_hz = fs_hz, powerline_hz
        self._n_muscles = len(SYNERGIES[REST])
        self._rng = noise_rng
        self._length = int(fs_hz)
        self._noise_uv = anatomy_rng.uniform(3.3, 4.4, n_channels)
        self._hum_uv = anatomy_rng.uniform(0.5, 3.0, n_channels)
        self._hum_phase = anatomy_rng.normal(0.0, 0.3, n_channels)
        self._offset_uv = anatomy_rng.uniform(-10_000.0, 10_000.0, n_channels)
        self._muscle_filter = _unit_band(MUSCLE_BAND_HZ, fs_hz)
        self._noise_filter = _unit_band(NOISE_BAND_HZ, fs_hz)
        sections = len(self._muscle_filter)
        self._muscle_state = np.zeros((sections, 2, self._n_muscles))
        self._noise_state = np.zeros((sections, 2, n_channels))
        self._first = -self._length
        self._make()  # the filters settle in a second that nobody sees
        self._make()
        self._at = 0

    def take(self, n_samples: int) -> tuple[Float64Array, Float64Array]:
        """Return carriers, shape (n_samples, n_muscles), and all else, shape (n_samples, n_channels), µV."""
        stop = self._at + n_samples
        carriers, background = self._carriers[self._at : stop], self._values[self._at : stop]
        self._at = stop
        if len(carriers) < n_samples or self._at == self._length:
            missing = n_samples - len(carriers)
            self._make()
            carriers = np.concatenate((carriers, self._carriers[:missing]))
            background = np.concatenate((background, self._values[:missing]))
            self._at = missing
        return carriers, background

    def _make(self) -> None:
        white = self._rng.standard_normal((self._length, self._n_muscles))
        self._carriers, self._muscle_state = signal.sosfilt(self._muscle_filter, white, 0, self._muscle_state)
        white = self._rng.standard_normal((self._length, len(self._noise_uv)))
        noise, self._noise_state = signal.sosfilt(self._noise_filter, white, 0, self._noise_state)
        t_s = np.arange(self._first, self._first + self._length) / self._fs_hz
        phase = 2 * np.pi * ((self._powerline_hz * t_s) % 1.0)
        hum = np.sin(phase[:, np.newaxis] + self._hum_phase) * self._hum_uv
        self._values = noise * self._noise_uv + hum + self._offset_uv
        self._first += self._length


def _unit_band(band_hz: tuple[float, float], fs_hz: float) -> Float64Array:
    """Return a second-order Butterworth band-pass that turns white noise of unit power into unit power."""
    low, high = band_hz
    sos = signal.butter(2, (low, min(high, 0.45 * fs_hz)), "bandpass", fs=fs_hz, output="sos")
    impulse = np.zeros(int(fs_hz))
    impulse[0] = 1.0
    power = float(np.sum(signal.sosfilt(sos, impulse) ** 2))
    sos[0, :3] /= np.sqrt(power)
    scaled: Float64Array = sos
    return scaled
