"""Faults of electrodes and inputs, put into recorded EMG to measure what finds them.

Each variant is a model, not a recording; its parameters are drawn anew for every injection:

- *flat*: a broken lead or a dead input: the value is held, or is zero, or any other constant.
- *saturated*: at the upper or the lower rail; driven into one rail by mains; or thrown between both.
- *powerline*: the muscle stays; 40-300 uV RMS of 50 or 60 Hz with a third and a fifth harmonic.
- *noisy*: the muscle stays; white noise of 30-150 uV RMS (a dry or corroded contact).
- *detached*: what an electrode does that leaves the skin. The muscle is lost or weakened, the half-cell potential
  wanders or runs away, the input picks up mains through its high impedance, and the noise rises: see Merletti and
  Cerone, J. Electromyogr. Kinesiol. 54 (2020) 102440, Clancy, Morin and Merletti, ibid. 12 (2002) 1, and Huigen et
  al., Med. Biol. Eng. Comput. 40 (2002) 332. The figures are ours.

  - ``floating``: no muscle; wander of 2-20 mV per root second, mains of 100-1000 uV, noise of 10-40 uV
  - ``drifting``: no muscle; 20-100 mV towards a rail with a time constant of 0.5-3 s, little mains, noise of 5-20 uV
  - ``lifting``: a third of the muscle; wander of 1-3 mV per root second, mains of 20-100 uV, noise of 10-30 uV
  - ``rubbing``: contact opens and closes every 30-300 ms, each time with a step of 0.5-5 mV
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.signal

from emg_acquisition.arrays import Float64Array


@dataclass(frozen=True)
class Amplifier:
    """What an input does to a fault before it is recorded.

    Parameters
    ----------
    fs_hz : float
        Sampling rate.
    rails_uv : tuple of float
        Lower and upper limit.
    step_uv : float
        Microvolts of a count.
    high_pass_hz : float or None
        Of an input coupled for alternating current; None passes every offset.
    mains_hz : float
        Where it was recorded.
    """

    fs_hz: float
    rails_uv: tuple[float, float]
    step_uv: float
    high_pass_hz: float | None
    mains_hz: float

    def record(self, emg_uv: Float64Array) -> Float64Array:
        """Clip at the rails and round to counts."""
        clipped = np.clip(emg_uv, *self.rails_uv)
        return np.asarray(np.round(clipped / self.step_uv) * self.step_uv)

    def couple(self, fault_uv: Float64Array) -> Float64Array:
        """Take what a high-pass leaves of a disturbance that begins at its first sample."""
        if self.high_pass_hz is None:
            return fault_uv
        filter_ba = scipy.signal.butter(2, self.high_pass_hz, "highpass", fs=self.fs_hz)
        return np.asarray(scipy.signal.lfilter(*filter_ba, fault_uv))


@dataclass(frozen=True)
class ElectrodeFault:
    """One variant of one kind of fault; `apply` turns good samples, shape (n,), into what is recorded."""

    kind: str
    variant: str
    apply: Callable[[Float64Array, Amplifier, np.random.Generator], Float64Array]


def _held(emg_uv: Float64Array, _amplifier: Amplifier, _rng: np.random.Generator) -> Float64Array:
    return np.full(emg_uv.shape, emg_uv[0])


def _zero(emg_uv: Float64Array, _amplifier: Amplifier, _rng: np.random.Generator) -> Float64Array:
    return np.zeros_like(emg_uv)


def _constant(emg_uv: Float64Array, _amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    return np.full_like(emg_uv, emg_uv[0] + rng.uniform(-40.0, 40.0))


def _high_rail(emg_uv: Float64Array, amplifier: Amplifier, _rng: np.random.Generator) -> Float64Array:
    return np.full_like(emg_uv, amplifier.rails_uv[1])


def _low_rail(emg_uv: Float64Array, amplifier: Amplifier, _rng: np.random.Generator) -> Float64Array:
    return np.full_like(emg_uv, amplifier.rails_uv[0])


def _driven(emg_uv: Float64Array, amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    # The rail cuts off what lies above the level that 30-60 % of the samples exceed.
    disturbed = emg_uv + _mains(len(emg_uv), amplifier, rng, rng.uniform(100.0, 1000.0))
    return np.asarray(np.minimum(disturbed, np.quantile(disturbed, rng.uniform(0.4, 0.7))))


def _thrown(emg_uv: Float64Array, amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    low_uv, high_uv = amplifier.rails_uv
    swing = _mains(len(emg_uv), amplifier, rng, rng.uniform(1.0, 3.0) * (high_uv - low_uv))
    return np.asarray(np.clip((low_uv + high_uv) / 2.0 + swing, low_uv, high_uv))


def _powerline(emg_uv: Float64Array, amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    return emg_uv + _mains(len(emg_uv), amplifier, rng, rng.uniform(40.0, 300.0))


def _other_powerline(emg_uv: Float64Array, amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    elsewhere = Amplifier(
        amplifier.fs_hz, amplifier.rails_uv, amplifier.step_uv, None, 110.0 - amplifier.mains_hz
    )
    return _powerline(emg_uv, elsewhere, rng)


def _noisy(emg_uv: Float64Array, _amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    return emg_uv + rng.normal(0.0, rng.uniform(30.0, 150.0), len(emg_uv))


def _floating(emg_uv: Float64Array, amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    disturbance = (
        _wander(len(emg_uv), amplifier.fs_hz, rng, rng.uniform(2e3, 2e4))
        + _mains(len(emg_uv), amplifier, rng, rng.uniform(100.0, 1000.0))
        + rng.normal(0.0, rng.uniform(10.0, 40.0), len(emg_uv))
    )
    return np.asarray(emg_uv[0] + amplifier.couple(disturbance))


def _drifting(emg_uv: Float64Array, amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    t_s = np.arange(len(emg_uv)) / amplifier.fs_hz
    away_uv = rng.choice([-1.0, 1.0]) * rng.uniform(2e4, 1e5)
    disturbance = (
        away_uv * (1.0 - np.exp(-t_s / rng.uniform(0.5, 3.0)))
        + _mains(len(emg_uv), amplifier, rng, rng.uniform(5.0, 20.0))
        + rng.normal(0.0, rng.uniform(5.0, 20.0), len(emg_uv))
    )
    return np.asarray(emg_uv[0] + amplifier.couple(disturbance))


def _lifting(emg_uv: Float64Array, amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    disturbance = (
        _wander(len(emg_uv), amplifier.fs_hz, rng, rng.uniform(1e3, 3e3))
        + _mains(len(emg_uv), amplifier, rng, rng.uniform(20.0, 100.0))
        + rng.normal(0.0, rng.uniform(10.0, 30.0), len(emg_uv))
    )
    return np.asarray(emg_uv[0] + (emg_uv - emg_uv[0]) / 3.0 + amplifier.couple(disturbance))


def _rubbing(emg_uv: Float64Array, amplifier: Amplifier, rng: np.random.Generator) -> Float64Array:
    n = len(emg_uv)
    changes = np.cumsum(rng.uniform(0.03, 0.3, int(n / amplifier.fs_hz / 0.03) + 2) * amplifier.fs_hz)
    phase = np.searchsorted(changes, np.arange(n))
    levels_uv = rng.choice([-1.0, 1.0], phase[-1] + 1) * rng.uniform(500.0, 5000.0, phase[-1] + 1)
    is_open = phase % 2 == 0
    disturbance = np.where(is_open, levels_uv[phase] + rng.normal(0.0, 10.0, n), 0.0)
    return np.asarray(np.where(is_open, emg_uv[0], emg_uv) + amplifier.couple(disturbance))


def _mains(n_samples: int, amplifier: Amplifier, rng: np.random.Generator, rms_uv: float) -> Float64Array:
    t_s = np.arange(n_samples) / amplifier.fs_hz
    f_hz = amplifier.mains_hz + rng.uniform(-0.1, 0.1)
    wave = sum(
        share * np.sin(2.0 * np.pi * order * f_hz * t_s + rng.uniform(0.0, 2.0 * np.pi))
        for order, share in ((1, 1.0), (3, rng.uniform(0.0, 0.3)), (5, rng.uniform(0.0, 0.1)))
        if order * f_hz < amplifier.fs_hz / 2.0
    )
    return np.asarray(rms_uv * np.sqrt(2.0) * wave)


def _wander(n_samples: int, fs_hz: float, rng: np.random.Generator, uv_per_root_s: float) -> Float64Array:
    return np.asarray(np.cumsum(rng.normal(0.0, uv_per_root_s / np.sqrt(fs_hz), n_samples)))


FAULTS: tuple[ElectrodeFault, ...] = (
    ElectrodeFault("flat", "held", _held),
    ElectrodeFault("flat", "zero", _zero),
    ElectrodeFault("flat", "constant", _constant),
    ElectrodeFault("saturated", "high rail", _high_rail),
    ElectrodeFault("saturated", "low rail", _low_rail),
    ElectrodeFault("saturated", "driven", _driven),
    ElectrodeFault("saturated", "thrown", _thrown),
    ElectrodeFault("powerline", "own mains", _powerline),
    ElectrodeFault("powerline", "other mains", _other_powerline),
    ElectrodeFault("noisy", "white", _noisy),
    ElectrodeFault("detached", "floating", _floating),
    ElectrodeFault("detached", "drifting", _drifting),
    ElectrodeFault("detached", "lifting", _lifting),
    ElectrodeFault("detached", "rubbing", _rubbing),
)
