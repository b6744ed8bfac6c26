import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.cue_schedule import calibration_schedule
from emg_acquisition.grid import rectangular_grid
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer

GRID = rectangular_grid(4, 2, 60.0, "rows")
SMALL = WearerSettings(seed=4, fs_hz=1000.0, grid=GRID, units_per_muscle=4, fatigue=0.3)
SCHEDULE = calibration_schedule(("fist", "hand_open"), 1, 0.4, 0.3, seed=2)
ACTS = {137: ("fist", 1.0), 600: ("hand_open", 0.5), 1000: ("rest", 1.0), 1001: ("pronation", 1.5)}
LENGTH = 1700


def play(wearer, sizes, acts):
    """Read in the given sizes, but stop at each sample before which an intention comes."""
    parts, at, sizes = [], 0, iter(sizes)
    while at < LENGTH:
        if at in acts:
            wearer.set_intention(*acts[at])
        next_act = min((index for index in acts if index > at), default=LENGTH)
        parts.append(wearer.read(min(next(sizes, LENGTH), next_act - at, LENGTH - at)))
        at += len(parts[-1])
    return np.concatenate(parts)


EXPECTED = play(SimulatedWearer(SMALL), [], ACTS)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400), max_size=60))
def test_live_samples_depend_on_seed_and_intentions_and_not_on_how_they_are_read(sizes):
    np.testing.assert_array_equal(play(SimulatedWearer(SMALL), sizes, ACTS), EXPECTED)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 700), max_size=10))
def test_a_schedule_plays_the_same_and_reports_each_cue_once(sizes):
    wearer = SimulatedWearer(SMALL, SCHEDULE)
    parts, events, at = [], [], 0
    for size in [*sizes, 10**6]:
        parts.append(wearer.read(size))
        at += len(parts[-1])
        events += wearer.events_until(at)
    np.testing.assert_array_equal(np.concatenate(parts), SimulatedWearer(SMALL, SCHEDULE).read(10**6))
    assert [event.sample_index for event in events] == [0, 300, 700, 1000, 1400]


def test_other_intentions_and_other_seeds_give_other_samples():
    later = play(SimulatedWearer(SMALL), [], {**ACTS, 610: ("rest", 1.0)})
    np.testing.assert_array_equal(later[:610], EXPECTED[:610])
    assert not np.array_equal(later[610:700], EXPECTED[610:700])
    for other in ({"seed": 5}, {"donning": 2}, {"session": 1}):
        emg_uv = play(SimulatedWearer(WearerSettings(**{**vars(SMALL), **other})), [], ACTS)
        assert np.mean(emg_uv == EXPECTED) < 0.1


def test_a_live_wearer_does_not_repeat_the_noise_of_its_calibration():
    live, scheduled = SimulatedWearer(SMALL), SimulatedWearer(SMALL, SCHEDULE)
    assert np.mean(live.read(500) == scheduled.read(500)) < 0.1
