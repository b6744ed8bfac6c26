"""An emulator by the amplifier's name, fed by whatever its electrodes are to measure."""

import socket
from collections.abc import Callable
from dataclasses import replace

from emg_acquisition.errors import InputError
from emg_acquisition.source import DeviceSource, EmgSource
from emg_acquisition.sources.amplifiers import (
    AmplifierChoice,
    input_streams,
    intan_settings,
    open_amplifier,
    station_probe,
)
from emg_acquisition.sources.intan_rhx import IntanRhx
from simulation.amplifiers.emulator import Emulator
from simulation.amplifiers.intan_rhx import IntanRhxEmulator
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
from simulation.amplifiers.signals import SourceSignal

LOOPBACK = "127.0.0.1"
OLDER_EXTRA_CHANNELS = 4


def emulate_amplifier(
    choice: AmplifierChoice, sources: Callable[[DeviceSource], list[EmgSource]]
) -> tuple[DeviceSource, Emulator]:
    """Return the driver of an amplifier and an emulator, not yet started, to which it will connect.

    Parameters
    ----------
    choice : AmplifierChoice
        Without ``host`` both are on this machine's loopback, without ``port`` on a free port.
    sources : callable
        What the electrodes of each stream measure, from what the driver declares.

    Raises
    ------
    InputError
        If the amplifier cannot be set up as asked, or has no emulator.
    """
    if choice.name == "brainflow":
        raise InputError("brainflow has no emulator here: leave --emulate out and take --board synthetic")
    host, port = choice.host or LOOPBACK, choice.port or _free_port()
    placed = replace(choice, host=host, port=port)
    if choice.name == "intan":
        return _intan(placed, sources)
    device = open_amplifier(placed)
    emg = sources(device)
    match choice.name:
        case "syncstation":
            return device, _syncstation(placed, SyncStationEmulatorSettings(host, port), emg)
        case "quattrocento":
            return device, _quattrocento(placed, QuattrocentoEmulatorSettings(host, port), emg)
        case "muovi" | "muovi+":
            probe = MuoviEmulatorSettings(host, port, "muovi-plus" if choice.name == "muovi+" else "muovi")
            return device, MuoviEmulator(probe, SourceSignal(emg))
    older = SessantaquattroEmulatorSettings(host, port, OLDER_EXTRA_CHANNELS)
    plus = SessantaquattroEmulatorSettings(host, port)
    return device, SessantaquattroEmulator(plus if choice.name.endswith("+") else older, SourceSignal(emg))


def _intan(
    choice: AmplifierChoice, sources: Callable[[DeviceSource], list[EmgSource]]
) -> tuple[DeviceSource, Emulator]:
    settings = replace(intan_settings(choice), waveform_port=_free_port())
    used = [settings.channels_for(grid) for grid in settings.grids]
    if any(numbers[0] != 0 or numbers != used[0] for numbers in used):
        raise InputError("intan: the emulator's electrodes are on the same channels of every port, from 0 on")
    device = IntanRhx(settings)
    emulator = IntanRhxEmulator(
        SourceSignal(sources(device)),
        n_channels=len(used[0]),
        ports=settings.ports,
        fs_hz=settings.fs_hz,
        host=settings.host,
        command_port=settings.command_port,
        waveform_port=settings.waveform_port,
    )
    return device, emulator


def _syncstation(
    choice: AmplifierChoice, settings: SyncStationEmulatorSettings, emg: list[EmgSource]
) -> Emulator:
    probes = [station_probe(text, None) for text, _ in input_streams(choice)]
    by_place = sorted(zip(probes, emg, strict=True), key=lambda pair: pair[0].index)
    return SyncStationEmulator(settings, [SourceSignal([source]) for _, source in by_place])


def _quattrocento(
    choice: AmplifierChoice, settings: QuattrocentoEmulatorSettings, emg: list[EmgSource]
) -> Emulator:
    plugged = [
        Plugged(tuple(text.upper().split("+")), SourceSignal([source]))
        for (text, _), source in zip(input_streams(choice), emg, strict=True)
    ]
    return QuattrocentoEmulator(settings, plugged)


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])
