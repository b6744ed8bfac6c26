"""The ``hdemg`` command: every subcommand, one error style, one way to be interrupted."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from emg_acquisition.errors import InputError, SearchStoppedError, StreamLostError
from robot_bridge.errors import CommandRejectedError
from ui.build_details import build_details
from ui.commands import (
    acquire,
    bridge,
    calibrate,
    closed_loop,
    completion,
    decode,
    demo,
    doctor,
    evaluate,
    export_bids,
    fault_campaign,
    import_data,
    init,
    quality,
    recalibrate,
    record,
    replay,
    sim_robot,
    simulate_study,
    teleop,
    train,
    watchdog,
)
from ui.log_file import LOG_VARIABLE, log_to

COMMANDS: tuple[ModuleType, ...] = (
    demo,
    doctor,
    init,
    acquire,
    quality,
    record,
    import_data,
    export_bids,
    calibrate,
    train,
    recalibrate,
    decode,
    bridge,
    watchdog,
    sim_robot,
    teleop,
    replay,
    evaluate,
    closed_loop,
    simulate_study,
    fault_campaign,
    completion,
)
EXTRA_OF_MODULE = {
    "torch": "network",
    "onnx": "train",
    "wfdb": "import",
    "h5py": "import",
    "neo": "import",
    "edfio": "bids",
    "brainflow": "brainflow",
    "matplotlib": "report",
    "sklearn": "report",
    "jinja2": "report",
    "PySide6": "gui",
    "pyqtgraph": "gui",
    "mujoco": "sim",
    "distributed": "cluster",
}
# An error may quote what it found; of a line nobody can read, its beginning and its end (the remedy) are shown.
LONGEST_LINE = 700
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
    parser = build_parser()
    args = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if args.debug else logging.INFO,
        format=f"%(asctime)s %(levelname)s hdemg {args.command}: %(message)s",
        stream=sys.stderr,
    )
    log_file = args.log_file or os.environ.get(LOG_VARIABLE)
    handler = log_to(Path(log_file), args.command) if log_file else None
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
        status, line = _status_and_line(args.command, error)
        print(line, file=sys.stderr)
        if handler is not None:
            handler.handle(logging.makeLogRecord({"name": "hdemg", "levelname": "ERROR", "msg": line}))
        return status
    finally:
        if handler is not None:
            logging.getLogger().removeHandler(handler)
            handler.close()


def _status_and_line(command: str, error: Exception) -> tuple[int, str]:
    text = _shortened(" ".join(str(error).split()))
    if isinstance(error, (InputError, OSError)):
        return EXIT_BAD_INPUT, f"hdemg {command}: error: {text}"
    if isinstance(error, (StreamLostError, CommandRejectedError)):
        return EXIT_LOST, f"hdemg {command}: stopped: {text}"
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if missing in EXTRA_OF_MODULE:
        remedy = f"pip install 'hdemg-teleop[{EXTRA_OF_MODULE[missing]}]'"
        return EXIT_BAD_INPUT, f"hdemg {command}: error: {missing} is not installed: {remedy}"
    kind = type(error).__name__
    remedy = "a defect: run again with --debug and report it"
    return EXIT_BUG, f"hdemg {command}: unexpected {kind}: {text} ({remedy})"


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_LINE:
        return text
    half = LONGEST_LINE // 2
    return f"{text[:half]} […] {text[-half:]}"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command and option."""
    parser = argparse.ArgumentParser(
        prog="hdemg",
        description="Real-time high-density EMG gesture control of an assistive mobile manipulator.",
        epilog="Try it with nothing plugged in: hdemg demo",
    )
    parser.add_argument(
        "--version", action=_Version, help="show version, commit, Python and libraries, and exit"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and debug messages")
    parser.add_argument(
        "--log-file", metavar="FILE", help="also append the log there, one JSON object a line"
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        command = subparsers.add_parser(
            module.NAME,
            help=module.HELP,
            description=module.HELP,
            epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        # They may stand behind the command too.
        command.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
        command.add_argument("--log-file", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        module.add_arguments(command)
        command.set_defaults(run=module.run, hdemg_parser=parser)
    return parser


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command, by name, in the order of ``hdemg --help``."""
    return dict(
        next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction)).choices  # noqa: SLF001
    )


class _Version(argparse.Action):
    """Looks the details up only when they are asked for, and prints them as they are."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002, ARG002 - argparse's
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(build_details())
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
