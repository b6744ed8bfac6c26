"""The page of every command, written from the parser, so that it says what ``--help`` says."""

import argparse
from collections.abc import Iterator

from ui.cli import build_parser, subcommands


def command_reference() -> str:
    """Return the page in Markdown: each command with its purpose, an example, its arguments and options."""
    commands = subcommands(build_parser())
    head = [
        "# Commands",
        "",
        "Written from the commands themselves when this site is built. Each has `--help` with an example, and",
        "`--debug` to show tracebacks. With `--log-file FILE` it also appends its log there, one JSON object a line;",
        "with `--json`, where it reports figures, the last line of standard output is one JSON object.",
        "",
        "| exit status | means |",
        "|---|---|",
        "| 0 | done |",
        "| 1 | done, and what was asked about is not so (a check failed, decisions differ) |",
        "| 2 | bad input: one line says what and what to do |",
        "| 3 | a stream, an amplifier or a robot was lost or refused |",
        "| 70 | a defect of hdemg: run it again with `--debug` and report it |",
        "| 130 | interrupted |",
        "",
        "| command | does |",
        "|---|---|",
        *(f"| [`hdemg {name}`](#{name}) | {_plain(_purpose(parser))} |" for name, parser in commands.items()),
        "",
    ]
    return "\n".join((*head, *(line for name, parser in commands.items() for line in _section(name, parser))))


def _section(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield f"{_purpose(parser)[:1].upper()}{_purpose(parser)[1:]}."
    yield ""
    if parser.epilog:
        yield "```"
        yield from (line.strip() for line in parser.epilog.removeprefix("example: ").splitlines())
        yield "```"
        yield ""
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    yield from _table(parser)
    for action in nested:
        for choice, inner in action.choices.items():
            yield f"### {name} {choice}"
            yield ""
            yield from _table(inner)


def _table(parser: argparse.ArgumentParser) -> Iterator[str]:
    shown = [
        action
        for action in parser._actions  # noqa: SLF001 - argparse shows them nowhere else
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    ]
    yield "| argument | meaning |"
    yield "|---|---|"
    formatter = parser._get_formatter()  # noqa: SLF001
    for action in shown:
        written = _plain(formatter._format_action_invocation(action))  # noqa: SLF001
        meaning = _plain(formatter._expand_help(action)) if action.help else ""  # noqa: SLF001
        yield f"| `{written}` | {meaning} |"
    yield ""


def _purpose(parser: argparse.ArgumentParser) -> str:
    return parser.description or ""


def _plain(text: str) -> str:
    """Text that a table's cell can hold."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
