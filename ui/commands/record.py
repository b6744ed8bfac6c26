"""``hdemg record``."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui.commands.options import add_json, add_lsl, folder, source_id
from ui.console import StatusLine, print_json, stop_on_signals
from ui.log_file import LOG_NAME, LOG_VARIABLE, log_to

if TYPE_CHECKING:
    from emg_acquisition.recording.recorder import RecorderReport

NAME = "record"
HELP = "LSL streams (EMG, auxiliary, gestures, events, any other) -> session folder"
EXAMPLE = """hdemg record data/sub-P01/ses-A1 --participant P01 --all
         hdemg record data/sub-P01/ses-A2 --participant P01 --emg simulated-2 --gesture hdemg-decoder"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("out", type=folder, metavar="OUT", help="session folder to make; it must not exist")
    parser.add_argument("--participant", default="P00", help="participant code (default: %(default)s)")
    parser.add_argument(
        "--emg",
        type=source_id,
        metavar="SOURCE_ID",
        action="append",
        default=[],
        help="EMG stream; repeatable, once a sleeve (default: the only one there is)",
    )
    parser.add_argument(
        "--gesture",
        type=source_id,
        metavar="SOURCE_ID",
        action="append",
        default=[],
        help="decoder's Gesture stream; repeatable, once a sleeve",
    )
    parser.add_argument(
        "--events",
        type=source_id,
        metavar="SOURCE_ID",
        action="append",
        default=[],
        help="Markers stream; repeatable",
    )
    parser.add_argument(
        "--bridge",
        type=source_id,
        metavar="NAME",
        help="a bridge's commands and journal; 'hdemg' is that of `hdemg bridge`",
    )
    parser.add_argument("--aux", action="store_true", help="the auxiliary channels that go with the EMG")
    parser.add_argument(
        "--all", action="store_true", help="every stream of the LSL session, also one that appears later"
    )
    parser.add_argument(
        "--let-in",
        metavar="HOST",
        action="append",
        default=[],
        help="also record streams from this machine; repeatable (default: this machine's streams only)",
    )
    add_lsl(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Record until stopped, until the EMG sources end, or until the EMG has been gone for ``--timeout`` seconds."""
    from emg_acquisition.recording.recorder import RecorderSettings, run_recorder
    from emg_acquisition.streams.lsl_config import configure_lsl

    configure_lsl(args.lsl_session, args.let_in)
    if args.out.exists():
        raise InputError(f"{args.out} exists: a session is never overwritten; choose another folder")
    if LOG_VARIABLE not in os.environ and args.log_file is None:
        log_to(args.out / LOG_NAME, NAME)
    settings = RecorderSettings(
        participant=args.participant,
        session=args.out.name.removeprefix("ses-"),
        emg_source_ids=tuple(args.emg),
        gesture_source_ids=tuple(args.gesture),
        event_source_ids=tuple(args.events),
        bridge=args.bridge,
        aux=args.aux,
        everything=args.all,
        timeout_s=args.timeout,
    )
    with stop_on_signals() as stop, StatusLine() as line:
        report = run_recorder(settings, args.out, stop, progress=lambda now: line(_in_words(now)))
    print(f"recorded {_in_words(report)} in {args.out}")
    if report.lost and not stop.is_set():
        print(f"it ended because {', '.join(report.lost)} did not come back", file=sys.stderr)
    if args.json:
        print_json(
            {
                "session": str(args.out),
                "emg_samples": report.emg_samples,
                "streams": report.streams,
                "gaps": report.gaps,
                "bytes": report.n_bytes,
                "seconds": report.seconds,
            }
        )
    return 0


def _in_words(report: "RecorderReport") -> str:
    text = (
        f"{report.emg_samples} EMG samples ({report.seconds:.1f} s, {report.n_bytes / 1e6:.1f} MB, "
        f"{report.streams} streams)"
    )
    if report.gaps:
        text += f", {report.gaps} gap(s)"
    return text + (f", LOST: {', '.join(report.lost)}" if report.lost else "")
