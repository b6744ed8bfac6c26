"""A recorded session, in real time, through decoder, bridge and robot, as if it were live.

    ros2 launch hdemg_teleop replay.launch.py source:=data/sub-001/ses-Session1Test decoder:=decoder.onnx \
        map:=lift_and_gripper

It shuts down when the recording has ended. ``hdemg replay`` does the same without ``ros2`` and compares the decisions.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

TELEOP = str(Path(__file__).parent / "teleop.launch.py")


def generate_launch_description():
    """Declare the arguments and include teleop.launch.py with a recording for its source."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("source", description="Folder of the recorded session."),
            DeclareLaunchArgument("decoder", description="Decoder file."),
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
                "lsl_session", default_value="default", description="LSL session that all parts share."
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(TELEOP),
                launch_arguments=[
                    # The first sample waits for the decoder, as in `hdemg replay`.
                    ("source", ["'", LaunchConfiguration("source"), "' --wait-for-consumers"]),
                    *((name, LaunchConfiguration(name)) for name in FORWARDED),
                ],
            ),
        ]
    )


FORWARDED = ("decoder", "map", "robot", "namespace", "lsl_session")
