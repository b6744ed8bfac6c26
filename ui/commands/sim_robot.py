"""``hdemg sim-robot``."""

import argparse

from ui.commands.options import add_ros
from ui.console import stop_on_signals

NAME = "sim-robot"
HELP = "a simulated Stretch with physics and with the topics and services of stretch_driver"
EXAMPLE = """hdemg sim-robot --camera
         hdemg sim-robot --viewer
         hdemg sim-robot --kinematic"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--kinematic",
        action="store_true",
        help="no physics: neither gravity nor contact, and no MuJoCo needed",
    )
    parser.add_argument(
        "--scene", choices=("home", "empty"), default="home", help="surroundings (default: %(default)s)"
    )
    parser.add_argument(
        "--camera",
        action="store_true",
        help="publish pictures of the scene on camera/image_raw, ten a second",
    )
    parser.add_argument(
        "--viewer", action="store_true", help="open MuJoCo's viewer; closing it ends the robot"
    )
    add_ros(parser)


def run(args: argparse.Namespace) -> int:
    """Simulate until stopped."""
    from simulation.stretch import SimSettings, run_sim_robot

    with stop_on_signals() as stop:
        settings = SimSettings(
            namespace=args.namespace,
            kinematic=args.kinematic,
            scene=args.scene,
            camera=args.camera,
            viewer=args.viewer,
        )
        run_sim_robot(settings, stop)
    return 0
