"""Each OT Bioelettronica driver against its emulator over real TCP: exact values, faults, reconnection."""

import socket
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.sources.otb_probes import (
    MuoviSettings,
    StationProbe,
    SyncStationSettings,
    muovi_device,
    syncstation_device,
)
from emg_acquisition.sources.otb_quattrocento import (
    QuattrocentoSettings,
    QuattrocentoStream,
    quattrocento_device,
)
from emg_acquisition.sources.otb_sessantaquattro import SessantaquattroSettings, sessantaquattro_device
from emg_acquisition.stream_info import EmgStreamInfo
from simulation.amplifiers.otb_muovi import MuoviEmulator, MuoviEmulatorSettings
from simulation.amplifiers.otb_quattrocento import (
    Plugged,
    QuattrocentoEmulator,
    QuattrocentoEmulatorSettings,
)
from simulation.amplifiers.otb_sessantaquattro import (
    SessantaquattroEmulator,
    SessantaquattroEmulatorSettings,
)
from simulation.amplifiers.otb_syncstation import SyncStationEmulator, SyncStationEmulatorSettings
from simulation.amplifiers.signals import PatternSignal, SourceSignal
from tests.device_support import read_blocks
from tests.waiting import PATIENCE_S, wait_for

SHORT_S, LONG_S = 0.5, 60.0
RECONNECT_S = 2.0
READ_S = 0.2
PATTERN = PatternSignal()
DEVICES = ["sessantaquattro-plus", "muovi-plus", "syncstation", "quattrocento"]
SLEEVES = (
    QuattrocentoStream(("MULTIPLE-IN1", "MULTIPLE-IN2"), "left"),
    QuattrocentoStream(("MULTIPLE-IN3", "MULTIPLE-IN4"), "right"),
)


@dataclass
class Rig:
    """A driver, its emulator, and what the driver must give."""

    device: Any
    emulator: Any
    lsb_uv: str = "0.2861"
    bits: int = 16
    n_aux: int = 8
    ramp: int = -1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sessantaquattro(emulated_extra=8, *, signal=PATTERN, **changes):
    port = free_port()
    emulator = SessantaquattroEmulator(
        SessantaquattroEmulatorSettings(port=port, extra_channels=emulated_extra), signal
    )
    chosen = SessantaquattroSettings(port=port, **changes)
    return Rig(sessantaquattro_device(chosen), emulator, bits=chosen.resolution_bits, n_aux=chosen.n_extra)


def muovi(probe="muovi-plus", *, signal=PATTERN, **changes):
    port = free_port()
    emulator = MuoviEmulator(MuoviEmulatorSettings(port=port, probe=probe), signal)
    chosen = MuoviSettings(probe, port=port, **changes)
    return Rig(muovi_device(chosen), emulator, bits=16 if chosen.fs_hz == 2000 else 24, n_aux=6)


def syncstation(*probes):
    emulator = SyncStationEmulator(SyncStationEmulatorSettings(port=0), [PATTERN])
    emulator.start()
    probes = probes or (StationProbe("muovi-plus", 1, "left"), StationProbe("muovi-plus", 2, "right"))
    chosen = SyncStationSettings(probes=probes, host="127.0.0.1", port=emulator.address[1])
    return Rig(syncstation_device(chosen), emulator, n_aux=6 * len(probes) + 6, ramp=5)


def quattrocento(*streams, fs_hz=10240):
    streams = streams or (QuattrocentoStream(),)
    plugged = [Plugged(stream.inputs, PATTERN) for stream in streams]
    emulator = QuattrocentoEmulator(QuattrocentoEmulatorSettings(port=0), plugged)
    emulator.start()
    chosen = QuattrocentoSettings(streams=streams, fs_hz=fs_hz, host="127.0.0.1", port=emulator.address[1])
    return Rig(quattrocento_device(chosen), emulator, lsb_uv="0.50863", n_aux=24, ramp=16)


TOP_RATE = {
    "sessantaquattro-plus": sessantaquattro,
    "muovi-plus": muovi,
    "syncstation": syncstation,
    "quattrocento": quattrocento,
    "quattrocento, two sleeves": lambda: quattrocento(*SLEEVES, fs_hz=5120),
}


@pytest.fixture
def rigged():
    """Switches a rig's emulator on; closes the driver and switches it off when the test is over."""
    rigs = []

    def switch_on(rig):
        rigs.append(rig)
        if isinstance(rig.emulator, SessantaquattroEmulator | MuoviEmulator):
            rig.emulator.start()
        return rig

    yield switch_on
    for rig in rigs:
        rig.device.close()
        rig.emulator.stop()


class Exact:
    """Takes blocks and holds each value against the pattern at its place, from the start of the device."""

    def __init__(self, rig):
        self.rig = rig
        self.next_sample = 0
        self.received = 0
        self.losses = []

    def take(self, blocks):
        for block in blocks:
            self.next_sample += block.lost_before
            if block.lost_before:
                self.losses.append(block.lost_before)
            for emg_uv, info in zip(block.emg_uv, self.rig.device.infos, strict=True):
                expected = self._expected(block.n_samples, info.n_channels)
                assert emg_uv.dtype == np.float32
                assert np.array_equal(emg_uv, expected), f"sample {self.next_sample} has moved"
            assert block.aux.shape == (block.n_samples, self.rig.n_aux)
            self.next_sample += block.n_samples
            self.received += block.n_samples
        return self

    def _expected(self, n_samples, n_channels):
        samples = np.arange(self.next_sample, self.next_sample + n_samples)[:, np.newaxis]
        span = 2**self.rig.bits
        counts = (7919 * samples + 10007 * np.arange(n_channels)) % span - span // 2
        return (counts * np.longdouble(self.rig.lsb_uv)).astype(np.float32)


def read_until(rig, exact, done):
    def read():
        exact.take(rig.device.read(READ_S))
        return done()

    wait_for(read, "what the device sends", poll_s=0)


def read_for(rig, exact, n_samples):
    goal = exact.received + n_samples
    read_until(rig, exact, lambda: exact.received >= goal)


def lose(rig, exact):
    """Read until the connection is gone; returns when that was and what was said."""
    with pytest.raises(StreamLostError) as lost:
        read_until(rig, exact, lambda: False)
    return time.monotonic(), str(lost.value)


def connect_again(rig, since_s):
    """Connect as a publisher does, in short attempts, until samples come; returns what checks them."""
    exact = Exact(rig)
    deadline_s = since_s + PATIENCE_S
    while exact.received == 0:
        assert time.monotonic() < deadline_s, "it does not come back"
        try:
            rig.device.connect(0.25)
        except StreamLostError:
            continue
        read_for(rig, exact, 1)
    return exact


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(SHORT_S, id="short"),
        pytest.param(LONG_S, id="60 s", marks=[pytest.mark.slow, pytest.mark.campaign]),
    ],
)
@pytest.mark.parametrize("name", TOP_RATE)
def test_no_sample_is_lost_or_moved_and_each_is_exact(name, seconds, rigged, record_property):
    rig = rigged(TOP_RATE[name]())
    rig.device.connect(PATIENCE_S)
    fs_hz = rig.device.infos[0].fs_hz
    exact = Exact(rig)
    began_s, cpu_s = time.monotonic(), time.thread_time()
    goal = int(fs_hz * seconds)
    deadline_s = began_s + seconds + PATIENCE_S
    while exact.received < goal:
        assert time.monotonic() < deadline_s, f"only {exact.received} of {goal} samples came"
        exact.take(rig.device.read(READ_S))
    took_s = time.monotonic() - began_s
    assert exact.losses == []
    assert exact.next_sample == exact.received
    # Paced by the device's clock: no faster, and no slower than a busy machine makes it.
    assert seconds - 0.1 < took_s < seconds + 5.0
    n_channels = sum(info.n_channels for info in rig.device.infos)
    cpu = (time.thread_time() - cpu_s) / took_s
    figures = (
        f"{name}: {n_channels} channels, {exact.received} samples at {fs_hz:g} Hz in {took_s:.2f} s, "
        f"0 lost, 0 moved; reader and check {cpu:.1%} of a core"
    )
    record_property("figures", figures)
    sys.stdout.write(f"\n{figures}\n")


SETTINGS = {
    "Sessantaquattro, four extra": (lambda: sessantaquattro(4, plus=False), "0.2861"),
    "Sessantaquattro+, four extra": (lambda: sessantaquattro(4, extra_channels=4), "0.2861"),
    "32 channels at 4000 Hz": (lambda: sessantaquattro(channels=32, fs_hz=4000), "0.2861"),
    "8 channels at 500 Hz": (lambda: sessantaquattro(channels=8, fs_hz=500), "0.2861"),
    "bipolar": (lambda: sessantaquattro(mode="bipolar"), "0.2861"),
    "gain 6": (lambda: sessantaquattro(gain=6), "0.3815"),
    "24 bit, gain 8": (lambda: sessantaquattro(resolution_bits=24), "0.0715"),
    "Muovi": (lambda: muovi("muovi"), "0.2861"),
    "Muovi, gain 4": (lambda: muovi("muovi", gain=4), "0.5722"),
    "Muovi+, 500 Hz and 24 bit": (lambda: muovi(fs_hz=500), "0.2861"),
    "Due+": (lambda: muovi("due-plus"), "0.249"),
    "Quattro+": (lambda: muovi("quattro-plus"), "0.249"),
    "Muovi at a station": (lambda: syncstation(StationProbe("muovi", 3)), "0.2861"),
    "IN and MULTIPLE IN joined": (
        lambda: quattrocento(QuattrocentoStream(("MULTIPLE-IN2", "IN3"), "odd"), fs_hz=512),
        "0.50863",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_gives_exact_microvolts(name, rigged):
    make, lsb_uv = SETTINGS[name]
    rig = rigged(make())
    rig.lsb_uv = lsb_uv
    rig.device.connect(PATIENCE_S)
    exact = Exact(rig)
    read_for(rig, exact, 60)
    assert exact.losses == []


@pytest.mark.parametrize("name", DEVICES)
def test_aux_channels_are_what_the_device_sends(name, rigged):
    rig = rigged(TOP_RATE[name]())
    rig.device.connect(PATIENCE_S)
    aux = np.concatenate([block.aux for block in read_blocks(rig.device, 50)])
    kinds = [channel.kind for channel in rig.device.aux_info.channels]
    assert aux.shape[1] == len(kinds)
    assert kinds[rig.ramp] == "counter"
    assert np.array_equal(aux[:, rig.ramp], np.arange(len(aux)))
    assert ("voltage" in kinds, "quaternion" in kinds) == {
        "sessantaquattro-plus": (True, True),
        "muovi-plus": (False, True),
        "syncstation": (False, True),
        "quattrocento": (True, False),
    }[name]
    if "voltage" in kinds:
        unit = np.longdouble("152.6" if name == "quattrocento" else "146.48")
        first = kinds.index("voltage")
        assert np.array_equal(aux[:, first], (np.arange(len(aux)) % 1000 * unit).astype(np.float32))
        assert np.array_equal(aux[:, first + 1], (-(np.arange(len(aux)) % 500) * unit).astype(np.float32))
    if "quaternion" in kinds:
        first = kinds.index("quaternion")
        assert (aux[:, first : first + 4] == [32767, 0, 0, 0]).all()


@pytest.mark.parametrize("make", [lambda: sessantaquattro(mode="ramps"), lambda: muovi(mode="ramps")])
def test_the_device_s_own_test_gives_the_same_ramp_everywhere(make, rigged):
    rig = rigged(make())
    rig.device.connect(PATIENCE_S)
    emg_uv = np.concatenate([block.emg_uv[0] for block in read_blocks(rig.device, 50)])
    expected = (np.arange(len(emg_uv)) * np.longdouble("0.2861")).astype(np.float32)
    assert np.array_equal(emg_uv, np.tile(expected[:, np.newaxis], 64))


@pytest.mark.parametrize("name", DEVICES)
def test_a_cut_connection_is_an_error_and_the_device_is_back_soon(name, rigged):
    rig = rigged(TOP_RATE[name]())
    rig.device.connect(PATIENCE_S)
    exact = Exact(rig)
    read_for(rig, exact, 100)
    away_s = 0.2
    cut_s = time.monotonic()
    rig.emulator.faults.cut(away_s)
    _, said = lose(rig, exact)
    assert "connect again" in said
    with pytest.raises(StreamLostError, match="not connected"):
        rig.device.read(0.0)
    infos = rig.device.infos
    again = connect_again(rig, cut_s)
    assert time.monotonic() - (cut_s + away_s) < RECONNECT_S
    read_for(rig, again, 100)
    assert rig.device.infos == infos
    assert exact.losses == again.losses == []


@pytest.mark.parametrize("name", DEVICES)
def test_half_packets_move_no_sample(name, rigged):
    rig = rigged(TOP_RATE[name]())
    rig.emulator.faults.half_packets = True
    rig.device.connect(PATIENCE_S)
    exact = Exact(rig)
    read_for(rig, exact, int(rig.device.infos[0].fs_hz * 0.3))
    assert exact.losses == []


@pytest.mark.parametrize("name", DEVICES)
def test_silence_is_empty_and_what_was_missed_is_told(name, rigged):
    rig = rigged(TOP_RATE[name]())
    rig.device.connect(PATIENCE_S)
    exact = Exact(rig)
    read_for(rig, exact, 100)
    rig.emulator.faults.silent = True

    def silent():
        blocks = rig.device.read(READ_S)
        exact.take(blocks)
        return not blocks

    wait_for(silent, "silence", poll_s=0)
    assert rig.device.read(0.05) == []
    rig.emulator.faults.silent = False
    read_for(rig, exact, 100)
    assert len(exact.losses) == 1
    assert exact.losses[0] >= READ_S * rig.device.infos[0].fs_hz * 0.9


@pytest.mark.parametrize("name", DEVICES)
def test_dropped_samples_are_counted_where_they_are_missing(name, rigged):
    rig = rigged(TOP_RATE[name]())
    rig.device.connect(PATIENCE_S)
    exact = Exact(rig)
    for n_lost in (1, 37, 200):
        read_for(rig, exact, 100)
        rig.emulator.faults.drop(n_lost)
        told = sum(exact.losses) + n_lost + 1  # and the first behind them, which is not trusted
        read_until(rig, exact, lambda told=told: sum(exact.losses) >= told)
        assert sum(exact.losses) == told


@pytest.mark.parametrize("change", [-4, 4])
@pytest.mark.parametrize("name", DEVICES)
def test_another_channel_count_is_an_input_error_and_no_sample(name, change, rigged):
    rig = rigged(TOP_RATE[name]())
    rig.emulator.faults.extra_channels = change
    rig.device.connect(PATIENCE_S)
    n_channels = {"sessantaquattro-plus": 72, "muovi-plus": 70, "syncstation": 146, "quattrocento": 120}[name]
    with pytest.raises(InputError) as refused:
        read_until(rig, Exact(rig), lambda: False)
    assert f"the device sends {n_channels + change} channels of 16 bit" in str(refused.value)
    assert f"{n_channels} channels of 16 bit were expected" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", DEVICES)
def test_a_channel_count_that_changes_on_the_way_lets_no_misaligned_sample_through(name, rigged):
    rig = rigged(TOP_RATE[name]())
    rig.device.connect(PATIENCE_S)
    exact = Exact(rig)
    read_for(rig, exact, 100)
    rig.emulator.faults.extra_channels = 1
    changed_s, said = lose(rig, exact)
    assert "no longer aligned" in said
    rig.emulator.faults.extra_channels = 0
    again = connect_again(rig, changed_s)
    assert time.monotonic() - changed_s < RECONNECT_S
    read_for(rig, again, 100)


@pytest.mark.parametrize(
    ("make", "start", "stop"),
    [
        (sessantaquattro, "58 41", "58 40"),
        (muovi, "09", "08"),
        (lambda: syncstation(StationProbe("muovi")), "03 09 C9", "00 00"),
    ],
)
def test_closing_stops_the_device_with_its_own_command(make, start, stop, rigged):
    rig = rigged(make())
    rig.device.connect(PATIENCE_S)
    read_for(rig, Exact(rig), 40)
    rig.device.close()
    wait_for(lambda: len(rig.emulator.device.accepted) == 2, lambda: rig.emulator.device.accepted)
    assert [command.hex(" ").upper() for command in rig.emulator.device.accepted] == [start, stop]
    assert rig.emulator.device.rejected == []


def test_a_command_with_a_wrong_checksum_starts_nothing(rigged):
    rig = rigged(quattrocento())
    with socket.create_connection(rig.emulator.address) as connected:
        connected.sendall(bytes((0xCF, 9, 0)) + bytes.fromhex("00 00 14") * 12 + b"\x06")
        connected.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connected.recv(1)
    assert len(rig.emulator.device.rejected) == 1


def test_a_device_that_is_not_there_is_an_error_in_time():
    for device in (
        sessantaquattro_device(SessantaquattroSettings(port=free_port())),
        quattrocento_device(QuattrocentoSettings(host="127.0.0.1", port=free_port())),
    ):
        began_s = time.monotonic()
        with pytest.raises(StreamLostError, match="no device"):
            device.connect(0.3)
        assert time.monotonic() - began_s < 2.0
        device.close()


class Worn:
    """A source of electrodes with offsets of up to 12 mV, on each a tone of 200 uV."""

    def __init__(self):
        self.info = EmgStreamInfo(
            name="worn",
            source_id="worn-1",
            fs_hz=2000.0,
            grid=rectangular_grid(4, 16, 10.0),
            channel_labels=tuple(f"E{k}" for k in range(64)),
        )
        self._next = 0

    def read(self, n_samples):
        t_s = (self._next + np.arange(n_samples)[:, np.newaxis]) / self.info.fs_hz
        self._next += n_samples
        channel = np.arange(64)
        tone_uv = 200.0 * np.sin(2 * np.pi * (60 + 3 * channel) * t_s)
        return (np.linspace(-12000.0, 12000.0, 64) + tone_uv).astype(np.float32)

    def events_until(self, sample_index):
        return []

    def close(self):
        pass


def test_a_source_arrives_within_half_a_count_and_saturates(rigged):
    rig = rigged(sessantaquattro(signal=SourceSignal([Worn()]), high_pass=False))
    rig.device.connect(PATIENCE_S)
    emg_uv = np.concatenate([block.emg_uv[0] for block in read_blocks(rig.device, 400)])
    sent_uv = Worn().read(len(emg_uv))
    held_uv = np.clip(sent_uv, -32768 * 0.2861, 32767 * 0.2861)
    assert np.abs(sent_uv - held_uv).max() > 1000  # some electrodes are beyond the amplifier's range
    assert np.abs(emg_uv - held_uv).max() <= 0.2861 / 2 * 1.01


def test_with_the_amplifier_s_high_pass_offsets_do_not_saturate(rigged):
    rig = rigged(sessantaquattro(signal=SourceSignal([Worn()])))
    rig.device.connect(PATIENCE_S)
    emg_uv = np.concatenate([block.emg_uv[0] for block in read_blocks(rig.device, 400)])
    assert np.abs(emg_uv).max() < 1000
    assert (np.ptp(emg_uv, axis=0) > 300).all()
