"""Time stamps from a device's count: regular, within a millisecond of the truth, and the same for any chunking."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.grid import rectangular_grid
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.chunks import split_at_gaps
from emg_acquisition.streams.sample_clock import MAX_STEER, SampleClock

FS_HZ = 2000.0
INFO = EmgStreamInfo("s", "s-1", FS_HZ, rectangular_grid(1, 1, 1.0), ("a",))
# Stamps count from the least delay of the link: where each packet of 20 samples is delivered at once, the
# least delayed sample is a packet's last.
PACKET = 20


def simulate(seconds, ppm, delay_s, seed, start_s=100.0):
    """Return packet arrivals on the host's clock and when each sample was truly taken, by a crystal off by ppm."""
    rng = np.random.default_rng(seed)
    n_packets = int(seconds * FS_HZ / PACKET)
    t_true_s = start_s + np.arange(n_packets * PACKET) / (FS_HZ * (1 + 1e-6 * ppm))
    sent_s = t_true_s[PACKET - 1 :: PACKET]
    # TCP keeps the order: nothing overtakes what was sent before it.
    return np.maximum.accumulate(sent_s + delay_s(rng, n_packets, sent_s - start_s)), t_true_s


def stamps_of(arrivals_s, clock=None):
    clock = clock or SampleClock(FS_HZ)
    return np.concatenate([clock.stamp(PACKET, t_s) for t_s in arrivals_s])


def bursts(rng, n, _t_s):
    """0.3 to 1 ms always, and in one packet of five up to 30 ms more."""
    return rng.uniform(0.0003, 0.001, n) + rng.uniform(0, 0.03, n) * (rng.random(n) < 0.2)


def uniform(rng, n, _t_s):
    return rng.uniform(0.0, 0.03, n)


@pytest.mark.parametrize("ppm", [-100.0, 0.0, 100.0])
@pytest.mark.parametrize("delay_s", [bursts, uniform])
def test_drift_is_followed_within_two_milliseconds_whatever_the_jitter(ppm, delay_s):
    arrivals_s, t_true_s = simulate(120.0, ppm, delay_s, seed=3)
    t_lsl_s = stamps_of(arrivals_s)
    assert len(t_lsl_s) == len(t_true_s)
    error_s = t_lsl_s - t_true_s
    # From the first sample on, though 100 ppm would be 12 ms apart at the end.
    assert np.abs(error_s).max() < 0.0045
    assert np.abs(error_s[int(20 * FS_HZ) :]).max() < 0.002
    steps_s = np.diff(t_lsl_s)
    assert np.abs(steps_s * FS_HZ - 1).max() <= MAX_STEER + 1e-6
    assert [chunk.gap_before_s for chunk in split_at_gaps(t_lsl_s[:, None], t_lsl_s, INFO, None)] == [0.0]


def test_steps_are_equal_within_a_segment_of_50_ms():
    arrivals_s, _ = simulate(20.0, 100.0, bursts, seed=4)
    steps_s = np.diff(stamps_of(arrivals_s).reshape(-1, 100), axis=1)
    np.testing.assert_allclose(steps_s, np.broadcast_to(steps_s[:, :1], steps_s.shape), rtol=0, atol=1e-10)


def test_a_stall_delays_no_time_stamp_and_what_waited_keeps_its_age():
    def stalled(rng, n, t_s):
        # Whatever is sent during the stall arrives when it is over.
        return rng.uniform(0, 0.001, n) + np.where((t_s > 10) & (t_s < 13), 13 - t_s, 0.0)

    arrivals_s, t_true_s = simulate(30.0, 0.0, stalled, seed=5)
    t_lsl_s = stamps_of(arrivals_s)
    assert np.abs(t_lsl_s - t_true_s).max() < 0.002


@pytest.mark.parametrize("delay", ["late at first", "a second at once"])
def test_a_late_beginning_is_put_right_before_anything_is_stamped(delay):
    def late_at_first(rng, n, t_s):
        return rng.uniform(0, 0.001, n) + np.maximum(
            {"late at first": 0.1, "a second at once": 1.0}[delay] - t_s, 0
        )

    arrivals_s, t_true_s = simulate(2.0, 0.0, late_at_first, seed=6)
    clock = SampleClock(FS_HZ)
    stamped = [clock.stamp(PACKET, t_s) for t_s in arrivals_s]
    n_waiting = next(k for k, stamps in enumerate(stamped) if len(stamps))
    assert arrivals_s[n_waiting] - arrivals_s[0] == pytest.approx(0.22, abs=0.04)
    assert len(stamped[n_waiting]) == (n_waiting + 1) * PACKET
    t_lsl_s = np.concatenate(stamped)
    assert np.abs(t_lsl_s - t_true_s[: len(t_lsl_s)]).max() < 0.001


@pytest.mark.parametrize("lost", [5, 128, 7_000, 40_000_000])
@pytest.mark.parametrize("at_s", [0.1, 5.0])
def test_lost_samples_are_exactly_the_gap(lost, at_s):
    arrivals_s, _ = simulate(10.0, 0.0, bursts, seed=7)
    first = int(at_s * FS_HZ / PACKET)
    clock = SampleClock(FS_HZ)
    parts = [clock.stamp(PACKET, t_s) for t_s in arrivals_s[:first]]
    later_s = arrivals_s[first:] + lost / FS_HZ
    parts.append(clock.stamp(PACKET, later_s[0], lost_before=lost))
    parts += [clock.stamp(PACKET, t_s) for t_s in later_s[1:]]
    t_lsl_s = np.concatenate(parts)
    assert len(t_lsl_s) == len(arrivals_s) * PACKET
    gaps = [chunk.gap_before_s for chunk in split_at_gaps(t_lsl_s[:, None], t_lsl_s, INFO, None)]
    assert gaps == [0.0, pytest.approx(lost / FS_HZ, rel=1e-3)]


def test_a_lasting_delay_or_a_wrong_rate_shows_as_lag_and_is_never_stamped_away():
    def longer_way(rng, n, t_s):
        return rng.uniform(0, 0.001, n) + np.where(t_s > 5, 0.4, 0.0)

    arrivals_s, t_true_s = simulate(15.0, 0.0, longer_way, seed=8)
    clock = SampleClock(FS_HZ)
    t_lsl_s = stamps_of(arrivals_s, clock)
    assert clock.lag_s > 0.35
    assert (
        t_lsl_s - t_true_s
    ).max() < 0.015  # steered by 0.1 % at the most, no jump towards the late arrivals
    arrivals_s, _ = simulate(30.0, -20_000.0, bursts, seed=9)
    stamps_of(arrivals_s, clock := SampleClock(FS_HZ))
    assert clock.lag_s > 0.3


def test_reset_begins_a_new_stretch():
    clock = SampleClock(FS_HZ)
    arrivals_s, _ = simulate(10.0, 50.0, bursts, seed=10)
    stamps_of(arrivals_s, clock)
    clock.reset()
    later_s, t_true_s = simulate(5.0, 50.0, bursts, seed=11, start_s=500.0)
    assert np.abs(stamps_of(later_s, clock) - t_true_s).max() < 0.002


@settings(max_examples=60, deadline=None)
@given(
    blocks=st.lists(
        st.tuples(st.integers(1, 400), st.floats(0, 0.05), st.sampled_from([0, 0, 0, 30])),
        min_size=8,
        max_size=30,
    ),
    cuts=st.lists(st.integers(1, 150), min_size=1, max_size=20),
)
def test_any_split_of_what_arrives_together_gives_the_same_stamps(blocks, cuts):
    whole, split = SampleClock(FS_HZ), SampleClock(FS_HZ)
    expected, got = [], []
    taken = cut = 0
    for n_samples, delay_s, lost in blocks:
        taken += n_samples + lost
        t_s = taken / FS_HZ + delay_s
        expected.append(whole.stamp(n_samples, t_s, lost))
        left = n_samples
        while left:
            part = min(left, cuts[cut % len(cuts)])
            cut += 1
            got.append(split.stamp(part, t_s, lost if left == n_samples else 0))
            left -= part
    np.testing.assert_allclose(np.concatenate(got), np.concatenate(expected), rtol=0, atol=1e-9)
    assert split.lag_s == pytest.approx(whole.lag_s, abs=1e-9)
