"""``hdemg acquire`` of an amplifier, or of its emulator."""

import argparse
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError, SearchStoppedError
from emg_acquisition.settings_file import yaml_value
from ui.commands.acquire_options import refuse_foreign_options
from ui.commands.acquire_wearer import steer, wearers_of
from ui.commands.options import source_id
from ui.console import print_json, stop_on_signals

if TYPE_CHECKING:
    from emg_acquisition.source import DeviceSource, EmgSource
    from emg_acquisition.sources.amplifiers import AmplifierChoice

MAX_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of amplifiers."""
    group = parser.add_argument_group("amplifiers", "an amplifier is waited for as long as --timeout says")
    group.add_argument(
        "--grid",
        action="append",
        metavar="NAME|FILE",
        help="electrode grid, such as GR08MM1305 or sleeve-4x16, or a YAML file; once for each stream",
    )
    group.add_argument(
        "--host",
        help="where the amplifier listens; for sessantaquattro and muovi, which connect to this computer, the "
        "address that this computer has in their network",
    )
    group.add_argument(
        "--port", type=_port, metavar="N", help="the port there (default: the amplifier's own)"
    )
    group.add_argument(
        "--serial",
        type=source_id,
        metavar="TEXT",
        help="tells amplifiers of one kind apart; part of source_id",
    )
    group.add_argument(
        "--inputs",
        action="append",
        metavar="WHICH",
        help="once for each stream: MULTIPLE-IN1 or IN1+IN2 (quattrocento), muovi-plus:1 (syncstation), A or "
        "A:0-31 (intan: port and channels)",
    )
    group.add_argument(
        "--set",
        action="append",
        type=_setting,
        metavar="NAME=VALUE",
        help="any other setting of the amplifier, such as extra_channels=4 or gain=4 (docs/amplifiers_otb.md)",
    )
    group.add_argument("--board", metavar="NAME", help="brainflow: which board, such as cyton or synthetic")
    group.add_argument("--serial-port", metavar="PATH", help="brainflow: such as /dev/ttyUSB0")
    group.add_argument("--mac", metavar="ADDRESS", help="brainflow: Bluetooth address")
    group.add_argument(
        "--emulate",
        action="store_true",
        help="no amplifier is needed: an emulator of it, worn by the simulated wearer, is connected to over TCP",
    )


def run(args: argparse.Namespace) -> int:
    """Publish an amplifier until the command is stopped."""
    from emg_acquisition.streams.device_publisher import connect_device, run_device
    from emg_acquisition.streams.lsl_config import configure_lsl

    refuse_foreign_options(args, "emulated" if args.emulate else "amplifier")
    configure_lsl(args.lsl_session)
    with stop_on_signals() as stop, ExitStack() as cleanup:
        device = _emulated(args, stop, cleanup) if args.emulate else _amplifier(args)
        cleanup.callback(device.close)
        if not connect_device(device, args.timeout, stop):
            raise SearchStoppedError("the search for the amplifier was interrupted")
        streams = ", ".join(f"{info.name} as {info.source_id}" for info in device.infos)
        print(f"streaming {streams}; Ctrl-C ends it", flush=True)
        report = run_device(device, stop=stop)
    print(
        f"{report.samples} samples in {report.seconds:.1f} s, {report.lost_samples} lost in {report.gaps} gaps, "
        f"{report.reconnects} reconnects"
    )
    if args.json:
        print_json(vars(report))
    return 0


def _choice(args: argparse.Namespace) -> "AmplifierChoice":
    from emg_acquisition.grid_library import load_grid
    from emg_acquisition.sources.amplifiers import AmplifierChoice

    return AmplifierChoice(
        name=args.source,
        grids=tuple(load_grid(text) for text in args.grid or ()),
        inputs=tuple(args.inputs or ()),
        host=args.host,
        port=args.port,
        fs_hz=args.rate,
        serial=args.serial,
        board=args.board,
        serial_port=args.serial_port,
        mac_address=args.mac,
        more=dict(args.set or ()),
    )


def _amplifier(args: argparse.Namespace) -> "DeviceSource":
    from emg_acquisition.sources.amplifiers import open_amplifier

    return open_amplifier(_choice(args))


def _emulated(args: argparse.Namespace, stop: threading.Event, cleanup: ExitStack) -> "DeviceSource":
    """Switch an emulator on, until `cleanup`, and return the driver that will find it."""
    from simulation.amplifiers.emulate import emulate_amplifier

    def worn(device: "DeviceSource") -> "list[EmgSource]":
        wearers = wearers_of(device.infos, args)
        steer(wearers, args, stop, cleanup)
        return list(wearers)

    device, emulator = emulate_amplifier(_choice(args), worn)
    emulator.start()
    cleanup.callback(emulator.stop)
    return device


def _setting(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"a name, = and a value are required, such as gain=4; got {text!r}")
    try:
        return name.strip(), yaml_value(value)
    except InputError as error:
        raise argparse.ArgumentTypeError(
            f"{value!r} is no value: a number, yes, no or a word is required"
        ) from error


def _port(text: str) -> int:
    value = int(text)
    if not 0 < value <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"1 to {MAX_PORT} is required, got {text}")
    return value
