"""What ``ros2 run hdemg_teleop bridge`` and launch files start: a command of ``hdemg`` as a ROS 2 node.

The executables are named as the commands are (``sim_robot`` for ``sim-robot``). A node's parameters are its command's
options, with underscores: ``--ros-args -p map:=four_gestures`` is ``--map four_gestures``. Namespaces and parameter
files are taken as ``rcl`` takes them.

References
----------
ROS 2 design, "ROS Command Line Arguments" (``--ros-args``, ``-p``, ``--params-file``, ``-r``).
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import RootModel

from emg_acquisition.errors import InputError
from emg_acquisition.settings_file import load_settings, yaml_value
from ui.cli import EXIT_BAD_INPUT, build_parser, subcommands
from ui.cli import main as hdemg

_WITH_VALUE = {
    "-p": "parameter",
    "--param": "parameter",
    "--params-file": "file",
    "-r": "remap",
    "--remap": "remap",
    "--log-level": "level",
    "-e": "enclave",
    "--enclave": "enclave",
}
# What launch_ros adds of its own accord and what changes nothing here.
_WITHOUT_VALUE = frozenset(
    f"--{switch}-{what}-logs"
    for switch in ("enable", "disable")
    for what in ("rosout", "stdout", "external-lib")
)
_OF_TIME = "use_sim_time"


class _ParameterFile(RootModel[dict[str, dict[str, dict[str, object]]]]):
    """A ROS 2 parameter file: node -> ``ros__parameters`` -> name -> value."""


def main() -> int:
    """Run the command whose name this executable has."""
    command = Path(sys.argv[0]).name.replace("_", "-")
    try:
        arguments = hdemg_arguments(command, sys.argv[1:])
    except InputError as error:
        sys.stderr.write(f"hdemg {command}: error: {error}\n")
        return EXIT_BAD_INPUT
    return hdemg([command, *arguments])


def hdemg_arguments(command: str, arguments: Sequence[str]) -> list[str]:
    """Return the arguments of ``hdemg COMMAND`` for those of a ROS 2 node.

    Parameters
    ----------
    command : str
        Name of the command; its node is called ``hdemg_<command>`` unless ``__node`` says otherwise.
    arguments : sequence of str
        As ``ros2 run`` and launch files give them.

    Raises
    ------
    InputError
        If an argument, a parameter or a parameter file cannot be used; the message names it.
    """
    own, ros_arguments = _split(arguments)
    parameters: dict[str, object] = {}
    node, namespace = f"hdemg_{command.replace('-', '_')}", ""
    for rule in (value for kind, value in ros_arguments if kind == "remap"):
        name, _, to = rule.partition(":=")
        match name.rpartition(":")[2]:
            case "__node" | "__name":
                node = to
            case "__ns":
                namespace = to.strip("/")
            case _:
                msg = f"remapping {rule!r}: topics have relative names here; give the namespace (-r __ns:=/name)"
                raise InputError(msg)
    for kind, value in ros_arguments:
        if kind == "file":
            parameters.update(_from_file(Path(value), f"/{namespace}/{node}".replace("//", "/")))
        elif kind == "parameter":
            name, _, text = value.partition(":=")
            parameters[name.rpartition(":")[2]] = _value_of(value, text)
    if ("level", "debug") in ros_arguments:
        own.append("--debug")
    if namespace:
        parameters["namespace"] = f"/{namespace}"
    return [*_options(command, parameters), *own]


def _split(arguments: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Separate the command's own arguments from what stands between ``--ros-args`` and ``--``."""
    own: list[str] = []
    ros_arguments: list[tuple[str, str]] = []
    ros = False
    rest = iter(arguments)
    for argument in rest:
        if argument == "--ros-args":
            ros = True
        elif not ros:
            own.append(argument)
        elif argument == "--":
            ros = False
        elif argument in _WITH_VALUE:
            value = next(rest, None)
            if value is None:
                raise InputError(f"{argument} needs a value after it")
            ros_arguments.append((_WITH_VALUE[argument], value))
        elif argument not in _WITHOUT_VALUE:
            raise InputError(f"{argument!r} is no ROS 2 argument; end them with -- before the command's own")
    return own, ros_arguments


def _value_of(rule: str, text: str) -> object:
    try:
        return yaml_value(text)
    except InputError as error:
        raise InputError(f"parameter {rule!r}: name:=value is required") from error


def _from_file(path: Path, full_name: str) -> Iterator[tuple[str, object]]:
    """Yield the parameters that a file has for a node; the last of several rules is the one that counts."""
    for pattern, section in load_settings(path, _ParameterFile).root.items():
        if not _is_for(pattern, full_name):
            continue
        yield from section.get("ros__parameters", {}).items()


def _is_for(pattern: str, full_name: str) -> bool:
    """Whether a rule of a parameter file names the node: ``*`` is one part of its name, ``**`` any number."""
    places = {"**": r"(?:/[^/]+)*", "*": r"/[^/]+"}
    parts = pattern.strip("/").split("/")
    if len(parts) == 1 and parts[0] not in places:
        # A bare name is a node of the root namespace, as in rcl.
        return full_name == f"/{parts[0]}"
    expression = "".join(places.get(part, "/" + re.escape(part)) for part in parts)
    return re.fullmatch(expression, full_name) is not None


def _options(command: str, parameters: dict[str, object]) -> list[str]:
    """Write parameters as options and positional arguments; an empty text stands for the command's default."""
    options: list[str] = []
    positional: list[str] = []
    actions = {action.dest: action for action in subcommands(build_parser())[command]._actions}  # noqa: SLF001
    for name, value in parameters.items():
        if name == _OF_TIME:
            if value:
                raise InputError(
                    "use_sim_time: what is fresh is judged by this machine's own clock; leave it out"
                )
            continue
        action = actions.get(name)
        if action is None:
            known = ", ".join(sorted(set(actions) - {"help", "debug"}))
            raise InputError(f"parameter {name!r}: {command} has none of that name; it has {known}")
        if value in ("", None, False):
            continue
        if not action.option_strings:
            positional.append(str(value))
        elif isinstance(action, argparse._StoreTrueAction):  # noqa: SLF001 - argparse names it nowhere else
            options.append(action.option_strings[-1])
        else:
            values = value if isinstance(value, list) else [value]
            options += [part for item in values for part in (action.option_strings[-1], str(item))]
    return [*positional, *options]
