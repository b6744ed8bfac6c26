"""The launch files: they load with nothing but `launch` and `launch_ros`, say what they take, start what is meant."""

import ast
from pathlib import Path

import pytest

from tests import launch_stand_in as stand_in
from tests.conftest import REPOSITORY
from ui.cli import build_parser
from ui.ros_entry import hdemg_arguments

FOLDER = REPOSITORY / "launch"
FILES = sorted(FOLDER.glob("*.launch.py"))
EVERY_PART = ("sim_robot", "acquire", "decode", "bridge")


def test_there_are_the_three_and_no_package() -> None:
    assert [path.name for path in FILES] == ["replay.launch.py", "simulation.launch.py", "teleop.launch.py"]
    # An __init__.py would make this folder the module `launch` and shadow ROS 2's own.
    assert not (FOLDER / "__init__.py").exists()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_launch_and_launch_ros_are_used(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))
    imported = {
        module.split(".")[0]
        for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"launch", "launch_ros", "pathlib", "shlex"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_arguments_are_declared_with_a_description(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declared = [
        entity
        for entity in stand_in.load(path, monkeypatch).entities
        if isinstance(entity, stand_in.DeclareLaunchArgument)
    ]
    assert {"source", "decoder", "map", "robot", "namespace"} <= {argument.name for argument in declared}
    assert all(argument.description for argument in declared)


@pytest.mark.parametrize(
    ("file", "given", "parts"),
    [
        ("simulation", {"decoder": "d.onnx"}, EVERY_PART),
        ("replay", {"decoder": "d.onnx", "source": "data/sub 1/ses-x"}, EVERY_PART),
        ("teleop", {"decoder": "d.onnx", "source": "muovi+ --emulate", "robot": "ros"}, EVERY_PART[1:]),
        ("teleop", {"decoder": "d.onnx", "source": "", "robot": "ros"}, EVERY_PART[2:]),
        (
            "teleop",
            {"decoder": "d.onnx", "record": "out/ses-1", "namespace": "left"},
            (*EVERY_PART, "record"),
        ),
    ],
)
def test_every_part_is_started_with_arguments_that_its_command_takes(
    file: str, given: dict[str, str], parts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nodes = stand_in.nodes(FOLDER / f"{file}.launch.py", given, monkeypatch)
    assert tuple(node.executable for node in nodes) == parts
    told = {}
    for node in nodes:
        command = node.executable.replace("_", "-")
        arguments = hdemg_arguments(command, node.command(Path("/prefix"), tmp_path)[1:])
        told[command] = build_parser().parse_args([command, *arguments])
    # Nobody drives unwatched unless it is said so.
    assert told["bridge"].no_heartbeat is False
    # The bridge is bound to the decoder that is started with it, and the recorder takes the same one.
    assert told["bridge"].decoder == [told["decode"].source_id]
    assert "record" not in told or told["record"].gesture == [told["decode"].source_id]
    assert told["decode"].decoder == Path("d.onnx").resolve()
    for command in {"bridge", "sim-robot"} & set(told):
        assert told[command].namespace == (f"/{given['namespace']}" if "namespace" in given else "")
    if file == "replay":
        assert (told["acquire"].source, told["acquire"].wait_for_consumers) == (given["source"], True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_end_of_one_part_ends_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = stand_in.nodes(path, {"decoder": "d.onnx", "source": "simulated"}, monkeypatch)
    assert nodes
    for node in nodes:
        assert isinstance(node.on_exit, stand_in.Shutdown)
        assert node.executable in node.on_exit.reason
