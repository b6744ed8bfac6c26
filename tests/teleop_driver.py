"""A session with the simulated wearer and robot in its window, whose wearer does what a line of standard input says.

``python -m tests.teleop_driver DECODER OUT WEARER``; prints a line of JSON whenever something of it changes.
"""

import json
import os
import signal
import sys
import threading
import uuid
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from emg_acquisition.events import Event
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from robot_bridge.stretch_interface import DOF_NAMES
from teleoperation.settings import TeleopSettings
from ui.live_session import live_session
from ui.screen import require_screen
from ui.windows.teleop import TeleopWindow, run_teleop_window


def intend(outlet, wanted, stop):
    """Say again and again what the wearer is to do: who comes late must hear it too."""
    while not stop.wait(0.1):
        outlet.push(Event(lsl_clock_s(), "intention", {"gesture": wanted[0], "effort": 1.0}))


def listen(wanted):
    for line in sys.stdin:
        wanted[0] = line.strip()


def state_of(session, answers):
    view = session.view()
    windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, TeleopWindow)]
    positions = view.robot.positions
    part = session.chain.processes.process
    return {
        "state": view.robot.safety_state,
        "reason": view.robot.reason,
        "ready": view.ready,
        "failing": [check.name for check in view.checks if not check.good],
        "gesture": view.robot.gesture,
        "travel_cm": round(100 * positions[DOF_NAMES.index("base_translate")]) if positions else None,
        "still": view.robot.velocities is not None and max(map(abs, view.robot.velocities)) < 1e-3,
        "restarts": sum(part.restarts for part in view.parts),
        "answers": len(answers),
        "said": windows[0].message.text() if windows else "",
        "badge": windows[0].badge.accessibleName() if windows else "",
        "traces": windows[0].traces.choice.kind if windows else "",
        "writing": QApplication.activeModalWidget() is not None
        or QApplication.activePopupWidget() is not None,
        "acquire": part("acquire").pid,
        "decode": part("decode").pid,
    }


def main():
    decoder, out, wearer = sys.argv[1:]
    require_screen()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    configure_lsl(lsl_session := f"driver-{os.getpid()}")
    token, wanted = f"intentions-{uuid.uuid4().hex[:8]}", ["rest"]
    settings = TeleopSettings(
        decoder=Path(decoder),
        source=f"simulated --wearer {wearer} --intentions {token}",
        out=Path(out),
        participant="P01",
        events=(token,),
    )
    outlet = EventOutlet("intentions", token)
    intending = threading.Thread(target=intend, args=(outlet, wanted, stop))
    intending.start()
    threading.Thread(target=listen, args=(wanted,), daemon=True).start()
    QApplication([])
    try:
        with live_session(settings, lambda _step, _part: None, lsl_session=lsl_session) as session:
            told, answers, heard = [""], [], []

            def tell():
                for window in QApplication.topLevelWidgets():
                    if isinstance(window, TeleopWindow) and window not in heard:
                        heard.append(window)
                        window._answers.came.connect(answers.append)
                line = json.dumps(state_of(session, answers))
                if line != told[0]:
                    told[0] = line
                    sys.stdout.write(line + "\n")
                    sys.stdout.flush()

            timer = QTimer(interval=50)
            timer.timeout.connect(tell)
            timer.start()
            run_teleop_window(session, stop)
            timer.stop()
    finally:
        stop.set()
        intending.join()
        outlet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
