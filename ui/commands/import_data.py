"""``hdemg import``."""

import argparse

from ui.commands.options import add_json, folder
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

NAME = "import"
HELP = "a public data set -> session folders"
EXAMPLE = "hdemg import flexemg flexemg/ data/ --recording 001-Session1Train"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("format", choices=("flexemg",), metavar="FORMAT", help="flexemg (Moin et al. 2018)")
    parser.add_argument("src", type=folder, metavar="SRC", help="folder of the data set, as published")
    parser.add_argument("out", type=folder, metavar="OUT", help="folder that receives sub-*/ses-*")
    parser.add_argument(
        "--recording", action="append", metavar="NAME", help="only this recording; repeatable (default: all)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Import and list what was made."""
    from emg_acquisition.recording.import_flexemg import import_flexemg

    with interrupt_on_sigterm(), ProgressBar("import") as progress:
        sessions = import_flexemg(args.src, args.out, progress, args.recording)
    for session in sessions:
        print(session)
    if args.json:
        print_json({"sessions": [str(session) for session in sessions]})
    return 0
