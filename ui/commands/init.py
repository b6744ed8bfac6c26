"""``hdemg init``."""

import argparse
from pathlib import Path

from emg_acquisition.errors import InputError
from ui.commands.options import folder

NAME = "init"
HELP = "write a commented session.yaml and signal.yaml, to fill in and run"
EXAMPLE = "hdemg init my-study"

FOLDER = Path(__file__).resolve().parent.parent
TEMPLATES = {"session.yaml": FOLDER / "session_template.yaml", "signal.yaml": FOLDER / "signal_template.yaml"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "folder",
        type=folder,
        nargs="?",
        default=Path.cwd(),
        metavar="FOLDER",
        help="where they are written; made if it does not exist (default: here)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the files; one that exists is never overwritten."""
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in TEMPLATES:
        if (args.folder / name).exists():
            raise InputError(f"{args.folder / name} exists: nothing is overwritten; choose another folder")
    for name, template in TEMPLATES.items():
        with (args.folder / name).open("x", encoding="utf-8") as file:
            file.write(template.read_text(encoding="utf-8"))
    session, signal = (args.folder / name for name in TEMPLATES)
    print(f"wrote {session}: fill it in, then hdemg teleop --config {session}")
    print(f"wrote {signal}: the signal path of a decoder, for hdemg train --signal {signal}")
    return 0
