"""``hdemg completion``."""

import argparse

NAME = "completion"
HELP = "the script by which a shell completes hdemg's commands and options"
EXAMPLE = """hdemg completion bash > ~/.local/share/bash-completion/completions/hdemg
         hdemg completion zsh >> ~/.zshrc
         hdemg completion fish > ~/.config/fish/completions/hdemg.fish"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="which shell")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    from ui.cli import build_parser
    from ui.completion import completion

    print(completion(build_parser(), args.shell), end="")
    return 0
