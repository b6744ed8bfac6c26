"""``hdemg acquire`` of an amplifier, or of its emulator."""

import argparse
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import yaml

from emg_acquisition.amplifier_names import AMPLIFIERS
from emg_acquisition.errors import InputError, SearchStoppedError
from ui.commands.options import positive_number, source_id
from ui.console import print_json, stop_on_signals

if TYPE_CHECKING:
    from emg_acquisition.amplifiers import AmplifierChoice
    from emg_acquisition.sources.device import DeviceSource
    from emg_acquisition.sources.source import EmgSource

# Each option of an amplifier: how its name stands in the parsed arguments, and which amplifiers have it.
_OF_ALL = {
    "grid": AMPLIFIERS,
    "host": AMPLIFIERS,
    "port": AMPLIFIERS,
    "rate": AMPLIFIERS,
    "serial": AMPLIFIERS,
}
_OF_SOME = {
    "inputs": ("syncstation", "quattrocento", "intan"),
    "emulate": AMPLIFIERS[:-1],
    "board": ("brainflow",),
    "serial_port": ("brainflow",),
    "mac": ("brainflow",),
}
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
        "--rate", type=positive_number, metavar="HZ", help="sampling rate (default: the amplifier's own)"
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
        default=None,
        help="no amplifier is needed: an emulator of it, worn by the simulated wearer, is connected to over TCP",
    )


def refuse_amplifier_options(args: argparse.Namespace) -> None:
    """Refuse what only an amplifier has.

    Raises
    ------
    InputError
        If such an option was given.
    """
    for name, amplifiers in {**_OF_ALL, **_OF_SOME}.items():
        if getattr(args, name) is not None:
            raise InputError(
                f"{_flag(name)} is for an amplifier ({', '.join(amplifiers)}), not for {args.source}"
            )


def run(args: argparse.Namespace) -> int:
    """Publish an amplifier until the command is stopped."""
    from emg_acquisition.device_publisher import connect_device, run_device
    from emg_acquisition.lsl_config import configure_lsl

    _refuse_foreign_options(args)
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


def _refuse_foreign_options(args: argparse.Namespace) -> None:
    for name, amplifiers in _OF_SOME.items():
        if getattr(args, name) is not None and args.source not in amplifiers:
            raise InputError(f"{_flag(name)} is for {', '.join(amplifiers)}, not for {args.source}")
    given = {
        "--speed": args.speed != 1.0,
        "--chunk-ms": args.chunk_ms != 10.0,  # noqa: PLR2004 - its default
        "--loop": args.loop,
        "--wait-for-consumers": args.wait_for_consumers,
        "--start-with": args.start_with is not None,
        "--intentions": args.intentions is not None and not args.emulate,
        "--wearer": args.wearer != 1 and not args.emulate,
    }
    for flag in (flag for flag, is_given in given.items() if is_given):
        remedy = "add --emulate" if flag in {"--intentions", "--wearer"} else "leave it out"
        raise InputError(
            f"{flag} is not for an amplifier, which runs by its own clock and its wearer's will: {remedy}"
        )


def _choice(args: argparse.Namespace) -> "AmplifierChoice":
    from emg_acquisition.amplifiers import AmplifierChoice
    from emg_acquisition.grid_library import load_grid

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
    from emg_acquisition.amplifiers import open_amplifier

    return open_amplifier(_choice(args))


def _emulated(args: argparse.Namespace, stop: threading.Event, cleanup: ExitStack) -> "DeviceSource":
    """Switch an emulator on, until `cleanup`, and return the driver that will find it."""
    from emg_acquisition.emulators.emulate import emulate_amplifier
    from emg_acquisition.sources.live_intention import follow_intentions
    from emg_acquisition.sources.simulated_forearm.settings import WearerSettings
    from emg_acquisition.sources.simulated_forearm.wearer import SimulatedWearer

    def wearers(device: "DeviceSource") -> "list[EmgSource]":
        # Several sleeves are those of several people: each has a body of its own.
        worn = [
            SimulatedWearer(WearerSettings(seed=args.wearer + k, fs_hz=info.fs_hz, grid=info.grid))
            for k, info in enumerate(device.infos)
        ]
        if args.intentions:
            for wearer in worn:
                follow_intentions(wearer, args.intentions, stop)
        return list(worn)

    device, emulator = emulate_amplifier(_choice(args), wearers)
    emulator.start()
    cleanup.callback(emulator.stop)
    return device


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _setting(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"a name, = and a value are required, such as gain=4; got {text!r}")
    try:
        return name.strip(), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise argparse.ArgumentTypeError(
            f"{value!r} is no value: a number, yes, no or a word is required"
        ) from error


def _port(text: str) -> int:
    value = int(text)
    if not 0 < value <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"1 to {MAX_PORT} is required, got {text}")
    return value
