"""The wheel: what is in it, and that it decodes with nothing but its plain dependencies."""

import json
import os
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from emg_acquisition.streams.inlet import GestureInlet
from tests.command_line import Ran
from tests.conftest import REPOSITORY
from tests.eco_support import ROOM_NAMES, clean_environment, copy_sources

# Import names of everything that an extra brings, and what those bring in turn.
OF_EXTRAS = (
    *("rclpy", "std_msgs", "std_srvs", "geometry_msgs", "sensor_msgs", "nav_msgs", "diagnostic_msgs"),
    *("torch", "onnx", "onnxscript", "sklearn", "PySide6", "shiboken6", "pyqtgraph", "matplotlib", "jinja2"),
    *(
        "wfdb",
        "pandas",
        "h5py",
        "neo",
        "edfio",
        "brainflow",
        "mujoco",
        "stretch_urdf",
        "distributed",
        "mkdocs",
    ),
)
_REFUSES = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {OF_EXTRAS!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Refuse())
"""
DECISIONS = 40
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Bare:
    """An environment in which the wheel and its plain dependencies can be imported, and nothing else of ours."""

    python: Path
    environment: dict[str, str]
    folder: Path

    def command(self, *arguments: str | Path) -> list[str]:
        return [str(self.python), "-m", "ui.cli", *map(str, arguments)]

    def run(self, *arguments: str | Path) -> Ran:
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from it, with the setuptools that is here: nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    source = copy_sources(folder / "source")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", source],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in (folder / "dist").glob("*.tar.gz")] == ["hdemg_teleop-0.1.0.tar.gz"]
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Bare:
    folder = tmp_path_factory.mktemp("bare")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    (folder / "blocked").mkdir()
    (folder / "blocked" / "sitecustomize.py").write_text(_REFUSES)
    (folder / "work").mkdir()
    path = os.pathsep.join((str(folder / "blocked"), str(folder / "site")))
    return Bare(Path(sys.executable), clean_environment(PYTHONPATH=path), folder / "work")


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Bare:
    """A virtual environment of its own with the wheel and no extra; pip fetches the dependencies."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, timeout=120)
    python = folder / "venv" / "bin" / "python"
    pinned = ("-c", REPOSITORY / "constraints.txt")
    subprocess.run([python, "-m", "pip", "install", "-q", *pinned, wheel], check=True, timeout=540)
    (folder / "work").mkdir()
    return Bare(python, clean_environment(), folder / "work")


def test_the_wheel_holds_the_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    assert {name.partition("/")[0] for name in names} == {*ROOM_NAMES, "hdemg_teleop-0.1.0.dist-info"}
    own = {
        path.relative_to(REPOSITORY).as_posix()
        for room in ROOM_NAMES
        for path in (REPOSITORY / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert own == {name for name in names if ".dist-info/" not in name}


def test_package_xml_says_what_pyproject_says(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("hdemg_teleop-0.1.0.dist-info/METADATA").decode()
    said = (REPOSITORY / "package.xml").read_text(encoding="utf-8")
    for tag, key in (("version", "Version"), ("description", "Summary"), ("license", "License-Expression")):
        assert f"{key}: {said.partition(f'<{tag}>')[2].partition(f'</{tag}>')[0]}\n" in metadata


def test_it_decodes_without_torch_qt_or_ros(bare: Bare, simulated_decoder: Path, lsl_session: str) -> None:
    _decodes(bare, simulated_decoder, lsl_session)


def test_it_says_which_extra_the_rest_needs(bare: Bare, simulated_decoder: Path) -> None:
    _names_extras(bare, simulated_decoder)


@pytest.mark.campaign
def test_a_fresh_environment_decodes_and_names_extras(
    fresh: Bare, simulated_decoder: Path, lsl_session: str
) -> None:
    installed = subprocess.run(
        [fresh.python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    ).stdout.lower()
    assert not any(
        f"{name}=" in installed for name in ("torch", "pyside6", "rclpy", "ros-kilted-rclpy", "onnx")
    )
    _decodes(fresh, simulated_decoder, lsl_session)
    _names_extras(fresh, simulated_decoder)


def _decodes(bare: Bare, decoder: Path, lsl_session: str) -> None:
    """A simulated wearer streams, the decoder decodes, decisions arrive; then the same of a recorded session."""
    session = ("--lsl-session", lsl_session)
    source_id = f"decoder-{uuid.uuid4().hex[:8]}"
    with (
        _running(bare, "acquire", "simulated", "--wearer", "2", *session),
        _running(bare, "decode", decoder, "--source-id", source_id, *session, "--timeout", "30"),
    ):
        inlet = GestureInlet(source_id, 30.0)
        samples = []
        deadline_s = time.monotonic() + 30
        while len(samples) < DECISIONS and time.monotonic() < deadline_s:
            samples += inlet.pull(0.5)
    assert len(samples) >= DECISIONS
    assert {inlet.info.gestures[sample.gesture_index] for sample in samples[-10:]} == {"rest"}
    assert np.all(np.diff([sample.t_lsl_s for sample in samples]) > 0)
    margins = ("--after-cue", "0.6", "--before-next", "0")
    replayed = bare.run(
        "replay", decoder.parent / "ses-calibration", "--decoder", decoder, *margins, "--json"
    )
    assert replayed.status == 0, replayed.err
    assert json.loads(replayed.out.splitlines()[-1])["trial_accuracy"] >= 0.9


@contextmanager
def _running(bare: Bare, *arguments: str | Path) -> Iterator[None]:
    child = subprocess.Popen(
        bare.command(*arguments), env=bare.environment, cwd=bare.folder, stderr=subprocess.PIPE, text=True
    )
    try:
        yield
    finally:
        child.terminate()
        _, err = child.communicate(timeout=30)
    assert child.returncode == 0, err


def _names_extras(bare: Bare, decoder: Path) -> None:
    session = decoder.parent / "ses-calibration"
    needs = {
        "train": ("train", session, "-o", "d.onnx"),
        "ros": ("sim-robot",),
        "bids": ("export-bids", session, "bids"),
        "brainflow": ("acquire", "brainflow", "--board", "synthetic"),
        "import": ("import", "grabmyo", bare.folder, "out"),
    }
    for extra, arguments in needs.items():
        ran = bare.run(*arguments)
        assert ran.status == 2, (arguments, ran)
        assert ran.err.startswith(f"hdemg {arguments[0]}: error: "), ran.err
        assert f"hdemg-teleop[{extra}]" in ran.err, ran.err
        assert len(ran.err.splitlines()) == 1, ran.err


@pytest.fixture(autouse=True, scope="module")
def _nothing_of_the_checkout_is_used(bare: Bare) -> None:
    says = "import importlib, sys; print(*(importlib.import_module(name).__file__ for name in sys.argv[1:]))"
    done = subprocess.run(
        [bare.python, "-c", says, *ROOM_NAMES],
        env=bare.environment,
        cwd=bare.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    used = [Path(path) for path in done.stdout.split()]
    assert len(used) == len(ROOM_NAMES)
    assert all(path.is_relative_to(bare.folder.parent / "site") for path in used), used
