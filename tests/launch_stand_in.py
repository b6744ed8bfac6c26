"""What this project's launch files use of ROS 2's `launch` and `launch_ros`, where those are not installed.

PyPI has no `launch` of ROS 2 (the package of that name there is another program). The signatures below are those of
launch 1.0 and launch_ros 0.19 (Humble) that launch 3.4 and launch_ros 0.26 (Jazzy) still have; sources: the
repositories ros2/launch (``launch/actions``, ``launch/substitutions``, ``launch/launch_description_sources``) and
ros2/launch_ros (``launch_ros/actions/node.py``). A name that is not here cannot be imported, an argument that is not
here is a TypeError: so a launch file that loads against this uses nothing else.
"""

import importlib.util
import subprocess
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml


@dataclass
class LaunchContext:
    launch_configurations: dict[str, str] = field(default_factory=dict)


class LaunchDescription:
    def __init__(self, initial_entities: Iterable[Any] | None = None) -> None:
        self.entities = list(initial_entities or ())


class DeclareLaunchArgument:
    def __init__(
        self,
        name: str,
        *,
        default_value: Any = None,
        description: str | None = None,
        choices: list[str] | None = None,
    ) -> None:
        assert choices is None or default_value is None or default_value in choices
        self.name, self.default_value, self.description, self.choices = (
            name,
            default_value,
            description,
            choices,
        )


class LaunchConfiguration:
    def __init__(self, variable_name: str, *, default: Any = None) -> None:
        self.name, self.default = variable_name, default

    def perform(self, context: LaunchContext) -> str:
        return context.launch_configurations[self.name]


class OpaqueFunction:
    def __init__(
        self, *, function: Callable[..., Any], args: Iterable[Any] | None = None, kwargs: Any = None
    ) -> None:
        self.function, self.args, self.kwargs = function, tuple(args or ()), dict(kwargs or {})


class Shutdown:
    def __init__(self, *, reason: str = "reason not given") -> None:
        self.reason = reason


class PythonLaunchDescriptionSource:
    def __init__(self, launch_file_path: str) -> None:
        self.path = Path(launch_file_path)


class IncludeLaunchDescription:
    def __init__(
        self,
        launch_description_source: PythonLaunchDescriptionSource,
        *,
        launch_arguments: Iterable[tuple[Any, Any]] | None = None,
    ) -> None:
        self.source, self.arguments = launch_description_source, list(launch_arguments or ())


class Node:
    def __init__(
        self,
        *,
        executable: str,
        package: str | None = None,
        name: str | None = None,
        namespace: str | None = None,
        exec_name: str | None = None,
        parameters: list[Any] | None = None,
        remappings: Any = None,
        ros_arguments: Any = None,
        arguments: Iterable[Any] | None = None,
        # Of ExecuteLocal and ExecuteProcess.
        output: str = "log",
        emulate_tty: bool = False,
        respawn: bool = False,
        on_exit: Any = None,
        sigterm_timeout: Any = "5",
        sigkill_timeout: Any = "5",
    ) -> None:
        self.executable, self.package, self.name, self.namespace = executable, package, name, namespace
        self.parameters, self.arguments, self.on_exit = parameters or [], list(arguments or ()), on_exit

    def command(self, prefix: Path, scratch: Path) -> list[str]:
        """The command line that launch_ros makes: ``--ros-args``, name and namespace, a file of parameters each."""
        made = [str(prefix / "lib" / str(self.package) / self.executable), *self.arguments, "--ros-args"]
        if self.name:
            made += ["-r", f"__node:={self.name}"]
        if self.namespace is not None:
            made += ["-r", f"__ns:=/{self.namespace.strip('/')}"]
        for position, value in enumerate(self.parameters):
            path = value
            if isinstance(value, Mapping):
                path = scratch / f"launch_params_{self.executable}_{position}"
                path.write_text(yaml.safe_dump({"/**": {"ros__parameters": dict(value)}}))
            made += ["--params-file", str(path)]
        return made


MODULES = {
    "launch": (LaunchDescription,),
    "launch.actions": (DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction, Shutdown),
    "launch.launch_description_sources": (PythonLaunchDescriptionSource,),
    "launch.substitutions": (LaunchConfiguration,),
    "launch_ros": (),
    "launch_ros.actions": (Node,),
}


def load(path: Path, monkeypatch: pytest.MonkeyPatch) -> LaunchDescription:
    """Return what a launch file describes."""
    for name, members in MODULES.items():
        module = types.ModuleType(name)
        module.__path__ = []
        for member in members:
            setattr(module, member.__name__, member)
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("a_launch_file", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.generate_launch_description()


def nodes(path: Path, given: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> list[Node]:
    """Carry a launch file out as far as its processes."""
    context = LaunchContext(dict(given))
    found: list[Node] = []
    for entity in load(path, monkeypatch).entities:
        match entity:
            case DeclareLaunchArgument():
                if entity.name not in context.launch_configurations:
                    assert entity.default_value is not None, f"{entity.name} is required"
                    context.launch_configurations[entity.name] = entity.default_value
                assert entity.choices is None or context.launch_configurations[entity.name] in entity.choices
            case OpaqueFunction():
                found += entity.function(context, *entity.args, **entity.kwargs)
            case IncludeLaunchDescription():
                passed = {key: _in_words(value, context) for key, value in entity.arguments}
                found += nodes(entity.source.path, passed, monkeypatch)
            case _:
                found.append(entity)
    assert all(isinstance(node, Node) for node in found)
    return found


def _in_words(value: Any, context: LaunchContext) -> str:
    if isinstance(value, list):
        return "".join(_in_words(part, context) for part in value)
    return value.perform(context) if isinstance(value, LaunchConfiguration) else str(value)


def start(node: Node, prefix: Path, scratch: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a node as launch does, its output in a file of its name."""
    with (scratch / f"{node.executable}.log").open("w") as log:
        return subprocess.Popen(
            node.command(prefix, scratch),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            text=True,
        )
