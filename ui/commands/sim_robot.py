"""``hdemg sim-robot``."""

import argparse

from ui.commands.options import add_ros
from ui.console import stop_on_signals

NAME = "sim-robot"
HELP = "a simulated Stretch with the topics and services of stretch_driver, in a small home (MuJoCo)"
EXAMPLE = "hdemg sim-robot --camera"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--scene", choices=("home", "empty"), default="home", help="what is around the robot")
    parser.add_argument(
        "--camera", action="store_true", help="publish a view of the scene on camera/image_raw"
    )
    parser.add_argument("--viewer", action="store_true", help="open MuJoCo's own window; needs a screen")
    parser.add_argument(
        "--kinematic",
        action="store_true",
        help="without physics: no scene, no MuJoCo, nothing can be grasped",
    )
    add_ros(parser)


def run(args: argparse.Namespace) -> int:
    """Simulate until stopped."""
    from emg_acquisition.errors import InputError
    from robot_bridge.simulator import SimSettings, run_sim_robot

    if args.kinematic and (args.camera or args.viewer):
        raise InputError(
            "--camera and --viewer show a scene, and --kinematic has none: leave one of them out"
        )
    settings = SimSettings(
        namespace=args.namespace,
        physics="kinematic" if args.kinematic else "mujoco",
        scene=args.scene,
        camera=args.camera,
        viewer=args.viewer,
    )
    with stop_on_signals() as stop:
        run_sim_robot(settings, stop)
    return 0
