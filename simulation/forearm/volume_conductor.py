"""How the current of a muscle fibre reaches an electrode: a limb of muscle, fat and skin, all cylinders.

In the muscle, conductivity along the fibres differs from that across them. With the potential written as a
Fourier integral along the limb (wave number k) and a Fourier series round it (order m), each layer's solution is
a sum of modified Bessel functions of order m; potential and radial current are continuous at the boundaries and
no current leaves the skin. For a line of current I(k) at radius r0 in the muscle the potential on the skin is

    phi(k, m) = I(k) I_m(kappa r0) / (s_across q(k, m)),    kappa = |k| sqrt(s_along / s_across)

where q is the coefficient of K_m in the muscle when the potential on the skin is 1: the depth of a fibre enters
by one Bessel function alone. Bones are left out, and so is the dispersion of tissue (it is nearly resistive).

References
----------
Farina, Mesin, Martina, Merletti, *A surface EMG generation model with multilayer cylindrical description of the
volume conductor*, IEEE Trans. Biomed. Eng. 51(3), 2004: the method.
Farina, Merletti, *A novel approach for precise simulation of the EMG signal detected by surface electrodes*, IEEE
Trans. Biomed. Eng. 48(6), 2001: conductivities, and electrodes as spatial filters.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from emg_acquisition.arrays import Float32Array, Float64Array
from simulation.forearm.anatomy import SKIN_MM

MUSCLE_ALONG_S_M = 0.5
MUSCLE_ACROSS_S_M = 0.1
FAT_S_M = 0.05
SKIN_S_M = 1.0

# The limb repeats after this length: twice a forearm, so that a wave's image is as far away as can matter.
LIMB_MM = 512.0
WAVES = 128
STEP_MM = 0.5
ORDERS = 32
DEPTH_STEP_MM = 0.75
CORE_MM = 4.0


@dataclass(frozen=True)
class Detection:
    """What an electrode does to the potential: it averages over its disc; a pair along the limb subtracts.

    Parameters
    ----------
    electrode_mm : float
        Diameter of the disc.
    pair_mm : float
        Distance between the two electrodes of a pair, distal minus proximal; 0 for a single electrode.
    """

    electrode_mm: float
    pair_mm: float


@dataclass(frozen=True)
class VolumeConductor:
    """Potential on the skin of a dipole along the limb, tabulated.

    Parameters
    ----------
    radii_mm : ndarray, shape (n_radii,)
        Radii of the fibres tabulated.
    table : ndarray, shape (n_radii, n_along, ORDERS), float32
        Potential (V for 1 A·m) at every `STEP_MM` along the limb, beginning half of `LIMB_MM` before the dipole,
        as coefficients of cos(m angle).
    """

    radii_mm: Float64Array
    table: Float32Array

    def nearest(self, radius_mm: Float64Array) -> np.ndarray:
        """Return the indices of the radii tabulated nearest to some others."""
        index = np.rint((radius_mm - self.radii_mm[0]) / DEPTH_STEP_MM).astype(np.int64)
        nearest: np.ndarray = np.clip(index, 0, len(self.radii_mm) - 1)
        return nearest


def solve_volume_conductor(muscle_radius_mm: float, fat_mm: float, detection: Detection) -> VolumeConductor:
    """Tabulate the potential of a dipole along the limb for fibres of every depth.

    Parameters
    ----------
    muscle_radius_mm, fat_mm : float
        The limb without fat and skin, and the fat.
    detection : Detection
        The electrodes.
    """
    waves = np.arange(1, WAVES + 1, dtype=np.float64)[:, np.newaxis]
    k_per_m: Float64Array = 2 * np.pi * waves / (1e-3 * LIMB_MM)
    order = np.arange(ORDERS)[np.newaxis, :]
    skin_m = 1e-3 * (muscle_radius_mm + fat_mm + SKIN_MM)
    q = _muscle_coefficient(k_per_m, order, 1e-3 * muscle_radius_mm, 1e-3 * fat_mm)
    seen = _electrode(k_per_m, order, skin_m, detection) / (MUSCLE_ACROSS_S_M * q)
    radii_mm = np.arange(CORE_MM, muscle_radius_mm - 0.5, DEPTH_STEP_MM)
    kappa = k_per_m * np.sqrt(MUSCLE_ALONG_S_M / MUSCLE_ACROSS_S_M)
    spectra = special.iv(order, 1e-3 * radii_mm[:, np.newaxis, np.newaxis] * kappa) * seen
    # The derivative along the limb makes the dipole of the line; the series' own factors come last.
    spectra = 1j * k_per_m * spectra * np.where(order == 0, 1.0, 2.0) / (2 * np.pi)
    n_along = round(LIMB_MM / STEP_MM)
    padded = np.zeros((len(radii_mm), n_along // 2 + 1, ORDERS), dtype=np.complex128)
    padded[:, 1 : WAVES + 1] = spectra
    along = np.fft.irfft(padded, n_along, axis=1) * (n_along / (1e-3 * LIMB_MM))
    return VolumeConductor(radii_mm, np.fft.fftshift(along, axes=1).astype(np.float32))


def _muscle_coefficient(
    k_per_m: Float64Array, order: np.ndarray, muscle_m: float, fat_m: float
) -> Float64Array:
    """Return q(k, m): from the skin, where potential is 1 and no current flows, inwards through the layers."""
    fat_outer_m = muscle_m + fat_m
    skin_m = fat_outer_m + 1e-3 * SKIN_MM
    one, none = np.ones_like(k_per_m * order), np.zeros_like(k_per_m * order)
    potential, flux = _inwards(order, k_per_m, (skin_m, fat_outer_m), SKIN_S_M, (one, none))
    potential, flux = _inwards(order, k_per_m, (fat_outer_m, muscle_m), FAT_S_M, (potential, flux))
    kappa = k_per_m * np.sqrt(MUSCLE_ALONG_S_M / MUSCLE_ACROSS_S_M)
    x = kappa * muscle_m
    slope = flux / (MUSCLE_ACROSS_S_M * kappa)
    q: Float64Array = x * (potential * special.ivp(order, x) - slope * special.iv(order, x))
    return q


def _inwards(
    order: np.ndarray,
    k_per_m: Float64Array,
    radii_m: tuple[float, float],
    sigma_s_m: float,
    outer: tuple[Float64Array, Float64Array],
) -> tuple[Float64Array, Float64Array]:
    """Carry potential and radial current density from a layer's outer radius to its inner one."""
    outer_m, inner_m = radii_m
    potential, flux = outer
    x, slope = k_per_m * outer_m, flux / (sigma_s_m * k_per_m)
    # Wronskian of the modified Bessel functions: K I' - K' I = 1 / x.
    of_i = x * (slope * special.kv(order, x) - potential * special.kvp(order, x))
    of_k = x * (potential * special.ivp(order, x) - slope * special.iv(order, x))
    y = k_per_m * inner_m
    return (
        of_i * special.iv(order, y) + of_k * special.kv(order, y),
        sigma_s_m * k_per_m * (of_i * special.ivp(order, y) + of_k * special.kvp(order, y)),
    )


def _electrode(k_per_m: Float64Array, order: np.ndarray, skin_m: float, detection: Detection) -> np.ndarray:
    """Return the spatial filter of a disc (Farina and Merletti 2001, eq. 18) and of a pair along the limb."""
    x = np.sqrt(k_per_m**2 + (order / skin_m) ** 2) * 0.5e-3 * detection.electrode_mm
    disc: np.ndarray = np.where(x > 0, 2 * special.j1(x) / np.where(x > 0, x, 1.0), 1.0)
    if detection.pair_mm > 0:
        disc = disc * 2j * np.sin(0.5e-3 * k_per_m * detection.pair_mm)
    return disc
