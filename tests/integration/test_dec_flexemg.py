"""Train on a real recording, decode another of the same wearer, and look at what a robot would have been told."""

from dataclasses import dataclass

import numpy as np
import pytest

from decoding.decoder_file import DecoderFile, load_decoder
from decoding.pipeline import DecoderPipeline
from emg_acquisition.recording.session import Session, Trial, load_session, trials
from tests.dec_support import random_splits

pytestmark = pytest.mark.real_data
WINDOW, MARGIN = 200, 1000


@dataclass(frozen=True)
class Decoded:
    """Decisions over the recording that was not trained on; all indices are into `gestures`."""

    decoder: DecoderFile
    session: Session
    trials: tuple[Trial, ...]
    sample: np.ndarray
    said: np.ndarray
    best: np.ndarray


@pytest.fixture(scope="module")
def decoded(flexemg_sessions, flexemg_decoder) -> Decoded:
    test, decoder = load_session(flexemg_sessions / "ses-Session1Test"), load_decoder(flexemg_decoder)
    pipeline = DecoderPipeline(decoder, test.emg.info)
    found = [
        one
        for start in range(0, len(test.emg.emg_uv), 4000)
        for one in pipeline.process(test.emg.emg_uv[start : start + 4000])
    ]
    return Decoded(
        decoder,
        test,
        trials(test),
        np.array([one.sample_index for one in found]),
        np.array([one.gesture_index for one in found]),
        np.array([np.argmax(one.probabilities) for one in found]),
    )


def _gesture(decoded: Decoded, trial: Trial) -> int:
    return decoded.decoder.metadata.gestures.index(trial.gesture)


def _steady(decoded: Decoded, trial: Trial) -> np.ndarray:
    first = decoded.sample - WINDOW + 1
    return (first >= trial.start + MARGIN) & (decoded.sample < trial.stop - MARGIN)


def test_another_recording_is_decoded(decoded):
    right_windows, right_trials = [], []
    for trial in decoded.trials:
        steady, wanted = _steady(decoded, trial), _gesture(decoded, trial)
        right_windows += (decoded.best[steady] == wanted).tolist()
        said = decoded.said[steady]
        right_trials.append(np.bincount(said[said >= 0], minlength=5).argmax() == wanted)
    assert len(right_trials) == 60
    assert np.mean(right_windows) >= 0.99
    assert np.mean(right_trials) >= 0.97


def test_the_held_out_estimate_agrees_with_the_recording_not_seen(decoded):
    held_out = decoded.decoder.metadata.held_out
    assert held_out.window_accuracy == pytest.approx(1.0, abs=0.01)
    assert held_out.trial_accuracy == pytest.approx(1.0, abs=0.02)


def test_a_change_from_gesture_to_gesture_hardly_ever_shows_a_third(decoded):
    wrong = []
    for before, trial in zip(decoded.trials[:-1], decoded.trials[1:], strict=True):
        if "rest" in {before.gesture, trial.gesture}:
            continue
        inside = (decoded.sample >= trial.start) & (decoded.sample < trial.stop)
        allowed = [
            -1,
            decoded.decoder.metadata.rest_index,
            _gesture(decoded, before),
            _gesture(decoded, trial),
        ]
        wrong.append(int((~np.isin(decoded.said[inside], allowed)).sum()))
    assert len(wrong) == 30
    # In two changes the wearer passes through a third gesture for longer than the dwell.
    assert np.count_nonzero(wrong) <= 2
    assert max(wrong) <= 6


def test_a_gesture_begins_soon_after_its_cue_and_the_old_one_ends(decoded):
    onset_ms, old_until_ms = [], []
    for before, trial in zip(decoded.trials[:-1], decoded.trials[1:], strict=True):
        if trial.gesture in {"rest", before.gesture}:
            continue
        inside = (decoded.sample >= trial.start) & (decoded.sample < trial.stop)
        since_cue_ms = decoded.sample[inside] - trial.start
        said = decoded.said[inside]
        begins = np.flatnonzero(said == _gesture(decoded, trial))[0]
        onset_ms.append(since_cue_ms[begins])
        # Up to there: before the next cue the wearer may let go early, and that is the rest that was before.
        old = since_cue_ms[:begins][said[:begins] == _gesture(decoded, before)]
        old_until_ms.append(old[-1] if len(old) else 0)
    # From the cue, so the wearer's reaction of some 200 to 300 ms is in it.
    assert np.median(onset_ms) <= 550
    assert np.median(old_until_ms) <= 300
    assert max(old_until_ms) < min(max(onset_ms), 1000)


def test_real_recordings_decode_to_the_same_bits_in_any_chunks(decoded):
    emg_uv = decoded.session.emg.emg_uv[:30_000]
    pipeline = DecoderPipeline(decoded.decoder, decoded.session.emg.info)
    whole = [one.to_values().tobytes() for one in pipeline.process(emg_uv)]
    for seed in range(3):
        pipeline.reset()
        rng = np.random.default_rng(seed)
        found = [one for split in random_splits(30_000, rng) for one in pipeline.process(emg_uv[split])]
        assert [one.to_values().tobytes() for one in found] == whole


def test_dead_electrodes_do_not_stop_a_trained_decoder(decoded):
    """Four of 64 electrodes fail after training: their neighbours stand in."""
    emg_uv = decoded.session.emg.emg_uv.copy()
    emg_uv[:, 5] = np.nan
    emg_uv[:, 20] = 0.0
    emg_uv[:, [41, 60]] = 1e5
    found = DecoderPipeline(decoded.decoder, decoded.session.emg.info).process(emg_uv)
    said = np.array([one.gesture_index for one in found])
    # But for one jolt of 75 ms, in which half the electrodes are louder than they ever were in training.
    assert sum(one.quality != 0.9375 for one in found) <= 3
    right = [
        bool(
            np.bincount(said[_steady(decoded, trial)] + 1, minlength=6).argmax() - 1
            == _gesture(decoded, trial)
        )
        for trial in decoded.trials
    ]
    assert np.mean(right) >= 0.95
