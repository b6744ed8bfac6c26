"""``hdemg record``."""

import argparse

from emg_acquisition.errors import InputError
from ui.commands.options import add_json, add_lsl, folder, source_id
from ui.console import print_json, stop_on_signals

NAME = "record"
HELP = "LSL streams (EMG, gestures, events) -> session folder"
EXAMPLE = "hdemg record data/sub-P01/ses-20261123T101500 --participant P01 --emg simulated-wearer-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("out", type=folder, metavar="OUT", help="session folder to make; it must not exist")
    parser.add_argument("--participant", default="P00", help="participant code (default: %(default)s)")
    parser.add_argument(
        "--emg", type=source_id, metavar="SOURCE_ID", help="EMG stream (default: the only one there is)"
    )
    parser.add_argument("--gesture", type=source_id, metavar="SOURCE_ID", help="decoder's Gesture stream")
    parser.add_argument(
        "--events",
        type=source_id,
        metavar="SOURCE_ID",
        action="append",
        default=[],
        help="Markers stream; repeatable",
    )
    add_lsl(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Record until stopped or until the EMG stream ends."""
    from emg_acquisition.lsl_config import configure_lsl
    from emg_acquisition.recorder import RecorderSettings, run_recorder

    configure_lsl(args.lsl_session)
    if args.out.exists():
        raise InputError(f"{args.out} exists: a session is never overwritten; choose another folder")
    settings = RecorderSettings(
        participant=args.participant,
        session=args.out.name.removeprefix("ses-"),
        emg_source_id=args.emg,
        gesture_source_id=args.gesture,
        event_source_ids=tuple(args.events),
        timeout_s=args.timeout,
    )
    with stop_on_signals() as stop:
        report = run_recorder(settings, args.out, stop)
    print(f"recorded {report.emg_samples} EMG samples ({report.seconds:.1f} s) in {args.out}")
    if args.json:
        print_json({"session": str(args.out), "emg_samples": report.emg_samples, "seconds": report.seconds})
    return 0
