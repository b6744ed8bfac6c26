"""Short form of ``benchmarks/wearer_difficulty.py``: wearers differ, a new donning costs, an injury costs more."""

from dataclasses import replace

import pytest

from benchmarks.difficulty_of_wearers import Protocol, recorded_windows
from benchmarks.simple_classifier import held_out_accuracy, transferred_accuracy
from simulation.forearm.settings import WearerSettings

SHORT = Protocol(repetitions=3, hold_s=1.5, rest_s=0.9)
CHANCE = 0.1
# Whose second donning lies far from the first: one draw of many, chosen for a short test.
SKILLED = WearerSettings(seed=7, fs_hz=1000.0)
CLUMSY = WearerSettings(seed=9, fs_hz=1000.0)


@pytest.fixture(scope="module")
def first():
    return recorded_windows(SKILLED, SHORT)


@pytest.fixture(scope="module")
def within(first):
    return held_out_accuracy(first, 10)


def test_wearers_differ(within):
    assert within > 0.93
    clumsy = recorded_windows(CLUMSY, SHORT)
    clumsy_within = held_out_accuracy(clumsy, 10)
    assert 0.6 < clumsy_within < within - 0.03


@pytest.mark.slow
def test_a_new_donning_and_an_injury_cost_accuracy(first, within):
    new_donning = transferred_accuracy(first, recorded_windows(replace(SKILLED, donning=2), SHORT), 10)
    assert CHANCE < new_donning < within - 0.07
    impaired = held_out_accuracy(recorded_windows(replace(SKILLED, impairment="c5"), SHORT), 10)
    assert 2 * CHANCE < impaired < within - 0.08
