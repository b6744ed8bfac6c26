"""``hdemg simulate-study``."""

import argparse
import time

from ui.commands.options import add_json, add_wearer_details, folder, integer, positive_number, seed
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

NAME = "simulate-study"
HELP = "the reference study's protocol for simulated wearers, as session folders"
EXAMPLE = "hdemg simulate-study study --wearers 4 --jobs 2"
MAX_COUNT = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "out", type=folder, metavar="OUT", help="folder that receives sub-W00/ses-calibration, ..."
    )
    parser.add_argument(
        "--wearers", type=integer(1, MAX_COUNT), default=13, metavar="N", help="how many (default: 13)"
    )
    parser.add_argument(
        "--first", type=seed, default=0, metavar="SEED", help="the first wearer's seed (default: 0)"
    )
    parser.add_argument(
        "--repetitions",
        type=integer(2, MAX_COUNT),
        default=8,
        metavar="N",
        help="trials of each gesture (default: 8)",
    )
    parser.add_argument(
        "--recalibration",
        type=integer(2, MAX_COUNT),
        default=5,
        metavar="N",
        help="trials of each gesture an hour later (default: 5)",
    )
    parser.add_argument(
        "--hold",
        type=positive_number,
        default=2.0,
        metavar="S",
        help="length of a trial (default: %(default)g)",
    )
    parser.add_argument(
        "--rest",
        type=positive_number,
        default=2.0,
        metavar="S",
        help="rest before each (default: %(default)g)",
    )
    parser.add_argument(
        "--rate",
        type=positive_number,
        default=4000.0,
        metavar="HZ",
        help="sampling rate (default: %(default)g)",
    )
    add_wearer_details(parser)
    parser.add_argument(
        "--jobs", type=integer(1, MAX_COUNT), default=1, metavar="N", help="processes (default: 1)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Record the study."""
    from simulation.forearm.synergies import TEN_GESTURES
    from simulation.study import StudySettings, simulate_study

    settings = StudySettings(
        wearers=args.wearers,
        first=args.first,
        repetitions=args.repetitions,
        recalibration_repetitions=args.recalibration,
        hold_s=args.hold,
        rest_s=args.rest,
        fs_hz=args.rate,
        impairment=args.impairment,
        gestures=args.gestures or TEN_GESTURES,
    )
    began_s = time.monotonic()
    with interrupt_on_sigterm(), ProgressBar("simulate-study") as progress:
        sessions = simulate_study(args.out, settings, args.jobs, progress)
    seconds = time.monotonic() - began_s
    print(f"{len(sessions)} sessions of {args.wearers} wearers in {args.out}, {seconds:.0f} s")
    if args.json:
        figures = {
            "out": str(args.out),
            "wearers": args.wearers,
            "sessions": [str(path) for path in sessions],
        }
        print_json({**figures, "seconds": round(seconds, 1)})
    return 0
