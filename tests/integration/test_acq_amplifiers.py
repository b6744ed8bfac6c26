"""Every amplifier by its name, with its emulator: what the wearer's electrodes measure is what the driver gives."""

import threading

import numpy as np
import pytest

from emg_acquisition.errors import InputError
from emg_acquisition.grid_library import load_grid
from emg_acquisition.sources.amplifier_names import AMPLIFIERS
from emg_acquisition.sources.amplifiers import AmplifierChoice, open_amplifier
from emg_acquisition.sources.intan_rhx import IntanRhx
from emg_acquisition.sources.otb_device import OtbDevice
from emg_acquisition.streams.device_publisher import connect_device
from simulation.amplifiers.emulate import emulate_amplifier
from tests.device_support import high_passed, read_blocks
from tests.waiting import PATIENCE_S

TWO_SLEEVES = (load_grid("sleeve-8x16"),) * 2

# What each is fed, microvolts of a count, its high-pass, its streams.
CHOICES = [
    (AmplifierChoice("sessantaquattro"), 0.2861, 2000 / 190, [64]),
    (
        AmplifierChoice("sessantaquattro+", grids=(load_grid("GR10MM0804"),), fs_hz=4000.0),
        0.2861,
        4000 / 190,
        [32],
    ),
    (AmplifierChoice("muovi"), 0.2861, 10.0, [32]),
    (AmplifierChoice("muovi+", grids=(load_grid("GR08MM1305"),), serial="7"), 0.2861, 10.0, [64]),
    (AmplifierChoice("syncstation", inputs=("muovi+:2", "muovi:1")), 0.2861, 10.0, [64, 32]),
    (AmplifierChoice("quattrocento", inputs=("MULTIPLE-IN2", "IN1+IN2")), 0.50863, 10.0, [64, 32]),
    (AmplifierChoice("intan", grids=TWO_SLEEVES, inputs=("A", "B")), 0.195, 0.1, [128, 128]),
]


class Counting:
    """A source whose sample n of channel c is a triangle of its own, so that any shift shows."""

    def __init__(self, info, stream):
        self.info, self.stream, self.taken = info, stream, 0

    def read(self, n_samples):
        n = self.taken + np.arange(n_samples)[:, None]
        self.taken += n_samples
        return measured(n, np.arange(self.info.n_channels), self.stream)

    def events_until(self, sample_index):
        return []

    def close(self):
        pass


def measured(n, channel, stream):
    return (np.abs((7 * n + 131 * channel + 57 * stream) % 4000 - 2000) - 1000.0).astype(np.float32)


@pytest.mark.parametrize(
    ("choice", "lsb_uv", "cutoff_hz", "widths"), CHOICES, ids=[choice.name for choice, *_ in CHOICES]
)
def test_each_driver_gives_what_its_emulator_was_fed(choice, lsb_uv, cutoff_hz, widths):
    device, emulator = emulate_amplifier(
        choice, lambda device: [Counting(info, k) for k, info in enumerate(device.infos)]
    )
    assert [info.n_channels for info in device.infos] == widths
    assert len({info.source_id for info in device.infos}) == len(widths)
    emulator.start()
    try:
        assert connect_device(device, PATIENCE_S, threading.Event())
        blocks = read_blocks(device, 600)
    finally:
        device.close()
        emulator.stop()
    assert not any(block.lost_before for block in blocks)
    n_aux = 0 if device.aux_info is None else device.aux_info.n_channels
    assert {block.aux.shape[1] for block in blocks} == {n_aux}
    n = np.arange(sum(block.n_samples for block in blocks))[:, None]
    for k, width in enumerate(widths):
        emg_uv = np.concatenate([block.emg_uv[k] for block in blocks])
        expected = high_passed(measured(n, np.arange(width), k), cutoff_hz, device.infos[k].fs_hz)
        assert np.abs(emg_uv - expected).max() <= 0.51 * lsb_uv + 1e-3, device.infos[k].source_id


def test_every_name_has_a_driver():
    for name in AMPLIFIERS[:-1]:
        assert open_amplifier(AmplifierChoice(name, host="127.0.0.1")).infos


def test_what_is_said_reaches_the_driver():
    grid = load_grid("GR10MM0804")
    choice = AmplifierChoice("sessantaquattro", host="127.0.0.1", grids=(grid,), fs_hz=4000.0, serial="12")
    device = open_amplifier(choice)
    assert isinstance(device, OtbDevice)
    (info,) = device.infos
    assert (info.source_id, info.fs_hz, info.grid) == ("sessantaquattro-12", 4000.0, grid)
    more = {
        "mode": "ramps",
        "extra_channels": 8,
        "high_pass": False,
        "lsb_nv": 300.0,
        "device_host": "127.0.0.1",
    }
    device = open_amplifier(AmplifierChoice("sessantaquattro", host="127.0.0.1", more=more))
    assert device.infos[0].reference == "ramps"
    assert device.infos[0].filters == "none"
    assert device.aux_info.n_channels == 8
    rhx = open_amplifier(AmplifierChoice("intan", inputs=("C:64-95",), grids=(grid,), fs_hz=2000.0))
    assert isinstance(rhx, IntanRhx)
    assert rhx.infos[0].channel_labels[0] == "C-064"
    assert rhx.infos[0].fs_hz == 2000.0


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (AmplifierChoice("cometa"), "no amplifier 'cometa': choose one of sessantaquattro"),
        (AmplifierChoice("muovi+"), "give --host"),
        (AmplifierChoice("muovi", host="127.0.0.1", grids=(load_grid("sleeve-4x16"),)), "64 electrodes"),
        (AmplifierChoice("muovi", host="127.0.0.1", fs_hz=4000.0), "2000, 500, got 4000"),
        (AmplifierChoice("syncstation", fs_hz=4000.0), "its rate is fixed"),
        (AmplifierChoice("syncstation", inputs=("muovi:9",)), "got 9"),
        (AmplifierChoice("syncstation", inputs=("muovi:x",)), "such as muovi-plus:1"),
        (AmplifierChoice("quattrocento", inputs=("IN9",)), "got IN9"),
        (
            AmplifierChoice("quattrocento", inputs=("IN1", "IN2"), grids=TWO_SLEEVES[:1]),
            "once for each --inputs",
        ),
        (AmplifierChoice("intan", inputs=("A:0-500",)), "0 to 127"),
        (AmplifierChoice("intan", inputs=("A:0-63", "B")), "same channels"),
        (AmplifierChoice("intan", inputs=("Z",)), "letters of A to H"),
        (AmplifierChoice("brainflow"), "--board"),
        (
            AmplifierChoice("quattrocento", more={"gain": 4}),
            "has no setting 'gain' to set; it has mode, high_pass_hz",
        ),
        (
            AmplifierChoice("sessantaquattro", host="127.0.0.1", more={"high_pass": 1}),
            "must be yes or no, got 1",
        ),
        (
            AmplifierChoice("sessantaquattro", host="127.0.0.1", more={"gain": "x"}),
            "must be a number, got 'x'",
        ),
        (
            AmplifierChoice("sessantaquattro", host="127.0.0.1", more={"gain": 3}),
            "gain at 16 bit must be one of",
        ),
        (AmplifierChoice("sessantaquattro", host="127.0.0.1", more={"grid": 3}), "no setting 'grid'"),
        (AmplifierChoice("muovi", host="127.0.0.1", grids=TWO_SLEEVES), "one --grid, got 2"),
    ],
)
def test_what_an_amplifier_cannot_do_is_one_line(choice, words):
    with pytest.raises(InputError, match=words):
        open_amplifier(choice)


def test_brainflow_has_a_board_of_its_own_for_that():
    with pytest.raises(InputError, match="--board synthetic"):
        emulate_amplifier(AmplifierChoice("brainflow"), lambda device: [])
