"""The documentation's site: builds without a warning, fetches nothing, and speaks only of what there is."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs_support import DOCS, examples
from ui import cli

PAGES = sorted(path.name for path in DOCS.glob("*.md"))
WRITTEN = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
ROOMS = (
    "emg_acquisition",
    "decoding",
    "calibration",
    "robot_bridge",
    "evaluation",
    "teleoperation",
    "simulation",
    "ui",
)


class _Loaded(HTMLParser):
    """What a browser fetches by itself when it shows a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = dict(attributes)
        if tag in {"script", "img", "iframe", "source"}:
            self.found.append(said.get("src") or "")
        if tag == "link" and "canonical" not in (said.get("rel") or ""):
            self.found.append(said.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--config-file",
            REPOSITORY / "mkdocs.yml",
            "-d",
            out,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return out


@pytest.mark.slow
def test_every_page_is_there_and_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page in PAGES:
        loaded = _Loaded()
        loaded.feed((site / page).with_suffix(".html").read_text(encoding="utf-8"))
        assert [place for place in loaded.found if "://" in place or place.startswith("//")] == []


@pytest.mark.slow
def test_the_page_of_commands_has_every_command_and_option(site: Path) -> None:
    page = (site / "commands.html").read_text(encoding="utf-8")
    for name, parser in cli.subcommands(cli.build_parser()).items():
        assert f'id="{name}"' in page
        for action in parser._actions:
            if action.help != "==SUPPRESS==":
                assert all(flag in page for flag in action.option_strings)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(
        rf"\b((?:{'|'.join((*ROOMS, 'tools', 'tests', 'benchmarks', 'launch'))})/[\w./-]*\w)",
        page.read_text(),
    )
    assert [
        name for name in named if not (REPOSITORY / name).exists() and not (page.parent / name).exists()
    ] == []


def test_every_page_of_examples_has_examples() -> None:
    runnable = {page for page in PAGES if examples(page)}
    assert {
        "quickstart.md",
        "quickstart_lab.md",
        "quickstart_robot.md",
        "contracts.md",
        "formats.md",
    } < runnable
    assert {page for page in PAGES if page.startswith("extend_")} < runnable


def test_nothing_reads_or_writes_pickles() -> None:
    """No file of the packages imports pickle or a relative of it, or lets numpy or torch read one."""
    forbidden = re.compile(
        r"(?m)^\s*(?:import|from)\s+(?:pickle|cPickle|dill|joblib|shelve|marshal)\b"
        r"|allow_pickle\s*=\s*True|torch\.load\(|yaml\.(?:unsafe_load|full_load|Loader\b)|(?<![.\w])(?:eval|exec)\("
    )
    guilty = [
        f"{path}: {match.group().strip()}"
        for room in ROOMS
        for path in (REPOSITORY / room).rglob("*.py")
        for match in forbidden.finditer(path.read_text(encoding="utf-8"))
    ]
    assert guilty == []
