"""What the end-to-end tests share: imported recordings, trained decoders, an environment that shows what is left."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from simulation.forearm.settings import WearerSettings
from simulation.study.simulated_decoder import simulated_decoder as trained_on_simulation
from tests.command_line import Ran
from tests.waiting import states, wait_for

# A skilled one, as `hdemg demo` has it: these tests are about the chain, not about how hard decoding is.
WEARER, OTHER_WEARER = 2, 5


@pytest.fixture
def marked_environment() -> Iterator[dict[str, str]]:
    """Environment whose descendants can be found again; none may be left when the test has ended."""
    mark = f"HDEMG_TEST_MARK={uuid.uuid4().hex}"
    key, value = mark.split("=")
    yield {**os.environ, key: value}
    wait_for(lambda: not processes_with(mark), lambda: f"the end of {processes_with(mark)}", 15.0)


def processes_with(mark: str) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if mark.encode() in (folder / "environ").read_bytes() and states(int(folder.name)) - {"Z"}:
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def made_once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that `make` has filled, in whichever of the workers came first; nobody writes into it later."""
    base = temporary.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, part = shared / name, shared / f"{name}.part"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            # What a worker that failed here has left.
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            make(part)
            part.rename(folder)
    return folder


@pytest.fixture(scope="session")
def flexemg_sessions(
    flexemg_dir: Path, tmp_path_factory: pytest.TempPathFactory, hdemg: Callable[..., Ran]
) -> Path:
    """Participant 001, session 1, imported: the folder with ses-Session1Train and ses-Session1Test."""

    def make(out: Path) -> None:
        recordings: Sequence[str] = ("001-Session1Train", "001-Session1Test")
        options = [part for name in recordings for part in ("--recording", name)]
        ran = hdemg("import", "flexemg", flexemg_dir, out, *options)
        assert ran.status == 0, ran.err

    return made_once(tmp_path_factory, "flexemg", make) / "sub-001"


@pytest.fixture(scope="session")
def flexemg_decoder(
    flexemg_sessions: Path, tmp_path_factory: pytest.TempPathFactory, hdemg: Callable[..., Ran]
) -> Path:
    def make(out: Path) -> None:
        ran = hdemg("train", flexemg_sessions / "ses-Session1Train", "-o", out / "decoder.onnx")
        assert ran.status == 0, ran.err

    return made_once(tmp_path_factory, "flexemg-decoder", make) / "decoder.onnx"


def _trained_on_simulation(temporary: pytest.TempPathFactory, wearer: int) -> Path:
    def make(out: Path) -> None:
        trained_on_simulation(out, WearerSettings(seed=wearer))

    return made_once(temporary, f"wearer-{wearer}", make) / "decoder.onnx"


@pytest.fixture(scope="session")
def simulated_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a decoder for the simulated wearer `WEARER`."""
    return _trained_on_simulation(tmp_path_factory, WEARER)


@pytest.fixture(scope="session")
def other_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a decoder for the simulated wearer `OTHER_WEARER`, who wears a second sleeve."""
    return _trained_on_simulation(tmp_path_factory, OTHER_WEARER)
