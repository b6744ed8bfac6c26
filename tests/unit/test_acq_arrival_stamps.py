"""Stamps given on arrival, with injected jitter, drift, losses and clock resets, against the times of taking."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.grid import rectangular_grid
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.arrival_stamps import BLOCK_S, BREAK_S, LATE_S, ArrivalStamps
from emg_acquisition.streams.chunks import ChunkSplitter
from emg_acquisition.streams.stream_xml import emg_header_xml, emg_info_from_xml

FS_HZ = 1000.0
INFO = EmgStreamInfo("Foreign", "f-1", FS_HZ, rectangular_grid(1, 2, 8.0), ("a", "b"), arrival_stamps=True)


def arrivals(n, rng, *, packet=20, fs_hz=FS_HZ, late_s=0.015):
    """Times of taking, and the stamps that a sender gives: a packet's samples end where the packet arrives."""
    taken_s = 500.0 + np.arange(n) / fs_hz
    last = np.minimum(np.arange(n) // packet * packet + packet - 1, n - 1)
    late = np.repeat(rng.gamma(1.0, late_s / 4, n // packet + 1), packet)[:n]
    sent_s = taken_s[last] + late - (last - np.arange(n)) / FS_HZ
    return taken_s, sent_s


@pytest.mark.parametrize("drift_ppm", [0, 80, -80])
def test_jitter_goes_drift_is_followed_and_no_gap_is_invented(drift_ppm):
    rng = np.random.default_rng(1)
    taken_s, sent_s = arrivals(60_000, rng, fs_hz=FS_HZ * (1 + drift_ppm * 1e-6))
    assert (np.diff(sent_s) <= 0).any()  # as sent, every other packet would look like a gap
    t_s, breaks = ArrivalStamps(1 / FS_HZ).process(sent_s)
    assert breaks == []
    assert np.diff(t_s).min() > 0.9 / FS_HZ
    assert np.abs(np.diff(t_s[2000:]) * FS_HZ - 1).max() < 0.005
    assert np.abs(t_s - taken_s)[2000:].max() < 0.001
    assert np.abs(np.std(sent_s - taken_s)) > 0.003  # the jitter that was injected


@pytest.mark.parametrize("missing", [10, 40, 300])
def test_missing_samples_are_told_within_a_second(missing):
    rng = np.random.default_rng(2)
    taken_s, sent_s = arrivals(20_000, rng)
    kept = np.r_[0:7020, 7020 + missing : 20_000]
    t_s, breaks = ArrivalStamps(1 / FS_HZ).process(sent_s[kept])
    ((index, off_s),) = breaks
    assert 7020 <= index <= 7020 + 2 * BLOCK_S * FS_HZ
    assert off_s == pytest.approx(missing / FS_HZ, abs=0.004)
    assert np.abs(t_s - taken_s[kept])[index + 3000 :].max() < 0.001


@pytest.mark.parametrize("jump_s", [-3600.0, -5.0, 5.0, 1e6])
def test_a_clock_that_is_set_is_told_at_once(jump_s):
    taken_s, sent_s = arrivals(20_000, np.random.default_rng(3))
    sent_s[12_340:] += jump_s
    t_s, ((index, off_s),) = ArrivalStamps(1 / FS_HZ).process(sent_s)
    assert index == 12_340
    assert off_s == pytest.approx(abs(jump_s), abs=0.1)
    assert t_s[index] == sent_s[index]
    assert np.abs(t_s - taken_s - jump_s)[index + 3000 :].max() < 0.001


def test_a_burst_after_a_stall_is_late_and_not_lost():
    taken_s, sent_s = arrivals(20_000, np.random.default_rng(4))
    stalled = slice(7020, 7420)  # 0.4 s are held up and then arrive together
    sent_s[stalled] = taken_s[7420] + 1e-6 * np.arange(400)
    t_s, breaks = ArrivalStamps(1 / FS_HZ).process(sent_s)
    assert breaks == []
    assert np.abs(t_s - taken_s)[2000:].max() < 0.001


def test_a_stamp_that_is_no_number_begins_the_clock_anew():
    _, sent_s = arrivals(3000, np.random.default_rng(5))
    sent_s[1500:1502] = np.nan
    t_s, ((index, off_s),) = ArrivalStamps(1 / FS_HZ).process(sent_s)
    assert (index, off_s) == (1502, np.inf)
    assert np.isnan(t_s[1500:1502]).all()
    assert np.isfinite(np.delete(t_s, [1500, 1501])).all()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cuts=st.lists(st.integers(0, 6000), max_size=30),
    lost=st.integers(0, 1500),
    jump_s=st.sampled_from([0.0, BREAK_S * 2, -0.5, np.nan]),
)
def test_any_chunks_give_the_same_and_a_break_forgets_the_past(seed, cuts, lost, jump_s):
    rng = np.random.default_rng(seed)
    _, sent_s = arrivals(6000 + lost, rng, packet=1 + seed % 50)
    sent_s = np.r_[sent_s[:2500], sent_s[2500 + lost :]]
    sent_s[4000:] += jump_s
    emg_uv = rng.normal(size=(6000, 2)).astype(np.float32)
    whole = ChunkSplitter(INFO).split(emg_uv, sent_s)
    splitter, parts = ChunkSplitter(INFO), []
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 6000], strict=True):
        parts += splitter.split(emg_uv[start:stop], sent_s[start:stop])
    for name in ("t_lsl_s", "emg_uv"):
        joined = [np.concatenate([getattr(chunk, name) for chunk in chunks]) for chunks in (whole, parts)]
        np.testing.assert_array_equal(*joined)
    gaps = [[chunk.gap_before_s for chunk in chunks if chunk.gap_before_s > 0] for chunks in (whole, parts)]
    assert gaps[0] == gaps[1]
    begun = np.cumsum([0, *(chunk.n_samples for chunk in whole)])[1:-1]
    for index, chunk in zip(begun, whole[1:], strict=True):
        if np.isfinite(sent_s[index]):
            alone = ChunkSplitter(INFO).split(emg_uv[index:], sent_s[index:])[0]
            np.testing.assert_array_equal(alone.t_lsl_s, chunk.t_lsl_s)


def test_what_cannot_be_told_from_lateness_is_small_and_streams_say_what_they_do():
    assert LATE_S <= 0.005
    assert emg_info_from_xml(emg_header_xml(INFO)) == INFO
