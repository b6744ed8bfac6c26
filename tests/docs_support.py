"""The examples of the documentation, and how each is to be run.

A code block runs if one of these stands above it, as an HTML comment that no reader sees:

- ``<!-- run -->``: to its end, which must be good
- ``<!-- run in the background -->``, ``<!-- run in the background until: TEXT -->``: until the page has ended; the next
  block waits for TEXT in its output
- ``<!-- run for N s after: TEXT -->``: for so long from when TEXT is in its output, then Ctrl-C, which must end it well
- ``<!-- run: FILE -->``: it is the content of FILE
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.waiting import wait_for

DOCS = REPOSITORY / "docs"
_BLOCK = re.compile(
    r"<!-- run(?P<how>[^>]*?) ?-->\n```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
ENDS_WITHIN_S = 240.0
STARTS_WITHIN_S = 120.0
STOPS_WITHIN_S = 60.0


@dataclass(frozen=True)
class Example:
    how: str
    language: str
    text: str


def examples(page: str) -> list[Example]:
    """The blocks of a page that are to be run, in order."""
    found = _BLOCK.finditer((DOCS / page).read_text(encoding="utf-8"))
    return [Example(match["how"].strip(), match["language"], match["text"]) for match in found]


@dataclass
class Reader:
    """Somebody who follows a page literally, in an empty folder."""

    folder: Path
    environment: Mapping[str, str]
    printed: list[str] = field(default_factory=list)
    background: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def follow(self, page: str) -> None:
        """Run every example of the page; fails where one does."""
        every = examples(page)
        assert every, f"{page} has no example that runs"
        for number, example in enumerate(every):
            self._run(example, f"{number:02d}")

    def _run(self, example: Example, name: str) -> None:
        if example.how.startswith(":"):
            (self.folder / example.how[1:].strip()).write_text(example.text)
            return
        log = self.folder.parent / f"{name}.log"
        child = self._start(example, log)
        if example.how.startswith("in the background"):
            self.background.append(child)
            self._wait_for(example.how.partition("until:")[2].strip(), child, log)
            return
        try:
            if example.how.startswith("for"):
                self._wait_for(example.how.partition("after:")[2].strip(), child, log)
                time.sleep(float(example.how.split()[1]))  # what the page says: let it run for so long
                os.killpg(child.pid, signal.SIGINT)
                status = child.wait(STOPS_WITHIN_S)
            else:
                status = child.wait(ENDS_WITHIN_S)
        finally:
            _end(child)
        self.printed.append(log.read_text(encoding="utf-8", errors="replace"))
        assert status == 0, f"{example.text}\nended with {status}:\n{self.printed[-1]}"
        assert "Traceback" not in self.printed[-1], self.printed[-1]

    def _start(self, example: Example, log: Path) -> "subprocess.Popen[bytes]":
        python = [sys.executable, "-W", "error", "-c", example.text]
        # As one types them: a line that fails ends the block.
        shell = ["/bin/bash", "-ec", example.text]
        with log.open("wb") as out:
            return subprocess.Popen(
                python if example.language == "python" else shell,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_for(self, text: str, child: "subprocess.Popen[bytes]", log: Path) -> None:
        def appears() -> bool:
            said = log.read_text(errors="replace")
            assert text in said or child.poll() is None, said
            return text in said

        if text:
            wait_for(appears, lambda: f"{text!r} in {log.read_text()}", STARTS_WITHIN_S)

    def check_background(self) -> None:
        """All that a page started is still there, and ends well when it is told to."""
        ended = [child.args for child in self.background if child.poll() is not None]
        assert not ended, f"ended by itself: {ended}"
        for child in reversed(self.background):
            os.killpg(child.pid, signal.SIGINT)
            assert child.wait(STOPS_WITHIN_S) == 0


@contextmanager
def reading(folder: Path, environment: Mapping[str, str]) -> Iterator[Reader]:
    """A reader whose background processes end with it."""
    reader = Reader(folder, environment)
    try:
        yield reader
        reader.check_background()
    finally:
        for child in reader.background:
            _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
