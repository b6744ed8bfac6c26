"""``hdemg acquire``: a source of EMG, published over LSL until it ends or is stopped."""

import argparse
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from emg_acquisition.errors import InputError, SearchStoppedError
from emg_acquisition.settings_file import yaml_value
from emg_acquisition.sources.amplifier_names import AMPLIFIERS
from ui.commands.options import (
    add_emg_choice,
    add_json,
    add_lsl,
    add_wearer,
    add_wearer_details,
    positive_number,
    seed,
    source_id,
)
from ui.console import print_json, stop_on_signals

if TYPE_CHECKING:
    from emg_acquisition.source import DeviceSource, EmgSource
    from emg_acquisition.sources.amplifiers import AmplifierChoice
    from emg_acquisition.stream_info import EmgStreamInfo
    from simulation.forearm.settings import WearerSettings
    from simulation.forearm.wearer import SimulatedWearer

NAME = "acquire"
HELP = "a simulated wearer, a recorded session or an amplifier -> LSL streams of type EMG"
EXAMPLE = """hdemg acquire data/sub-001/ses-Session1Test --speed 1
         hdemg acquire sessantaquattro+ --host 192.168.1.10 --grid GR08MM1305
         hdemg acquire intan --inputs A --grid sleeve-4x16 --rate 4000
         hdemg acquire muovi+ --emulate"""

SIMULATED = "simulated"
MAX_PORT = 65535

Kind = Literal["simulated", "recording", "amplifier", "emulated"]

WHAT = {
    "simulated": "the simulated wearer",
    "recording": "a recorded session",
    "amplifier": "an amplifier",
    "emulated": "an amplifier with --emulate",
}
_PLAYED: tuple[Kind, ...] = ("simulated", "recording")
_WORN: tuple[Kind, ...] = ("simulated", "emulated")
_AMPLIFIER: tuple[Kind, ...] = ("amplifier", "emulated")
BELONGS: dict[str, tuple[Kind, ...]] = {
    **dict.fromkeys(("speed", "chunk_ms", "wait_for_consumers", "start_with"), _PLAYED),
    **dict.fromkeys(("loop", "emg"), ("recording",)),
    **dict.fromkeys(("wearer", "donning", "impairment", "gestures", "intentions", "keyboard"), _WORN),
    **dict.fromkeys(("rate", "grid"), ("simulated", "amplifier", "emulated")),
    **dict.fromkeys(("host", "port", "serial", "set", "inputs", "emulate"), _AMPLIFIER),
    **dict.fromkeys(("board", "serial_port", "mac"), _AMPLIFIER),
}
# Of the amplifiers' options, those that not all of them have.
SOME_HAVE: dict[str, tuple[str, ...]] = {
    "inputs": ("syncstation", "quattrocento", "intan"),
    "emulate": AMPLIFIERS[:-1],
    "board": ("brainflow",),
    "serial_port": ("brainflow",),
    "mac": ("brainflow",),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help=f"'{SIMULATED}', the folder of a recorded session, or an amplifier: {', '.join(AMPLIFIERS)}",
    )
    parser.add_argument(
        "--speed",
        type=positive_number,
        default=1.0,
        help="playback speed, times real time (default: %(default)g)",
    )
    parser.add_argument(
        "--chunk-ms",
        type=positive_number,
        default=10.0,
        help="length of a pushed chunk, in milliseconds (default: %(default)g)",
    )
    parser.add_argument("--loop", action="store_true", help="restart a recording when it ends")
    parser.add_argument(
        "--wait-for-consumers", action="store_true", help="hold the first sample until a consumer connects"
    )
    parser.add_argument(
        "--start-with",
        type=source_id,
        metavar="SOURCE_ID",
        help="hold the first sample until this LSL Markers stream sends a 'start' event",
    )
    add_emg_choice(parser)
    parser.add_argument(
        "--rate",
        type=positive_number,
        metavar="HZ",
        help="sampling rate of the simulated wearer or the amplifier (default: 2000, the amplifier's own)",
    )
    _add_wearer_options(parser)
    _add_amplifier_options(parser)
    add_lsl(parser)
    add_json(parser)
    _keep_defaults(parser)


def run(args: argparse.Namespace) -> int:
    """Publish until the source ends or the command is stopped."""
    if args.source in AMPLIFIERS:
        return _publish_amplifier(args)
    from emg_acquisition.streams.lsl_config import configure_lsl
    from emg_acquisition.streams.publisher import run_source

    _refuse_foreign_options(args, "simulated" if args.source == SIMULATED else "recording")
    configure_lsl(args.lsl_session)
    with stop_on_signals() as stop, ExitStack() as cleanup:
        source: EmgSource
        wearers = []
        if args.source == SIMULATED:
            source = wearer = _simulated_wearer(args)
            wearers.append(wearer)
        else:
            source = _recording(args)
        begin = None
        if args.start_with:
            from emg_acquisition.streams.start_signal import follow_start

            begin = threading.Event()
            follow_start(args.start_with, begin, stop)
        print(f"streaming {source.info.name} as {source.info.source_id}; Ctrl-C ends it", flush=True)
        _steer(wearers, args, stop, cleanup)
        report = run_source(
            source,
            speed=args.speed,
            chunk_ms=args.chunk_ms,
            stop=stop,
            wait_for_consumers=args.wait_for_consumers,
            begin=begin,
        )
    print(f"{report.samples} samples in {report.seconds:.1f} s, {report.overruns} chunks late")
    if args.json:
        print_json({"samples": report.samples, "seconds": report.seconds, "overruns": report.overruns})
    return 0


def _recording(args: argparse.Namespace) -> "EmgSource":
    from emg_acquisition.recording.session import load_session
    from emg_acquisition.sources.recording import RecordingSource

    folder = Path(args.source)
    if not folder.exists() and not folder.parent.name:
        known = ", ".join((SIMULATED, *AMPLIFIERS))
        raise InputError(f"source {args.source!r} is neither a session folder nor one of {known}")
    return RecordingSource(load_session(folder, args.emg), loop=args.loop)


# ---- which option belongs to which source


def _keep_defaults(parser: argparse.ArgumentParser) -> None:
    """Remember what each option is where it is not given; call it when all of them are declared."""
    parser.set_defaults(option_defaults={name: parser.get_default(name) for name in BELONGS})


def _refuse_foreign_options(args: argparse.Namespace, kind: Kind) -> None:
    """Refuse an option that the chosen source does not have.

    Raises
    ------
    InputError
        If there is one; it names the option and what it is for.
    """
    for name, kinds in BELONGS.items():
        if getattr(args, name) == args.option_defaults[name]:
            continue
        flag = "--" + name.replace("_", "-")
        some = SOME_HAVE.get(name, AMPLIFIERS)
        if kind not in kinds:
            owners = " and ".join(WHAT[k] for k in kinds if k != "emulated" or "amplifier" not in kinds)
            raise InputError(f"{flag} is for {owners}, not for {args.source}: leave it out")
        if kind in _AMPLIFIER and args.source not in some:
            raise InputError(f"{flag} is for {', '.join(some)}, not for {args.source}: leave it out")


# ---- the simulated wearer, alone or with an emulated amplifier


def _add_wearer_options(parser: argparse.ArgumentParser) -> None:
    """Declare who wears what, and who steers them."""
    add_wearer(parser)
    parser.add_argument(
        "--donning",
        type=seed,
        default=1,
        metavar="N",
        help="which donning of the sleeve: its position shifts with each (default: 1)",
    )
    add_wearer_details(parser)
    parser.add_argument(
        "--intentions",
        type=source_id,
        metavar="SOURCE_ID",
        help="the simulated wearer follows 'intention' events of this LSL Markers stream (otherwise it rests)",
    )
    parser.add_argument(
        "--keyboard", action="store_true", help="steer the simulated wearer with the keys listed at the start"
    )


def _simulated_wearer(args: argparse.Namespace) -> "SimulatedWearer":
    """Return the simulated wearer that the options describe."""
    from emg_acquisition.grid_library import load_grid
    from simulation.forearm.wearer import SimulatedWearer

    settings = _wearer_settings(args)
    if args.grid and len(args.grid) > 1:
        raise InputError(
            f"the simulated wearer wears one sleeve: give --grid once, not {len(args.grid)} times"
        )
    grid = load_grid(args.grid[0]) if args.grid else settings.grid
    return SimulatedWearer(replace(settings, fs_hz=args.rate or settings.fs_hz, grid=grid))


def _wearers_of(infos: "Sequence[EmgStreamInfo]", args: argparse.Namespace) -> "list[SimulatedWearer]":
    """Return who wears the electrodes of each of an amplifier's streams; several are of several people."""
    from simulation.forearm.wearer import SimulatedWearer

    first = _wearer_settings(args)
    return [
        SimulatedWearer(replace(first, seed=first.seed + k, fs_hz=info.fs_hz, grid=info.grid))
        for k, info in enumerate(infos)
    ]


def _wearer_settings(args: argparse.Namespace) -> "WearerSettings":
    from simulation.forearm.settings import WearerSettings
    from simulation.forearm.synergies import TEN_GESTURES

    return WearerSettings(
        seed=args.wearer,
        donning=args.donning,
        impairment=args.impairment,
        gestures=args.gestures or TEN_GESTURES,
    )


def _steer(
    wearers: "Sequence[SimulatedWearer]", args: argparse.Namespace, stop: threading.Event, cleanup: ExitStack
) -> None:
    """Let events or keys steer the wearers, until ``stop`` or `cleanup`, where that was asked for."""
    if args.intentions:
        from simulation.forearm.live_intention import follow_intentions

        for wearer in wearers:
            follow_intentions(wearer, args.intentions, stop)
    if args.keyboard:
        from ui.keyboard import keyboard_steering

        cleanup.enter_context(keyboard_steering(_Together(wearers), lambda text: print(text, flush=True)))


class _Together:
    """Several wearers who intend the same."""

    def __init__(self, wearers: "Sequence[SimulatedWearer]") -> None:
        self._wearers = wearers

    @property
    def gestures(self) -> tuple[str, ...]:
        return self._wearers[0].gestures

    def set_intention(self, gesture: str, effort: float = 1.0) -> None:
        for wearer in self._wearers:
            wearer.set_intention(gesture, effort)


# ---- an amplifier, or its emulator


def _add_amplifier_options(parser: argparse.ArgumentParser) -> None:
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
        help="serial number, where there are several of one kind; part of source_id",
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
        help="connect over TCP to an emulator worn by the simulated wearer; no amplifier needed",
    )


def _publish_amplifier(args: argparse.Namespace) -> int:
    """Publish an amplifier until the command is stopped."""
    from emg_acquisition.streams.device_publisher import connect_device, run_device
    from emg_acquisition.streams.lsl_config import configure_lsl

    _refuse_foreign_options(args, "emulated" if args.emulate else "amplifier")
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
        wearers = _wearers_of(device.infos, args)
        _steer(wearers, args, stop, cleanup)
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
