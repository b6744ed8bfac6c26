"""``hdemg acquire``."""

import argparse
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from emg_acquisition.sources.amplifier_names import AMPLIFIERS
from ui.commands import acquire_amplifier
from ui.commands.acquire_options import keep_defaults, refuse_foreign_options
from ui.commands.acquire_wearer import add_wearer_options, simulated_wearer, steer
from ui.commands.options import add_emg_choice, add_json, add_lsl, positive_number, source_id
from ui.console import print_json, stop_on_signals

if TYPE_CHECKING:
    from emg_acquisition.source import EmgSource

NAME = "acquire"
HELP = "a simulated wearer, a recorded session or an amplifier -> LSL streams of type EMG"
EXAMPLE = """hdemg acquire data/sub-001/ses-Session1Test --speed 1
         hdemg acquire sessantaquattro+ --host 192.168.1.10 --grid GR08MM1305
         hdemg acquire intan --inputs A --grid sleeve-4x16 --rate 4000
         hdemg acquire muovi+ --emulate"""

SIMULATED = "simulated"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help=f"'{SIMULATED}', the folder of a recorded session, or an amplifier: {', '.join(AMPLIFIERS)}",
    )
    parser.add_argument(
        "--speed", type=positive_number, default=1.0, help="times the own rate (default: %(default)g)"
    )
    parser.add_argument(
        "--chunk-ms",
        type=positive_number,
        default=10.0,
        help="length of a pushed chunk (default: %(default)g)",
    )
    parser.add_argument("--loop", action="store_true", help="begin a recording again when it has ended")
    parser.add_argument(
        "--wait-for-consumers", action="store_true", help="hold the first sample until somebody listens"
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
    add_wearer_options(parser)
    acquire_amplifier.add_arguments(parser)
    add_lsl(parser)
    add_json(parser)
    keep_defaults(parser)


def run(args: argparse.Namespace) -> int:
    """Publish until the source ends or the command is stopped."""
    if args.source in AMPLIFIERS:
        return acquire_amplifier.run(args)
    from emg_acquisition.streams.lsl_config import configure_lsl
    from emg_acquisition.streams.publisher import run_source

    refuse_foreign_options(args, "simulated" if args.source == SIMULATED else "recording")
    configure_lsl(args.lsl_session)
    with stop_on_signals() as stop, ExitStack() as cleanup:
        source: EmgSource
        wearers = []
        if args.source == SIMULATED:
            source = wearer = simulated_wearer(args)
            wearers.append(wearer)
        else:
            source = _recording(args)
        begin = None
        if args.start_with:
            from emg_acquisition.streams.start_signal import follow_start

            begin = threading.Event()
            follow_start(args.start_with, begin, stop)
        print(f"streaming {source.info.name} as {source.info.source_id}; Ctrl-C ends it", flush=True)
        steer(wearers, args, stop, cleanup)
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
