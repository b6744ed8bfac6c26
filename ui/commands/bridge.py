"""``hdemg bridge``."""

import argparse

from robot_bridge.control import SPEED_CONTROLS
from ui.commands.options import add_lsl, add_ros, file_path, source_id
from ui.console import stop_on_signals

NAME = "bridge"
HELP = "LSL stream of type Gesture -> ROS 2 commands for a Stretch; starts disarmed, and needs an operator's heartbeat"
EXAMPLE = """hdemg bridge --decoder hdemg-decoder --map ten_gestures
         hdemg bridge --decoder left --decoder right --map two_sleeves"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--decoder",
        type=source_id,
        action="append",
        metavar="SOURCE_ID",
        help="the one Gesture stream that may drive the robot; with several sleeves once a sleeve, in the order of "
        "the map (default: hdemg-decoder)",
    )
    parser.add_argument(
        "--map",
        default="ten_gestures",
        help="ten_gestures, four_gestures, two_sleeves, lift_and_gripper or a YAML file (default: %(default)s)",
    )
    parser.add_argument(
        "--speed-control",
        choices=SPEED_CONTROLS,
        default="tiers",
        help="coarse and fine: speed tiers; a tap is one small step and a hold is continuous; or by effort within a "
        "tier (default: %(default)s)",
    )
    parser.add_argument(
        "--robot-model", type=file_path, metavar="YAML", help="limits and speeds (default: a Stretch 3)"
    )
    parser.add_argument(
        "--no-heartbeat",
        action="store_true",
        help="drive with nobody watching, for tests and tethered development only; without it the bridge arms only "
        "while an operator's window or program sends its heartbeat, and stops when that is lost",
    )
    add_lsl(parser)
    add_ros(parser)


def run(args: argparse.Namespace) -> int:
    """Bridge until stopped; the robot is left standing."""
    from emg_acquisition.streams.lsl_config import configure_lsl
    from robot_bridge.gesture_map import check_decoders
    from robot_bridge.robot_model import load_robot_model

    # Errors that need no decoder are reported before waiting for one.
    decoders = tuple(args.decoder or ("hdemg-decoder",))
    check_decoders(args.map, decoders)
    load_robot_model(args.robot_model)
    from robot_bridge.ros_node import BridgeSettings, run_bridge

    configure_lsl(args.lsl_session)
    settings = BridgeSettings(
        decoders=decoders,
        speed_control=args.speed_control,
        gesture_map=args.map,
        robot_model=args.robot_model,
        namespace=args.namespace,
        require_heartbeat=not args.no_heartbeat,
        lsl_timeout_s=args.timeout,
    )
    with stop_on_signals() as stop:
        run_bridge(settings, stop)
    return 0
