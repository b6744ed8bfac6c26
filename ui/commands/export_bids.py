"""``hdemg export-bids``."""

import argparse

from emg_acquisition.errors import InputError
from ui.commands.options import add_json, code, folder, positive_number
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

NAME = "export-bids"
HELP = "session folders -> an EMG-BIDS data set (BDF+)"
EXAMPLE = (
    "hdemg export-bids data/sub-001/ses-Session1Train data/sub-001/ses-Session1Test bids/ --powerline 60"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "paths",
        type=folder,
        nargs="+",
        metavar="SESSION... OUT",
        help="session folders, then the data set to make or to extend",
    )
    parser.add_argument("--task", type=code, default="gestures", help="task label (default: %(default)s)")
    parser.add_argument(
        "--powerline", type=positive_number, metavar="HZ", help="mains frequency where it was recorded"
    )
    parser.add_argument("--name", help="name of a new data set (default: its folder's)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Export and list what was made."""
    from emg_acquisition.recording.bids.dataset import export_bids
    from emg_acquisition.recording.bids.sidecars import ExportSettings

    *sessions, out = args.paths
    if not sessions:
        raise InputError("name one session folder at least, and behind them the folder of the data set")
    settings = ExportSettings(task=args.task, powerline_hz=args.powerline, name=args.name)
    with interrupt_on_sigterm(), ProgressBar("export") as progress:
        made = export_bids(sessions, out, settings, progress)
    for path in made:
        print(path)
    if args.json:
        print_json({"dataset": str(out), "sessions": [str(path) for path in made]})
    return 0
