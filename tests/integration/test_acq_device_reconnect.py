"""Real drivers over real TCP and real LSL: an amplifier that goes and comes back, as its readers see it."""

import numpy as np
import pytest

from emg_acquisition.sources.amplifiers import AmplifierChoice
from emg_acquisition.streams.device_publisher import DeviceLimits
from simulation.amplifiers.emulate import emulate_amplifier
from simulation.amplifiers.signals import PATTERN_CHANNEL_STEP, PATTERN_SAMPLE_STEP, PatternSignal
from tests.device_support import Running

pytestmark = pytest.mark.usefixtures("lsl_session")


@pytest.fixture
def publish(monkeypatch):
    # Every amplifier measures a pattern in which each count tells its sample and its channel.
    monkeypatch.setattr("simulation.amplifiers.emulate.SourceSignal", lambda _sources: PatternSignal())
    running, emulators = [], []

    def start(choice):
        device, emulator = emulate_amplifier(choice, lambda _device: [])
        emulators.append(emulator)
        emulator.start()
        running.append(Running(device, DeviceLimits()))
        return running[-1], emulator

    yield start
    for run in running:
        run.close()
    for emulator in emulators:
        emulator.stop()


def joined(chunks):
    return np.concatenate([c.emg_uv for c in chunks]), np.concatenate([c.t_lsl_s for c in chunks])


def numbers_of(emg_uv, lsb_uv):
    """Return which sample of the pattern each row is; fails where its channels are not all of that sample."""
    counts = np.rint(emg_uv / lsb_uv).astype(np.int64)
    channels = PATTERN_CHANNEL_STEP * np.arange(emg_uv.shape[1])
    step = pow(PATTERN_SAMPLE_STEP, -1, 2**16)
    numbers = (counts + 2**15 - channels) * step % 2**16
    np.testing.assert_array_equal(numbers, np.broadcast_to(numbers[:, :1], numbers.shape), "misaligned")
    return numbers[:, 0]


def test_a_connection_cut_in_the_middle_of_a_sample_is_one_gap_and_no_misaligned_sample(publish):
    run, emulator = publish(AmplifierChoice("muovi+", serial="cut"))
    run.pull_until(lambda: sum(chunk.n_samples for chunk in run.chunks) > 1000)
    emulator.faults.half_packets = True
    emulator.faults.cut(0.4)
    run.pull_until(lambda: run.seen("device_back"))
    after = len(run.chunks)
    run.pull_until(lambda: sum(chunk.n_samples for chunk in run.chunks[after:]) > 1000)
    lost, back = run.seen("device_lost")[0], run.seen("device_back")[0]
    assert back.t_lsl_s - lost.t_lsl_s < 0.4 + 2.0
    emg_uv, t_lsl_s = joined(run.chunks)
    (gap,) = [chunk for chunk in run.chunks if chunk.gap_before_s]
    n = numbers_of(emg_uv, 0.2861)
    place = int(np.searchsorted(t_lsl_s, gap.t_lsl_s[0]))
    for part in (n[:place], n[place:]):
        np.testing.assert_array_equal(np.diff(part) % 2**16, 1)
    assert (np.diff(t_lsl_s) > 0).all()
    assert gap.gap_before_s > 0.3
    report = run.end()
    assert report.reconnects == 1


def test_samples_lost_on_the_way_are_a_gap_of_their_length(publish):
    run, emulator = publish(AmplifierChoice("muovi+", serial="drops"))
    run.pull_until(lambda: sum(chunk.n_samples for chunk in run.chunks) > 500)
    emulator.faults.drop(123)
    run.pull_until(lambda: run.seen("device_gap") and any(chunk.gap_before_s for chunk in run.chunks))
    (gap,) = [chunk for chunk in run.chunks if chunk.gap_before_s]
    (event,) = run.seen("device_gap")
    # The first sample behind a loss may be made of two halves: the driver counts it as lost too.
    assert event.fields["lost_samples"] == 124
    assert gap.gap_before_s == pytest.approx(124 / 2000, rel=2e-3)
    values = numbers_of(joined(run.chunks)[0], 0.2861)
    assert sorted({int(step) for step in np.diff(values) % 2**16}) == [1, 125]
    assert event.t_lsl_s == gap.t_lsl_s[0]


@pytest.mark.slow
def test_an_amplifier_that_falls_silent_is_told_lost_and_found_again(publish):
    run, emulator = publish(AmplifierChoice("intan", serial="quiet"))
    run.pull_until(lambda: run.chunks)
    emulator.hang.set()
    run.pull_until(lambda: run.seen("device_lost"))
    assert "no sample for" in run.seen("device_lost")[0].fields["reason"]
    assert run.seen("device_silent")
    emulator.hang.clear()
    run.pull_until(lambda: run.seen("device_back"))
    after = len(run.chunks)
    run.pull_until(lambda: len(run.chunks) > after)
    assert run.end().reconnects >= 1
