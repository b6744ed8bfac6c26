"""Every part of a live session: acquisition, decoder, bridge, and the simulated Stretch where none is there.

    ros2 launch hdemg_teleop teleop.launch.py decoder:=decoder.onnx source:="muovi+ --host 192.168.1.10" robot:=ros

When one part ends, for whatever reason, all of it is shut down; the bridge leaves the robot standing. Nothing moves
until the bridge is armed, and it is armed only while somebody watches: an operator's program sends a heartbeat, or this
does, in a terminal whose Ctrl-C stops the robot:

    ros2 topic pub -r 10 /hdemg_bridge/heartbeat std_msgs/msg/Empty
    ros2 service call /hdemg_bridge/arm std_srvs/srv/SetBool '{data: true}'
"""

import shlex
from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

PARAMETERS = str(Path(__file__).parent / "parameters.yaml")


def generate_launch_description():
    """Declare the arguments and, once they are known, the parts."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "source",
                default_value="simulated",
                description="What follows `hdemg acquire`: simulated, an amplifier with its options, a session folder; "
                "empty where the EMG stream is there already.",
            ),
            DeclareLaunchArgument(
                "decoder", description="Decoder file (hdemg calibrate or hdemg train makes it)."
            ),
            DeclareLaunchArgument(
                "map", default_value="ten_gestures", description="Gesture map: a bundled name or a YAML file."
            ),
            DeclareLaunchArgument(
                "robot",
                default_value="sim",
                choices=["sim", "ros"],
                description="sim starts a simulated Stretch; ros drives the one whose stretch_driver runs.",
            ),
            DeclareLaunchArgument(
                "namespace", default_value="", description="ROS namespace of robot and bridge."
            ),
            DeclareLaunchArgument(
                "record",
                default_value="",
                description="Session folder to record into; empty for no recording.",
            ),
            DeclareLaunchArgument(
                "lsl_session", default_value="default", description="LSL session that all parts share."
            ),
            OpaqueFunction(function=parts),
        ]
    )


def parts(context):
    """Return one node a part of the session."""

    def given(name):
        return LaunchConfiguration(name).perform(context)

    namespace, session = given("namespace"), given("lsl_session")
    lsl = {"lsl_session": session}
    nodes = [
        part("decode", {**lsl, "decoder": given("decoder")}),
        part("bridge", {**lsl, "map": given("map")}, namespace),
    ]
    source = shlex.split(given("source"))
    if source:
        nodes.insert(0, part("acquire", lsl, arguments=source))
    if given("robot") == "sim":
        nodes.insert(0, part("sim_robot", {}, namespace))
    if given("record"):
        nodes.append(part("record", {**lsl, "out": given("record")}))
    return nodes


def part(executable, parameters, namespace="", arguments=()):
    """Return a node without which the session cannot go on."""
    return Node(
        package="hdemg_teleop",
        executable=executable,
        name=f"hdemg_{executable}",
        namespace=namespace,
        parameters=[PARAMETERS, *([parameters] if parameters else [])],
        arguments=list(arguments),
        output="screen",
        on_exit=Shutdown(reason=f"{executable} has ended"),
    )
