from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.grid import rectangular_grid
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.chunks import split_at_gaps

FS_HZ = 1000.0
INFO = EmgStreamInfo("s", "s-1", FS_HZ, rectangular_grid(1, 2, 1.0), ("a", "b"))


def split(t_s, previous=None, info=INFO):
    t_s = np.asarray(t_s, dtype=np.float64)
    emg_uv = np.stack((np.arange(len(t_s)), -np.arange(len(t_s))), axis=1).astype(np.float32)
    return split_at_gaps(emg_uv, t_s, info, previous)


def test_a_regular_stream_stays_one_chunk():
    (chunk,) = split(5.0 + np.arange(100) / FS_HZ, previous=4.999)
    assert chunk.gap_before_s == 0.0
    assert chunk.n_samples == 100


def test_the_first_sample_of_a_stream_is_no_gap():
    assert [chunk.gap_before_s for chunk in split([123.0, 123.001])] == [0.0]


def test_missing_samples_split_and_the_missing_time_is_told():
    chunks = split([0.0, 0.001, 0.007, 0.008], previous=-0.001)
    assert [chunk.t_lsl_s.tolist() for chunk in chunks] == [[0.0, 0.001], [0.007, 0.008]]
    assert chunks[1].gap_before_s == pytest.approx(0.005)
    assert chunks[1].emg_uv.tolist() == [[2.0, -2.0], [3.0, -3.0]]


def test_a_gap_between_two_pulls_is_a_gap():
    (chunk,) = split([1.0, 1.001], previous=0.5)
    assert chunk.gap_before_s == pytest.approx(0.499)


@pytest.mark.parametrize("second", [0.01, 0.009, -5.0, float("nan")])
def test_time_that_stands_still_or_runs_back_or_is_no_number_is_never_accepted(second):
    chunks = split([0.01, second])
    assert [chunk.n_samples for chunk in chunks] == [1, 1]
    assert chunks[1].gap_before_s != 0.0


@pytest.mark.parametrize("fs_hz", [500.0, 2000.0, 4000.0, 10240.0])
def test_one_missing_sample_is_a_gap_at_any_rate_and_a_crooked_step_is_none(fs_hz):
    info = EmgStreamInfo("s", "s-1", fs_hz, INFO.grid, ("a", "b"))
    assert len(split(np.array([0.0, 1.001, 2.4, 3.2]) / fs_hz, info=info)) == 1
    before, behind = split(np.array([0.0, 1.0, 3.0, 4.0]) / fs_hz, info=info)
    assert (before.n_samples, behind.n_samples) == (2, 2)
    assert behind.gap_before_s == pytest.approx(1.0 / fs_hz)


def test_at_higher_speed_the_tolerance_shrinks_with_the_interval():
    fast = EmgStreamInfo("s", "s-1", FS_HZ, INFO.grid, ("a", "b"), playback_speed=100.0)
    steps_s = np.array([0.0, 1e-5, 2e-5, 2e-5 + 5e-5])
    assert [chunk.n_samples for chunk in split(steps_s, info=fast)] == [3, 1]


def test_no_samples_are_no_chunks():
    assert split([]) == []


@settings(deadline=None)
@given(
    missing=st.sets(st.integers(1, 199), max_size=8),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_however_samples_arrive_the_same_gaps_are_found(missing, cuts):
    # Ten samples are missing before each sample in `missing`.
    steps = np.ones(200)
    steps[list(missing)] = 11
    t_s = np.cumsum(steps) / FS_HZ
    emg_uv = np.arange(400, dtype=np.float32).reshape(200, 2)
    edges = [0, *sorted(cuts), 200]
    chunks, previous = [], None
    for start, stop in pairwise(edges):
        chunks += split_at_gaps(emg_uv[start:stop], t_s[start:stop], INFO, previous)
        previous = t_s[stop - 1] if stop > start else previous
    np.testing.assert_array_equal(np.concatenate([chunk.emg_uv for chunk in chunks]), emg_uv)
    np.testing.assert_array_equal(np.concatenate([chunk.t_lsl_s for chunk in chunks]), t_s)
    found = {round(chunk.t_lsl_s[0] * FS_HZ) for chunk in chunks if chunk.gap_before_s > 0}
    assert found == {round(t_s[k] * FS_HZ) for k in missing}
    assert all(chunk.n_samples for chunk in chunks)
