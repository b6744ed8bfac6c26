"""``hdemg train --signal YAML --powerline HZ``: the decoder, and everything that runs it, does as was chosen."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from decoding.decoder_file import load_decoder
from decoding.signal_settings import SignalSettings
from emg_acquisition.recording.session import load_session
from evaluation.replay import replay_session
from tests.dec_support import FS_HZ, cues, session, write_session
from ui import cli

CHOSEN = {
    "band_hz": [30, 350],
    "filter_order": 3,
    "powerline_harmonics": 2,
    "window_ms": 240,
    "hop_ms": 40,
    "saturation_uv": 1e5,
    "settle_ms": 120,
    "spatial": "laplacian",
    "features": ["log_rms", "ar_1", "ar_2"],
}


@pytest.fixture(scope="module")
def sessions(tmp_path_factory) -> dict[str, str]:
    """A clean recording, and one with mains whose phase differs from electrode to electrode."""
    root = tmp_path_factory.mktemp("sessions")
    clean, humming = session(cues(2)), session(cues(2), seed=6)
    t_s = np.arange(len(humming.emg.emg_uv)) / FS_HZ
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, 8)
    humming.emg.emg_uv[:] += (150.0 * np.sin(2 * np.pi * 60.0 * t_s[:, np.newaxis] + phases)).astype(
        np.float32
    )
    return {
        "clean": write_session(root, "S1", clean),
        "humming": write_session(root, "S2", humming),
        "out": str(root / "new.onnx"),
    }


def _train(sessions: dict[str, str], folder: Path, *options: str) -> str:
    out = str(folder / "d.onnx")
    assert cli.main(["train", sessions["clean"], "-o", out, *options]) == 0
    return out


def _yaml(folder: Path, values: object) -> str:
    path = folder / "signal.yaml"
    path.write_text(yaml.safe_dump(values))
    return str(path)


def test_the_file_and_the_mains_frequency_stand_in_the_decoder_and_last_through_recalibration(
    sessions, tmp_path
):
    decoder = _train(sessions, tmp_path, "--signal", _yaml(tmp_path, CHOSEN), "--powerline", "60")
    expected = SignalSettings.model_validate(CHOSEN | {"powerline_hz": 60})
    metadata = load_decoder(Path(decoder)).metadata
    assert metadata.signal == expected
    assert (metadata.filter_design.powerline_hz, metadata.filter_design.powerline_harmonics) == (60, 2)
    assert cli.main(["recalibrate", decoder, sessions["humming"], "-o", sessions["out"]]) == 0
    assert load_decoder(Path(sessions["out"])).metadata.signal == expected


def test_replay_of_another_session_runs_with_that_filter(sessions, tmp_path, capsys):
    """Mains that drown the muscles: with the notch the gestures are decoded as before, without it they are not."""
    accuracy = {}
    for powerline in ("60", "none"):
        decoder = _train(sessions, tmp_path, "--powerline", powerline)
        capsys.readouterr()
        assert cli.main(["replay", sessions["humming"], "--decoder", decoder, "--json"]) == 0
        accuracy[powerline] = json.loads(capsys.readouterr().out.splitlines()[-1])["trial_accuracy"]
        replay = replay_session(load_session(Path(sessions["humming"])), load_decoder(Path(decoder)))
        assert len(replay.values) > 300
    assert accuracy["60"] == 1.0
    assert accuracy["none"] < 0.7


def test_without_features_in_the_file_training_chooses_them(sessions, tmp_path):
    decoder = _train(sessions, tmp_path, "--signal", _yaml(tmp_path, {"window_ms": 150}), "--powerline", "50")
    metadata = load_decoder(Path(decoder)).metadata
    assert (metadata.signal.window_ms, metadata.signal.powerline_hz) == (150.0, 50)
    assert len({one.name for one in metadata.considered}) > 2


def test_the_option_takes_precedence_over_the_file(sessions, tmp_path):
    signal = _yaml(tmp_path, {"powerline_hz": 50, "features": ["log_rms"]})
    decoder = _train(sessions, tmp_path, "--signal", signal, "--powerline", "none")
    assert load_decoder(Path(decoder)).metadata.signal.powerline_hz is None


def test_what_init_writes_is_what_training_does_without_a_file(sessions, tmp_path):
    assert cli.main(["init", str(tmp_path / "study")]) == 0
    with_file = _train(sessions, tmp_path, "--signal", str(tmp_path / "study" / "signal.yaml"))
    content = Path(with_file).read_bytes()
    assert Path(_train(sessions, tmp_path)).read_bytes() == content


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"band": [20, 400]}, "band: "),
        ({"features": ["log_rms", "entropy"]}, "features.1: "),
        ({"features": "log_rms"}, "features: a list is required"),
        ({"powerline_hz": 55}, "powerline_hz: "),
        ({"spatial": "car"}, "spatial: "),
        ({"window_ms": 110, "hop_ms": 25}, "whole number of hops"),
        ({"band_hz": [400, 20]}, "band_hz must rise"),
        ([20, 400], "file: a mapping of keys is required"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line_with_file_and_key(sessions, tmp_path, capsys, values, named):
    signal = str(tmp_path / "signal.yaml") if values is None else _yaml(tmp_path, values)
    out = tmp_path / "d.onnx"
    assert cli.main(["train", sessions["clean"], "-o", str(out), "--signal", signal]) == 2
    line = [one for one in capsys.readouterr().err.splitlines() if "error:" in one]
    assert len(line) == 1
    assert line[0].startswith(f"hdemg train: error: {signal}: ")
    assert named in line[0]
    assert not out.exists()


def test_settings_that_the_stream_cannot_carry_are_refused(sessions, tmp_path, capsys):
    signal = _yaml(tmp_path, {"band_hz": [460, 490]})
    out = tmp_path / "d.onnx"
    assert cli.main(["train", sessions["clean"], "-o", str(out), "--signal", signal]) == 2
    assert "leaves no band above 460 Hz" in capsys.readouterr().err
