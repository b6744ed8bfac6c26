"""Every example of the command line that a person can read: in ``--help``, the README and the documentation.

An example is a command ``hdemg …`` in a code block, as it is typed: behind a prompt, over several lines, with a
comment, in a pipe, before a redirection or within ``$(…)``.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY
from ui import cli

PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
_BLOCK = re.compile(r"(?ms)^ *```(?P<language>\w*)\n(?P<text>.*?)^ *```$")
_SHELL = {"", "bash", "sh", "console"}
_LINE = re.compile(r"^ *(?:\$ )?(?:[a-z]\S* .*)?hdemg [a-z]")
_WITHIN = re.compile(r"[$<]\((hdemg [^)]*)\)")


@dataclass(frozen=True)
class Example:
    """One command: the page that shows it, and its words behind ``hdemg``."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: hdemg {shlex.join(self.words)}"


def help_examples() -> list[Example]:
    """Return the examples of every ``hdemg COMMAND --help``."""
    parsers = cli.subcommands(cli.build_parser())
    return [
        Example(f"hdemg {name} --help", words)
        for name, parser in parsers.items()
        for words in commands_in((parser.epilog or "").removeprefix("example: "))
    ]


def page_examples(page: Path) -> list[Example]:
    """Return the examples of a Markdown file, in order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    blocks = "\n".join(match["text"] for match in found if match["language"] in _SHELL)
    name = page.relative_to(REPOSITORY).as_posix()
    return [Example(name, words) for words in commands_in(blocks)]


def all_examples() -> list[Example]:
    return [*help_examples(), *(example for page in PAGES for example in page_examples(page))]


def commands_in(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every ``hdemg`` command of a shell text; lines without one may be anything."""
    for line in text.replace("\\\n", " ").splitlines():
        if not _LINE.match(line):
            continue
        within = _WITHIN.findall(line)
        for command in within or _simple_commands(line.strip().removeprefix("$ ")):
            words = shlex.split(command, comments=True)
            if words[0] == "hdemg":
                yield tuple(words[1:])


def _simple_commands(line: str) -> list[str]:
    """Cut a line where one command ends: at a pipe, a redirection, ``&&``, ``;`` or a comment."""
    lexer = shlex.shlex(line, posix=False, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    for token in lexer:
        if set(token) <= set("|&;<>"):
            commands.append([])
        else:
            commands[-1].append(token)
    return [" ".join(command) for command in commands if command]
