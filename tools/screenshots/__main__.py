"""Every state of the windows as a picture: ``python -m tools.screenshots FOLDER [--only WINDOW]``."""

import argparse
import sys
import uuid
from pathlib import Path

from PySide6.QtWidgets import QApplication

from emg_acquisition.errors import InputError
from emg_acquisition.streams.lsl_config import configure_lsl
from tools.screenshots.calibration import take_calibration
from tools.screenshots.replay import take_replay
from tools.screenshots.teleop import take_teleop

WINDOWS = ("calibration", "teleop", "replay")


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--only", choices=WINDOWS, help="one window's (default: all)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication([])
    configure_lsl(session_id := f"hdemg-{uuid.uuid4().hex[:8]}")
    wanted = (args.only,) if args.only else WINDOWS
    try:
        if "calibration" in wanted:
            take_calibration(app, args.out)
        if "teleop" in wanted:
            take_teleop(app, args.out, session_id)
        if "replay" in wanted:
            take_replay(app, args.out, session_id)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
