"""The contact between electrode and skin: its impedance makes noise, picks up the powerline and costs signal.

References
----------
Huigen, Peper, Grimbergen, *Investigation into the origin of the noise of surface electrodes*, Med. Biol. Eng.
Comput. 40, 2002: noise of some µV, above that of the resistance, falling with frequency.
Merletti, Cerone, *Tutorial. Surface EMG detection, conditioning and pre-processing*, J. Electromyogr. Kinesiol. 54,
2020: impedances differ several-fold between electrodes of a grid and fall while it is worn.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from emg_acquisition.arrays import Float32Array, Float64Array

# Standard deviation of the impedance's logarithm between electrodes, and of its change in an hour.
SPREAD = 0.35
CHANGE = 0.2
SETTLED = 0.85
HOUR_MIN = 60.0
NOISE_UV = (2.2, 3.6)
SLOW_NOISE_UV = (4.0, 10.0)
SLOW_HZ = 3.0
HALF_CELL_UV = 10_000.0
# Amplitude lost for the usual impedance.
LOSS = 0.02
DETACHED_IMPEDANCE = 60.0
# Noise is made so many blocks at a time: short filter calls would cost more than the filtering.
BATCH = 8


@dataclass(frozen=True)
class Contacts:
    """Arrays of shape (n_channels,): impedance (1 is usual), gain, noise and offset in µV."""

    impedance: Float64Array
    gain: Float64Array
    noise_uv: Float64Array
    slow_noise_uv: Float64Array
    offset_uv: Float64Array


def draw_contacts(
    n_channels: int, worn_min: float, detached: tuple[int, ...], rng: np.random.Generator
) -> Contacts:
    """Draw the contacts of one donning, as they are after some minutes.

    Parameters
    ----------
    n_channels : int
        Number of electrodes.
    worn_min : float
        Minutes since the sleeve was put on.
    detached : tuple of int
        Channels without contact.
    rng : numpy.random.Generator
        The donning's.
    """
    hours = min(1.0, worn_min / HOUR_MIN)
    impedance = rng.lognormal(0.0, SPREAD, n_channels)
    impedance *= SETTLED**hours * np.exp(np.sqrt(hours) * rng.normal(0.0, CHANGE, n_channels))
    noise_uv = rng.uniform(*NOISE_UV)
    slow_uv = rng.uniform(*SLOW_NOISE_UV)
    offset_uv = rng.uniform(-HALF_CELL_UV, HALF_CELL_UV, n_channels)
    gain = 1.0 / (1.0 + LOSS * impedance)
    loose = list(detached)
    impedance[loose] = DETACHED_IMPEDANCE
    gain[loose] = 0.0
    root = np.sqrt(impedance)
    return Contacts(impedance, gain, noise_uv * root, slow_uv * root, offset_uv)


class ContactNoise:
    """Noise of the contacts and the amplifier, block after block: white, and a slow part below some hertz.

    Parameters
    ----------
    contacts : Contacts
        How much of it each channel has.
    fs_hz : float
        Sampling rate.
    block : int
        Length of a block, in samples.
    rng : numpy.random.Generator
        Source of the noise.
    """

    def __init__(self, contacts: Contacts, fs_hz: float, block: int, rng: np.random.Generator) -> None:
        self._rng, self._block = rng, block
        self._white_uv = contacts.noise_uv.astype(np.float32)
        sos = signal.butter(1, SLOW_HZ, "lowpass", fs=fs_hz, output="sos")
        self._sos = sos.astype(np.float32)
        impulse = np.zeros(int(fs_hz))
        impulse[0] = 1.0
        gain = 1.0 / np.sqrt(np.sum(signal.sosfilt(sos, impulse) ** 2))
        self._slow_uv = (contacts.slow_noise_uv * gain).astype(np.float32)
        self._state = np.zeros((1, 2, len(self._white_uv)), dtype=np.float32)
        self._values: Float32Array = np.zeros((0, len(self._white_uv)), dtype=np.float32)
        self._at = 0

    def step(self) -> Float32Array:
        """Return the next block: ndarray, shape (block, n_channels), µV."""
        if self._at == len(self._values):
            white = self._rng.standard_normal((BATCH * self._block, len(self._white_uv)), dtype=np.float32)
            slow, self._state = signal.sosfilt(self._sos, white, axis=0, zi=self._state)
            self._values, self._at = white * self._white_uv + slow * self._slow_uv, 0
        self._at += self._block
        return self._values[self._at - self._block : self._at]
