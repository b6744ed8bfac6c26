"""The RHX driver against the RHX emulator over real TCP: nothing lost, nothing moved, every fault told."""

import time
from itertools import pairwise

import numpy as np
import pytest

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.sources.intan_rhx import IntanRhx, IntanSettings
from simulation.amplifiers.emulator import send_until
from simulation.amplifiers.intan_rhx import IntanRhxEmulator
from tests.device_support import read_blocks
from tests.waiting import PATIENCE_S, wait_for

GRID = rectangular_grid(4, 16, 16.0)


class Signal:
    """Noise in counts over the whole range; sample n is known for ever."""

    def __init__(self, n_channels, seed=1):
        rng = np.random.default_rng(seed)
        self.rows = rng.integers(0, 2**16, (8192 + 1, n_channels))

    def counts(self, first_sample, n_samples, n_channels, converter):
        assert (n_channels, converter.lsb_uv, converter.bits) == (self.rows.shape[1], 0.195, 16)
        return self.rows[(first_sample + np.arange(n_samples)) % len(self.rows)] - 32768

    def emg_uv(self, first, n_samples):
        rows = (first + np.arange(n_samples)) % len(self.rows)
        return (0.195 * (self.rows[rows] - 32768.0)).astype(np.float32)


@pytest.fixture
def emulate():
    running = []

    def start(signal, **options):
        running.append(IntanRhxEmulator(signal, command_port=0, **options))
        running[-1].start()
        return running[-1]

    yield start
    for emulator in running:
        emulator.stop()


@pytest.fixture
def driver():
    opened = []

    def start(emulator, connect=True, **changes):
        host, port = emulator.address
        settings = {
            "grids": (GRID,),
            "host": host,
            "command_port": port,
            "waveform_port": emulator.waveform_port,
        }
        opened.append(IntanRhx(IntanSettings(**{**settings, **changes})))
        if connect:
            opened[-1].connect(PATIENCE_S)
        return opened[-1]

    yield start
    for device in opened:
        device.close()


def follow(seconds, emulate, driver):
    """Read 64 channels at 4 kHz and compare every sample with what was sent, as it comes."""
    signal = Signal(64)
    device = driver(emulate(signal))
    checked = 0
    while checked < seconds * 4000:
        for block in read_blocks(device, 1):
            assert block.lost_before == 0
            np.testing.assert_array_equal(block.emg_uv[0], signal.emg_uv(checked, block.n_samples))
            checked += block.n_samples
    return checked


def test_64_channels_at_4_khz_arrive_to_the_bit(emulate, driver):
    assert follow(0.5, emulate, driver) >= 2000


@pytest.mark.slow
@pytest.mark.campaign
def test_64_channels_at_4_khz_for_a_minute_arrive_to_the_bit(emulate, driver):
    assert follow(60.0, emulate, driver) >= 240_000


def test_packets_cut_anywhere_move_no_sample(emulate, driver, monkeypatch):
    rng = np.random.default_rng(2)

    def in_pieces(connected, data, stop):
        edges = [0, *sorted(rng.integers(0, len(data) + 1, 3).tolist()), len(data)]
        for first, end in pairwise(edges):
            send_until(connected, data[first:end], stop)
            time.sleep(0.002)

    monkeypatch.setattr("simulation.amplifiers.intan_rhx.send_until", in_pieces)
    signal = Signal(64)
    blocks = read_blocks(driver(emulate(signal)), 2000)
    emg_uv = np.concatenate([block.emg_uv[0] for block in blocks])
    np.testing.assert_array_equal(emg_uv, signal.emg_uv(0, len(emg_uv)))


def test_two_sleeves_on_two_ports_are_two_streams(emulate, driver):
    signal = Signal(2 * 128)
    emulator = emulate(signal, n_channels=128, ports="AB")
    grid = rectangular_grid(8, 16, 16.0)
    device = driver(emulator, grids=(grid, grid), ports="AB")
    checked = 0
    for block in read_blocks(device, 2000):
        expected = signal.emg_uv(checked, block.n_samples)
        np.testing.assert_array_equal(block.emg_uv[0], expected[:, :128])
        np.testing.assert_array_equal(block.emg_uv[1], expected[:, 128:])
        checked += block.n_samples


def test_only_the_chosen_channels_come_in_their_order(emulate, driver):
    signal = Signal(64)
    device = driver(emulate(signal), grids=(rectangular_grid(1, 3, 8.0),), channels=(2, 40, 63))
    first = read_blocks(device, 1)[0]
    np.testing.assert_array_equal(first.emg_uv[0], signal.emg_uv(0, first.n_samples)[:, [2, 40, 63]])


def test_what_the_time_stamps_show_to_be_lost_is_told_over_their_end(emulate, driver):
    emulator = emulate(Signal(64))
    device = driver(emulator)
    read_blocks(device, 256)
    emulator.counter += 1000
    blocks = read_blocks(device, 1024)
    assert sum(block.lost_before for block in blocks) == 1000
    # On to the end of the 32 bits in two leaps, and over it without another loss.
    for leap in (2**31 - 1000, 2**32 - 1000):
        emulator.counter = leap
        assert sum(block.lost_before for block in read_blocks(device, 256)) > 2**30
    assert not any(block.lost_before for block in read_blocks(device, 2000))
    emulator.counter = 2**32 - 1000
    with pytest.raises(StreamLostError, match="ran back"):
        read_blocks(device, 100_000)


def test_a_cut_connection_is_lost_and_is_connected_again_within_two_seconds(emulate, driver):
    signal = Signal(64)
    emulator = emulate(signal)
    device = driver(emulator)
    for _ in range(3):
        read_blocks(device, 500)
        emulator.cut_waveforms.set()
        with pytest.raises(StreamLostError, match=r"closed the connection|is gone"):
            read_blocks(device, 100_000)
        t_s = time.monotonic()
        device.connect(PATIENCE_S)
        block = read_blocks(device, 1)[0]
        assert time.monotonic() - t_s < 2.0
        assert not emulator.cut_waveforms.is_set()
        # Aligned from its first sample: every row is a row that was sent.
        rows = {row.tobytes() for row in signal.emg_uv(0, len(signal.rows))}
        assert all(row.tobytes() in rows for row in block.emg_uv[0])


def test_an_rhx_that_dies_and_is_started_again_is_found_again(emulate, driver):
    signal = Signal(64)
    first = emulate(signal)
    device = driver(first)
    read_blocks(device, 128)
    port, waveform_port = first.address[1], first.waveform_port
    first.stop()
    with pytest.raises(StreamLostError):
        read_blocks(device, 100_000)
    with pytest.raises(StreamLostError, match="no device answers"):
        device.connect(0.3)
    again = IntanRhxEmulator(signal, command_port=port, waveform_port=waveform_port)
    again.start()
    try:
        device.connect(PATIENCE_S)
        assert read_blocks(device, 256)
    finally:
        device.close()
        again.stop()


def test_silence_is_no_samples_and_closing_stops_rhx(emulate, driver):
    emulator = emulate(Signal(64))
    device = driver(emulator)
    read_blocks(device, 128)
    emulator.hang.set()
    wait_for(lambda: not device.read(0.05), "silence", poll_s=0)
    assert device.read(0.1) == []
    device.close()
    device.close()
    wait_for(lambda: not emulator.running, "the end of RHX's run")


def test_another_rate_and_channels_that_are_not_there_are_one_line(emulate, driver):
    emulator = emulate(Signal(32), n_channels=32)
    with pytest.raises(InputError, match="RHX runs at 4000 Hz, 2000 Hz was asked for"):
        driver(emulator, connect=False, fs_hz=2000.0).connect(PATIENCE_S)
    with pytest.raises(InputError, match=r"refuses: .*Unrecognized parameter"):
        driver(emulator, connect=False).connect(PATIENCE_S)
    with pytest.raises(StreamLostError, match="connect first"):
        driver(emulator, connect=False).read(0.1)


def test_a_wrong_number_of_channels_is_an_error_and_never_misaligned_samples(emulate, driver, monkeypatch):
    emulator = emulate(Signal(64))
    device = driver(emulator, connect=False)
    # Somebody else enables fewer channels between our set-up and the first sample.
    execute = emulator._execute

    def fewer(action):
        reply = execute(action)
        if action.startswith("connect"):
            emulator._enabled = {name for name in emulator._enabled if int(name[2:]) < 20}
        return reply

    monkeypatch.setattr(emulator, "_execute", fewer)
    device.connect(PATIENCE_S)
    with pytest.raises(InputError, match="20 channels, 64 were asked for"):
        read_blocks(device, 100_000)


def test_channels_that_change_later_are_a_loss_and_never_misaligned_samples(emulate, driver):
    signal = Signal(64)
    emulator = emulate(signal)
    device = driver(emulator)
    read_blocks(device, 256)
    emulator._enabled.discard("A-007")
    with pytest.raises(StreamLostError, match="no longer aligned"):
        read_blocks(device, 100_000)
    device.connect(PATIENCE_S)
    assert read_blocks(device, 128)[0].emg_uv[0].shape[1] == 64
