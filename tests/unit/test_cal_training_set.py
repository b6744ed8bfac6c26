import dataclasses

import numpy as np

from calibration.training_set import TrialSpan, cut_windows, session_features, stack_steady
from decoding.feature_chain import FeatureChain
from decoding.signal_settings import SignalSettings
from emg_acquisition.recording.session import Trial, trials
from tests.dec_support import FS_HZ, GESTURES, GRID, cues, noise_uv, session

SETTINGS = SignalSettings(hop_ms=50.0)


def _labelled(recorded, after=1000, before=1000):
    spans = [
        TrialSpan(one, one.start, one.stop, one.start + after, one.stop - before) for one in trials(recorded)
    ]
    return cut_windows(session_features(recorded, SETTINGS), 200, spans, session=0, min_quality=0.7)


def test_a_steady_window_lies_wholly_beyond_both_margins():
    found = _labelled(session(cues(2)))
    assert len(found) == 6
    for one in found:
        expected = [
            last
            for last in range(199, 18_000, 50)
            if last - 199 >= one.trial.start + 1000 and last < one.trial.stop - 1000
        ]
        assert one.block.last_sample[one.steady].tolist() == expected
        # A trial of 3 s, without 1 s each side, has room for 800 ms of window ends: 16 or 17 hops.
        assert len(expected) in {16, 17}


def test_all_windows_of_a_trial_stay_in_order_for_the_decisions():
    found = _labelled(session(cues(1)))
    assert len(found) == 3
    for one in found:
        ends = one.block.last_sample
        assert (np.diff(ends) == 50).all()
        assert ends.min() >= one.trial.start
        assert ends.max() < one.trial.stop
        assert len(ends) == (57 if one.trial.start == 0 else 60)


def test_without_margins_the_whole_extent_still_lies_in_its_trial():
    found = _labelled(session(cues(1)), after=0, before=0)
    assert len(found) == 3
    for one in found:
        assert one.block.last_sample[one.steady].min() - 199 >= one.trial.start


def test_state_does_not_cross_a_gap():
    recorded = session(cues(1))
    t_lsl_s = recorded.emg.t_lsl_s.copy()
    t_lsl_s[4321:] += 7.0
    emg_uv = recorded.emg.emg_uv.copy()
    emg_uv[4321:] += 5000.0
    broken = dataclasses.replace(
        recorded, emg=dataclasses.replace(recorded.emg, emg_uv=emg_uv, t_lsl_s=t_lsl_s)
    )
    block = session_features(broken, SETTINGS)
    before = FeatureChain(SETTINGS, FS_HZ, GRID).process(emg_uv[:4321])
    after = FeatureChain(SETTINGS, FS_HZ, GRID).process(emg_uv[4321:])
    np.testing.assert_array_equal(block.features, np.concatenate([before.features, after.features]))
    expected = np.concatenate([before.last_sample, after.last_sample + 4321])
    np.testing.assert_array_equal(block.last_sample, expected)


def test_windows_are_labelled_by_their_trial_and_poor_ones_left_out():
    recorded = session(cues(1))
    recorded.emg.emg_uv[3000:6000, :4] = np.nan
    stacked = stack_steady(_labelled(recorded), GESTURES)
    assert np.bincount(stacked.labels, minlength=3).tolist()[1] == 0
    assert np.bincount(stacked.labels, minlength=3)[0] >= 16
    assert len(stacked.features) == len(stacked.labels) == len(stacked.log_amplitude)


def test_a_trial_takes_only_its_own_windows():
    block = FeatureChain(SETTINGS, FS_HZ, GRID).process(noise_uv(3000))
    trial = Trial("fist", 1, 1, 500, 1500)
    span = TrialSpan(trial, 500, 1500, 600, 1500)
    (one,) = cut_windows(block, 200, [span], session=3, min_quality=0.0)
    assert one.session == 3
    assert one.block.last_sample.tolist() == list(range(549, 1500, 50))[-len(one.block) :]
    assert one.block.last_sample[one.steady][0] == 799
