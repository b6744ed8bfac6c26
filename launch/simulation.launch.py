"""A whole session with nothing plugged in: a simulated wearer of an electrode sleeve drives a simulated Stretch.

hdemg simulate-study data --wearers 1 --first 2 --rate 2000
hdemg train data/sub-W02/ses-calibration -o decoder.onnx --after-cue 0.6 --before-next 0
ros2 launch hdemg_teleop simulation.launch.py decoder:=decoder.onnx
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

TELEOP = str(Path(__file__).parent / "teleop.launch.py")


def generate_launch_description():
    """Declare the arguments and include teleop.launch.py with simulated ends."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "source",
                default_value="simulated --wearer 2",
                description="Simulated wearer and its options.",
            ),
            DeclareLaunchArgument("decoder", description="Decoder file for that wearer."),
            DeclareLaunchArgument(
                "map", default_value="ten_gestures", description="Gesture map: a bundled name or a YAML file."
            ),
            DeclareLaunchArgument(
                "robot", default_value="sim", choices=["sim"], description="The simulated Stretch."
            ),
            DeclareLaunchArgument(
                "namespace", default_value="", description="ROS namespace of robot and bridge."
            ),
            DeclareLaunchArgument(
                "lsl_session", default_value="default", description="LSL session that all parts share."
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(TELEOP),
                launch_arguments=[(name, LaunchConfiguration(name)) for name in FORWARDED],
            ),
        ]
    )


FORWARDED = ("source", "decoder", "map", "robot", "namespace", "lsl_session")
