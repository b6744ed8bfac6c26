"""From an intention to the excitation of each muscle, block after block.

References
----------
De Luca, Erim, *Common drive of motor units in regulation of muscle force*, Trends Neurosci. 17, 1994: all units of a
muscle share a drive that fluctuates below about 3 Hz.
McAuley, Marsden, *Physiological and pathological tremors*, Brain 123, 2000: physiological tremor, 8 to 12 Hz.
"""

import numpy as np
from scipy import signal

from emg_acquisition.arrays import Float64Array
from emg_acquisition.events import REST
from simulation.forearm.motor_units import LAST_THRESHOLD, THRESHOLD_RANGE
from simulation.forearm.population import Traits
from simulation.forearm.synergies import Synergies

COMMON_DRIVE_HZ = 2.5
COMMON_DRIVE_SD = 0.08
WANDER_HZ = 0.5
TREMOR_BAND_HZ = (8.0, 12.0)
# Fluctuations are made so many blocks at a time: short filter calls would cost more than the filtering.
BATCH = 64
FIRST_THRESHOLD = LAST_THRESHOLD / THRESHOLD_RANGE
# Ramps of one wearer differ from trial to trial within these.
RAMP_BOUNDS_S = (0.1, 0.3)


class Drive:
    """What the wearer's cord tells the muscles.

    Parameters
    ----------
    synergies : Synergies
        The wearer's own.
    traits : Traits
        The wearer.
    block_s : float
        Length of a block.
    trial_rng, noise_rng : numpy.random.Generator
        Sources of what differs between trials, and of fluctuations; kept apart, so that an intention changes only
        what comes after it.
    """

    def __init__(
        self,
        synergies: Synergies,
        traits: Traits,
        block_s: float,
        trial_rng: np.random.Generator,
        noise_rng: np.random.Generator,
    ) -> None:
        self._synergies, self._traits, self._block_s = synergies, traits, block_s
        self._trial_rng = trial_rng
        n_muscles = len(synergies.shares[REST])
        self._common = _Fluctuation(n_muscles, (None, COMMON_DRIVE_HZ), block_s, noise_rng)
        self._wander = _Fluctuation(n_muscles, (None, WANDER_HZ), block_s, noise_rng)
        self._tremor = _Fluctuation(1, TREMOR_BAND_HZ, block_s, noise_rng)
        self._tone = traits.tone * FIRST_THRESHOLD * trial_rng.lognormal(-0.5, 0.6, n_muscles)
        self._from = self._to = np.zeros(n_muscles)
        self._ramp = self._since = 1

    def begin(self, gesture: str, effort: float) -> None:
        """Aim at a gesture, from wherever the excitation is now."""
        rng, traits = self._trial_rng, self._traits
        self._from, self._since = self._aimed(), 0
        ramp_s = np.clip(traits.ramp_s * rng.lognormal(0.0, 0.15), *RAMP_BOUNDS_S)
        self._ramp = max(1, round(float(ramp_s) / self._block_s))
        shares = self._synergies.shares[gesture]
        # Drawn for every trial, rest too: what comes after does not depend on which gesture it was.
        effort_factor = rng.lognormal(0.0, traits.effort_sd)
        factors = rng.lognormal(0.0, traits.muscle_sd, len(shares))
        other = self._synergies.gestures[rng.integers(len(self._synergies.gestures))]
        mixed = min(0.7, traits.confusion * abs(float(rng.normal())))
        if gesture == REST:
            self._to = np.zeros(len(shares))
            return
        pattern = (1.0 - mixed) * shares + mixed * self._synergies.shares[other]
        pattern = pattern * factors + traits.co_contraction
        self._to = effort * effort_factor * traits.usual_excitation * pattern

    def step(self) -> Float64Array:
        """Advance by a block; return the excitation: ndarray, shape (n_muscles,), 0 to 1."""
        aimed = self._aimed()
        self._since += 1
        relative = 1.0 + COMMON_DRIVE_SD * self._common.step() + self._traits.tremor * self._tremor.step()
        wandering = np.exp(self._traits.wander_sd * self._wander.step())
        excitation: Float64Array = np.clip((aimed * wandering + self._tone) * relative, 0.0, 1.0)
        return excitation

    def _aimed(self) -> Float64Array:
        weight = 0.5 - 0.5 * np.cos(np.pi * min(1.0, self._since / self._ramp))
        aimed: Float64Array = self._from + weight * (self._to - self._from)
        return aimed


class _Fluctuation:
    """Gaussian noise of unit variance in a band, one sample a block."""

    def __init__(
        self,
        n: int,
        band_hz: tuple[float | None, float],
        block_s: float,
        rng: np.random.Generator,
    ) -> None:
        self._rng, self._n = rng, n
        low, high = band_hz
        rate_hz = 1.0 / block_s
        if low is None:
            self._sos = signal.butter(2, high, "lowpass", fs=rate_hz, output="sos")
        else:
            self._sos = signal.butter(1, (low, high), "bandpass", fs=rate_hz, output="sos")
        impulse = np.zeros(round(60.0 * rate_hz))
        impulse[0] = 1.0
        self._gain = 1.0 / np.sqrt(np.sum(signal.sosfilt(self._sos, impulse) ** 2))
        self._state = np.zeros((len(self._sos), 2, n))
        self._values: Float64Array = np.zeros((0, n))
        self._at = 0
        # Some seconds beforehand: the fluctuation does not begin at zero.
        settling = rng.standard_normal((round(8.0 * rate_hz), n))
        _, self._state = signal.sosfilt(self._sos, settling, axis=0, zi=self._state)

    def step(self) -> Float64Array:
        if self._at == len(self._values):
            drawn = self._rng.standard_normal((BATCH, self._n))
            filtered, self._state = signal.sosfilt(self._sos, drawn, axis=0, zi=self._state)
            self._values, self._at = self._gain * filtered, 0
        self._at += 1
        value: Float64Array = self._values[self._at - 1]
        return value
