"""What the replay window costs over a long session: memory, seconds to read it, milliseconds to answer and to draw.

``python benchmarks/replay_window.py OUT [--channels 64] [--rate 2000] [--minutes 60]`` writes a session of noise to
OUT, shows it off screen in a process of its own, and deletes it.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from replay_cost import peak_mb, write_session

LOOKS = 40
SPANS_S = (2.0, 20.0, 120.0, float("inf"))


def show(folder: Path) -> None:
    """Show the session, go to places at random, and print the figures."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415 - after the platform is chosen

    from emg_acquisition.recording.session import open_session  # noqa: PLC0415
    from ui.view_models.replay import ReplaySettings  # noqa: PLC0415
    from ui.windows.replay import ReplayWindow  # noqa: PLC0415

    app = QApplication([])
    before_mb, began_s = peak_mb(), time.perf_counter()
    session = open_session(folder)
    opened_s = time.perf_counter() - began_s
    window = ReplayWindow(
        app, ReplaySettings(session, None, judges_replay=False, after_cue_s=1.0, before_next_s=1.0)
    )
    window.show()
    began_s = time.perf_counter()
    window.model.reader.start()
    window.model.reader.done.wait()
    figures = {
        "minutes": round(window.model.place.seconds / 60, 1),
        "recording_mb": round((folder / "recording.xdf").stat().st_size / 2**20),
        "before_mb": round(before_mb),
        "opened_s": round(opened_s, 1),
        "read_s": round(time.perf_counter() - began_s, 1),
    }
    for span_s in SPANS_S:
        answers, draws = zip(*(_look(window, span_s) for _ in range(LOOKS)), strict=True)
        name = f"{span_s:g}_s"
        figures[f"answer_ms_{name}"] = [round(1e3 * float(q)) for q in np.quantile(answers, (0.5, 0.95))]
        figures[f"draw_ms_{name}"] = [round(1e3 * float(q)) for q in np.quantile(draws, (0.5, 0.95))]
    figures["peak_mb"] = round(peak_mb())
    print(json.dumps(figures))
    window.close()


def _look(window: "ReplayWindow", span_s: float) -> tuple[float, float]:  # noqa: F821 - imported where Qt is
    """Go somewhere; returns the seconds until what is there was read, and those that drawing it took."""
    place = window.model.place
    begin_s = random.uniform(0, place.seconds)  # noqa: S311 - nothing secret
    place.show(begin_s, begin_s + min(span_s, place.seconds))
    place.seek((place.begin_s + place.end_s) / 2)
    began_s = time.perf_counter()
    window.refresh()
    wanted = (place.begin_s, place.cursor_s)
    while (shown := window.model.reader.shown) is None or (
        shown.request.begin_s,
        shown.request.cursor_s,
    ) != wanted:
        time.sleep(0.001)
    answered_s = time.perf_counter()
    window.refresh()
    window.grab()
    return answered_s - began_s, time.perf_counter() - answered_s


def main() -> None:
    """Write, show and delete a session."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path, help="folder on a disk with room")
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2000.0)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--show", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.show:
        show(args.out)
        return
    folder = args.out / "ses-window"
    try:
        write_session(folder, args.channels, args.rate, args.minutes)
        subprocess.run([sys.executable, __file__, str(folder), "--show"], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
