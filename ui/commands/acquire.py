"""``hdemg acquire``."""

import argparse
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui.commands.options import add_emg_choice, add_json, add_lsl, add_wearer, positive_number, source_id
from ui.console import print_json, stop_on_signals

if TYPE_CHECKING:
    from emg_acquisition.sources.simulated_wearer import SimulatedWearer
    from emg_acquisition.sources.source import EmgSource

NAME = "acquire"
HELP = "a simulated wearer or a recorded session -> LSL stream of type EMG"
EXAMPLE = "hdemg acquire data/sub-001/ses-Session1Test --speed 1"

SIMULATED = "simulated"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("source", metavar="SOURCE", help=f"'{SIMULATED}' or the folder of a recorded session")
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
    add_wearer(parser)
    parser.add_argument(
        "--intentions",
        type=source_id,
        metavar="SOURCE_ID",
        help="the simulated wearer follows 'intention' events of this LSL Markers stream (otherwise it rests)",
    )
    add_lsl(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Publish until the source ends or the command is stopped."""
    from emg_acquisition.lsl_config import configure_lsl
    from emg_acquisition.publisher import run_source

    configure_lsl(args.lsl_session)
    with stop_on_signals() as stop:
        source: EmgSource
        if args.source == SIMULATED:
            if args.loop:
                raise InputError("--loop is for a recorded session; the simulated wearer does not end")
            if args.emg:
                raise InputError("--emg is for a recorded session; the simulated wearer has one stream")
            source = _simulated(args)
            if args.intentions:
                from emg_acquisition.sources.live_intention import follow_intentions

                follow_intentions(source, args.intentions, stop)
        else:
            source = _recording(args)
        begin = None
        if args.start_with:
            from emg_acquisition.sources.start_signal import follow_start

            begin = threading.Event()
            follow_start(args.start_with, begin, stop)
        print(f"streaming {source.info.name} as {source.info.source_id}; Ctrl-C ends it", flush=True)
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


def _simulated(args: argparse.Namespace) -> "SimulatedWearer":
    from emg_acquisition.sources.simulated_wearer import SimulatedWearer, WearerSettings

    return SimulatedWearer(WearerSettings(seed=args.wearer))


def _recording(args: argparse.Namespace) -> "EmgSource":
    from emg_acquisition.recording.session import load_session
    from emg_acquisition.sources.recording import RecordingSource

    if args.intentions:
        raise InputError("--intentions is for the simulated wearer; a recording plays what was recorded")
    return RecordingSource(load_session(Path(args.source), args.emg), loop=args.loop)
