"""Shell completion, written from the parser itself: commands, their options, and the values to choose from.

Where a value is a path, or nothing is known of it, files are offered.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass

from ui.cli import subcommands

SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class _Option:
    """One option: how it is written, what follows it (nothing, one of some, anything) and what it is for."""

    flags: tuple[str, ...]
    takes_value: bool
    choices: tuple[str, ...]
    help: str


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script that a shell is to read.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command ``hdemg``.
    shell : str
        One of `SHELLS`.
    """
    commands = {name: _options(one) for name, one in subcommands(parser).items()}
    if shell == "fish":
        return _fish(commands, _helps(parser))
    positional = {name: _positional(one) for name, one in subcommands(parser).items()}
    head = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    return head + _bash(commands, positional)


def _options(parser: argparse.ArgumentParser) -> list[_Option]:
    return [
        _Option(
            flags=tuple(action.option_strings),
            takes_value=action.nargs != 0,
            choices=tuple(str(choice) for choice in action.choices or ()),
            help="" if action.help in (None, argparse.SUPPRESS) else str(action.help),
        )
        for action in parser._actions  # noqa: SLF001 - argparse shows them nowhere else
        if action.option_strings and action.help != argparse.SUPPRESS
    ]


def _positional(parser: argparse.ArgumentParser) -> list[str]:
    """Words that may stand where no option does."""
    positional = [action for action in parser._actions if not action.option_strings]  # noqa: SLF001
    return [str(choice) for action in positional for choice in action.choices or ()]


def _helps(parser: argparse.ArgumentParser) -> dict[str, str]:
    (choices,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001
    return {choice.dest: str(choice.help) for choice in choices._choices_actions}  # noqa: SLF001


def _bash(commands: dict[str, list[_Option]], positional: dict[str, list[str]]) -> str:
    cases = "".join(_bash_case(name, options, positional[name]) for name, options in commands.items())
    return f"""_hdemg() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" options="" values=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W {_words(("--help", "--version", *commands))} -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}  esac
  if [ "${{word#-}}" != "$word" ]; then COMPREPLY=($(compgen -W "$options" -- "$word"))
  else COMPREPLY=($(compgen -W "$values" -- "$word") $(compgen -f -- "$word")); fi
}}
complete -o filenames -F _hdemg hdemg
"""


def _bash_case(name: str, options: list[_Option], values: list[str]) -> str:
    """Write what is offered behind one command: values behind an option that takes one, else options and files."""
    offers = [
        f'        {"|".join(option.flags)}) COMPREPLY=($(compgen -W {_words(option.choices)} -- "$word")); return ;;\n'
        for option in options
        if option.choices
    ]
    free = "|".join(flag for o in options if o.takes_value and not o.choices for flag in o.flags)
    if free:
        offers.append(f'        {free}) COMPREPLY=($(compgen -f -- "$word")); return ;;\n')
    flags = _words(flag for option in options for flag in option.flags)
    previous = f'      case "$previous" in\n{"".join(offers)}      esac\n'
    return f"    {name})\n{previous}      options={flags} values={_words(values)} ;;\n"


def _fish(commands: dict[str, list[_Option]], helps: dict[str, str]) -> str:
    lines = []
    for name, options in commands.items():
        lines.append(
            f"complete -c hdemg -f -n __fish_use_subcommand -a {name} -d {_quoted(helps.get(name, ''))}"
        )
        for option in options:
            flags = " ".join(
                f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags
            )
            value = (
                f" -x -a {_quoted(' '.join(option.choices))}"
                if option.choices
                else " -r" * option.takes_value
            )
            condition = _quoted(f"__fish_seen_subcommand_from {name}")
            lines.append(f"complete -c hdemg -n {condition} {flags}{value} -d {_quoted(option.help)}")
    return "\n".join(lines) + "\n"


def _words(words: Iterable[str]) -> str:
    return _quoted(" ".join(words))


def _quoted(text: str) -> str:
    return "'" + " ".join(text.split()).replace("\\", "\\\\").replace("'", "'\\''") + "'"
