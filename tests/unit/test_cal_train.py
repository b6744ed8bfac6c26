import dataclasses
import logging

import numpy as np
import pytest

from calibration.held_out import folds_by_repetition
from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from calibration.training_set import TrialWindows
from decoding.decision import DecisionSettings
from decoding.decoder_file import load_decoder
from decoding.feature_chain import FeatureBlock
from decoding.pipeline import DecoderPipeline
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings
from emg_acquisition.errors import InputError
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.recording.session import RecordingInfo, Trial
from tests.dec_support import GESTURES, cues, session, stream_info

QUIET = {"progress": lambda _stage, _share: None}


def test_training_gives_a_decoder_that_decodes_another_session(tmp_path):
    told: list[tuple[str, float]] = []
    report = train_decoder(
        [session(cues(3))], tmp_path / "d.onnx", TrainSettings(), lambda *said: told.append(said)
    )
    assert report.gestures == GESTURES
    assert (report.model, report.n_trials) == ("lda", 9)
    assert report.window_accuracy == report.trial_accuracy == 1.0
    assert {stage for stage, _ in told} == {"features", "held out", "fit"}
    assert all(0.0 <= share <= 1.0 for _, share in told)
    assert told[-1] == ("fit", 1.0)
    metadata = load_decoder(report.decoder).metadata
    assert metadata.held_out.window_accuracy == 1.0
    other = session([("hand_open", 1), ("rest", 1), ("fist", 1)], seed=77)
    decided = DecoderPipeline(load_decoder(report.decoder), stream_info()).process(other.emg.emg_uv)
    steady = {d.sample_index: d for d in decided}
    assert [GESTURES[steady[k].gesture_index] for k in (2499, 5499, 8499)] == ["hand_open", "rest", "fist"]
    # Effort is 1 at the level of training and 0 at rest, give or take the noise of one window.
    assert steady[2499].effort > 0.9
    assert steady[5499].effort < 0.1


def test_accuracy_is_that_of_repetitions_not_seen(tmp_path):
    """Each repetition has its own pattern and none repeats: only a split within a repetition could tell them."""
    rng = np.random.default_rng(0)

    def unrepeatable(_gesture: str) -> np.ndarray:
        return rng.uniform(6.0, 60.0, 8)

    recorded = session(cues(8), amplitude=unrepeatable)
    report = train_decoder([recorded], tmp_path / "d.onnx", TrainSettings(model="lda"), **QUIET)
    assert report.window_accuracy is not None
    assert report.window_accuracy < 0.5
    assert report.trial_accuracy is not None
    assert report.trial_accuracy < 0.5
    assert report.temperature > 2.0


def test_training_is_deterministic(tmp_path):
    for name in ("a.onnx", "b.onnx"):
        train_decoder([session(cues(2))], tmp_path / name, TrainSettings(), **QUIET)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_a_single_repetition_trains_but_claims_no_accuracy(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        report = train_decoder([session(cues(1))], tmp_path / "d.onnx", TrainSettings(), **QUIET)
    assert (report.window_accuracy, report.trial_accuracy) == (None, None)
    assert "single repetition" in caplog.text
    assert load_decoder(report.decoder).metadata.held_out.trial_accuracy is None


def test_the_decoder_records_what_it_was_made_from(tmp_path):
    recorded = session(cues(2))
    about = recorded.info.model_copy(
        update={"recording": RecordingInfo(n_bytes=1, sha256="ab" * 32, emg_samples=1), "complete": True}
    )
    settings = TrainSettings(
        signal=SignalSettings(hop_ms=25.0, features=("log_rms", "zero_crossings")),
        decision=DecisionSettings(confidence_threshold=0.7),
        temporal=TemporalSettings(mean_hold_s=3.0),
    )
    one = dataclasses.replace(recorded, info=about)
    report = train_decoder([one, session(cues(2), seed=4)], tmp_path / "d.onnx", settings, **QUIET)
    metadata = load_decoder(report.decoder).metadata
    assert metadata.signal == settings.signal
    assert metadata.decision == settings.decision
    assert metadata.temporal == settings.temporal
    assert [made.sha256 for made in metadata.training_sessions] == ["ab" * 32, ""]
    assert [made.participant for made in metadata.training_sessions] == ["P01", "P01"]
    assert {"onnx", "onnxruntime", "numpy"} <= set(metadata.software)


def test_folds_are_whole_repetitions_of_a_session():
    empty = FeatureBlock(*(np.zeros(0, np.float32) for _ in range(3)), np.zeros(0, np.int64))
    windows = [
        TrialWindows(Trial("fist", repetition, 1, 0, 1), number, empty, np.zeros(0, bool))
        for number in (0, 1)
        for repetition in range(1, 8)
        for _ in range(2)
    ]
    folds = folds_by_repetition(windows)
    assert len(folds) == 10
    assert sorted(index for fold in folds for index in fold) == list(range(28))
    fold_of = {index: k for k, fold in enumerate(folds) for index in fold}
    for first in range(0, 28, 2):
        assert fold_of[first] == fold_of[first + 1]


def _other(**changed):
    return session(cues(2), info=dataclasses.replace(stream_info(), **changed))


@pytest.mark.parametrize(
    ("sessions", "named"),
    [
        ([], "at least one session"),
        ([session([])], "holds no cue"),
        (
            [session(cues(2, ("fist", "hand_open")))],
            "training needs 'rest' and a gesture, got fist, hand_open",
        ),
        ([session(cues(2, ("rest",)))], "training needs 'rest' and a gesture, got rest"),
        ([session([*cues(2), ("pinch", 2)])], r"too few usable trials of pinch \(1\): 2 at least"),
        ([session(cues(2), hold_s=2.0)], "no trial has a usable window: 1 s after its cue and 1 s before"),
        ([session(cues(2)), _other(fs_hz=2000.0)], "sampling rate not the same as in"),
        ([session(cues(2)), _other(grid=rectangular_grid(4, 2, 10.0))], "grid not the same"),
        ([session(cues(2)), _other(grid=rectangular_grid(2, 4, 8.0))], "grid not the same"),
        ([session(cues(2)), _other(channel_labels=tuple("ABCDEFGH"))], "channel labels not the same"),
    ],
)
def test_sessions_that_cannot_be_trained_on_are_refused_in_one_line(tmp_path, sessions, named):
    with pytest.raises(InputError, match=named) as caught:
        train_decoder(sessions, tmp_path / "d.onnx", TrainSettings(), **QUIET)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot write the decoder"):
        train_decoder([session(cues(2))], tmp_path / "file" / "d.onnx", TrainSettings(), **QUIET)


def test_a_gesture_whose_windows_are_all_too_poor_is_refused(tmp_path):
    recorded = session(cues(2))
    recorded.emg.emg_uv[3000:6000, :4] = np.nan
    recorded.emg.emg_uv[12_000:15_000, :4] = np.nan
    with pytest.raises(InputError, match=r"too few usable trials of fist \(0\)"):
        train_decoder([recorded], tmp_path / "d.onnx", TrainSettings(), **QUIET)
