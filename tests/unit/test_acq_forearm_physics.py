"""The physics of the simulated forearm, against numbers that do not come from its own code."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from emg_acquisition.grid import rectangular_grid
from simulation.forearm import volume_conductor as vc
from simulation.forearm.anatomy import MUSCLES, SKIN_MM, draw_forearm
from simulation.forearm.body import draw_body
from simulation.forearm.fatigue import LEVELS, Fatigue, slowed, velocity_factor
from simulation.forearm.motor_units import MotorUnits, draw_motor_units
from simulation.forearm.muap import Electrodes, compute_muaps, fine_factor
from simulation.forearm.recruitment import MotorPool, firing_rates_hz
from simulation.forearm.settings import WearerSettings

FS_HZ = 8000.0
MUSCLE_MM, FAT_MM = 36.0, 3.0


def one_unit(velocity_m_s=4.0, proximal_mm=55.0, distal_mm=55.0, **other):
    """A unit whose innervation zone lies at 100 mm, at angle 0, 6 mm below the fascia, along the limb."""
    values = {
        "muscle": [0],
        "radius_mm": [MUSCLE_MM - 6.0],
        "angle_rad": [0.0],
        "territory_mm": [3.0],
        "zone_mm": [100.0],
        "proximal_mm": [proximal_mm],
        "distal_mm": [distal_mm],
        "oblique_rad": [0.0],
        "velocity_m_s": [velocity_m_s],
        "source_m2": [1e-6],
        "threshold": [0.1],
        "alive": [True],
        **other,
    }
    return MotorUnits(**{name: np.array(value) for name, value in values.items()})


def seen(unit, along_mm, pair_mm=0.0, angle_rad=0.0):
    along_mm = np.array(along_mm)
    electrodes = Electrodes(
        np.array([angle_rad]), along_mm, np.zeros(len(along_mm), int), np.arange(len(along_mm))
    )
    conductor = vc.solve_volume_conductor(MUSCLE_MM, FAT_MM, vc.Detection(3.0, pair_mm))
    return compute_muaps(unit, conductor, electrodes, FS_HZ)[0].astype(np.float64)


def delay_s(first, second):
    """Delay of one signal after another, to a fraction of a sample."""
    first, second = (signal.resample(x, 16 * len(x)) for x in (first, second))
    lag = np.argmax(signal.correlate(second, first)) - (len(first) - 1)
    return lag / (16 * FS_HZ)


@pytest.mark.parametrize(
    ("wave", "order", "radius_mm"), [(1, 0, 20.5), (8, 3, 28.0), (20, 0, 31.0), (12, 9, 31.0)]
)
def test_the_limb_conducts_as_a_finite_difference_solution_of_the_same_equation(wave, order, radius_mm):
    """Poisson's equation for one wave number and order, in many thin shells: no Bessel function in it."""
    conductor = vc.solve_volume_conductor(MUSCLE_MM, FAT_MM, vc.Detection(1e-3, 0.0))
    nearest = int(conductor.nearest(np.array([radius_mm]))[0])
    table = np.fft.ifftshift(conductor.table[nearest, :, order].astype(np.float64))
    k_per_m = 2 * np.pi * wave / (1e-3 * vc.LIMB_MM)
    spectrum = np.fft.fft(table)[wave] * 1e-3 * vc.STEP_MM
    got = (spectrum / (1j * k_per_m * (2 if order else 1) / (2 * np.pi))).real

    outer_m = 1e-3 * (MUSCLE_MM + FAT_MM + SKIN_MM)
    n = 8060
    edges = np.linspace(0.0, outer_m, n + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    step = edges[1]
    in_muscle, in_fat = middle < 1e-3 * MUSCLE_MM, middle < 1e-3 * (MUSCLE_MM + FAT_MM)
    across = np.where(in_muscle, vc.MUSCLE_ACROSS_S_M, np.where(in_fat, vc.FAT_S_M, vc.SKIN_S_M))
    along = np.where(in_muscle, vc.MUSCLE_ALONG_S_M, across)
    # Conductance between neighbouring shells: two half shells in series.
    between = edges[1:-1] / (0.5 * step / across[1:] + 0.5 * step / across[:-1])
    lost = (across * order**2 / middle**2 + along * k_per_m**2) * middle * step
    diagonal = lost + np.append(between, 0.0) + np.append(0.0, between)
    bands = np.stack((np.append(0.0, -between), diagonal, np.append(-between, 0.0)))
    current = np.zeros(n)
    current[np.argmin(np.abs(middle - 1e-3 * conductor.radii_mm[nearest]))] = 1.0
    from scipy.linalg import solve_banded

    expected = solve_banded((1, 1), bands, current)[-1]
    assert got == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("velocity_m_s", [3.2, 4.0, 4.8])
def test_action_potentials_travel_along_the_fibres_at_the_velocity_set(velocity_m_s):
    # Pairs from 20 mm past the innervation zone to 25 mm before the tendon, in steps of 5 mm.
    along_mm = 100.0 + np.arange(20.0, 31.0, 5.0)
    emg_uv = seen(one_unit(velocity_m_s, distal_mm=70.0, proximal_mm=70.0), along_mm, pair_mm=5.0)
    delays_s = [delay_s(emg_uv[:, k], emg_uv[:, k + 1]) for k in range(len(along_mm) - 1)]
    np.testing.assert_allclose(5e-3 / np.array(delays_s), velocity_m_s, rtol=0.04)


def test_pairs_on_the_two_sides_of_the_innervation_zone_see_opposite_phases():
    away_mm = np.array([10.0, 15.0, 20.0])
    unit = one_unit()
    distal = seen(unit, 100.0 + away_mm, pair_mm=5.0)
    proximal = seen(unit, 100.0 - away_mm, pair_mm=5.0)
    np.testing.assert_allclose(proximal, -distal, atol=1e-3 * np.abs(distal).max())
    # Over the zone itself the two waves cancel, and the amplitude has its minimum.
    over = seen(unit, [100.0], pair_mm=5.0)
    assert np.ptp(over) < 0.05 * np.ptp(distal[:, 0])


def test_the_end_of_the_fibres_is_seen_everywhere_at_once():
    unit = one_unit(proximal_mm=30.0, distal_mm=70.0)
    beyond = seen(unit, [185.0, 195.0, 205.0])
    within = seen(unit, [120.0, 130.0, 140.0])
    peaks_s = np.abs(beyond).argmax(axis=0) / FS_HZ
    # Beyond the tendon nothing travels: all peak as the wave dies there (70 mm at 4 m/s and the end-plates' spread).
    assert np.ptp(peaks_s) < 0.3e-3
    assert peaks_s.mean() == pytest.approx(70e-3 / 4.0 + 6e-3 / 4.0, abs=1.5e-3)
    travelling_s = within.argmin(axis=0) / FS_HZ
    assert (np.diff(travelling_s) > 1e-3).all()
    assert np.ptp(travelling_s) == pytest.approx(20e-3 / 4.0, rel=0.15)
    # It falls off more slowly with distance than what travels does: far away it is all that is left.
    far = seen(unit, [125.0, 205.0], angle_rad=2.0)
    assert np.abs(far).max(axis=0)[1] > 0.05 * np.abs(seen(unit, [205.0])).max()


def test_a_deeper_unit_is_weaker_and_blurred():
    shallow, deep = (
        seen(one_unit(radius_mm=[MUSCLE_MM - depth_mm]), [130.0], pair_mm=10.0)[:, 0]
        for depth_mm in (4.0, 14.0)
    )
    assert np.ptp(deep) < 0.5 * np.ptp(shallow)
    assert median_hz(deep) < 0.9 * median_hz(shallow)


def median_hz(x):
    hertz = np.fft.rfftfreq(16 * len(x), 1 / FS_HZ)
    power = np.cumsum(np.abs(np.fft.rfft(x, 16 * len(x))) ** 2)
    return hertz[np.searchsorted(power, 0.5 * power[-1])]


def test_fatigue_is_slower_conduction_and_compresses_the_spectrum_by_as_much():
    level = LEVELS // 2
    factor = velocity_factor(level)
    fresh, tired = (
        seen(one_unit(4.0 * v, proximal_mm=40.0, distal_mm=50.0), [105.0, 120.0, 170.0], pair_mm=10.0)
        for v in (1.0, factor)
    )
    stretched = slowed(fresh.astype(np.float32), level)[: len(tired)]
    error = stretched[: len(tired)] - tired[: len(stretched)]
    assert np.abs(error).max() < 0.05 * np.abs(tired).max()
    for channel in range(3):
        ratio = median_hz(stretched[:, channel]) / median_hz(fresh[:, channel])
        assert ratio == pytest.approx(factor, abs=0.025)


def test_muscles_tire_with_work_and_recover_with_rest():
    fatigue = Fatigue(0.0, 2, block_s=1.0)
    for _ in range(120):
        fatigue.step(np.array([1.0, 0.25]))
    hard, easy = fatigue.levels / LEVELS
    assert hard == pytest.approx(1 - np.exp(-1), abs=0.03)
    assert 0.1 < easy < 0.5 * hard
    for _ in range(1200):
        fatigue.step(np.zeros(2))
    assert fatigue.levels[0] / LEVELS < 0.25 * hard


@pytest.fixture(scope="module")
def units():
    rng = np.random.default_rng(3)
    return draw_motor_units(draw_forearm(FAT_MM, np.ones(len(MUSCLES)), rng), 24, rng)


def test_units_are_recruited_by_size_and_fire_faster_with_more_excitation(units):
    of_one = units.muscle == 1
    order = np.argsort(units.source_m2[of_one])
    assert np.corrcoef(order, np.argsort(units.threshold[of_one]))[0, 1] > 0.95
    rates = np.array([firing_rates_hz(units, np.full(len(MUSCLES), e)) for e in np.linspace(0, 1, 21)])
    assert (np.diff(rates, axis=0) >= 0).all()
    assert rates[0].max() == 0
    active = rates[rates > 0]
    # Fuglevand et al. 1993: from 8 to 25-35 per second, later units slower ("onion skin").
    assert active.min() >= 8.0
    assert 24.0 < rates[-1].min() < rates[-1].max() <= 35.0
    assert np.corrcoef(units.threshold, rates[-1])[0, 1] < -0.9
    assert 3.0 <= units.velocity_m_s.min() <= units.velocity_m_s.max() <= 5.0


def test_intervals_vary_as_motor_neurons_do_and_never_double(units):
    pool = MotorPool(units, 80, 8000.0, np.random.default_rng(1))
    fired = [[] for _ in range(len(units))]
    for block in range(3000):
        which, offsets = pool.step(np.full(len(MUSCLES), 0.4))
        for unit, offset in zip(which, offsets, strict=True):
            fired[unit].append((80 * block + offset) / 8000.0)
    expected_hz = firing_rates_hz(units, np.full(len(MUSCLES), 0.4))
    counts = np.array([len(times) for times in fired])
    np.testing.assert_allclose(counts / 30.0, expected_hz, atol=0.8)
    intervals = [np.diff(times) for times in fired if len(times) > 100]
    cv = np.array([x.std() / x.mean() for x in intervals])
    assert 0.15 < np.median(cv) < 0.2
    assert min(x.min() for x in intervals) > 0.010


@pytest.mark.parametrize("k", [1, 5])
def test_turning_the_sleeve_by_k_electrodes_is_a_roll_of_the_grid_by_k(k):
    settings = WearerSettings(seed=2, units_per_muscle=4)
    turned = draw_body(replace(settings, rotation_deg=360.0 / 16 * k))
    straight = draw_body(settings)
    gain = straight.contacts.gain.astype(np.float32)
    for unit in range(0, len(straight.muaps), 7):
        before, after = (body.muaps[unit] / gain for body in (straight, turned))
        rolled = np.roll(before.reshape(-1, 16, 4), -k, axis=1).reshape(len(before), 64)
        np.testing.assert_allclose(after, rolled, atol=2e-3 * np.abs(before).max())


def test_moving_the_sleeve_by_one_pitch_is_a_shift_of_its_columns():
    settings = WearerSettings(seed=2, units_per_muscle=4)
    moved, straight = draw_body(replace(settings, shift_mm=15.0)), draw_body(settings)
    gain = straight.contacts.gain.astype(np.float32)
    for unit in range(0, len(straight.muaps), 7):
        before, after = ((body.muaps[unit] / gain).reshape(-1, 16, 4) for body in (straight, moved))
        np.testing.assert_allclose(after[:, :, :3], before[:, :, 1:], atol=2e-3 * np.abs(before).max())


def test_a_grid_may_run_round_the_limb_by_columns_or_lie_on_one_side():
    rows = draw_body(WearerSettings(seed=2, units_per_muscle=4))
    by_columns = rectangular_grid(4, 16, 15.0, "columns")
    columns = draw_body(WearerSettings(seed=2, units_per_muscle=4, grid=by_columns))
    first, second = (body.muaps[50] / body.contacts.gain.astype(np.float32) for body in (rows, columns))
    transposed = second.reshape(-1, 4, 16).transpose(0, 2, 1).reshape(len(second), 64)
    np.testing.assert_allclose(transposed, first, atol=1e-4)
    patch = rectangular_grid(8, 8, 10.0)
    for side in (0.0, 90.0, 171.0):
        body = draw_body(WearerSettings(seed=2, grid=patch, units_per_muscle=4, middle_deg=side))
        off_deg = (strongest_muscle(body).angle_deg - side + 180.0) % 360.0 - 180.0
        assert abs(off_deg) < 45.0


def strongest_muscle(body):
    power = np.array([np.sum(muap**2) for muap in body.muaps])
    by_muscle = np.bincount(body.units.muscle, power / body.units.source_m2**2)
    return MUSCLES[int(by_muscle.argmax())]


def test_fine_samples_are_never_coarser_than_an_eighth_of_a_millisecond():
    assert [fine_factor(fs_hz) for fs_hz in (500.0, 1000.0, 2000.0, 2048.0, 4000.0, 10_000.0)] == [
        16,
        8,
        4,
        4,
        2,
        1,
    ]
