"""Every example of the documentation as a reader would follow it: literally, in an empty folder, as installed.

The one liberty: commands that speak LSL are given a session of the test's own, away from other tests' streams.
"""

import json
import os
import re
import sys
import uuid
from pathlib import Path

import pytest

from robot_bridge.stretch_interface import DOF_NAMES
from tests.docs_support import DOCS, reading
from tests.eco_support import ROOM_NAMES, clean_environment, copy_folders

EXAMPLE_PAGES = ("contracts.md", "formats.md", *sorted(path.name for path in DOCS.glob("extend_*.md")))
# `hdemg`, as pip makes it; the words behind "$@" are the test's own LSL session.
_HDEMG = """#!/bin/sh
case "$1" in acquire|decode|bridge|record|quality) set -- "$@" --lsl-session {session};; esac
exec {python} -m ui.cli "$@"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs; ``test_eco_wheel.py`` builds one and looks into it."""
    return copy_folders(tmp_path_factory.mktemp("installed"), *ROOM_NAMES)


@pytest.fixture
def environment(installed: Path, tmp_path: Path, marked_environment: dict[str, str]) -> dict[str, str]:
    """A shell in which `hdemg` is found, and the checkout is not."""
    programs = tmp_path / "bin"
    programs.mkdir()
    hdemg = programs / "hdemg"
    hdemg.write_text(_HDEMG.format(session=f"hdemg-test-{uuid.uuid4().hex[:12]}", python=sys.executable))
    hdemg.chmod(0o755)
    more = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(installed),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
    }
    return {**marked_environment, **clean_environment(**more)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    empty = tmp_path / "empty"
    empty.mkdir()
    return empty


@pytest.mark.parametrize("page", EXAMPLE_PAGES)
def test_the_examples_of_a_page(page: str, folder: Path, environment: dict[str, str]) -> None:
    with reading(folder, environment) as reader:
        reader.follow(page)


@pytest.mark.slow
@pytest.mark.alone  # a machine that is busy otherwise makes the demo's bridge stop, as it should
@pytest.mark.usefixtures("ros_domain")
def test_quick_start_with_nothing(folder: Path, environment: dict[str, str]) -> None:
    """Doctor, the demo end to end, replay, a session file; no process is left."""
    with reading(folder, environment) as reader:
        reader.follow("quickstart.md")
    _, demo, replay, init = reader.printed
    figures = json.loads(demo.strip().splitlines()[-1])
    assert sorted(figures["dof_moved"]) == sorted(DOF_NAMES)
    assert figures["trial_accuracy"] >= 0.9
    assert len(figures["classes"]) == 10
    assert 0 < figures["latency_ms"]["median"] <= figures["latency_ms"]["p99"] < 250
    assert figures["stops"] == 1
    assert figures["identical_to_recording"] is True
    report = Path(figures["report"]).read_text(encoding="utf-8")
    assert all(name in report for name in DOF_NAMES)
    assert "✗" not in report
    assert "decisions identical to those recorded" in replay
    assert (folder / "my-study" / "session.yaml").is_file()
    assert "my-study/session.yaml" in init


@pytest.mark.slow
def test_quick_start_with_an_amplifier(folder: Path, environment: dict[str, str]) -> None:
    with reading(folder, environment) as reader:
        reader.follow("quickstart_lab.md")
    quality, recorded, _, replay, decoded = reader.printed
    assert "64" in quality
    found = re.search(r"recorded (\d+) EMG samples", recorded)
    assert found is not None
    assert int(found[1]) > 2000
    session = folder / "data" / "sub-P01" / "ses-A1"
    assert {"recording.xdf", "session.yaml"} <= {path.name for path in session.iterdir()}
    rate = re.search(r"([\d.]+) of \d+ trials right", replay)
    assert rate is not None
    assert float(rate[1]) >= 0.8
    assert json.loads(decoded.strip().splitlines()[-1])["decisions"] > 40


@pytest.mark.slow
@pytest.mark.usefixtures("ros_domain")
def test_quick_start_with_a_robot(folder: Path, environment: dict[str, str]) -> None:
    with reading(folder, environment) as reader:
        reader.follow("quickstart_robot.md")
    assert reader.printed[-1].strip().splitlines()[-1].startswith("armed drive ")
