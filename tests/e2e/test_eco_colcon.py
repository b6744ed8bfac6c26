"""A colcon workspace that holds this repository: it builds, and what it installs runs from the install space."""

import importlib
import importlib.util
import json
import re
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import launch_stand_in as stand_in
from tests.conftest import REPOSITORY
from tests.eco_support import ROOM_NAMES, clean_environment, copy_sources
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ros_domain")]
PACKAGE = "hdemg_teleop"
BUILD_TIMEOUT_S = 120
ENDS_WITHIN_S = 20


@dataclass(frozen=True)
class Workspace:
    prefix: Path
    built: str

    @property
    def share(self) -> Path:
        return self.prefix / "share" / PACKAGE

    @property
    def site_packages(self) -> Path:
        return next(self.prefix.glob("lib/python3.*/site-packages"))

    def environment(self, **more: str) -> dict[str, str]:
        """What sourcing ``install/setup.bash`` sets."""
        return clean_environment(
            PYTHONPATH=str(self.site_packages),
            AMENT_PREFIX_PATH=str(self.prefix),
            PYTHONUNBUFFERED="1",
            **more,
        )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    for module in ("colcon_core", "colcon_ros", "colcon_python_setup_py"):
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("workspace")
    copy_sources(folder / "src" / PACKAGE)
    done = subprocess.run(
        [Path(sys.executable).with_name("colcon"), "--log-base", folder / "log", "build"],
        cwd=folder,
        env=clean_environment(HOME=str(folder), COLCON_HOME=str(folder)),
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Workspace(folder / "install" / PACKAGE, done.stdout + done.stderr)


def test_it_builds_without_a_warning_and_installs_what_ros_looks_for(workspace: Workspace) -> None:
    # What colcon-ros and setuptools say of a package that lacks something, or is written as it once was.
    assert not any(word in workspace.built for word in ("doesn't explicitly", "eprecated")), workspace.built
    index = workspace.prefix / "share" / "ament_index" / "resource_index" / "packages" / PACKAGE
    assert index.is_file()
    assert (workspace.share / "package.xml").is_file()
    installed = {path.name for path in (workspace.share / "launch").iterdir()}
    assert installed == {path.name for path in (REPOSITORY / "launch").glob("*.*")}
    nodes = {path.name for path in (workspace.prefix / "lib" / PACKAGE).iterdir()}
    assert nodes == {"acquire", "decode", "record", "bridge", "sim_robot", "watchdog", "hdemg"}
    assert {path.name for path in workspace.site_packages.iterdir() if path.is_dir()} - {"__pycache__"} == {
        *ROOM_NAMES,
        next(path.name for path in workspace.site_packages.glob("*.egg-info")),
    }


def test_the_setup_scripts_lead_to_the_install_space(workspace: Workspace) -> None:
    says = 'import ui, os; print(ui.__file__, os.environ["AMENT_PREFIX_PATH"])'
    sourced = f'source "{workspace.prefix.parent}/local_setup.bash" && cd / && exec "$0" -c "$1"'
    done = subprocess.run(
        ["/bin/bash", "-c", sourced, sys.executable, says],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    imported, prefix = done.stdout.split()
    assert Path(imported).is_relative_to(workspace.site_packages)
    assert prefix == str(workspace.prefix)


def test_a_whole_session_of_installed_nodes_runs_and_ends_together(
    workspace: Workspace, simulated_decoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start what simulation.launch.py says, arm it over ROS 2, end one part as launch would see it end."""
    from robot_bridge.operator_link import OperatorLink

    given = {
        "decoder": str(simulated_decoder),
        "namespace": "left",
        "lsl_session": f"hdemg-test-{uuid.uuid4().hex[:12]}",
    }
    described = stand_in.nodes(workspace.share / "launch" / "simulation.launch.py", given, monkeypatch)
    environment = workspace.environment()
    parts = {
        node.executable: stand_in.start(node, workspace.prefix, tmp_path, environment) for node in described
    }
    try:
        with OperatorLink("left") as link:
            link.start_heartbeat()
            link.arm_within(60.0)
            link.wait_for(lambda now: now.safety_state == "armed", 10.0)
        _check_the_foxglove_layout(workspace.share / "launch" / "foxglove_layout.json", "left")
        assert all(part.poll() is None for part in parts.values())
        parts["decode"].send_signal(signal.SIGINT)
        parts["decode"].wait(ENDS_WITHIN_S)
        # The Shutdown of its `on_exit`: launch sends SIGINT to all that are left.
        for part in parts.values():
            part.send_signal(signal.SIGINT)
        deadline_s = time.monotonic() + ENDS_WITHIN_S
        for part in parts.values():
            part.wait(max(deadline_s - time.monotonic(), 0.1))
    finally:
        for part in parts.values():
            part.kill()
            part.wait()
    logs = {name: (tmp_path / f"{name}.log").read_text() for name in parts}
    assert {name: part.returncode for name, part in parts.items()} == dict.fromkeys(parts, 0), logs
    assert not any("Traceback" in text for text in logs.values()), logs


def _check_the_foxglove_layout(path: Path, namespace: str) -> None:
    """Every topic, field and service that the layout shows is there while the session runs."""
    from robot_bridge.ros_context import RosNode

    panels = json.loads(path.read_text(encoding="utf-8"))["configById"].values()
    shown = [line["value"].partition(".") for panel in panels for line in panel.get("paths", ())]
    shown += [(panel["topicToRender"], ".", "status") for panel in panels if "topicToRender" in panel]
    called = {panel["serviceName"] for panel in panels if "serviceName" in panel}
    with RosNode("test_observer") as observer:
        observer.start()
        wait_for(lambda: _names(observer.node.get_service_names_and_types(), namespace) >= called)
        wait_for(
            lambda: (
                _names(observer.node.get_topic_names_and_types(), namespace) >= {topic for topic, *_ in shown}
            )
        )
        types = dict(observer.node.get_topic_names_and_types())
    for topic, _, field in shown:
        (kind,) = types[f"/{namespace}{topic}"]
        package, _, name = kind.split("/")
        message = getattr(importlib.import_module(f"{package}.msg"), name)()
        for part in re.sub(r"\[\d+\]", "", field).split("."):
            assert hasattr(message, part), f"{topic} ({kind}) has no {field}"
            message = getattr(message, part)


def _names(there: list[tuple[str, list[str]]], namespace: str) -> set[str]:
    return {name.removeprefix(f"/{namespace}") for name, _ in there}


def _launch_is_installed() -> bool:
    try:
        return importlib.util.find_spec("launch.actions") is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.skipif(
    not _launch_is_installed(), reason="ROS 2's launch is not installed (no wheel of it exists)"
)
def test_launch_itself_shuts_everything_down_when_a_part_ends(workspace: Workspace, tmp_path: Path) -> None:
    """With ROS 2's own launch: a decoder that cannot be read ends its node, and with it the session."""
    (tmp_path / "no.onnx").write_text("no decoder")
    code = (
        "import launch, sys; from launch.actions import IncludeLaunchDescription as I;"
        "from launch.launch_description_sources import PythonLaunchDescriptionSource as P;"
        "service = launch.LaunchService();"
        "service.include_launch_description(launch.LaunchDescription([I(P(sys.argv[1]),"
        " launch_arguments=[('decoder', sys.argv[2]), ('lsl_session', sys.argv[3])])]));"
        "sys.exit(service.run())"
    )
    launched = workspace.share / "launch" / "simulation.launch.py"
    done = subprocess.run(
        [sys.executable, "-c", code, launched, tmp_path / "no.onnx", f"hdemg-test-{uuid.uuid4().hex[:12]}"],
        env=workspace.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "decode has ended" in done.stdout + done.stderr
