"""ROS 2's arguments of a node become those of the command of its name."""

from pathlib import Path

import pytest

from emg_acquisition.errors import InputError
from ui import ros_entry
from ui.ros_entry import hdemg_arguments


def test_arguments_without_ros_args_are_the_commands_own() -> None:
    assert hdemg_arguments("acquire", ["simulated", "--wearer", "3"]) == ["simulated", "--wearer", "3"]


def test_parameters_remaps_and_own_arguments() -> None:
    given = ["--ros-args", "-p", "map:=four_gestures", "-r", "__ns:=/left/arm", "-p", "use_sim_time:=false"]
    given += ["-p", "no_heartbeat:=true", "-p", "hdemg_bridge:timeout:=3.5", "--log-level", "debug"]
    given += ["--disable-rosout-logs", "--", "--decoder", "mine"]
    assert hdemg_arguments("bridge", given) == [
        *("--map", "four_gestures", "--no-heartbeat", "--timeout", "3.5", "--namespace", "/left/arm"),
        *("--decoder", "mine", "--debug"),
    ]


def test_positional_arguments_lists_and_empty_values() -> None:
    given = [
        "--ros-args",
        "-p",
        "emg:=[left, right]",
        "-p",
        "out:=ses-1",
        "-p",
        "gesture:=''",
        "-p",
        "aux:=false",
    ]
    assert hdemg_arguments("record", given) == ["ses-1", "--emg", "left", "--emg", "right"]


@pytest.mark.parametrize(
    ("pattern", "namespace", "applies"),
    [
        ("/**", "/left", True),
        ("/**/hdemg_bridge", "/", True),
        ("/**/hdemg_bridge", "/left/arm", True),
        ("/*/hdemg_bridge", "/left", True),
        ("/*/hdemg_bridge", "/", False),
        ("hdemg_bridge", "/", True),
        ("hdemg_bridge", "/left", False),
        ("/left/hdemg_bridge", "/left", True),
        ("/**/hdemg_decode", "/", False),
    ],
)
def test_a_parameter_file_is_for_the_nodes_that_it_names(
    pattern: str, namespace: str, applies: bool, tmp_path: Path
) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text(f"{pattern}:\n  ros__parameters:\n    map: mine\n")
    given = ["--ros-args", "-r", f"__ns:={namespace}", "--params-file", str(path)]
    assert ("--map" in hdemg_arguments("bridge", given)) is applies


def test_a_later_rule_wins(tmp_path: Path) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text("/**:\n  ros__parameters: {map: a}\n/**/hdemg_bridge:\n  ros__parameters: {map: b}\n")
    given = ["--ros-args", "--params-file", str(path)]
    assert hdemg_arguments("bridge", given) == ["--map", "b"]
    assert hdemg_arguments("bridge", [*given, "-p", "map:=c"]) == ["--map", "c"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["-p", "nosuch:=1"], "bridge has none of that name; it has decoder, "),
        (["-p", "use_sim_time:=true"], "use_sim_time"),
        (["-r", "cmd_vel:=other"], "remapping 'cmd_vel:=other'"),
        (["-p", "map:=[a"], "parameter 'map:=[a'"),
        (["--params-file"], "--params-file needs a value"),
        (["--nonsense"], "'--nonsense' is no ROS 2 argument"),
        (["--params-file", "/nowhere/p.yaml"], "/nowhere/p.yaml: cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named(given: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said.replace("[", r"\[")):
        hdemg_arguments("bridge", ["--ros-args", *given])


def test_the_executables_name_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(ros_entry, "hdemg", lambda arguments: ran.append(arguments) or 0)
    monkeypatch.setattr("sys.argv", ["/ws/lib/hdemg_teleop/sim_robot", "--ros-args", "-r", "__ns:=/"])
    assert ros_entry.main() == 0
    assert ran == [["sim-robot"]]
    monkeypatch.setattr("sys.argv", ["/ws/lib/hdemg_teleop/sim_robot", "--ros-args", "-p", "x:=1"])
    assert ros_entry.main() == 2
    assert capsys.readouterr().err.startswith("hdemg sim-robot: error: parameter 'x'")
