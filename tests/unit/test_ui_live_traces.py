"""The newest EMG on demand: kept whole however it arrives, paged, and filtered as the decoder filters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from decoding.filters import design_filter
from decoding.signal_settings import SignalSettings
from teleoperation.recent_signal import RecentSignal
from ui.view_models.live_traces import ELECTRODES, SETTLING_S, SHOWN_S, TraceChoice, shown_traces

FS_HZ = 1000.0
DESIGN = design_filter(SignalSettings(), FS_HZ)


@given(st.lists(st.integers(0, 60), max_size=12))
def test_the_newest_samples_are_kept_whatever_the_chunks(lengths):
    emg_uv = np.arange(2 * sum(lengths), dtype=np.float32).reshape(-1, 2)
    recent, at = RecentSignal(50, 2), 0
    for length in lengths:
        recent.add(emg_uv[at : at + length])
        at += length
    assert np.array_equal(recent.newest(np.array([1, 0])), emg_uv[-50:, [1, 0]])


def test_after_a_gap_nothing_older_is_shown():
    recent = RecentSignal(50, 1)
    recent.add(np.ones((40, 1), dtype=np.float32))
    recent.clear()
    recent.add(np.full((3, 1), 7.0, dtype=np.float32))
    assert recent.newest(np.array([0])).tolist() == [[7.0]] * 3


def test_raw_filtered_and_the_camera_again():
    choice = TraceChoice(first=ELECTRODES)
    kinds = [(choice := choice.next_kind(1)).kind for _ in range(3)]
    assert kinds == ["raw", "filtered", "off"]
    assert choice.first == ELECTRODES


def test_of_two_sleeves_each_has_its_turn_from_its_first_electrode():
    choice, shown = TraceChoice(), []
    for _ in range(5):
        choice = choice.next_kind(2)
        shown.append((choice.kind, choice.sleeve, choice.first))
        choice = choice.turned(1, 64)
    assert shown == [("raw", 0, 0), ("filtered", 0, 8), ("raw", 1, 0), ("filtered", 1, 8), ("off", 0, 0)]


@pytest.mark.parametrize("n_channels", [1, 7, 8, 20, 64])
def test_turning_pages_shows_every_electrode_once_and_comes_round(n_channels):
    choice, seen = TraceChoice("raw"), []
    while not seen or choice.first != 0:
        seen += choice.channels(n_channels).tolist()
        choice = choice.turned(1, n_channels)
    assert seen == list(range(n_channels))
    assert choice.turned(1, n_channels).turned(-1, n_channels) == choice


def test_raw_traces_are_the_newest_samples_as_they_came():
    emg_uv = np.random.default_rng(1).normal(0, 20, (2500, 3)).astype(np.float32)
    shown = shown_traces(emg_uv, FS_HZ, "raw", DESIGN)
    assert np.array_equal(shown, emg_uv[-round(SHOWN_S * FS_HZ) :])


def test_filtered_traces_are_what_the_decoders_filter_makes_of_them():
    emg_uv = (300 + np.random.default_rng(1).normal(0, 20, (2500, 3))).astype(np.float32)
    sos = DESIGN.sections()
    start = signal.sosfilt_zi(sos)[:, :, np.newaxis] * emg_uv[0].astype(np.float64)
    expected, _ = signal.sosfilt(sos, emg_uv.astype(np.float64), axis=0, zi=start)
    shown = shown_traces(emg_uv, FS_HZ, "filtered", DESIGN)
    assert np.allclose(shown, expected[round(SETTLING_S * FS_HZ) :], atol=1e-2)


@pytest.mark.parametrize("kind", ["raw", "filtered"])
def test_what_is_no_number_is_no_reason_to_fail(kind):
    emg_uv = np.full((2500, 2), np.nan, dtype=np.float32)
    assert np.isfinite(shown_traces(emg_uv, FS_HZ, kind, DESIGN)).all()
    assert len(shown_traces(emg_uv[:0], FS_HZ, kind, DESIGN)) == 0
