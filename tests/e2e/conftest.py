"""What the end-to-end tests share: decoders of simulated wearers, an environment that shows what is left."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.forearm.settings import WearerSettings
from simulation.recorded_wearer import calibrate_wearer
from tests.made_once import made_once
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


def _trained_on_simulation(temporary: pytest.TempPathFactory, wearer: int) -> Path:
    def make(out: Path) -> None:
        calibrate_wearer(WearerSettings(seed=wearer), out / "ses-calibration", out / "decoder.onnx")

    return made_once(temporary, f"wearer-{wearer}", make) / "decoder.onnx"


@pytest.fixture(scope="session")
def simulated_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a decoder for the simulated wearer `WEARER`."""
    return _trained_on_simulation(tmp_path_factory, WEARER)


@pytest.fixture(scope="session")
def other_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a decoder for the simulated wearer `OTHER_WEARER`, who wears a second sleeve."""
    return _trained_on_simulation(tmp_path_factory, OTHER_WEARER)
