"""OT Bioelettronica: the bytes that its documents give, samples from bytes, losses from the ramp."""

import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.sources import otb_quattrocento, otb_sessantaquattro
from emg_acquisition.sources.otb_device import crc8_maxim, default_grid
from emg_acquisition.sources.otb_frames import (
    CONFIRMING_SAMPLES,
    RampClock,
    RampReport,
    counts_from_bytes,
    prove_layout,
    scaled,
)
from emg_acquisition.sources.otb_probes import (
    STATION_STOP,
    MuoviSettings,
    StationProbe,
    SyncStationSettings,
    muovi_command,
    station_layout,
    station_start,
    syncstation_device,
)
from emg_acquisition.sources.otb_quattrocento import QuattrocentoSettings, QuattrocentoStream
from emg_acquisition.sources.otb_sessantaquattro import SessantaquattroSettings, sessantaquattro_device
from emg_acquisition.stream_info import EmgStreamInfo
from simulation.amplifiers.otb_checksum import table_crc8
from simulation.amplifiers.signals import Converter, SourceSignal


def test_checksum_of_the_standard_check_string():
    assert crc8_maxim(b"123456789") == 0xA1
    assert table_crc8(b"123456789") == 0xA1


@given(st.binary(max_size=40))
def test_data_with_their_checksum_leave_nothing_and_any_bit_flipped_does(data):
    whole = data + bytes((crc8_maxim(data),))
    assert table_crc8(whole) == 0
    assert table_crc8(bytes((whole[0] ^ 1,)) + whole[1:]) != 0


def test_sessantaquattro_golden_bytes():
    chosen = SessantaquattroSettings()
    assert otb_sessantaquattro.command_of(chosen, go=True) == bytes.fromhex("58 41")
    assert otb_sessantaquattro.command_of(chosen, go=False) == bytes.fromhex("58 40")


def test_sessantaquattro_command_bit_by_bit():
    chosen = SessantaquattroSettings(
        channels=16, fs_hz=4000, mode="differential", resolution_bits=24, gain=6, high_pass=False
    )
    # FSAMP 11, NCH 01, MODE 010; HRES 1, HPF 0, GAIN 10, TRIG 00, REC 0, GO 1
    assert otb_sessantaquattro.command_of(chosen, go=True) == bytes((0b0_11_01_010, 0b1_0_10_00_0_1))


def test_muovi_golden_bytes():
    assert muovi_command(MuoviSettings(), go=True) == b"\x09"
    assert muovi_command(MuoviSettings(), go=False) == b"\x08"
    assert muovi_command(MuoviSettings(mode="ramps"), go=True) == b"\x0f"
    assert muovi_command(MuoviSettings(fs_hz=500), go=True) == b"\x01"


def test_syncstation_golden_bytes():
    one = SyncStationSettings(probes=(StationProbe("muovi"),))
    assert station_start(one) == bytes.fromhex("03 09 C9")
    assert bytes.fromhex("00 00") == STATION_STOP


def test_syncstation_starts_its_probes_by_place_whatever_their_order():
    two = SyncStationSettings(
        probes=(StationProbe("muovi-plus", 2, "right"), StationProbe("muovi-plus", 1, "left"))
    )
    assert station_start(two)[:-1] == bytes.fromhex("05 49 59")
    layout = station_layout(two)
    assert layout.n_channels == 146
    assert layout.emg_columns == (tuple(range(70, 134)), tuple(range(64)))
    assert [info.source_id for info in syncstation_device(two).infos] == [
        "syncstation-1-right",
        "syncstation-1-left",
    ]


@pytest.mark.parametrize(
    ("first", "rec", "crc"), [(0xCF, False, 0x05), (0xEF, True, 0xF4), (0x80, False, 0x62)], ids=hex
)
def test_quattrocento_golden_checksums(first, rec, crc):
    body = bytes((first, 9, 0)) + bytes.fromhex("00 00 14") * 12
    assert len(body) == 39
    assert crc8_maxim(body) == crc
    if rec:
        return  # recording on the amplifier's own trigger is not ours to ask for
    all_inputs = QuattrocentoSettings(streams=(QuattrocentoStream(("MULTIPLE-IN4",)),))
    command = otb_quattrocento.command_of(all_inputs, acquire=first != 0x80)
    assert command == body + bytes((crc,))


def test_quattrocento_sends_no_more_inputs_than_needed():
    def layout(*inputs):
        return otb_quattrocento.layout_of(QuattrocentoSettings(streams=(QuattrocentoStream(inputs),)))

    assert layout("IN2").n_channels == 120
    assert layout("IN3").n_channels == 216
    assert layout("MULTIPLE-IN1").emg_columns == (tuple(range(32, 96)),)
    assert layout("MULTIPLE-IN2", "IN1").emg_columns == ((*range(128, 192), *range(16)),)
    assert layout("MULTIPLE-IN4").n_channels == 408
    assert layout("MULTIPLE-IN4").ramp_columns == (400,)


@given(
    st.lists(st.lists(st.integers(-(1 << 23), (1 << 23) - 1), min_size=5, max_size=5), max_size=6),
    st.sampled_from([2, 3]),
    st.sampled_from(["big", "little"]),
)
def test_counts_are_those_that_python_reads(rows, sample_bytes, byte_order):
    half = 1 << (8 * sample_bytes - 1)
    rows = [[(v + half) % (2 * half) - half for v in row] for row in rows]
    data = b"".join(v.to_bytes(sample_bytes, byte_order, signed=True) for row in rows for v in row)
    assert counts_from_bytes(data, 5, sample_bytes, byte_order).tolist() == rows


@pytest.mark.parametrize("lsb_nv", ["286.1", "572.2", "381.5", "143.0", "95.4", "71.5", "249.0", "508.63"])
def test_microvolts_are_the_float32_next_to_the_exact_product(lsb_nv):
    counts = np.arange(-32768, 32768, 61, dtype=np.int32)[:, np.newaxis]
    found = scaled(counts, np.full(1, float(lsb_nv) / 1000.0))
    for count, value in zip(counts[:, 0], found[:, 0], strict=True):
        exact = Fraction(lsb_nv) / 1000 * int(count)
        error = abs(Fraction(float(value)) - exact)
        for other in (np.nextafter(value, np.float32(np.inf)), np.nextafter(value, np.float32(-np.inf))):
            assert error <= abs(Fraction(float(other)) - exact)


@pytest.mark.parametrize(
    ("settings_of", "said"),
    [
        (lambda: SessantaquattroSettings(fs_hz=4000), "4000 is for 32 channels at most"),
        (lambda: SessantaquattroSettings(fs_hz=2048), "fs_hz must be one of 500, 1000, 2000, 4000, got 2048"),
        (lambda: SessantaquattroSettings(channels=60), "channels must be one of"),
        (lambda: SessantaquattroSettings(gain=2), "gain at 16 bit must be one of"),
        (lambda: SessantaquattroSettings(extra_channels=6), "extra_channels must be one of"),
        (lambda: SessantaquattroSettings(resolution_bits=32), "resolution_bits must be one of 16, 24"),
        (
            lambda: SessantaquattroSettings(grid=rectangular_grid(4, 8, 8.0)),
            "has 32 electrodes, the amplifier gives 64",
        ),
        (lambda: SessantaquattroSettings(serial="it's"), "serial must be letters, digits"),
        (lambda: SessantaquattroSettings(lsb_nv=0.0), "lsb_nv must be above zero"),
        (lambda: MuoviSettings(probe="duo"), "probe must be one of"),
        (lambda: MuoviSettings(fs_hz=1000), "fs_hz must be one of 2000, 500"),
        (lambda: MuoviSettings(fs_hz=500, gain=4), "gain 4 is for fs_hz 2000 only"),
        (lambda: MuoviSettings("due-plus", gain=4), "gain of a Due\\+ must be 8"),
        (lambda: StationProbe("muovi-plus", 3), "number of a muovi-plus must be one of 1, 2"),
        (lambda: SyncStationSettings(probes=(StationProbe(), StationProbe())), "each probe once"),
        (lambda: SyncStationSettings(probes=()), "at least one"),
        (lambda: QuattrocentoStream(("MULTIPLE-IN5",)), "inputs must be one of"),
        (lambda: QuattrocentoSettings(fs_hz=4000), "fs_hz must be one of 512, 2048, 5120, 10240"),
        (
            lambda: QuattrocentoSettings(streams=(QuattrocentoStream(), QuattrocentoStream(name="b"))),
            "each input once",
        ),
        (lambda: QuattrocentoSettings(high_pass_hz=20.0), "high_pass_hz must be one of"),
    ],
)
def test_what_a_device_cannot_do_is_refused_by_name(settings_of, said):
    with pytest.raises(InputError, match=said):
        settings_of()


def test_4000_hz_is_there_for_fewer_channels():
    assert SessantaquattroSettings(fs_hz=4000, channels=32).n_emg == 32
    assert SessantaquattroSettings(fs_hz=4000, channels=32, mode="bipolar").n_emg == 16


def test_aux_channels_are_declared_apart_with_their_units():
    aux = sessantaquattro_device(SessantaquattroSettings(serial="7")).aux_info
    assert aux.source_id == "sessantaquattro-plus-7-aux"
    assert [(c.kind, c.unit) for c in aux.channels] == [
        *[("voltage", "microvolts")] * 2,
        *[("quaternion", "none")] * 4,
        ("trigger", "none"),
        ("counter", "none"),
    ]


@pytest.mark.parametrize(
    ("n", "shape"), [(2, (1, 2)), (4, (2, 2)), (8, (2, 4)), (32, (4, 8)), (64, (4, 16)), (128, (4, 32))]
)
def test_default_grid(n, shape):
    assert (default_grid(n).rows, default_grid(n).columns) == shape


# --- the ramp ---


def played(indices, cuts, fs_hz=2000.0, wrap=1 << 16, t0_s=50.0):
    """Feed a RampClock with a device whose sample numbers are known, in chunks; returns what it released."""
    clock = RampClock(fs_hz, t0_s)
    out, waiting = [], np.zeros((0, 1), dtype=np.int64)
    for chunk in np.split(indices, cuts):
        if len(chunk) == 0:
            continue
        waiting = np.concatenate([waiting, (chunk % wrap)[:, np.newaxis]])
        stretches, settled = clock.split(waiting, t0_s + (chunk[-1] - indices[0]) / fs_hz)
        out += [(s.stop - s.start, s.lost_before) for s in stretches]
        waiting = waiting[settled:]
    return out, len(waiting)


@settings(max_examples=150, deadline=None)
@given(
    start=st.integers(0, 70000),
    runs=st.lists(
        st.tuples(
            st.integers(CONFIRMING_SAMPLES + 1, 400), st.integers(1, 300_000).filter(lambda n: n % 65536)
        ),
        min_size=1,
        max_size=6,
    ),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
    wrap=st.sampled_from([1 << 16, 1 << 24]),
)
def test_every_loss_is_found_whatever_its_length_and_the_chunks(start, runs, cuts, wrap):
    index, parts, gaps = start, [], []
    for length, gap in runs:
        parts.append(np.arange(index, index + length))
        gaps.append(gap)
        index += length + gap
    parts.append(np.arange(index, index + 40))
    # What came before a long loss has arrived before it; short ones may all come in one piece.
    ends = np.cumsum([len(part) for part in parts])
    cuts = sorted({*cuts, *(int(end) for end, gap in zip(ends, gaps, strict=False) if gap > 5000)})
    out, waiting = played(np.concatenate(parts), cuts, wrap=wrap)
    assert waiting == 0
    # The first sample behind a loss is not trusted and counts as lost.
    assert [lost - 1 for _, lost in out if lost] == gaps
    assert sum(n for n, _ in out) == sum(map(len, parts)) - len(gaps)
    # Where each loss was reported is where it was.
    reached, at = start, []
    for n, lost in out:
        reached += lost
        if lost:
            at.append(reached)
        reached += n
    assert at == [int(part[0]) + 1 for part in parts[1:]]


def test_no_loss_in_a_million_samples_that_wrap():
    out, waiting = played(np.arange(0, 1_000_000), list(range(1000, 1_000_000, 1000)), fs_hz=10240.0)
    assert waiting == 0
    assert sum(n for n, _ in out) == 1_000_000
    assert not any(lost for _, lost in out)


def test_a_loss_after_a_pause_of_the_device_is_not_taken_for_rounds_of_the_ramp():
    clock = RampClock(2000.0, 0.0)
    clock.split(np.arange(0, 1000)[:, np.newaxis], 0.5)
    index, t_s = 1000, 600.0  # ten minutes in which the device took no sample
    for _ in range(110):
        stretches, _ = clock.split(np.arange(index, index + 200)[:, np.newaxis] % 65536, t_s)
        index, t_s = index + 200, t_s + 0.1
        assert stretches[0].lost_before == 0
    stretches, _ = clock.split(np.arange(index + 50, index + 150)[:, np.newaxis] % 65536, t_s)
    assert stretches[0].lost_before == 51


@given(st.lists(st.integers(0, 65535), min_size=20, max_size=60).filter(lambda v: len(set(np.diff(v))) > 5))
def test_what_is_no_ramp_is_never_released_as_samples(values):
    clock = RampClock(2000.0, 0.0)
    clock.split(np.arange(100)[:, np.newaxis], 1.0)
    with pytest.raises(StreamLostError, match="no longer aligned"):
        clock.split(np.array(values)[:, np.newaxis], 1.05)


def test_a_jump_for_which_no_time_has_passed_is_no_loss():
    clock = RampClock(2000.0, 0.0)
    clock.split(np.arange(100)[:, np.newaxis], 1.0)
    with pytest.raises(StreamLostError, match="no time has passed"):
        clock.split(np.arange(30000, 30100)[:, np.newaxis], 1.05)


def test_one_probe_that_loses_data_moves_no_sample_of_the_station():
    clock = RampClock(2000.0, 0.0)
    ramps = np.column_stack(
        [np.arange(200), np.concatenate([np.arange(100), np.full(20, 99), np.arange(120, 200)])]
    )
    stretches, settled = clock.split(ramps, 1.0)
    assert [(s.start, s.stop, s.lost_before) for s in stretches] == [(0, 200, 0)]
    assert settled == 200


def test_a_probe_that_loses_data_on_its_way_to_the_station_is_told_of_once_a_second(caplog):
    now_s = [0.0]
    report = RampReport(2, lambda: now_s[0])
    steady = np.arange(300)
    frozen = np.concatenate([steady[:100], np.full(20, 99), steady[120:]])
    for i in range(0, 300, 50):
        report.note(np.column_stack([steady, frozen])[i : i + 50])
    assert caplog.messages == []
    now_s[0] = 1.0
    report.note(np.column_stack([np.arange(300, 310)] * 2))
    # Twenty repeated samples, and the one at which the probe is back.
    assert [m for m in caplog.messages if "[0, 21]" in m] == caplog.messages
    assert len(caplog.messages) == 1


# --- the layout ---


def frames(n_samples, n_channels, sample_bytes=2):
    rng = np.random.default_rng(3)
    rows = rng.integers(-3000, 3000, (n_samples, n_channels))
    rows[:, -1] = np.arange(n_samples)
    return b"".join(int(v).to_bytes(sample_bytes, "big", signed=True) for row in rows for v in row)


def test_the_right_layout_is_proved():
    prove_layout(frames(40, 72), otb_sessantaquattro.layout_of(SessantaquattroSettings()))


@pytest.mark.parametrize(("n_channels", "sample_bytes"), [(68, 2), (70, 2), (72, 3), (40, 2)])
def test_another_layout_is_named(n_channels, sample_bytes):
    layout = otb_sessantaquattro.layout_of(SessantaquattroSettings())
    with pytest.raises(
        InputError, match=rf"{n_channels} channels of {8 * sample_bytes} bit.*72 channels of 16 bit"
    ):
        prove_layout(frames(60, n_channels, sample_bytes), layout)


def test_noise_is_no_layout():
    data = np.random.default_rng(1).integers(0, 256, 72 * 2 * 40, dtype=np.uint8).tobytes()
    with pytest.raises(InputError, match="no ramp channel"):
        prove_layout(data, otb_sessantaquattro.layout_of(SessantaquattroSettings()))


# --- the emulated converter ---


class Fixed:
    def __init__(self, emg_uv, fs_hz):
        self.info = EmgStreamInfo(
            name="fixed",
            source_id="fixed-1",
            fs_hz=fs_hz,
            grid=rectangular_grid(1, 3, 8.0),
            channel_labels=tuple("abc"),
        )
        self._emg_uv = emg_uv

    def read(self, n_samples):
        out, self._emg_uv = self._emg_uv[:n_samples], self._emg_uv[n_samples:]
        return out

    def events_until(self, sample_index):
        return []

    def close(self):
        pass


def test_the_emulated_converter_rounds_and_saturates():
    emg_uv = np.array([[0.0, 1.0, -1.0], [1e9, -1e9, 0.14]], dtype=np.float32)
    signal = SourceSignal([Fixed(emg_uv, 2000.0)])
    counts = signal.counts(0, 3, 4, Converter(0.2861, 16, 2000.0))
    assert counts.tolist() == [[0, 3, -3, 0], [32767, -32768, 0, 0], [0, 0, 0, 0]]
    assert struct.pack(">h", int(counts[1, 0])) == b"\x7f\xff"


def test_the_emulated_high_pass_removes_an_offset_and_keeps_the_muscle():
    fs_hz = 2000.0
    t_s = np.arange(4000) / fs_hz
    emg_uv = np.column_stack([9000 + 100 * np.sin(2 * np.pi * 150 * t_s), np.full(4000, -20000.0), 0 * t_s])
    signal = SourceSignal([Fixed(emg_uv.astype(np.float32), fs_hz)])
    converter = Converter(0.2861, 16, fs_hz, 10.0)
    counts = np.concatenate([signal.counts(i, 40, 3, converter) for i in range(0, 4000, 40)])
    settled_uv = counts[2000:] * 0.2861
    assert np.abs(settled_uv[:, 1:]).max() == 0
    assert np.abs(settled_uv[:, 0].mean()) < 0.5
    assert settled_uv[:, 0].max() == pytest.approx(100, rel=0.03)
