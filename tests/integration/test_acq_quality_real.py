"""Bad channels injected into real recordings are found, and good ones are left alone.

The short form takes a few pieces of recordings that no threshold was chosen on; ``-m slow`` takes all of them, as
``python benchmarks/quality_detection.py DATA_FOLDER`` prints them.
"""

import dataclasses

import numpy as np
import pytest

from benchmarks.quality_detection import (
    Outcome,
    alarms,
    flexemg,
    grabmyo,
    injections,
    naturally_bad,
    three_dc,
)

pytestmark = pytest.mark.real_data
KINDS = ("flat", "saturated", "powerline", "detached")
RECALL = 0.95
FALSE_ALARMS = 0.01


def found(outcomes: list[Outcome], kind: str, *, named: bool = False) -> float:
    return float(np.mean([o.named if named else o.found for o in outcomes if o.kind == kind]))


def test_injected_faults_are_found_within_a_second_and_few_others(flexemg_dir):
    rng = np.random.default_rng(7)
    whole = next(r for r in flexemg(flexemg_dir.parent, ("001-Session3Test",)))
    recording = dataclasses.replace(whole, segments=whole.segments[4:7])
    bad = naturally_bad(recording)
    outcomes = injections(recording, bad, rng, most=45)
    for kind in KINDS:
        assert found(outcomes, kind) >= RECALL, kind
        assert found(outcomes, kind, named=True) >= 0.9, kind
    assert alarms(recording).share(~bad) <= FALSE_ALARMS
    assert bad.mean() < 0.2


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.filterwarnings("ignore:The inplace keyword:Warning")  # wfdb, when it is imported
def test_the_recordings_held_out_keep_the_figures(test_data):
    rng = np.random.default_rng(1)
    held_out = [
        recording
        for source in (flexemg, three_dc, grabmyo)
        for recording in source(test_data)
        if not recording.tuned
    ]
    outcomes, alarmed, judged = [], 0, 0
    for recording in held_out:
        bad = naturally_bad(recording)
        outcomes += injections(recording, bad, rng)
        counted = alarms(recording)
        alarmed += counted.any_state[~bad].sum()
        judged += counted.seconds * (~bad).sum()
    for kind in KINDS:
        assert found(outcomes, kind) >= RECALL, kind
        assert found(outcomes, kind, named=True) >= RECALL, kind
    assert alarmed / judged <= FALSE_ALARMS
