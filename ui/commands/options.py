"""Options that several commands share, so that they read the same everywhere."""

import argparse
from pathlib import Path


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")


def add_lsl(parser: argparse.ArgumentParser) -> None:
    """``--lsl-session`` and ``--timeout``."""
    parser.add_argument(
        "--lsl-session",
        default="default",
        metavar="ID",
        help="only streams of this LSL session are seen (default: %(default)s, LSL's own)",
    )
    parser.add_argument(
        "--timeout",
        type=positive_number,
        default=10.0,
        metavar="S",
        help="seconds to look for the streams (default: %(default)g)",
    )


def add_ros(parser: argparse.ArgumentParser) -> None:
    """``--namespace``."""
    parser.add_argument("--namespace", default="", metavar="NS", help="ROS 2 namespace (default: none)")


def positive_number(text: str) -> float:
    """Read a finite number above zero, for argparse."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a finite number above 0 is required, got {text}")
    return value


def playback_speed(text: str) -> float:
    """Read a playback speed: a number above zero, or ``max`` (infinity)."""
    return float("inf") if text == "max" else positive_number(text)


def folder(text: str) -> Path:
    """Read a path as an absolute one, for child processes."""
    return Path(text).expanduser().resolve()
