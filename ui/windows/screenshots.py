"""Every state of the windows as a picture: ``python -m ui.windows.screenshots FOLDER [--only calibration|teleop]``."""

import argparse
import sys
import uuid
from pathlib import Path

from PySide6.QtWidgets import QApplication

from emg_acquisition.errors import InputError
from emg_acquisition.lsl_config import configure_lsl
from ui.windows.calibration_screenshots import take_calibration
from ui.windows.teleop_screenshots import take_teleop


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--only", choices=("calibration", "teleop"), help="one window's (default: both)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication([])
    configure_lsl(lsl_session := f"hdemg-{uuid.uuid4().hex[:8]}")
    try:
        if args.only != "teleop":
            take_calibration(app, args.out)
        if args.only != "calibration":
            take_teleop(app, args.out, lsl_session)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
