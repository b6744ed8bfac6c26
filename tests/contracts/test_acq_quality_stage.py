"""The contract of a stage, in the docstring of `decoding`, held over the signal quality."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.quality.monitor import ChannelState, QualityMonitor
from tests.quality_support import muscle

FS_HZ = 2048.0
N_CHANNELS = 6


def troubled(seed: int = 0) -> np.ndarray:
    """Three seconds with every fault."""
    emg_uv = muscle(FS_HZ, 3.0, N_CHANNELS, seed=seed)
    rng = np.random.default_rng(seed)
    emg_uv[2500:, 1] = emg_uv[2500, 1]
    emg_uv[2000:, 2] += np.cumsum(rng.normal(0.0, 100.0, len(emg_uv) - 2000)).astype(np.float32)
    emg_uv[3000:4000, 3] = 2e5
    emg_uv[1500:1503, 4] = np.nan
    emg_uv[1700, 5] = np.inf
    return emg_uv


TROUBLED = troubled()


def rows(reports) -> list[bytes]:
    return [
        b"".join(
            [
                str(report.sample_index).encode(),
                report.states.tobytes(),
                *(getattr(report.measures, f.name).tobytes() for f in dataclasses.fields(report.measures)),
            ]
        )
        for report in reports
    ]


WHOLE = rows(QualityMonitor(FS_HZ, N_CHANNELS).process(TROUBLED))


def test_the_faults_are_seen():
    monitor = QualityMonitor(FS_HZ, N_CHANNELS)
    seen = {state for report in monitor.process(TROUBLED) for state in report.states.tolist()}
    assert seen >= {
        ChannelState.GOOD,
        ChannelState.FLAT,
        ChannelState.SATURATED,
        ChannelState.DETACHED,
        ChannelState.INVALID,
    }
    assert len(WHOLE) > 20


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, len(TROUBLED)), max_size=30))
def test_any_split_gives_the_same_bits_as_one_block(cuts):
    edges = [0, *sorted(cuts), len(TROUBLED)]
    monitor = QualityMonitor(FS_HZ, N_CHANNELS)
    split = [row for a, b in itertools.pairwise(edges) for row in rows(monitor.process(TROUBLED[a:b]))]
    assert split == WHOLE


def test_sample_by_sample_is_the_same_as_one_block():
    monitor = QualityMonitor(FS_HZ, N_CHANNELS)
    piece = TROUBLED[:1600]
    single = [row for k in range(len(piece)) for row in rows(monitor.process(piece[k : k + 1]))]
    assert single == WHOLE[: len(single)]
    assert len(single) >= 3


@settings(max_examples=10, deadline=None)
@given(st.integers(1100, len(TROUBLED) - 300), st.integers(1, 100))
def test_the_future_does_not_change_the_past(now, seed):
    other = TROUBLED.copy()
    other[now:] = troubled(seed)[now:]
    reports = QualityMonitor(FS_HZ, N_CHANNELS).process(other)
    until = sum(report.sample_index <= now for report in reports)
    assert rows(reports)[:until] == WHOLE[:until]
    assert rows(reports) != WHOLE


def test_reset_makes_it_as_new():
    monitor = QualityMonitor(FS_HZ, N_CHANNELS)
    monitor.process(troubled(3)[:4321])
    monitor.reset()
    assert rows(monitor.process(TROUBLED)) == WHOLE


def test_an_empty_chunk_gives_nothing_and_changes_nothing():
    monitor = QualityMonitor(FS_HZ, N_CHANNELS)
    assert monitor.process(TROUBLED[:0]) == []
    first = monitor.process(TROUBLED[:2000])
    assert monitor.process(TROUBLED[:0]) == []
    assert rows(first + monitor.process(TROUBLED[2000:])) == WHOLE


def test_input_is_neither_changed_nor_needed_afterwards():
    emg_uv = TROUBLED.copy()
    monitor = QualityMonitor(FS_HZ, N_CHANNELS)
    emg_uv.flags.writeable = False
    first = rows(monitor.process(emg_uv[:1730]))
    np.testing.assert_array_equal(emg_uv, TROUBLED)
    emg_uv.flags.writeable = True
    emg_uv[:1730] = 0.0
    assert first + rows(monitor.process(emg_uv[1730:])) == WHOLE


def test_a_report_does_not_change_when_more_comes():
    monitor = QualityMonitor(FS_HZ, N_CHANNELS)
    early = monitor.process(TROUBLED[:2500])
    before = rows(early)
    monitor.process(TROUBLED[2500:])
    assert rows(early) == before


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_a_broken_sample_is_named_and_never_latches(value):
    clean = muscle(FS_HZ, 3.0, N_CHANNELS)
    broken = clean.copy()
    broken[0, 0] = broken[2000:2010, 3] = broken[2100, :] = value
    reports = QualityMonitor(FS_HZ, N_CHANNELS).process(broken)
    assert {report.states[3] for report in reports if 2010 < report.sample_index < 3000} == {
        ChannelState.INVALID
    }
    assert (reports[-1].states == ChannelState.GOOD).all()
    last = reports[-1].measures
    assert rows(reports)[-1] == rows(QualityMonitor(FS_HZ, N_CHANNELS).process(clean))[-1]
    assert all(np.isfinite(getattr(last, f.name)).all() for f in dataclasses.fields(last))
