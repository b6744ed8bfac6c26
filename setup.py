"""For ``colcon build`` alone; pip, uv and build read pyproject.toml and nothing else.

colcon's ament_python runs this file, and the setuptools of a ROS distribution (59 in Humble, 68 in Jazzy) cannot read
that pyproject.toml. What is said here comes from package.xml and the folders; a test compares both builds.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from setuptools import Distribution, find_packages, setup

ROOM_NAMES = (
    *("emg_acquisition", "decoding", "calibration", "robot_bridge", "evaluation"),
    *("teleoperation", "simulation", "ui"),
)
NODES = ("acquire", "decode", "record", "bridge", "sim_robot", "watchdog")
SHARE = "share/hdemg_teleop"


class _WithoutPyproject(Distribution):
    """Reads setup.cfg but no pyproject.toml, which older setuptools refuse for its licence expression."""

    def parse_config_files(self, filenames=None, ignore_option_errors=False):
        super().parse_config_files(filenames or ["setup.cfg"], ignore_option_errors)


def _said_in_package_xml(tag: str) -> str:
    text = ET.parse("package.xml").findtext(tag)
    if not text:
        raise SystemExit(f"package.xml: <{tag}> is missing")
    return text


def _data_of(room: str) -> list[str]:
    found = (path for path in Path(room).rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"})
    return sorted(path.relative_to(room).as_posix() for path in found)


def _setup_for_colcon() -> None:
    setup(
        distclass=_WithoutPyproject,
        name=_said_in_package_xml("name"),
        version=_said_in_package_xml("version"),
        description=_said_in_package_xml("description"),
        license=_said_in_package_xml("license"),
        packages=find_packages(include=[pattern for room in ROOM_NAMES for pattern in (room, f"{room}.*")]),
        package_data={room: _data_of(room) for room in ROOM_NAMES},
        data_files=[
            ("share/ament_index/resource_index/packages", ["resource/hdemg_teleop"]),
            (SHARE, ["package.xml"]),
            (f"{SHARE}/launch", sorted(path.as_posix() for path in Path("launch").glob("*.*"))),
        ],
        entry_points={
            "console_scripts": [*(f"{node} = ui.ros_entry:main" for node in NODES), "hdemg = ui.cli:main"]
        },
        zip_safe=False,
    )


# A build front end (pip, build, uv) has imported its backend before it comes here; colcon never does.
if "setuptools.build_meta" in sys.modules:
    setup()
else:
    _setup_for_colcon()
