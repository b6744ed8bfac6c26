"""`hdemg evaluate --split repetition` gives the held-out figures of `hdemg train`: one training set, one judge."""

import json

import numpy as np
import pytest

from calibration.parts import CALIBRATION
from calibration.protocol import CueSchedule
from calibration.session_view import Step
from calibration.train_settings import Margins
from calibration.training_set import trial_spans
from decoding.decoder_file import load_decoder
from emg_acquisition.events import Event
from emg_acquisition.recording.session import load_session, trials
from emg_acquisition.recording.session_writer import SessionWriter
from tests.calibration_support import VirtualCalibration
from ui.cli import EXIT_BAD_INPUT, main

PROTOCOL = CueSchedule(
    gestures=("fist", "hand_open", "pinch"), repetitions=4, rest_s=1.2, ready_s=0.5, ramp_s=0.4, hold_s=1.0
)
PATTERNS = {
    "rest": np.full(8, 6.0),
    "fist": np.array([40.0] * 4 + [25.0] * 4),
    "hand_open": np.array([25.0] * 4 + [40.0] * 4),
    "pinch": np.array([40.0, 25.0] * 4),
}


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """A session folder of a whole calibration of a wearer who is late, not always alike, and once does nothing."""
    root = tmp_path_factory.mktemp("calibrated")
    calibration = VirtualCalibration(root, PROTOCOL)
    jitter = np.random.default_rng(3)
    drawn = {}

    def does(view):
        cue = view.cue
        if cue is None or (cue.trial == 5 and cue.attempt == 1):
            return "rest"
        late = cue.phase.value == "ramp" and cue.seconds_left > 0.1
        return "rest" if late else f"{cue.gesture} {cue.trial}"

    def amplitude(asked):
        gesture = asked.partition(" ")[0]
        if asked not in drawn:
            drawn[asked] = PATTERNS[gesture] * np.exp(jitter.normal(0.0, 0.35, 8))
        return PATTERNS["rest"] if gesture == "rest" else drawn[asked]

    calibration.does, calibration.feed.amplitude = does, amplitude
    calibration.to_cues()
    calibration.run_until(lambda view: view.step is Step.RESULT)
    (recording,) = calibration.recordings
    assert recording.of(CALIBRATION)
    emg, times, _ = calibration.feed.between(0.0, np.inf)
    folder = root / "sub-P01" / "ses-T2"
    writer = SessionWriter(folder, participant="P01", session="T2", emg=calibration.feed.info)
    writer.write_emg(emg, times)
    writer.write_events([Event(*one) for one in recording.events])
    writer.close()
    return folder


def figures_of_both(session, tmp_path, capsys, *options):
    """What `hdemg train` and `hdemg evaluate --split repetition` print of one session."""
    assert main(["train", str(session), "-o", str(tmp_path / "decoder.onnx"), "--json", *options]) == 0
    held_out = json.loads(capsys.readouterr().out.splitlines()[-1])["held_out"]
    report = tmp_path / "report"
    arguments = ["evaluate", "--split", "repetition", str(session), "--report", str(report), "--jobs", "1"]
    assert main([*arguments, "--no-learning-curve", "--json", *options]) == 0
    judged = json.loads(capsys.readouterr().out.splitlines()[-1])
    figures = json.loads((report / "figures.json").read_text())["decoders"][0]["pooled"]
    trained = {name: round(value, 6) for name, value in held_out.items()}
    return trained, {name: judged[name] for name in held_out}, figures


# Margins are of no account where the muscle was looked at. By default a network is tried too, on every fold.
LDA = ("--model", "lda", "--after-cue", "0.3", "--before-next", "0")


@pytest.mark.parametrize("options", [LDA, pytest.param((), marks=pytest.mark.slow)])
def test_a_calibrated_session_is_judged_as_it_was_trained(calibrated, tmp_path, capsys, options):
    trained, judged, figures = figures_of_both(calibrated, tmp_path, capsys, *options)
    assert judged == trained
    assert 0.5 < trained["window_accuracy"] < 1.0
    session = load_session(calibrated)
    counted = trial_spans(session, Margins())
    # The trial in which nothing was done is neither trained on nor judged; nor are rests too short for a window.
    assert len(counted) < len(trials(session))
    assert figures["trials"] <= len(counted)
    assert sum(sum(row) for row in figures["trial_confusion"][1:]) == PROTOCOL.repetitions * 3


def test_both_take_the_signal_path_that_is_chosen(calibrated, tmp_path, capsys):
    chosen = tmp_path / "signal.yaml"
    chosen.write_text("window_ms: 100\n", encoding="utf-8")
    signal = ("--signal", str(chosen), "--powerline", "60")
    trained, judged, _ = figures_of_both(calibrated, tmp_path, capsys, *LDA, *signal)
    path = load_decoder(tmp_path / "decoder.onnx").metadata.signal
    assert (path.window_ms, path.powerline_hz) == (100.0, 60)
    by_default, *_ = figures_of_both(calibrated, tmp_path, capsys, *LDA)
    assert judged == trained != by_default


def test_a_decoder_file_keeps_its_own_signal_path(calibrated, tmp_path, capsys):
    arguments = ["evaluate", "decoder.onnx", str(calibrated), "--report", str(tmp_path), "--powerline", "60"]
    assert main(arguments) == EXIT_BAD_INPUT
    assert "leave out --signal and --powerline" in capsys.readouterr().err


@pytest.fixture(scope="module")
def imported(flexemg_imported):
    """The one recording of flexemg of which a window is decoded wrong."""
    return flexemg_imported / "sub-002" / "ses-Session1Test"


@pytest.mark.real_data
def test_a_session_with_cues_alone_is_judged_as_it_was_trained(imported, tmp_path, capsys):
    trained, judged, figures = figures_of_both(imported, tmp_path, capsys)
    assert judged == trained
    assert trained["window_accuracy"] == pytest.approx(0.998997, abs=1e-6)
    assert figures["trials"] == len(trials(load_session(imported)))
