"""Every item of the preflight goes red for its own fault, alone, and says what to do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.protocol import CueSchedule
from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from decoding.decoder_file import load_decoder
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.quality.monitor import ChannelState, QualityMonitor
from emg_acquisition.recording.session import load_session
from robot_bridge.operator_link import RobotSnapshot
from simulation.forearm.settings import WearerSettings
from simulation.recorded_wearer import record_schedule
from teleoperation.observer import Seen
from teleoperation.preflight import PreflightInputs, preflight
from teleoperation.supervisor import PartState

ROBOT = RobotSnapshot(
    positions=(0.0,) * 8,
    safety_state="disarmed",
    driver_mode="navigation",
    runstopped=False,
    latency_ms_median=15.0,
)


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> PreflightInputs:
    folder = tmp_path_factory.mktemp("preflight")
    schedule = CueSchedule(gestures=("fist",), repetitions=2, hold_s=1.0, rest_s=1.0, seed=1)
    session = load_session(record_schedule(WearerSettings(seed=2), schedule, folder / "ses-1", "SIM"))
    settings = TrainSettings(after_cue_s=0.5, before_next_s=0.0)
    decoder = train_decoder([session], folder / "d.onnx", settings, lambda _step, _part: None).decoder
    report = QualityMonitor(session.emg.info.fs_hz, session.emg.info.n_channels).process(session.emg.emg_uv)[
        -1
    ]
    good = np.full_like(report.states, ChannelState.GOOD.value)
    seen = Seen("", session.emg.info, replace(report, states=good), 0.02, 0.02, 0, (), ())
    return PreflightInputs(
        parts=(PartState("decode", "running"), PartState("bridge", "running")),
        decoders=(load_decoder(Path(decoder)),),
        seen=(seen,),
        robot=ROBOT,
        free_bytes=50e9,
    )


def bad_items(inputs: PreflightInputs) -> dict[str, str]:
    return {check.name: check.found for check in preflight(inputs) if not check.good}


def changed(inputs: PreflightInputs, **changes) -> PreflightInputs:
    """Change what is said of the only sleeve, or of all else."""
    of_sleeve = {key: changes.pop(key) for key in list(changes) if hasattr(inputs.seen[0], key)}
    return replace(inputs, seen=(replace(inputs.seen[0], **of_sleeve),), **changes)


def with_bad_electrodes(inputs: PreflightInputs, n_bad: int) -> PreflightInputs:
    quality = inputs.seen[0].quality
    states = quality.states.copy()
    states[:n_bad] = ChannelState.DETACHED.value
    return changed(inputs, quality=replace(quality, states=states))


def test_all_is_well(good):
    assert bad_items(good) == {}


def test_half_of_the_electrodes_must_be_good_and_the_bad_ones_are_named(good):
    assert bad_items(with_bad_electrodes(good, 32)) == {}
    found = bad_items(with_bad_electrodes(good, 33))
    assert found == {"electrodes": "48% good; bad: E1, E2, E3, E4, E5, E6 …"}


def test_of_two_sleeves_the_bad_one_is_named_and_the_other_is_good(good):
    left, right = (replace(good.seen[0], sleeve=name) for name in ("left", "right"))
    both = replace(good, decoders=good.decoders * 2, seen=(left, replace(right, decision_silent_s=1.0)))
    assert bad_items(both) == {"right sleeve: decisions arrive": "none"}
    info = replace(left.info, grid=rectangular_grid(8, 8, 10.0))
    other = replace(both, seen=(replace(left, info=info), right))
    assert list(bad_items(other)) == ["left sleeve: decoder fits"]
    names = [check.name for check in preflight(both)]
    assert len(names) == len(set(names)) == 13


@pytest.mark.parametrize(
    ("changes", "item", "found"),
    [
        ({"parts": (PartState("decode", "gone", 3, "killed"),)}, "programs", "decoder: gone killed"),
        ({"emg_silent_s": 0.6}, "signal arrives", "no samples"),
        ({"emg_silent_s": float("inf")}, "signal arrives", "no samples"),
        ({"decision_silent_s": 1.0}, "decisions arrive", "none"),
        ({"quality": None}, "electrodes", "not judged yet"),
        ({"robot": replace(ROBOT, positions=None)}, "robot", "no joint states"),
        ({"robot": replace(ROBOT, safety_state="")}, "robot", "the bridge does not report"),
        ({"robot": replace(ROBOT, driver_mode="homing")}, "robot", "it is homing"),
        ({"robot": replace(ROBOT, runstopped=True)}, "run-stop", "pressed"),
        (
            {"robot": replace(ROBOT, latency_ms_median=900.0)},
            "clock",
            "samples are 900 ms old when they arrive",
        ),
        (
            {"robot": replace(ROBOT, latency_ms_median=-40.0)},
            "clock",
            "samples are -40 ms old when they arrive",
        ),
        ({"free_bytes": 1e9}, "disk", "1.0 GB free"),
    ],
)
def test_one_fault_is_one_red_item(good, changes, item, found):
    assert bad_items(changed(good, **changes)) == {item: found}
    red = next(check for check in preflight(changed(good, **changes)) if not check.good)
    assert red.remedy


def test_another_sleeve_is_told_with_the_difference(good):
    info = replace(good.seen[0].info, grid=rectangular_grid(8, 8, 10.0))
    found = bad_items(changed(good, info=info))
    assert list(found) == ["decoder fits"]
    assert "grid" in found["decoder fits"]


def test_nothing_recorded_needs_no_disk(good):
    assert all(check.name != "disk" for check in preflight(replace(good, free_bytes=None)))
