"""A wearer with the sleeve on: everything that is drawn once and never changes while EMG is made."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from emg_acquisition.arrays import Float32Array
from simulation.forearm.anatomy import draw_forearm
from simulation.forearm.electrode_skin import Contacts, draw_contacts
from simulation.forearm.impairment import muscle_strength
from simulation.forearm.motor_units import MotorUnits, draw_motor_units
from simulation.forearm.muap import compute_muaps
from simulation.forearm.population import Traits, draw_traits
from simulation.forearm.settings import WearerSettings
from simulation.forearm.sleeve import draw_placement, place_electrodes
from simulation.forearm.synergies import Synergies, load_synergies, own_synergies
from simulation.forearm.volume_conductor import Detection, solve_volume_conductor


@dataclass(frozen=True)
class Body:
    """A wearer with the sleeve on.

    ``muaps`` are the units' action potentials, seen through the contacts: each ndarray, shape (n_fine,
    n_channels), float32, µV.
    """

    traits: Traits
    synergies: Synergies
    units: MotorUnits
    contacts: Contacts
    muaps: tuple[Float32Array, ...]


def draw_body(settings: WearerSettings) -> Body:
    """Draw a wearer and a donning; the same settings give the same body, made once."""
    same = replace(settings, session=0, fatigue=0.0, trial_variability=1.0, powerline_hz=60.0)
    return _draw_body(same)


def draw_traits_of(settings: WearerSettings) -> Traits:
    """Draw a wearer's traits alone, which takes no time."""
    strength = float(muscle_strength(settings.impairment).mean())
    return draw_traits(strength, np.random.default_rng(_wearer_seeds(settings)[0]))


def _wearer_seeds(settings: WearerSettings) -> list[np.random.SeedSequence]:
    return np.random.SeedSequence(settings.seed).spawn(4)


@lru_cache(maxsize=2)
def _draw_body(settings: WearerSettings) -> Body:
    _, *seeds = _wearer_seeds(settings)
    forearm_rng, units_rng, habits_rng = (np.random.default_rng(seed) for seed in seeds)
    donning = np.random.SeedSequence((settings.seed, settings.donning), spawn_key=(1,))
    placement_rng, contacts_rng = (np.random.default_rng(seed) for seed in donning.spawn(2))
    strength = muscle_strength(settings.impairment)
    traits = draw_traits_of(settings)
    forearm = draw_forearm(traits.fat_mm, strength, forearm_rng)
    units = draw_motor_units(forearm, settings.units_per_muscle, units_rng)
    synergies = own_synergies(load_synergies(settings.gestures), traits.synergy_sd, habits_rng)
    pair_mm = settings.pair_mm if settings.montage == "differential" else 0.0
    conductor = solve_volume_conductor(
        forearm.muscle_radius_mm, forearm.fat_mm, Detection(settings.electrode_mm, pair_mm)
    )
    placement = draw_placement(settings, forearm.skin_radius_mm, placement_rng)
    electrodes = place_electrodes(settings, forearm.skin_radius_mm, placement)
    contacts = draw_contacts(settings.grid.n_channels, settings.worn_min, settings.detached, contacts_rng)
    muaps = compute_muaps(units, conductor, electrodes, settings.fs_hz)
    return Body(
        traits,
        synergies,
        units,
        contacts,
        tuple(_through_contacts(muap, contacts, settings) for muap in muaps),
    )


def _through_contacts(fine_uv: Float32Array, contacts: Contacts, settings: WearerSettings) -> Float32Array:
    if settings.montage == "monopolar":
        fine_uv = fine_uv[:, :-1] - fine_uv[:, -1:]
    return np.ascontiguousarray(fine_uv * contacts.gain.astype(np.float32))
