"""``hdemg init``."""

import argparse
from pathlib import Path

from emg_acquisition.errors import InputError
from ui.commands.options import folder

NAME = "init"
HELP = "write a commented session.yaml, to fill in and run"
EXAMPLE = "hdemg init my-study"

TEMPLATE = Path(__file__).resolve().parent.parent / "session_template.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "folder",
        type=folder,
        nargs="?",
        default=Path.cwd(),
        metavar="FOLDER",
        help="where session.yaml is written; made if it does not exist (default: here)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the file; one that is there is never overwritten."""
    args.folder.mkdir(parents=True, exist_ok=True)
    path = args.folder / "session.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.read_text(encoding="utf-8"))
    except FileExistsError as error:
        raise InputError(f"{path} exists: nothing is overwritten; choose another folder") from error
    print(f"wrote {path}: fill it in, then hdemg teleop --config {path}")
    return 0
