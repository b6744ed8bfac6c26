"""The ``hdemg`` command: every subcommand, one error style, one way to be interrupted."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from emg_acquisition.errors import InputError, SearchStoppedError, StreamLostError
from robot_bridge.errors import CommandRejectedError
from ui.commands import (
    acquire,
    bridge,
    closed_loop,
    decode,
    demo,
    doctor,
    export_bids,
    fault_campaign,
    import_data,
    quality,
    recalibrate,
    record,
    replay,
    sim_robot,
    simulate_study,
    teleop,
    train,
)

COMMANDS: tuple[ModuleType, ...] = (
    demo,
    doctor,
    acquire,
    quality,
    record,
    import_data,
    export_bids,
    train,
    recalibrate,
    decode,
    bridge,
    sim_robot,
    teleop,
    replay,
    closed_loop,
    simulate_study,
    fault_campaign,
)
EXTRA_OF_MODULE = {
    "torch": "train",
    "onnx": "train",
    "wfdb": "import",
    "h5py": "import",
    "neo": "import",
    "edfio": "bids",
    "brainflow": "brainflow",
}
EXIT_BAD_INPUT = 2
EXIT_LOST = 3
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; never lets a traceback out unless ``--debug`` asks for it."""
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Who read standard output has seen enough; Python would complain when it flushes it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE


def _run(argv: Sequence[str] | None) -> int:
    parser = _build_parser()
    args = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if args.debug else logging.INFO,
        format=f"%(asctime)s %(levelname)s hdemg {args.command}: %(message)s",
        stream=sys.stderr,
    )
    try:
        return int(args.run(args))
    except (KeyboardInterrupt, SearchStoppedError):
        print(f"hdemg {args.command}: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        raise  # standard output: `main` ends quietly
    except Exception as error:  # the process's edge: every failure becomes one line and an exit status
        if args.debug:
            raise
        return _explain(args.command, error)


def _explain(command: str, error: Exception) -> int:
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        print(f"hdemg {command}: error: {text}", file=sys.stderr)
        return EXIT_BAD_INPUT
    if isinstance(error, (StreamLostError, CommandRejectedError)):
        print(f"hdemg {command}: stopped: {text}", file=sys.stderr)
        return EXIT_LOST
    if isinstance(error, OSError):
        print(f"hdemg {command}: error: {text}", file=sys.stderr)
        return EXIT_BAD_INPUT
    if isinstance(error, ModuleNotFoundError) and error.name in EXTRA_OF_MODULE:
        extra = EXTRA_OF_MODULE[error.name]
        print(
            f"hdemg {command}: error: {error.name} is not installed: pip install 'hdemg-teleop[{extra}]'",
            file=sys.stderr,
        )
        return EXIT_BAD_INPUT
    kind = type(error).__name__
    print(
        f"hdemg {command}: unexpected {kind}: {text} (a defect: run again with --debug and report it)",
        file=sys.stderr,
    )
    return EXIT_BUG


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hdemg",
        description="Real-time high-density EMG gesture control of an assistive mobile manipulator.",
        epilog="Try it with nothing plugged in: hdemg demo",
    )
    parser.add_argument("--version", action="version", version=f"hdemg {_version()}")
    parser.add_argument("--debug", action="store_true", help="show tracebacks and debug messages")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        command = subparsers.add_parser(
            module.NAME,
            help=module.HELP,
            description=module.HELP,
            epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _version() -> str:
    try:
        return version("hdemg-teleop")
    except PackageNotFoundError:
        return "from a source tree that is not installed"


if __name__ == "__main__":
    sys.exit(main())
