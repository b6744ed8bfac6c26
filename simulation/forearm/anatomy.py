"""The muscles of a forearm: where each lies in the cross-section and along the limb, and how its fibres run.

Coordinates: the angle round the limb counts from the middle of the palmar side towards the thumb's side and on
to the back; the distance along it from the elbow towards the wrist.

References
----------
Lieber, Fazeli, Botte, *Architecture of selected wrist flexor and extensor muscles*, J. Hand Surg. 15A, 1990;
Lieber, Jacobson, Fazeli, Abrams, Botte, *Architecture of selected muscles of the arm and forearm*, J. Hand Surg.
17A, 1992: fibre lengths and physiological cross-sections (PCSA), rounded.
An, Hui, Morrey, Linscheid, Chao, *Muscles across the elbow joint: a biomechanical analysis*, J. Biomech. 14,
1981: supinator and anconeus.
Gray's Anatomy, cross-sections of the proximal and middle third of the forearm: order round the limb and depth.
The angles, depths and extents below are rounded readings for a circular limb, not one person's measurements.
Kendall et al., *Muscles: Testing and Function*: spinal segments.
"""

from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array

# Living, trained muscle is thicker than that of the specimens measured.
LIVING_CROSS_SECTION = 1.6
# Depth and angle of a muscle's middle differ between people, as does where its belly begins.
ANGLE_SD_DEG = 5.0
DEPTH_SD_MM = 1.0
ALONG_SD_MM = 6.0
SKIN_MM = 1.3


@dataclass(frozen=True)
class Muscle:
    """A muscle as anatomy books have it.

    Parameters
    ----------
    name : str
        Its name.
    angle_deg, depth_mm : float
        Its middle in the cross-section; the depth counts from the fascia below the fat.
    from_mm, to_mm : float
        Where its belly begins and ends along the limb.
    fibre_mm : float
        Length of its fibres.
    pcsa_cm2 : float
        Physiological cross-section.
    segments : tuple of int
        Cervical segments that drive it; 9 stands for T1.
    oblique_deg : float
        Angle of its fibres to the limb, positive where they turn with the angle above.
    """

    name: str
    angle_deg: float
    depth_mm: float
    from_mm: float
    to_mm: float
    fibre_mm: float
    pcsa_cm2: float
    segments: tuple[int, ...]
    oblique_deg: float = 0.0

    @property
    def radius_mm(self) -> float:
        """Radius of a circle as large as its anatomical cross-section (volume over length of the belly)."""
        area_mm2 = LIVING_CROSS_SECTION * 100.0 * self.pcsa_cm2 * self.fibre_mm / (self.to_mm - self.from_mm)
        return float(np.sqrt(area_mm2 / np.pi))


# Pronator quadratus is left out: it lies at the wrist, far from any sleeve on the belly of the forearm.
MUSCLES: tuple[Muscle, ...] = (
    Muscle("pronator_teres", 28, 9, 10, 110, 36, 4.1, (6, 7), oblique_deg=25),
    Muscle("flexor_carpi_radialis", 2, 8, 20, 150, 51, 2.0, (6, 7)),
    Muscle("palmaris_longus", -24, 6, 20, 130, 51, 0.7, (7, 8)),
    Muscle("flexor_digitorum_superficialis_2_3", -8, 17, 50, 190, 65, 2.5, (8, 9)),
    Muscle("flexor_digitorum_superficialis_4_5", -46, 11, 40, 180, 62, 2.0, (8, 9)),
    Muscle("flexor_carpi_ulnaris", -82, 8, 10, 220, 42, 3.4, (8, 9)),
    Muscle("flexor_digitorum_profundus_2_3", -60, 20, 40, 190, 65, 3.6, (8, 9)),
    Muscle("flexor_digitorum_profundus_4_5", -108, 11, 30, 190, 62, 3.4, (8, 9)),
    Muscle("flexor_pollicis_longus", 28, 21, 80, 230, 45, 2.1, (8, 9)),
    Muscle("brachioradialis", 62, 8, -20, 150, 110, 1.3, (5, 6)),
    Muscle("supinator", 105, 20, 15, 85, 33, 3.0, (6,), oblique_deg=-35),
    Muscle("extensor_carpi_radialis_longus", 92, 8, -10, 95, 76, 1.5, (6, 7)),
    Muscle("extensor_carpi_radialis_brevis", 120, 10, 20, 150, 48, 2.7, (6, 7)),
    Muscle("extensor_digitorum_2_3", 148, 8, 20, 150, 55, 1.5, (7, 8)),
    Muscle("extensor_digitorum_4_5", 171, 8, 20, 150, 55, 1.3, (7, 8)),
    Muscle("extensor_digiti_minimi", 189, 8, 40, 180, 59, 0.7, (7, 8)),
    Muscle("extensor_carpi_ulnaris", 211, 8, 20, 210, 51, 2.6, (7, 8)),
    Muscle("anconeus", 224, 6, -15, 45, 27, 2.5, (7, 8), oblique_deg=30),
    Muscle("abductor_pollicis_longus", 146, 19, 80, 190, 45, 1.9, (7, 8)),
    Muscle("extensor_pollicis_brevis", 158, 20, 120, 210, 45, 0.5, (7, 8)),
    Muscle("extensor_pollicis_longus", 184, 19, 90, 200, 44, 1.0, (7, 8)),
    Muscle("extensor_indicis", 200, 18, 110, 210, 48, 0.6, (7, 8)),
)
MUSCLE_NAMES = tuple(muscle.name for muscle in MUSCLES)


@dataclass(frozen=True)
class Forearm:
    """One wearer's forearm.

    Parameters
    ----------
    skin_radius_mm : float
        Radius of the limb.
    fat_mm : float
        Thickness of the subcutaneous fat.
    angle_rad, depth_mm, along_mm : ndarray, shape (n_muscles,)
        Where each muscle of `MUSCLES` lies in this wearer; ``along_mm`` is how far its belly is shifted.
    strength : ndarray, shape (n_muscles,)
        Share of each muscle's motor units that can still be driven, 0 to 1.
    """

    skin_radius_mm: float
    fat_mm: float
    angle_rad: Float64Array
    depth_mm: Float64Array
    along_mm: Float64Array
    strength: Float64Array

    @property
    def muscle_radius_mm(self) -> float:
        """Radius within the fascia."""
        return self.skin_radius_mm - SKIN_MM - self.fat_mm


def draw_forearm(fat_mm: float, strength: Float64Array, rng: np.random.Generator) -> Forearm:
    """Draw a wearer's forearm: girth 220 to 280 mm, muscles a little displaced.

    Parameters
    ----------
    fat_mm : float
        Subcutaneous fat.
    strength : ndarray, shape (n_muscles,)
        What an impairment has left of each muscle.
    rng : numpy.random.Generator
        Source of what differs between wearers.
    """
    n = len(MUSCLES)
    return Forearm(
        skin_radius_mm=float(rng.uniform(220.0, 280.0) / (2 * np.pi)),
        fat_mm=fat_mm,
        angle_rad=np.deg2rad([m.angle_deg for m in MUSCLES] + rng.normal(0.0, ANGLE_SD_DEG, n)),
        depth_mm=np.array([m.depth_mm for m in MUSCLES]) + rng.normal(0.0, DEPTH_SD_MM, n),
        along_mm=rng.normal(0.0, ALONG_SD_MM, n),
        strength=strength,
    )
