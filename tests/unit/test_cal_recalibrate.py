"""Recalibration on a simulated sleeve whose turn and push are known."""

import dataclasses

import numpy as np
import pytest

from calibration.grid_shift import RecalibrationError
from calibration.recalibrate import carry_over, pooled, recalibrate
from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from decoding.class_statistics import ClassStatistics
from decoding.decoder_file import DecoderFile, load_decoder
from decoding.models.export import export_decoder
from decoding.models.lda import fit_lda
from decoding.pipeline import DecoderPipeline
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import Session, trials
from tests.cal_support import SLEEVE_GESTURES, donned
from tests.dec_support import cues, random_splits, session


def _quiet(_stage: str, _share: float) -> None:
    pass


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> DecoderFile:
    path = tmp_path_factory.mktemp("old") / "decoder.onnx"
    train_decoder([donned(cues(3, SLEEVE_GESTURES), spread=0.1)], path, TrainSettings(), _quiet)
    return load_decoder(path)


def _accuracy(decoder: DecoderFile, test: Session) -> float:
    """Share of windows at the end of each trial that are right, by the file's own probabilities."""
    found = DecoderPipeline(decoder, test.emg.info).process(test.emg.emg_uv)
    best = {one.sample_index: int(np.argmax(one.probabilities)) for one in found}
    gestures = decoder.metadata.gestures
    steady = [
        best[sample] == gestures.index(trial.gesture)
        for trial in trials(test)
        for sample in best
        if trial.start + 500 <= sample < trial.stop
    ]
    return float(np.mean(steady))


@pytest.mark.parametrize(("rows", "columns"), [(3, 0), (-2, 1), (4, -1)])
def test_without_labels_the_decoder_is_carried_over(old, tmp_path, rows, columns):
    test = donned(cues(2, SLEEVE_GESTURES), rows, columns, seed=9, spread=0.1)
    before = _accuracy(old, test)
    # The wearer does what they like: nothing is said of what it is.
    free = dataclasses.replace(donned(cues(1, SLEEVE_GESTURES), rows, columns, seed=5, gain=1.3), events=())
    report = carry_over(old, [free], tmp_path / "new.onnx", _quiet)
    new = load_decoder(report.decoder)
    assert (report.shift.rows, report.shift.columns) == (rows, columns)
    assert before < 0.6
    assert _accuracy(new, test) > 0.97
    done = new.metadata.recalibrations
    assert [(one.kind, one.rows, one.columns) for one in done] == [("carried", rows, columns)]
    # What had been held out says nothing about this donning.
    assert new.metadata.held_out.window_accuracy is None
    assert new.metadata.training_sessions == old.metadata.training_sessions


def test_a_carried_file_is_the_old_one_with_its_channels_read_elsewhere(old, tmp_path):
    report = carry_over(old, [donned(cues(1, SLEEVE_GESTURES), 3, 0, seed=5)], tmp_path / "new.onnx", _quiet)
    new = load_decoder(report.decoder)
    features = np.random.default_rng(0).normal(3.0, 0.5, (20, 32, 1)).astype(np.float32)
    moved = np.roll(features.reshape(20, 8, 4, 1), -3, axis=1).reshape(20, 32, 1)
    for now, then in zip(features, moved, strict=True):
        np.testing.assert_array_equal(
            new.classifier().probabilities(now), old.classifier().probabilities(then)
        )
    # And its statistics are those of the sleeve as it lies now: carried back, they are the old ones again.
    back = carry_over(new, [donned(cues(1, SLEEVE_GESTURES), 0, 0, seed=6)], tmp_path / "back.onnx", _quiet)
    again = load_decoder(back.decoder)
    assert old.statistics is not None
    assert again.statistics is not None
    np.testing.assert_array_equal(again.statistics.means, old.statistics.means)
    np.testing.assert_array_equal(again.statistics.covariance, old.statistics.covariance)
    np.testing.assert_array_equal(
        again.classifier().probabilities(features[0]), old.classifier().probabilities(features[0])
    )
    assert len(again.metadata.recalibrations) == 2


def test_another_persons_activity_is_refused_and_nothing_is_written(old, tmp_path):
    with pytest.raises(RecalibrationError, match=r"(is|are) needed"):
        carry_over(old, [donned(cues(1, SLEEVE_GESTURES), person=4, seed=5)], tmp_path / "new.onnx", _quiet)
    assert list(tmp_path.iterdir()) == []


def test_one_repetition_is_pooled_where_the_old_decoder_agrees_with_it(old, tmp_path):
    report = recalibrate(
        old, [donned(cues(1, SLEEVE_GESTURES), -3, 0, seed=5)], tmp_path / "new.onnx", _quiet
    )
    assert (report.way, report.shift.rows, report.window_accuracy) == ("pooled", -3, None)
    assert _accuracy(load_decoder(report.decoder), donned(cues(2, SLEEVE_GESTURES), -3, 0, seed=8)) > 0.97


def test_one_repetition_is_taken_afresh_where_the_old_decoder_does_not(old, tmp_path):
    report = recalibrate(
        old, [donned(cues(1, SLEEVE_GESTURES), person=4, seed=5)], tmp_path / "new.onnx", _quiet
    )
    assert report.way == "afresh"
    new = load_decoder(report.decoder)
    assert _accuracy(new, donned(cues(2, SLEEVE_GESTURES), person=4, seed=8)) > 0.97
    assert new.metadata.recalibrations == ()
    assert [one.session for one in new.metadata.training_sessions] == ["S1"]


@pytest.mark.parametrize("person", [0, 4])
def test_two_repetitions_choose_by_those_held_out_and_never_below_afresh(old, tmp_path, person):
    new = donned(cues(2, SLEEVE_GESTURES), 2, 0, seed=5, person=person, spread=0.4)
    report = recalibrate(old, [new], tmp_path / "new.onnx", _quiet)
    said = {one.name: one.window_accuracy for one in report.considered}
    assert set(said) == {"afresh", "pooled", "carried"}
    assert report.window_accuracy is not None
    assert report.window_accuracy == said[report.way]
    afresh = said["afresh"]
    assert afresh is not None
    assert report.window_accuracy >= afresh - 0.02
    assert load_decoder(report.decoder).metadata.held_out.window_accuracy == report.window_accuracy


def test_pooling_is_a_weighted_mean():
    then = ClassStatistics(np.zeros((2, 3, 1), np.float32), np.eye(3, dtype=np.float32), 12)
    now = ClassStatistics(np.full((2, 3, 1), 3.0, np.float32), 4 * np.eye(3, dtype=np.float32), 4)
    made = pooled(then, now)
    # Two new repetitions of two gestures, and one that the old decoder counts as.
    np.testing.assert_allclose(made.means, 2.0)
    np.testing.assert_allclose(np.diag(made.covariance), (12 * 1.0 + 4 * 4.0) / 16)
    assert made.n_trials == 16


def test_sessions_without_the_decoders_gestures_are_refused(old, tmp_path):
    with pytest.raises(InputError, match="the sessions lack pinch and hold none besides"):
        recalibrate(old, [donned(cues(1, SLEEVE_GESTURES[:3]))], tmp_path / "new.onnx", _quiet)
    with pytest.raises(InputError, match="does not fit the decoder"):
        recalibrate(old, [session(cues(1))], tmp_path / "new.onnx", _quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_decoder_without_statistics_is_refused(old, tmp_path):
    features = np.random.default_rng(0).normal(size=(40, 32, 1)).astype(np.float32)
    path = tmp_path / "bare.onnx"
    export_decoder(fit_lda(features, np.arange(40) % 4, 4), old.metadata, path)
    with pytest.raises(InputError, match="no class statistics to recalibrate from"):
        carry_over(load_decoder(path), [donned(cues(1, SLEEVE_GESTURES))], tmp_path / "new.onnx", _quiet)


def test_drift_is_followed_in_use_and_any_chunks_follow_it_alike(old, tmp_path):
    """Electrodes fade to half over half a minute: more than a bound of 0.3, so part of it is followed."""
    report = recalibrate(
        old, [donned(cues(2, SLEEVE_GESTURES), seed=5)], tmp_path / "new.onnx", _quiet, follow_drift=True
    )
    decoder = load_decoder(report.decoder)
    assert decoder.metadata.drift is not None
    test = donned(cues(2, SLEEVE_GESTURES), seed=12)
    fading = np.linspace(1.0, 0.5, len(test.emg.emg_uv), dtype=np.float32)[:, np.newaxis]
    emg_uv = (test.emg.emg_uv - 3e4) * fading + 3e4
    pipeline = DecoderPipeline(decoder, test.emg.info)
    whole = [one.to_values().tobytes() for one in pipeline.process(emg_uv)]
    pipeline.reset()
    split = random_splits(len(emg_uv), np.random.default_rng(3))
    again = [one.to_values().tobytes() for part in split for one in pipeline.process(emg_uv[part])]
    assert again == whole
    plain = [one.to_values().tobytes() for one in DecoderPipeline(old, test.emg.info).process(emg_uv)]
    assert plain != whole
