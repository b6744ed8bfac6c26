"""Every kind of YAML file that a person may hand us, broken: one line that names the file, or a model that holds."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import strategies as st

from calibration.protocol import load_protocol
from emg_acquisition.grid_library import load_grid
from emg_acquisition.recording.importers.xdf import MarkerCues
from emg_acquisition.recording.session import read_session_info
from emg_acquisition.settings_file import load_settings
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.robot_model import BUNDLED_ROBOT, load_robot_model
from simulation.forearm.synergies import TEN_GESTURES, load_synergies
from tests.conftest import REPOSITORY
from tests.dec_support import session
from tests.fuzz_support import EITHER, broken_bytes, broken_tree, ends_in_our_error, run
from ui.ros_entry import hdemg_arguments

MAPS = sorted((REPOSITORY / "robot_bridge" / "maps").glob("*.yaml"))
TEN = tuple(yaml.safe_load(TEN_GESTURES.read_text())["gestures"])
FOUR = ("rest", "fist", "hand_open", "wrist_flexion", "wrist_extension")
ROBOT = load_robot_model()


def _map(path: Path) -> object:
    for gestures in (("rest", *TEN), FOUR):
        ends_in_our_error(lambda gestures=gestures: load_gesture_map(path, gestures, ROBOT))
    return None


KINDS: dict[str, tuple[list[str], Callable[[Path], object]]] = {
    "gesture map": ([path.read_text() for path in MAPS], _map),
    "robot": ([BUNDLED_ROBOT.read_text()], load_robot_model),
    "grid": (
        ["name: mine\nchannel_at: [[0, 1], [2, -1]]\npitch_mm: 10.0\nwraps: rows\n"],
        lambda path: load_grid(str(path)).neighbours,
    ),
    "session": (
        [yaml.safe_dump(session([("rest", 1)]).info.model_dump(mode="json"))],
        lambda path: read_session_info(path.parent),
    ),
    "cue schedule": (
        ["gestures: [fist, hand_open]\nrepetitions: 3\nhold_s: 2.0\nrest_s: 1.0\nseed: 1\n"],
        lambda path: load_protocol(str(path)).cues(),
    ),
    "wearer's gestures": ([TEN_GESTURES.read_text()], load_synergies),
    "marker cues": (["cues: {left: fist, right: hand_open}\n"], lambda path: load_settings(path, MarkerCues)),
    "ROS parameters": (
        [(REPOSITORY / "launch" / "parameters.yaml").read_text()],
        lambda path: hdemg_arguments("bridge", ["--ros-args", "--params-file", str(path)]),
    ),
}
# Text that PyYAML, or a model, stumbles over in a way of its own.
TRAPS = (
    b"&a [*a, *a]",
    b"a: &a [1,1,1]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n",
    b"[" * 5000,
    b"{a: " * 3000,
    b"- " * 5000,
    b"? " * 2000,
    b"a: 2001-99-99",
    b"a: ._",
    b"a: !!int ''",
    b"a: !!timestamp x",
    b"a: !!bool x",
    b"a: !!python/object/apply:os.system ['true']",
    b"<<: {a: 1}",
    b"a: 0x_",
    b"1:2:3: 4",
    b"\xff\xfe\x00",
    b"\x00",
    b"%YAML 9.9\n---\na",
    b"---\na\n---\nb",
    b"a: 1" + b"0" * 5000,
    b"{[a, b]: 1}",
    b"? {a: 1}\n: 2",
    b"!!binary x: 1",
    b"!!set {a, b}",
    b"!!omap [a: 1]",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "session.yaml"


@EITHER
@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_file_of_every_kind(kind: str, cases: int, file: Path) -> None:
    wholes, load = KINDS[kind]
    for whole in wholes:
        file.write_text(whole)
        load(file)  # what is broken below was whole

    def check(content: bytes) -> None:
        file.write_bytes(content)
        ends_in_our_error(lambda: load(file))

    trees = broken_tree([yaml.safe_load(whole) for whole in wholes]).map(_dump)
    run(cases, st.one_of(trees, trees, broken_bytes([whole.encode() for whole in wholes])), check)


@pytest.mark.parametrize("content", TRAPS)
@pytest.mark.parametrize("kind", KINDS)
def test_known_traps(kind: str, content: bytes, file: Path) -> None:
    file.write_bytes(content)
    said = ends_in_our_error(lambda: KINDS[kind][1](file))
    assert "\n" not in said
    assert not said or str(file) in said


def _dump(tree: object) -> bytes:
    return yaml.dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass")
