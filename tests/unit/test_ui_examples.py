"""Every example of ``--help``, the README and the documentation is one that the parser takes."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from tests.command_examples import PAGES, Example, all_examples, commands_in, page_examples
from ui import cli
from ui.commands.options import file_path, folder

PARSER = cli.build_parser()
# Options whose value is the command line of another part, in quotes.
WITHIN = {"source": "acquire", "robot_options": "sim-robot"}
# Where a command writes to; init's is a positional.
WRITTEN = {"out", "report", "folder"}
_INLINE = re.compile(r"`hdemg ([^`]+)`")


def _parse(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> argparse.Namespace:
    try:
        return PARSER.parse_args(words)
    except SystemExit:
        return pytest.fail(capsys.readouterr().err)


@pytest.mark.parametrize("example", all_examples(), ids=str)
def test_an_example_is_taken_by_the_parser(example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    args = _parse(example.words, capsys)
    if args.command != "teleop":
        return
    for option, command in WITHIN.items():
        given = getattr(args, option) or ()
        for text in (given,) if isinstance(given, str) else given:
            if text:
                _parse((command, *shlex.split(text)), capsys)


def test_examples_are_found_as_people_write_them() -> None:
    text = """
hdemg demo --out x        # a comment; hdemg nothing
$ hdemg replay S \\
     --json | tail -1
source <(hdemg completion bash)
eval "$(hdemg completion zsh)"
cd there && hdemg init 'my study' && ls
hdemg completion fish > ~/x; hdemg doctor
gesture → mode                         hdemg bridge (ROS 2 node)
it prints: hdemg is there
"""
    assert list(commands_in(text)) == [
        ("demo", "--out", "x"),
        ("replay", "S", "--json"),
        ("completion", "bash"),
        ("completion", "zsh"),
        ("init", "my study"),
        ("completion", "fish"),
        ("doctor",),
    ]
    with_examples = {page.name for page in PAGES if page_examples(page)}
    assert {"README.md", "calibration.md", "quickstart.md", "teleoperation.md"} < with_examples


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_running_text_exist_with_their_options(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parsers = cli.subcommands(PARSER)
    for named in _INLINE.findall(text):
        words = named.split()
        if words[0].startswith("-"):
            continue
        assert words[0] in parsers, named
        known = set(parsers[words[0]]._option_string_actions)
        for action in parsers[words[0]]._actions:
            if isinstance(action, argparse._SubParsersAction):
                known |= {flag for one in action.choices.values() for flag in one._option_string_actions}
        options = {word.partition("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)}
        assert options <= known, named


@pytest.mark.parametrize("page", [page for page in PAGES if page_examples(page)], ids=lambda page: page.name)
def test_files_that_an_example_reads_are_made_or_described_on_its_page(page: Path) -> None:
    """A path that no earlier example has made, and that only one example names, is one that a reader cannot have."""
    text = page.read_text(encoding="utf-8")
    made: list[Path] = []
    for example in page_examples(page):
        read, written = _paths(PARSER.parse_args(example.words))
        for path in read:
            named = path.relative_to(Path.cwd()).as_posix()
            is_made = any(path == one or one in path.parents for one in made)
            assert is_made or text.count(named) > 1, f"{example}: where does {named} come from?"
        made += written


def _paths(args: argparse.Namespace) -> tuple[list[Path], list[Path]]:
    """The files and folders that a command reads, and those that it writes."""
    parser = cli.subcommands(PARSER)[args.command]
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    actions = [*parser._actions, *(a for one in inner for a in one.choices[args.format]._actions)]
    paths: dict[bool, list[Path]] = {True: [], False: []}
    for action in actions:
        if action.type in {file_path, folder}:
            given = getattr(args, action.dest) or []
            paths[action.dest in WRITTEN] += [given.absolute()] if isinstance(given, Path) else given
    if args.command == "export-bids":
        paths[True].append(paths[False].pop())
    return paths[False], paths[True]
