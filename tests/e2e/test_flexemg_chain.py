"""Real EMG through the whole chain: import, train, LSL, decoder, ROS 2 bridge, simulated robot."""

from collections.abc import Callable
from pathlib import Path

import pytest

from decoding.decoder_file import load_decoder
from decoding.pipeline import DecoderPipeline
from emg_acquisition.recording.session import Session, load_session
from evaluation.replay import Replay, replay_session
from tests.command_line import Ran

pytestmark = pytest.mark.real_data

ONE_REPETITION_S = "29"
# By the map lift_and_gripper.
MEANS = {
    "rest": "nothing",
    "wrist_flexion": "lift -",
    "hand_open": "gripper +",
    "wrist_extension": "lift +",
    "fist": "gripper -",
}


def test_held_out_recording_is_decoded_by_trial(
    hdemg: Callable[..., Ran], flexemg_sessions: Path, flexemg_decoder: Path
) -> None:
    ran = hdemg("replay", flexemg_sessions / "ses-Session1Test", "--decoder", flexemg_decoder, "--json")
    assert ran.status == 0, ran.err
    assert ran.json["trial_accuracy"] >= 0.97
    assert ran.json["identical_to_recording"] is None


@pytest.mark.alone
@pytest.mark.usefixtures("ros_domain")
@pytest.mark.parametrize(
    ("seconds", "gestures"),
    [
        ("16", ("rest", "wrist_flexion", "hand_open")),
        pytest.param(ONE_REPETITION_S, tuple(MEANS), marks=pytest.mark.slow),
    ],
    ids=["two gestures", "one repetition"],
)
def test_real_emg_moves_exactly_what_the_map_says(
    hdemg_process: Callable[..., Ran],
    flexemg_sessions: Path,
    flexemg_decoder: Path,
    seconds: str,
    gestures: tuple[str, ...],
) -> None:
    ran = hdemg_process(
        *("replay", flexemg_sessions / "ses-Session1Test", "--decoder", flexemg_decoder),
        *("--robot", "sim", "--map", "lift_and_gripper", "--seconds", seconds, "--json"),
    )
    assert ran.status == 0, ran.err
    figures = ran.json
    assert figures["trials"] >= len(gestures)
    assert figures["trial_accuracy"] >= 0.97
    assert figures["trials_exact_motion"] == figures["trials"], ran.out
    assert figures["identical_to_recording"] is True
    assert figures["commands_identical_to_recording"] is True
    # 50 ticks a second, a command each at least while something moves.
    assert figures["commands"] > 50 * float(seconds)
    assert figures["stops"] == 0
    for gesture in gestures:
        assert f"{gesture}: {MEANS[gesture]}" in ran.out


@pytest.fixture(scope="module")
def session(flexemg_sessions: Path) -> Session:
    return load_session(flexemg_sessions / "ses-Session1Test")


@pytest.fixture(scope="module")
def whole(session: Session, flexemg_decoder: Path) -> Replay:
    return replay_session(session, load_decoder(flexemg_decoder))


@pytest.mark.parametrize("chunk_samples", [1, 7, 50, 1333])
def test_chunk_size_changes_no_decision(
    session: Session, whole: Replay, flexemg_decoder: Path, chunk_samples: int
) -> None:
    decoder, n_samples = load_decoder(flexemg_decoder), 6 * 1333
    pipeline = DecoderPipeline(decoder, session.emg.info)
    decisions = [
        decision
        for start in range(0, n_samples, chunk_samples)
        for decision in pipeline.process(session.emg.emg_uv[start : min(start + chunk_samples, n_samples)])
    ]
    assert len(decisions) > 50
    for decision, sample, values in zip(decisions, whole.sample_index, whole.values, strict=False):
        assert decision.sample_index == sample
        assert decision.to_values().tobytes() == values.tobytes()
