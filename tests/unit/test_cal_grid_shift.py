"""How the sleeve lies: synthetic truth is found, and thin or contradictory evidence is refused."""

import numpy as np
import pytest

from calibration.grid_shift import (
    RecalibrationError,
    amplitude_maps,
    candidate_shifts,
    match_labelled,
    match_unlabelled,
    sources,
)
from decoding.feature_chain import FeatureBlock
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from tests.cal_support import COLUMNS, MUSCLES, ROWS, SLEEVE, maps

HOP_RATE_HZ = 20.0
THEN = np.log(np.stack([maps(gesture) for gesture in MUSCLES]))


def _activity(
    rows: float,
    columns: float,
    *,
    gestures=tuple(MUSCLES),
    seconds: float = 3.0,
    gain: float = 1.0,
    person: int = 0,
) -> FeatureBlock:
    """Log-RMS windows of rest and gestures; a window of 200 ms estimates an amplitude to some 10 %."""
    rng = np.random.default_rng(1)
    parts = []
    for gesture in ("rest", *gestures):
        shape = 6.0 + (maps(gesture, rows, columns, person=person) - 6.0) * gain
        noise = rng.normal(0.0, 0.1, (int(seconds * HOP_RATE_HZ), ROWS * COLUMNS))
        parts.append(np.log(shape) + noise)
    features = np.concatenate(parts).astype(np.float32)
    n = len(features)
    return FeatureBlock(
        features[:, :, np.newaxis],
        features.mean(axis=1),
        np.ones(n, dtype=np.float32),
        np.arange(n, dtype=np.int64),
    )


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (3, 0), (-2, 1), (4, -2), (0, 2)])
def test_each_channel_is_found_where_its_pattern_has_gone(rows, columns):
    to, inside = sources(SLEEVE, rows, columns)
    expected = np.roll(np.arange(32).reshape(ROWS, COLUMNS), -rows, axis=0)
    expected = expected[:, np.clip(np.arange(COLUMNS) + columns, 0, COLUMNS - 1)]
    np.testing.assert_array_equal(to, expected.ravel())
    stays = (np.arange(32) % COLUMNS + columns >= 0) & (np.arange(32) % COLUMNS + columns < COLUMNS)
    np.testing.assert_array_equal(inside, np.flatnonzero(stays))


def test_beside_a_missing_electrode_the_nearest_on_the_way_stands_in():
    grid = ElectrodeGrid("strip", ((0, 1, 2, -1),), 10.0)
    to, inside = sources(grid, 0, 2)
    np.testing.assert_array_equal(to, [2, 2, 2])
    np.testing.assert_array_equal(inside, [0])


def test_turns_are_searched_all_the_way_and_pushes_a_little():
    found = candidate_shifts(SLEEVE)
    assert {rows for rows, _ in found} == set(range(-3, 5))
    assert {columns for _, columns in found} == {-2, -1, 0, 1, 2}
    flat = candidate_shifts(rectangular_grid(13, 5, 8.0))
    assert {rows for rows, _ in flat} == {columns for _, columns in flat} == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize("rows", range(-3, 5))
@pytest.mark.parametrize("columns", [-1, 0, 1])
def test_any_turn_and_push_is_found_without_labels(rows, columns):
    found = match_unlabelled(THEN, _activity(rows, columns, gain=1.4), ("log_rms",), SLEEVE, HOP_RATE_HZ)
    assert (found.rows, found.columns) == (rows, columns)
    assert found.similarity > 0.9


def test_labels_find_it_too():
    now = np.log(np.stack([maps(gesture, -2, 1) for gesture in MUSCLES]))
    found = match_labelled(THEN, now, SLEEVE)
    assert (found.rows, found.columns) == (-2, 1)


@pytest.mark.parametrize("person", range(1, 25))
def test_strangers_are_refused(person):
    with pytest.raises(RecalibrationError):
        match_unlabelled(THEN, _activity(0, 0, person=person), ("log_rms",), SLEEVE, HOP_RATE_HZ)


@pytest.mark.parametrize(
    ("activity", "named"),
    [
        (_activity(0, 0, gestures=()), "stand out from rest"),
        (_activity(0, 0, seconds=0.5), "stand out from rest"),
        (_activity(2, 0, gestures=("fist",), seconds=6.0), "looks like 1 gesture"),
        (_activity(0, 0, person=4), r"above 0\.\d+ is needed"),
    ],
)
def test_thin_evidence_is_refused_in_one_line(activity, named):
    with pytest.raises(RecalibrationError, match=named) as caught:
        match_unlabelled(THEN, activity, ("log_rms",), SLEEVE, HOP_RATE_HZ)
    assert "\n" not in str(caught.value)


def test_activity_that_contradicts_itself_is_refused():
    """One half of it says that the sleeve turned by two rows, the other by minus two."""
    parts = [_activity(2, 0), _activity(-2, 0)]
    both = FeatureBlock(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("features", "log_amplitude", "quality", "last_sample")
        )
    )
    with pytest.raises(RecalibrationError):
        match_unlabelled(THEN, both, ("log_rms",), SLEEVE, HOP_RATE_HZ)


def test_maps_need_a_logarithm():
    values = np.ones((2, 32, 3), dtype=np.float32)
    values[..., 0] = 5.0
    np.testing.assert_array_equal(amplitude_maps(values, ("log_rms", "mav", "ar_1")), np.full((2, 32), 5.0))
    with pytest.raises(RecalibrationError, match="no logarithmic feature"):
        amplitude_maps(values, ("waveform_length", "mav", "ar_1"))
