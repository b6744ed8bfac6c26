"""A calibration window over the real chain, whose wearer follows the cues while somebody else presses the keys.

``python -m tests.calibration_driver OUT [--resume]``; prints a line of JSON whenever step, phase or trial change.
"""

import argparse
import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from calibration.protocol import CueSchedule
from calibration.start import CalibrationSettings, open_calibration
from emg_acquisition.streams.lsl_config import configure_lsl
from simulation.automatic_calibration import SimulatedPerson
from simulation.wearer_process import STAGE, start_wearer
from ui import CLI_MODULE
from ui.screen import require_screen
from ui.windows.calibration import show_calibration

PROTOCOL = CueSchedule(
    gestures=("fist", "hand_open"),
    repetitions=2,
    rest_s=1.2,
    ready_s=0.4,
    ramp_s=0.4,
    hold_s=1.6,
    name="short",
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    require_screen()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    configure_lsl(f"driver-{os.getpid()}")
    with ExitStack() as cleanup:
        wearer = start_wearer(1, None, args.out / "logs", cleanup, CLI_MODULE)
        pid = wearer.processes.process(STAGE).pid
        protocol = None if args.resume else PROTOCOL
        settings = CalibrationSettings(
            args.out, "P01", protocol, wearer.source_id, resume=args.resume, timeout_s=60.0
        )
        session = cleanup.enter_context(open_calibration(settings, stop))
        person = SimulatedPerson(session, wearer.intend, presses=False)
        told = [""]

        def follow(now_s):
            person.follow(now_s)
            view = session.view()
            cue = view.cue
            line = json.dumps(
                {
                    "step": view.step.value,
                    "phase": cue.phase.value if cue else "",
                    "trial": cue.trial if cue else 0,
                    "decoded": view.try_out.decoded if view.try_out else "",
                    "wearer": pid,
                }
            )
            if line != told[0]:
                told[0] = line
                sys.stdout.write(line + "\n")
                sys.stdout.flush()

        show_calibration(session, follow, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
