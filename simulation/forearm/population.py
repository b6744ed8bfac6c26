"""What differs between wearers, drawn from one seed each: a population is the seeds 0, 1, 2, ...

Skill, from 0 to 1, is how alike and how distinct a wearer makes the gestures; in the reference study some of the
participants were decoded almost without error, and others not. Everything else is drawn beside it.
"""

from dataclasses import dataclass

import numpy as np

# How indistinct the gestures of the most skilled wearer are, of the least skilled, and after an injury. Chosen such
# that windows of 200 ms are decoded as in the literature (``benchmarks/wearer_difficulty.py``).
CLUMSY_LEAST = 0.30
CLUMSY_SPREAD = 0.40
CLUMSY_IMPAIRED = 0.25


@dataclass(frozen=True)
class Traits:
    """One wearer.

    Parameters
    ----------
    skill : float
        0 to 1.
    fat_mm : float
        Subcutaneous fat; on forearms 1 to 8 mm.
    usual_excitation : float
        Excitation of a gesture's strongest muscle at effort 1, as a share of the greatest.
    ramp_s : float
        Time a contraction takes to build up.
    effort_sd, muscle_sd : float
        Standard deviations of the logarithm of effort, and of each muscle's share, from trial to trial.
    wander_sd : float
        The same for each muscle's share within a trial, slowly changing.
    confusion : float
        Typical share of another gesture that is mixed into a trial.
    co_contraction : float
        Share of a gesture's excitation that goes to all muscles.
    synergy_sd : float
        How far the wearer's own synergies differ from the textbook's (logarithm).
    tone : float
        Excitation at rest, as a multiple of the lowest threshold.
    tremor : float
        Relative depth of the 8 to 12 Hz modulation.
    """

    skill: float
    fat_mm: float
    usual_excitation: float
    ramp_s: float
    effort_sd: float
    muscle_sd: float
    wander_sd: float
    confusion: float
    co_contraction: float
    synergy_sd: float
    tone: float
    tremor: float


def draw_traits(strength: float, rng: np.random.Generator) -> Traits:
    """Draw a wearer.

    Parameters
    ----------
    strength : float
        Share of all motor units that can be driven; whoever has lost many has lost selectivity with them.
    rng : numpy.random.Generator
        The wearer's.
    """
    skill = float(rng.uniform(0.0, 1.0))
    clumsy = CLUMSY_LEAST + CLUMSY_SPREAD * (1.0 - skill) + CLUMSY_IMPAIRED * (1.0 - strength)
    return Traits(
        skill=skill,
        fat_mm=float(np.clip(rng.lognormal(np.log(2.8), 0.4), 1.0, 8.0)),
        usual_excitation=float(rng.uniform(0.18, 0.34)),
        ramp_s=float(rng.uniform(0.1, 0.3)),
        effort_sd=0.12 + 0.12 * clumsy,
        muscle_sd=0.10 + 0.35 * clumsy,
        wander_sd=0.10 + 0.25 * clumsy,
        confusion=0.04 + 0.36 * clumsy,
        co_contraction=float(rng.uniform(0.02, 0.05)) + 0.15 * clumsy,
        synergy_sd=float(rng.uniform(0.2, 0.4)),
        tone=float(rng.uniform(0.1, 0.9)),
        tremor=float(rng.uniform(0.02, 0.06)),
    )
