"""``hdemg bridge``: nobody drives unwatched unless it is said so."""

import pytest

pytest.importorskip("rclpy")

from robot_bridge import ros_node
from robot_bridge.bridge_core import BridgeSettings
from teleoperation.chain import ChainSettings, Isolation, LiveChain, Sleeve
from ui import cli


@pytest.mark.parametrize(("options", "required"), [([], True), (["--no-heartbeat"], False)])
def test_an_operators_heartbeat_is_required_by_default(options, required, monkeypatch, lsl_session):
    started: list[BridgeSettings] = []
    monkeypatch.setattr(ros_node, "run_bridge", lambda settings, _stop: started.append(settings))
    assert cli.main(["bridge", *options, "--lsl-session", lsl_session]) == 0
    assert [settings.require_heartbeat for settings in started] == [required]


def test_a_session_leaves_the_bridge_at_that(tmp_path, ros_domain, lsl_session, monkeypatch):
    settings = ChainSettings(
        [["simulated"]], [Sleeve(tmp_path / "d.onnx")], "ten_gestures", tmp_path, "ui.cli"
    )
    chain = LiveChain(settings, Isolation(lsl_session, None, "a_session", "token"))
    try:
        arguments = chain._stages()["bridge"]
    finally:
        chain.close()
    assert cli.build_parser().parse_args(arguments).no_heartbeat is False
