"""``hdemg sim-robot``."""

import argparse

from ui.commands.options import add_ros
from ui.console import stop_on_signals

NAME = "sim-robot"
HELP = "a simulated Stretch with the topics and services of stretch_driver (kinematic)"
EXAMPLE = "hdemg sim-robot"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_ros(parser)


def run(args: argparse.Namespace) -> int:
    """Simulate until stopped."""
    from robot_bridge.simulator import SimSettings, run_sim_robot

    with stop_on_signals() as stop:
        run_sim_robot(SimSettings(namespace=args.namespace), stop)
    return 0
