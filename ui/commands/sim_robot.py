"""``hdemg sim-robot``."""

import argparse

from ui.commands.options import add_ros
from ui.console import stop_on_signals

NAME = "sim-robot"
# As in simulation.stretch.variants, which is not loaded for --help.
ROBOTS = ("stretch3", "stretch3-no-gripper", "stretch2", "stretch2-dex-wrist")
MAX_POSE_LATENCY_S = 1.0
HELP = "a simulated Stretch with physics and with the topics and services of stretch_driver"
EXAMPLE = """hdemg sim-robot --camera
         hdemg sim-robot --viewer
         hdemg sim-robot --kinematic
         hdemg sim-robot --kinematic --robot stretch2"""


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
    parser.add_argument(
        "--robot",
        choices=ROBOTS,
        default=ROBOTS[0],
        help="Stretch and tool; all but stretch3 need --kinematic (default: %(default)s)",
    )
    parser.add_argument(
        "--pose-latency",
        type=pose_latency,
        default=0.0,
        metavar="S",
        help="time that the writes of a pose take; poses that come within 33 ms may then be written out of order "
        "(default: 0)",
    )
    parser.add_argument(
        "--no-base-ramps",
        action="store_true",
        help="wheels without acceleration ramps, as with firmware before 0.6.2p4",
    )
    parser.add_argument(
        "--faults",
        action="store_true",
        help="let other programs make faults: a JSON object on sim/faults (std_msgs/String)",
    )
    add_ros(parser)


def pose_latency(text: str) -> float:
    """Read seconds, from 0 to `MAX_POSE_LATENCY_S`."""
    value = float(text)
    if not 0 <= value <= MAX_POSE_LATENCY_S:
        raise argparse.ArgumentTypeError(f"0 to {MAX_POSE_LATENCY_S:g} seconds are allowed, got {text}")
    return value


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
            robot=args.robot,
            pose_latency_s=args.pose_latency,
            base_ramps=not args.no_base_ramps,
            faults=args.faults,
        )
        run_sim_robot(settings, stop)
    return 0
