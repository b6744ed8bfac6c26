"""``hdemg completion``."""

import argparse
from collections.abc import Iterator

from ui.commands.options import file_path, folder

NAME = "completion"
HELP = "print the script with which a shell completes hdemg's commands and options"
EXAMPLE = """hdemg completion fish | source     # to keep it, write this line into ~/.config/fish/config.fish
         source <(hdemg completion bash)    # ~/.bashrc
         eval "$(hdemg completion zsh)"     # ~/.zshrc"""
SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("shell", choices=SHELLS, help="which shell")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    print(completion_script(args.hdemg_parser, args.shell), end="")
    return 0


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script that a shell reads: commands, options, choices, and files where a value may be a path.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command ``hdemg``.
    shell : str
        One of `SHELLS`.
    """
    import shtab

    # It offers what it finds in an attribute of an action.
    for action in _actions(parser):
        if action.nargs == 0 or action.choices:
            continue
        if action.type is folder:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.type in {file_path, None}:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse shows them nowhere else
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _actions(command)
