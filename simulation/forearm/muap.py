"""Motor-unit action potentials on the electrodes: two waves run from the end-plates and die at the tendons.

The membrane current of a wave is the derivative, along the fibre, of the slope of the intracellular action
potential within the fibre's ends: the current of a tripole that moves, begins at the end-plate and collapses to a
dipole at the tendon. With u the distance from the end-plate, s = v t - u that behind the front and G' the
potential of a dipole, an electrode at z sees, up to a factor,

    phi(t) = integral g(v t - u) [w_p(u) G'(z - zone + u) - w_d(u) G'(z - zone - u)] du,    g = dV/ds

where w is the share of the unit's fibres that reach so far. Sampled at steps of u that a wave covers in one sample
of time it is a convolution. It depends on v t alone: slower conduction stretches it in time.

References
----------
Rosenfalck, *Intra- and extracellular potential fields of active nerve and muscle fibres*, Acta Physiol. Scand.
Suppl. 321, 1969: the intracellular action potential.
Merletti, Lo Conte, Avignone, Guglielminotti, *Modeling of surface myoelectric signals, part I*, IEEE Trans. Biomed.
Eng. 46(7), 1999; Farina, Merletti 2001 (see ``volume_conductor.py``): generation and extinction.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal, special

from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from simulation.forearm.motor_units import MotorUnits
from simulation.forearm.volume_conductor import (
    LIMB_MM,
    ORDERS,
    STEP_MM,
    VolumeConductor,
)

INTRACELLULAR_S_M = 1.0
# End-plates of a unit's fibres lie within some millimetres of each other, and so do their tendon ends.
END_PLATE_SD_MM = 1.0
TENDON_SD_MM = 2.5
WAVE_MM = 14.0
# Fibres of a unit are stood for by five: the middle of the territory and four at this share of its radius.
RING_SHARE = 0.7
OBLIQUE_PARTS = 4
# Firing times are finer than the samples: action potentials are made at least at this rate.
FINE_HZ = 8000.0
# Of an amplifier's own low-pass, as a share of the sampling rate; half of its taps, in samples.
ANTI_ALIAS = 0.42
ANTI_ALIAS_HALF = 3


@dataclass(frozen=True)
class Electrodes:
    """Where electrodes lie on the skin.

    Parameters
    ----------
    angles_rad, along_mm : ndarray, shapes (n_angles,) and (n_along,)
        Places round and along the limb.
    angle_index, along_index : ndarray, shape (n_electrodes,)
        Which of them each electrode has.
    """

    angles_rad: Float64Array
    along_mm: Float64Array
    angle_index: IntArray
    along_index: IntArray


def fine_factor(fs_hz: float) -> int:
    """Return how many fine samples there are to a sample."""
    return int(np.ceil(FINE_HZ / fs_hz))


def compute_muaps(
    units: MotorUnits, conductor: VolumeConductor, electrodes: Electrodes, fs_hz: float
) -> list[Float32Array]:
    """Return the action potential of every unit.

    Parameters
    ----------
    units : MotorUnits
        The units.
    conductor : VolumeConductor
        The limb and the kind of electrode.
    electrodes : Electrodes
        Where they lie. All are seen against a point infinitely far away.
    fs_hz : float
        Sampling rate to come; action potentials are low-passed below its half.

    Returns
    -------
    list of ndarray, each of shape (n_fine, n_electrodes), float32
        Microvolts at `fine_factor` times the sampling rate; sample 0 is the firing.
    """
    model = _Model(units, conductor, electrodes, fine_factor(fs_hz), fs_hz)
    return [model.muap(unit) for unit in range(len(units))]


class _Model:
    """Units in a limb with electrodes on it."""

    def __init__(
        self,
        units: MotorUnits,
        conductor: VolumeConductor,
        electrodes: Electrodes,
        factor: int,
        fs_hz: float,
    ) -> None:
        self._units, self._conductor, self._electrodes = units, conductor, electrodes
        self._fine_hz = fs_hz * factor
        self._low_pass = _anti_alias(factor)

    def muap(self, unit: int) -> Float32Array:
        units = self._units
        step_mm = 1e3 * float(units.velocity_m_s[unit]) / self._fine_hz
        wave = np.convolve(_wave_slope(step_mm), self._low_pass)
        longest_mm = max(units.proximal_mm[unit], units.distal_mm[unit]) + 3 * TENDON_SD_MM
        u_mm: Float64Array = step_mm * np.arange(int(np.ceil(longest_mm / step_mm)), dtype=np.float64)
        dipoles = self._half(unit, u_mm, -1) - self._half(unit, u_mm, 1)
        gain_uv = 1e6 * INTRACELLULAR_S_M * units.source_m2[unit] * 1e-3 * step_mm
        # A Toeplitz matrix of the wave: one matrix product for all electrodes.
        margin = np.zeros(len(u_mm) - 1)
        padded = np.concatenate((margin, wave, margin)).astype(np.float32)
        n_taps = len(u_mm) + len(wave) - 1
        rows = np.lib.stride_tricks.sliding_window_view(padded, len(u_mm))[:n_taps, ::-1]
        return np.ascontiguousarray(rows @ (gain_uv * dipoles).astype(np.float32))

    def _half(self, unit: int, u_mm: Float64Array, side: int) -> Float32Array:
        """Return what each electrode sees of a dipole at each place of half a fibre: (n_u, n_electrodes)."""
        units = self._units
        length_mm = units.distal_mm[unit] if side > 0 else units.proximal_mm[unit]
        reached = 0.5 * special.erfc((u_mm - length_mm) / (np.sqrt(2) * TENDON_SD_MM))
        oblique = float(units.oblique_rad[unit])
        along_mm = units.zone_mm[unit] + side * np.cos(oblique) * u_mm
        turn_rad = side * np.sin(oblique) * u_mm / units.radius_mm[unit]
        n_parts = OBLIQUE_PARTS if oblique else 1
        parts = zip(np.array_split(along_mm, n_parts), np.array_split(turn_rad, n_parts), strict=True)
        seen = [self._dipoles(unit, along, float(turn.mean())) for along, turn in parts]
        weighted: Float32Array = np.concatenate(seen) * reached[:, np.newaxis].astype(np.float32)
        return weighted

    def _dipoles(self, unit: int, along_mm: Float64Array, turn_rad: float) -> Float32Array:
        """Return the potential of unit dipoles at ``along_mm``, averaged over the territory."""
        conductor, electrodes = self._conductor, self._electrodes
        radius_mm, angle_rad = _territory(self._units, unit)
        away = electrodes.angles_rad[:, np.newaxis] - (angle_rad + turn_rad)
        # Fibres, orders, angles.
        series = np.cos(np.arange(ORDERS)[:, np.newaxis] * away.T[:, np.newaxis, :]).astype(np.float32)
        tables = conductor.table[conductor.nearest(radius_mm)]
        by_angle = np.matmul(tables, series).sum(axis=0) / np.float32(len(radius_mm))
        place = (electrodes.along_mm[np.newaxis, :] - along_mm[:, np.newaxis] + LIMB_MM / 2) / STEP_MM
        place = np.clip(place, 0.0, len(by_angle) - 2)
        index = place.astype(np.int64)
        share = (place - index).astype(np.float32)[..., np.newaxis]
        # Places of the dipole, places along the limb, angles.
        seen = by_angle[index] * (1 - share) + by_angle[index + 1] * share
        chosen: Float32Array = seen[:, electrodes.along_index, electrodes.angle_index]
        return chosen


def _territory(units: MotorUnits, unit: int) -> tuple[Float64Array, Float64Array]:
    ring_mm = RING_SHARE * units.territory_mm[unit]
    middle_mm = units.radius_mm[unit]
    radius_mm = middle_mm + ring_mm * np.array([0.0, 1.0, -1.0, 0.0, 0.0])
    angle_rad = units.angle_rad[unit] + ring_mm * np.array([0.0, 0.0, 0.0, 1.0, -1.0]) / middle_mm
    return np.maximum(radius_mm, 0.0), angle_rad


def _wave_slope(step_mm: float) -> Float64Array:
    """Return dV/ds (V/m) at steps behind the front, averaged over where the end-plates lie.

    V = 96 s^3 exp(-s) - 90 mV with s in mm (Rosenfalck 1969).
    """
    # Finer than the steps: the slope changes within a fraction of a millimetre.
    fine = 4
    s_mm = np.arange(-3 * END_PLATE_SD_MM, WAVE_MM + 3 * END_PLATE_SD_MM, step_mm / fine)
    behind = np.maximum(s_mm, 0.0)
    slope = 96.0 * (3 * behind**2 - behind**3) * np.exp(-behind)
    spread = np.exp(-0.5 * ((s_mm - s_mm[len(s_mm) // 2]) / END_PLATE_SD_MM) ** 2)
    smooth: Float64Array = np.convolve(slope, spread / spread.sum(), "same")[::fine]
    return smooth


def _anti_alias(factor: int) -> Float64Array:
    if factor == 1:
        return np.ones(1)
    taps: Float64Array = signal.firwin(2 * ANTI_ALIAS_HALF * factor + 1, 2 * ANTI_ALIAS / factor)
    return taps
