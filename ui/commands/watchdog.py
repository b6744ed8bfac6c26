"""``hdemg watchdog``."""

import argparse

from ui.commands.options import add_ros
from ui.console import stop_on_signals

NAME = "watchdog"
HELP = "for the robot's own computer: stops the robot when an armed bridge falls silent, its computer or network gone"
EXAMPLE = """hdemg watchdog
         hdemg watchdog --namespace /left --timeout 0.4"""
MIN_S, MAX_S = 0.15, 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=0.3,
        metavar="S",
        help="seconds of silence after which an armed bridge is gone (default: %(default)g)",
    )
    parser.add_argument(
        "--standstill",
        type=_seconds,
        default=0.5,
        metavar="S",
        help="seconds after the stop in which the robot must brake, or the run-stop is pressed (default: %(default)g)",
    )
    add_ros(parser)


def _seconds(text: str) -> float:
    value = float(text)
    if not MIN_S <= value <= MAX_S:
        raise argparse.ArgumentTypeError(f"{MIN_S:g} to {MAX_S:g} seconds are allowed, got {text}")
    return value


def run(args: argparse.Namespace) -> int:
    """Watch until stopped; it never arms or moves anything."""
    from robot_bridge.watchdog import WatchdogSettings
    from robot_bridge.watchdog_node import run_watchdog

    with stop_on_signals() as stop:
        run_watchdog(WatchdogSettings(args.timeout, args.standstill), args.namespace, stop)
    return 0
