"""A real X server of a test's own, and a window in a process of its own that is driven by real keys."""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time

from ui.system_libraries import missing_packages

LIMIT_S = 120.0
XVFB, XDOTOOL = shutil.which("Xvfb"), shutil.which("xdotool")
MISSING = [
    *missing_packages(),
    *(package for package, program in (("xvfb", XVFB), ("xdotool", XDOTOOL)) if program is None),
]
WHY_NOT = f"not installed: apt-get install {' '.join(MISSING)}"


@contextlib.contextmanager
def x_server():
    """Yield the name of its display."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [XVFB, "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


class DrivenWindow:
    """A process with a window: what it tells, a line of JSON whenever something changes, and hands on its keyboard.

    Parameters
    ----------
    module : str
        What is run, as ``python -m``.
    title : str
        Of its window.
    display : str
        From `x_server`.
    arguments : sequence of str
        Given to the module.
    environment : dict
        To run it in; this process's own by default.
    """

    def __init__(self, module, title, display, arguments, environment=None):
        self.title = title
        self.env = {**(environment or os.environ), "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        self.env.pop("WAYLAND_DISPLAY", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = queue.SimpleQueue()
        self.now = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with self.process.stdout as told:
            for line in told:
                self.lines.put(json.loads(line))
        self.lines.put(None)

    def until(self, **wanted):
        """Wait until the window tells all of these, values or conditions on them; returns what it told."""
        self.until_either(wanted)
        return self.now

    def until_either(self, wanted, otherwise=None):
        """Wait for the one or for the other; whether it was the one."""
        end_s = time.monotonic() + LIMIT_S
        while not self._is(wanted):
            if otherwise is not None and self._is(otherwise):
                return False
            # What it tells may go on for ever without being what is waited for.
            assert time.monotonic() < end_s, f"{wanted} did not come in time, but {self.now}"
            with contextlib.suppress(queue.Empty):
                news = self.lines.get(timeout=1.0)
                assert news is not None, f"the window ended at {self.now}"
                self.now = news
        return True

    def _is(self, wanted):
        return all(
            key in self.now and (value(self.now[key]) if callable(value) else self.now[key] == value)
            for key, value in wanted.items()
        )

    def say(self, line):
        """Write a line to its standard input."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hands(self, *arguments):
        subprocess.run([XDOTOOL, *arguments], env=self.env, check=True, timeout=30, capture_output=True)

    def take_focus(self):
        """There is no window manager to do it."""
        self.hands("search", "--sync", "--onlyvisible", "--name", self.title, "windowfocus", "--sync")

    def key(self, name):
        self.hands("key", name)

    def wait_ended(self):
        assert self.process.wait(timeout=LIMIT_S) == 0

    def end(self):
        """End it in order, and by force where that does not do."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=30)
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
