"""Two sleeves in one session: each moves its own DoF, the silence of either stops both, and all of it is replayed."""

import signal
import uuid
from contextlib import ExitStack

import pytest

pytest.importorskip("rclpy")

from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.recording.session import load_session
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from evaluation.session_decoders import decoders_of
from robot_bridge.stretch_interface import DOF_NAMES
from teleoperation.settings import TeleopSettings
from tests.e2e.conftest import OTHER_WEARER, WEARER
from tests.waiting import wait_for
from ui.live_session import live_session

STILL = 1e-3


class Arms:
    """Both wearers, steered by intentions of their own until what is waited for has come."""

    def __init__(self, session, outlets):
        self.session, self.outlets = session, outlets
        self.wanted = dict.fromkeys(outlets, "rest")

    def until(self, reached, what):
        def come():
            for sleeve, outlet in self.outlets.items():
                intention = {"gesture": self.wanted[sleeve], "effort": 1.0}
                outlet.push(Event(lsl_clock_s(), "intention", intention))
            return reached(self.session.view())

        wait_for(come, lambda: f"{what}: {self.session.view().robot}", poll_s=0.05)

    def hold(self, reached, what, **gestures):
        self.wanted.update(gestures)
        self.until(reached, what)

    def arm(self):
        resting = dict.fromkeys(self.wanted, "rest")
        self.hold(lambda view: view.ready and decided(view) == resting, "rest and good checks", **resting)
        self.until(lambda _: self.session.arm() is None, "arming")


def decided(view):
    return {name: sleeve.gesture for name, sleeve in view.robot.sleeves.items()}


def place(view, dof):
    return view.robot.positions[DOF_NAMES.index(dof)]


def speed(view, dof):
    return abs(view.robot.velocities[DOF_NAMES.index(dof)])


@pytest.mark.alone
@pytest.mark.usefixtures("ros_domain")
def test_each_sleeve_moves_its_own_and_the_silence_of_either_stops_both(
    hdemg, simulated_decoder, other_decoder, lsl_session, tmp_path
):
    ids = {sleeve: f"intentions-{sleeve}-{uuid.uuid4().hex[:8]}" for sleeve in ("left", "right")}
    settings = TeleopSettings(
        decoder=(simulated_decoder, other_decoder),
        source=(
            f"simulated --wearer {WEARER} --intentions {ids['left']}",
            f"simulated --wearer {OTHER_WEARER} --intentions {ids['right']}",
        ),
        robot_options="--kinematic",
        map="two_sleeves",
        out=tmp_path,
        events=tuple(ids.values()),
    )
    with ExitStack() as stack:
        outlets = {
            sleeve: EventOutlet(f"{sleeve} intentions", source_id) for sleeve, source_id in ids.items()
        }
        for outlet in outlets.values():
            stack.callback(outlet.close)
        session = stack.enter_context(
            live_session(settings, lambda _step, _part: None, lsl_session=lsl_session)
        )
        arms = Arms(session, outlets)
        arms.arm()
        begin = session.view()
        travel_m, lift_m = place(begin, "base_translate"), place(begin, "lift")
        arms.hold(
            lambda view: (
                place(view, "base_translate") > travel_m + 0.02 and abs(place(view, "lift") - lift_m) > 0.01
            ),
            "each sleeve moves its own",
            left="wrist_extension",
            right="wrist_flexion",
        )
        assert place(session.view(), "lift") < lift_m
        assert {one.name for one in session.view().parts} >= {"acquire-left", "acquire-right", "decode-right"}

        # The right decoder hangs while the left arm goes on: everything stands, and the words say whose fault it is.
        session.chain.processes.process("decode-right").send_signal(signal.SIGSTOP)
        arms.until(lambda view: not view.live, "a silent sleeve leaves the robot armed")
        arms.until(
            lambda view: speed(view, "base_translate") < STILL and speed(view, "lift") < STILL, "it goes on"
        )
        assert session.view().robot.reason.startswith("right sleeve: no decision for")
        assert decided(session.view())["left"] == "wrist_extension"
        arms.until(
            lambda view: (
                [check.name for check in view.checks if not check.good] == ["right sleeve: decisions arrive"]
            ),
            "the check that names the sleeve",
        )
        assert session.arm().startswith("right sleeve: decisions arrive: none")

        # It dies: the part is named, started again, and nothing moves before somebody arms.
        session.chain.processes.process("decode-right").kill()
        arms.until(
            lambda view: sum(part.restarts for part in view.parts) == 1, "the decoder is not restarted"
        )
        assert any("the right decoder ended" in message.text for message in session.view().messages)
        arms.until(lambda view: view.seen[1].newest is not None, "the right decoder is back")
        assert not session.view().live
        recording = session.recording

    left, right = (load_session(recording, f"simulated-{wearer}") for wearer in (WEARER, OTHER_WEARER))
    assert (left.gestures.info.source_id, right.gestures.info.source_id) == (
        "hdemg-decoder-left",
        "hdemg-decoder-right",
    )
    assert {"arm", "moving", "fault", "intention"} <= {event.kind for event in left.events}
    again = hdemg("replay", recording, "--json")
    assert again.status == 0, again.out + again.err
    assert again.json["commands_identical_to_recording"] is True
    assert again.json["commands"] > 50
    for wearer in (WEARER, OTHER_WEARER):
        figures = again.json["sleeves"][f"simulated-{wearer}"]
        assert figures["identical_to_recording"] is True
        assert figures["decisions"] > 100
        assert f"simulated-{wearer}: decisions identical to those recorded" in again.out

    ran = hdemg("replay", recording, "--robot", "sim", "--map", "two_sleeves")
    assert (ran.status, ran.err.count("\n")) == (2, 1), ran.err
    assert "--robot sim replays one sleeve; choose one of simulated-2, simulated-5 with --emg" in ran.err
    (recording / "decoder-right.onnx").unlink()
    assert decoders_of(recording, "simulated-2") == [("simulated-2", recording / "decoder-left.onnx")]
    with pytest.raises(InputError, match="the decoder that decided on EMG 'simulated-5'"):
        decoders_of(recording, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("d", "d"), "ten_gestures.yaml: is for 1 decoder(s) (one sleeve), got 2"),
        (("d", "--map", "two_sleeves"), "two_sleeves.yaml: is for 2 decoder(s) (left, right), got 1"),
        (("d", "d", "--map", "two_sleeves", "--script", "cup"), "--script is for one sleeve, got 2 decoders"),
    ],
)
@pytest.mark.usefixtures("ros_domain")
def test_what_does_not_fit_is_one_clear_line(hdemg, simulated_decoder, tmp_path, arguments, words):
    given = [simulated_decoder if part == "d" else part for part in arguments]
    wearers = ("--source", "simulated --wearer 2", "--source", "simulated --wearer 5")
    sources = wearers if given.count(simulated_decoder) == 2 else ()
    ran = hdemg("teleop", *given, *sources, "--headless", "--out", tmp_path / "data")
    assert (ran.status, ran.err.count("\n")) == (2, 1), ran.err
    assert words in ran.err
    assert not list(tmp_path.rglob("*.xdf"))
