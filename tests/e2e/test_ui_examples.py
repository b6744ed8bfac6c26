"""Every example of ``--help``, the README and the documentation that needs nothing plugged in, run as it is typed.

Each page is followed in a folder of its own, from its first example to its last, with what the page says is there. The
liberties: an LSL session of the test's own, and less of what takes long (`SHORTER`). What cannot run here says why
(`cannot_run`). The quick starts are followed to the letter by ``test_eco_docs_examples.py``.
"""

import os
import pty
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from emg_acquisition.sources.amplifier_names import AMPLIFIERS
from tests.command_examples import PAGES, Example, help_examples, page_examples
from tests.command_line import command
from tests.conftest import REPOSITORY
from tests.made_once import made_once
from tests.waiting import wait_for
from ui import cli

FOLLOWED_ELSEWHERE = {"docs/quickstart.md", "docs/quickstart_lab.md", "docs/quickstart_robot.md"}
FOLLOWED = [
    page
    for page in PAGES
    if page_examples(page) and page.relative_to(REPOSITORY).as_posix() not in FOLLOWED_ELSEWHERE
]
# Commands whose `--help` is about recorded sessions, in an order in which each finds what it needs.
ON_RECORDINGS = (
    "init",
    "import",
    "export-bids",
    "train",
    "recalibrate",
    "acquire",
    "replay",
    "simulate-study",
    "evaluate",
    "closed-loop",
)
LIVE = (
    "init",
    "quality",
    "decode",
    "record",
    "bridge",
    "watchdog",
    "sim-robot",
    "calibrate",
    "teleop",
    "fault-campaign",
    "completion",
    "doctor",
    "demo",
)
# The last of an option counts: what is appended makes an example shorter and changes nothing else.
SHORTER = {
    "simulate-study": (
        *("--wearers", "1", "--repetitions", "3", "--recalibration", "3"),
        *("--hold", "1.5", "--rest", "1", "--rate", "1000"),
    ),
    "closed-loop": ("--trials", "1"),
    "fault-campaign": ("--count", "1"),
    "evaluate": ("--jobs", "1", "--no-learning-curve"),
}
PROTOCOL = """name: short
gestures: [fist, hand_open]
repetitions: 2
rest_s: 1.0
ready_s: 0.2
ramp_s: 0.3
hold_s: 0.9
"""
WITH_LSL_SESSION = {"acquire", "quality", "record", "decode", "bridge"}
# What runs until it is stopped, by what it prints once it does; None: seen otherwise.
ENDLESS = {
    "acquire": "streaming",
    "quality": "quality ",
    "record": "recording",
    "decode": "decoding",
    "bridge": None,
    "watchdog": "watching for",
    "sim-robot": None,
    "teleop": "ready:",
}
IN_PROCESS = {
    "import",
    "export-bids",
    "train",
    "recalibrate",
    "evaluate",
    "simulate-study",
    "init",
    "completion",
}
# Until something is ready or has stopped; and for work that ends by itself.
LIMIT_S = 240.0
WORK_LIMIT_S = 600.0
# Streams that a page takes as there.
STREAMS = {
    "hdemg quality --help": ("acquire simulated --wearer 2",),
    "hdemg decode --help": ("acquire simulated --wearer 2",),
    "hdemg record --help": ("acquire simulated --wearer 2", "decode decoder.onnx"),
    "hdemg bridge --help": (
        "acquire simulated --wearer 2",
        "acquire simulated --wearer 5",
        "decode l.onnx --emg simulated-2",
        "decode l.onnx --emg simulated-2 --source-id left",
        "decode r.onnx --emg simulated-5 --source-id right",
    ),
}
# Decoders that a page has others make, or describes.
DECODERS = {
    "LIVE": ("decoder.onnx", "l.onnx", "r.onnx", "my-study/decoder.onnx"),
    "README.md": ("data/sub-P01/ses-1/decoder.onnx",),
    "docs/teleoperation.md": (
        "decoder.onnx",
        "left/decoder.onnx",
        "right/decoder.onnx",
        "my-study/decoder.onnx",
    ),
}
# Sessions that a page takes as recorded.
SESSIONS = {"docs/signal_path.md": "data/sub-P01/ses-A1"}


def cannot_run(words: tuple[str, ...]) -> str | None:
    """Why an example cannot run here: what must be plugged in, or the test that runs it."""
    name = words[0]
    sources = {
        word for k, option in enumerate(words) if option == "--source" for word in words[k + 1].split()
    }
    reasons = {
        "an amplifier": (name == "acquire" and words[1] in AMPLIFIERS and "--emulate" not in words)
        or (name == "calibrate" and "simulated" not in words)
        or (name == "teleop" and bool(sources & set(AMPLIFIERS)))
        or "--amplifier" in words,
        "streams of a sleeve": bool({"sleeve-left", "test-7"} & set(words)),
        "somebody's data set": (name == "import" and words[1] != "flexemg")
        or any(word.startswith(("data/sub-p001/", "data/sub-P01/ses-t")) for word in words),
        "a screen": "--viewer" in words,
        "test_eco_docs_examples.py": name in {"doctor", "demo"},
        "test_teleop_script.py": "--script" in words,
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def takes_long(example: Example) -> bool:
    """Whether an example is for ``-m slow`` alone: long work, and what is live."""
    words = example.words
    return words[0] in {"simulate-study", "closed-loop", "fault-campaign", "calibrate", *ENDLESS} or bool(
        {"--study", "--split", "--dataset", "--robot", "--window"} & set(words)
    )


EXTENT = pytest.mark.parametrize("all_of_it", [False, pytest.param(True, marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def flexemg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings in the layout of the flexemg data set: noise, stronger at other electrodes with each gesture."""

    def make(out: Path) -> None:
        draw = np.random.default_rng(0)
        strength = {code: 20 + 400 * draw.random(64) ** 3 for code in (1, 2, 3, 4)} | {0: np.full(64, 10.0)}
        scipy.io.savemat(out / "arraymap.mat", {"arraymap": np.arange(1, 65).reshape(16, 4)})
        for recording in ("001-Session1Train", "001-Session1Test", "001-Session3Train"):
            (out / "data" / recording).mkdir(parents=True)
            for number in (1, 2, 3):
                pieces = [draw.normal(0, strength[code], (3000, 64)) for code in (0, 1, 2, 3, 4, 0)]
                said = {"lsbmV": 0.003, "sequence": [1, 2, 3, 4], "timerest": 3000, "timegest": 3000}
                content = {"raw": np.round(np.concatenate(pieces)), "p": said}
                scipy.io.savemat(out / "data" / recording / f"001-{number:03d}.mat", content)

    return made_once(tmp_path_factory, "flexemg-like", make)


class Reader:
    """Somebody who types one example after the other, each in a terminal of its own where it does not end."""

    def __init__(self, folder: Path, lsl_session: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._lsl_session, self._monkeypatch = folder, lsl_session, monkeypatch
        self._running: list[tuple[tuple[str, ...], subprocess.Popen[bytes], Path]] = []
        self._terminals: list[int] = []
        self._count = 0

    def provide(self, words: tuple[str, ...]) -> None:
        """Start what a page takes as there."""
        self._start(self._as_run(words))

    def type(self, words: tuple[str, ...]) -> None:
        """Run an example to its end, or until the page has been followed."""
        words = self._as_run(words)
        if (words[0] in ENDLESS or "--window" in words) and "--once" not in words:
            self._stop_what_it_replaces(words)
            self._start(words)
            return
        if words[0] in IN_PROCESS:
            with self._monkeypatch.context() as patch:
                patch.chdir(self._folder)
                assert cli.main(words) == 0, shlex.join(words)
            return
        child, log = self._child(words)
        status = child.wait(WORK_LIMIT_S)
        assert status == 0, f"{shlex.join(words)}\nended with {status}:\n{log.read_text()}"

    def stop_all(self) -> None:
        while self._running:
            self._stop_last()

    def kill(self) -> None:
        """End what a failure has left."""
        for _, child, _ in self._running:
            child.kill()
            child.wait()
        for terminal in self._terminals:
            os.close(terminal)

    def _as_run(self, words: tuple[str, ...]) -> tuple[str, ...]:
        found = [self._matching(word) if "*" in word else [word] for word in words]
        words = tuple(word for group in found for word in group)
        if "--lsl-session" in words:
            at = words.index("--lsl-session") + 1
            words = (*words[:at], f"{self._lsl_session}-{words[at]}", *words[at + 1 :])
        elif words[0] in WITH_LSL_SESSION:
            words = (*words, "--lsl-session", self._lsl_session)
        if "--auto" in words:
            (self._folder / "short.yaml").write_text(PROTOCOL)
            words = (*words, "--protocol", "short.yaml")
        if words[0] == "replay" and "--robot" in words:
            words = (*words, "--seconds", "4")
        if words[0] == "closed-loop" and "household" in words:
            words = (*words, "--wearer", "2")
        return (*words, *SHORTER.get(words[0], ()))

    def _matching(self, pattern: str) -> list[str]:
        return [path.relative_to(self._folder).as_posix() for path in sorted(self._folder.glob(pattern))]

    def _stop_what_it_replaces(self, words: tuple[str, ...]) -> None:
        """Stop the same command, and what hangs on it; a page shows alternatives under each other."""
        if "--lsl-session" in words and f"{self._lsl_session}-two" in words:
            return
        kinds = [running[0] for running, _, _ in self._running]
        if words[0] in kinds:
            while len(self._running) > kinds.index(words[0]):
                self._stop_last()

    def _child(self, words: tuple[str, ...]) -> "tuple[subprocess.Popen[bytes], Path]":
        self._count += 1
        log = self._folder.parent / f"{self._count:02d}-{words[0]}.log"
        main, terminal = pty.openpty()
        try:
            with log.open("wb") as out:
                child = subprocess.Popen(
                    command(*words),
                    cwd=self._folder,
                    stdin=terminal,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(REPOSITORY)},
                )
        finally:
            os.close(terminal)
        self._terminals.append(main)
        return child, log

    def _start(self, words: tuple[str, ...]) -> None:
        child, log = self._child(words)
        self._running.append((words, child, log))

        def ready() -> bool:
            assert child.poll() is None, f"{shlex.join(words)}\nended:\n{log.read_text()}"
            return _is_ready(words, child, log)

        wait_for(ready, lambda: f"{shlex.join(words)}\n{log.read_text()}", LIMIT_S, poll_s=0.05)

    def _stop_last(self) -> None:
        words, child, log = self._running[-1]
        assert child.poll() is None, f"{shlex.join(words)}\nended by itself:\n{log.read_text()}"
        child.send_signal(signal.SIGINT)
        status = child.wait(LIMIT_S)
        self._running.pop()
        assert status == 0, f"{shlex.join(words)}\nended with {status}:\n{log.read_text()}"
        assert "Traceback" not in log.read_text(), log.read_text()


def _is_ready(words: tuple[str, ...], child: "subprocess.Popen[bytes]", log: Path) -> bool:
    expected = "showing" if "--window" in words else ENDLESS[words[0]]
    if expected is not None:
        return expected in log.read_text(errors="replace")
    # It has found its decoders when it starts its guard; a robot when it takes SIGTERM as a stop.
    if words[0] == "bridge":
        return bool(Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text())
    caught = Path(f"/proc/{child.pid}/status").read_text().partition("SigCgt:")[2].split()[0]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.fixture
def reader(
    flexemg: Path, lsl_session: str, ros_domain: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reader]:
    (tmp_path / "reader").mkdir()
    (tmp_path / "reader" / "flexemg").symlink_to(flexemg)
    reader = Reader(tmp_path / "reader", lsl_session, monkeypatch)
    try:
        yield reader
        reader.stop_all()
    finally:
        reader.kill()


@pytest.fixture
def give(
    simulated_decoder: Path, other_decoder: Path, flexemg: Path, tmp_path: Path
) -> Callable[[str], None]:
    """Put the decoders and the session there that a page takes as there."""

    def put(page: str) -> None:
        for name in DECODERS.get(page, ()):
            place = tmp_path / "reader" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(other_decoder if name.startswith("r") else simulated_decoder, place)
        if page in SESSIONS:
            imported, place = tmp_path / "imported", tmp_path / "reader" / SESSIONS[page]
            one = ("--recording", "001-Session1Train")
            assert cli.main(["import", "flexemg", str(flexemg), str(imported), *one]) == 0
            place.parent.mkdir(parents=True)
            shutil.move(imported / "sub-001" / "ses-Session1Train", place)

    return put


def _follow(reader: Reader, examples: Sequence[Example], *, all_of_it: bool) -> None:
    chosen = [one for one in examples if cannot_run(one.words) is None and (all_of_it or not takes_long(one))]
    if any(one.words[0] in ENDLESS for one in chosen):
        for line in STREAMS.get(examples[0].page, ()):
            reader.provide(tuple(line.split()))
    for example in chosen:
        reader.type(example.words)


def _helps(commands: Sequence[str]) -> list[list[Example]]:
    every = help_examples()
    return [[one for one in every if one.words[0] == name] for name in commands]


def test_every_command_is_followed() -> None:
    assert {*ON_RECORDINGS, *LIVE} == {module.NAME for module in cli.COMMANDS}


@EXTENT
def test_the_examples_of_help_on_recordings(all_of_it: bool, reader: Reader) -> None:
    for examples in _helps(ON_RECORDINGS):
        _follow(reader, examples, all_of_it=all_of_it)


@EXTENT
def test_the_examples_of_help_on_live_streams(
    all_of_it: bool, reader: Reader, give: Callable[[str], None], tmp_path: Path
) -> None:
    give("LIVE")
    for examples in _helps(LIVE):
        _follow(reader, examples, all_of_it=all_of_it)
        reader.stop_all()
    # Where the README looks for it.
    assert bool(list((tmp_path / "reader" / "data" / "sub-DEMO").glob("ses-*/decoder.onnx"))) is all_of_it


@EXTENT
@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.name)
def test_the_examples_of_a_page(
    page: Path, all_of_it: bool, reader: Reader, give: Callable[[str], None]
) -> None:
    examples = page_examples(page)
    give(examples[0].page)
    _follow(reader, examples, all_of_it=all_of_it)
